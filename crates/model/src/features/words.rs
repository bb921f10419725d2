//! Words and word pairs of a text, hashed into buckets.
//!
//! A word is a run of letters and digits in lower case, every digit read as 0; any other visible
//! character is a word of its own, and so is each character of a script written without spaces.

use xxhash_rust::xxh3::xxh3_64;

/// Longer words are cut, so that one hostile word costs no more than a line of text.
const MAX_WORD_BYTES: usize = 64;

/// Appends the bucket of every word, and of every pair of neighbours, to `buckets`. Returns the
/// number of words.
pub(super) fn hash_ngrams(text: &str, bucket_bits: u32, buckets: &mut Vec<u32>) -> usize {
    let mut words = 0;
    let mut previous = None;
    for_each_word(text, |word| {
        let hash = xxh3_64(word);
        buckets.push(bucket(hash, bucket_bits));
        if let Some(before) = previous {
            buckets.push(bucket(pair(before, hash), bucket_bits));
        }
        previous = Some(hash);
        words += 1;
    });
    words
}

/// The top bits are the best mixed.
#[expect(clippy::cast_possible_truncation, reason = "bucket_bits is at most 24")]
fn bucket(hash: u64, bucket_bits: u32) -> u32 {
    (hash >> (64 - bucket_bits)) as u32
}

/// Hash of a pair; differs from that of the pair reversed.
fn pair(first: u64, second: u64) -> u64 {
    (first.rotate_left(23) ^ second)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

fn for_each_word(text: &str, mut emit: impl FnMut(&[u8])) {
    let mut word = [0_u8; MAX_WORD_BYTES];
    let mut length = 0;
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            if length < MAX_WORD_BYTES {
                word[length] =
                    if c.is_ascii_digit() { b'0' } else { (c as u8).to_ascii_lowercase() };
                length += 1;
            }
        } else if c.is_alphanumeric() && !is_unspaced(c) {
            for lower in c.to_lowercase() {
                if length + lower.len_utf8() <= MAX_WORD_BYTES {
                    length += lower.encode_utf8(&mut word[length..]).len();
                }
            }
        } else {
            if length > 0 {
                emit(&word[..length]);
                length = 0;
            }
            if !c.is_whitespace() && !c.is_control() {
                emit(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    if length > 0 {
        emit(&word[..length]);
    }
}

/// Scripts that put no space between words: kana, CJK ideographs, Thai, Lao, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        for_each_word(text, |word| words.push(String::from_utf8(word.to_vec()).unwrap()));
        words
    }

    #[test]
    fn words_are_cut_where_expected() {
        assert_eq!(words("Let x_1 = 42;"), ["let", "x", "_", "0", "=", "00", ";"]);
        assert_eq!(words("ÄRGER über"), ["ärger", "über"]);
        assert_eq!(words("質問です"), ["質", "問", "で", "す"]);
        assert_eq!(words(&"a".repeat(1000)), ["a".repeat(64)]);
    }

    proptest! {
        #[test]
        fn any_text_gives_buckets_in_range(text in "\\PC{0,200}") {
            let mut buckets = Vec::new();
            let words = hash_ngrams(&text, 10, &mut buckets);
            prop_assert_eq!(buckets.len(), (2 * words).saturating_sub(1));
            prop_assert!(buckets.iter().all(|&b| b < 1024));
        }
    }
}
