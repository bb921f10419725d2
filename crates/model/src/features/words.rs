//! Words and word pairs of a text, hashed into buckets.
//!
//! A word is a run of letters and digits in lower case, every digit read as 0; any other visible
//! character is a word of its own, and so is each character of a script written without spaces.

use xxhash_rust::xxh3::xxh3_64;

use crate::reading::{Kind, Reading};

/// Longer words are cut, so that one hostile word costs no more than a line of text.
const MAX_WORD_BYTES: usize = 64;

/// Gives the bucket of every word, and of every pair of neighbours, to `emit`. Returns the number of words.
pub(super) fn hash_ngrams(
    text: &str,
    reading: &Reading,
    bucket_bits: u32,
    mut emit: impl FnMut(u32),
) -> usize {
    let mut words = 0;
    let mut previous = None;
    for_each_word(text, reading, |hash| {
        emit(bucket(hash, bucket_bits));
        if let Some(before) = previous {
            emit(bucket(pair(before, hash), bucket_bits));
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

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_lowercase() }
}

/// Gives the hash of every word to `emit`.
fn for_each_word(text: &str, reading: &Reading, mut emit: impl FnMut(u64)) {
    for word in &reading.words {
        let range = word.range();
        match word.kind {
            Kind::Letters if range.len() <= MAX_WORD_BYTES => emit(word.hash),
            Kind::Letters | Kind::Digits => emit(hash_folded(&reading.lower[range])),
            Kind::Mixed => {
                let mut rest = &text[range];
                while !rest.is_empty() {
                    rest = &rest[wide_word(rest, &mut emit)..];
                }
            }
        }
    }
}

/// Hash of the beginning of an ASCII word.
fn hash_folded(word: &[u8]) -> u64 {
    let mut folded = [0; MAX_WORD_BYTES];
    let length = word.len().min(MAX_WORD_BYTES);
    for (folded, &byte) in folded.iter_mut().zip(word) {
        *folded = fold(byte);
    }
    xxh3_64(&folded[..length])
}

/// Emits the word, or the visible character, that `text` begins with; where it ends.
fn wide_word(text: &str, emit: &mut impl FnMut(u64)) -> usize {
    let mut word = [0_u8; MAX_WORD_BYTES];
    let mut length = 0;
    for (at, c) in text.char_indices() {
        if c.is_ascii_alphanumeric() {
            if length < MAX_WORD_BYTES {
                word[length] = fold(c as u8);
                length += 1;
            }
        } else if !is_unspaced(c) && c.is_alphanumeric() {
            for lower in c.to_lowercase() {
                if length + lower.len_utf8() <= MAX_WORD_BYTES {
                    length += lower.encode_utf8(&mut word[length..]).len();
                }
            }
        } else if at > 0 {
            emit(xxh3_64(&word[..length]));
            return at;
        } else {
            if !c.is_whitespace() && !c.is_control() {
                emit(xxh3_64(c.encode_utf8(&mut [0; 4]).as_bytes()));
            }
            return c.len_utf8();
        }
    }
    emit(xxh3_64(&word[..length]));
    text.len()
}

/// Scripts that put no space between words: kana, CJK ideographs, Thai, Lao, Khmer.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0EFF | 0x1780..=0x17FF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Reading {
        let mut reading = Reading::default();
        reading.read(text);
        reading
    }

    /// The words by their definition, a character at a time.
    fn words(text: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        for c in text.chars() {
            if c.is_alphanumeric() && !is_unspaced(c) {
                let word = words.last_mut().unwrap();
                for lower in c.to_lowercase().map(|c| if c.is_ascii_digit() { '0' } else { c }) {
                    if word.len() + lower.len_utf8() <= MAX_WORD_BYTES {
                        word.push(lower);
                    }
                }
            } else {
                let visible = !c.is_whitespace() && !c.is_control();
                words.extend([String::from_iter(visible.then_some(c)), String::new()]);
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    /// That the hashes of a text's words are those of the words by their definition.
    fn check(text: &str) {
        let mut hashes = Vec::new();
        for_each_word(text, &read(text), |hash| hashes.push(hash));
        let words = words(text);
        let expected: Vec<u64> = words.iter().map(|word| xxh3_64(word.as_bytes())).collect();
        assert_eq!(hashes, expected, "{words:?}");
    }

    #[test]
    fn words_are_cut_where_expected() {
        let expect = |text: &str, expected: &[&str]| {
            assert_eq!(words(text), expected);
            check(text);
        };
        expect("Let x_1 = 42;", &["let", "x", "_", "0", "=", "00", ";"]);
        expect("ÄRGER über", &["ärger", "über"]);
        expect("naïve1 1é2,é", &["naïve0", "0é0", ",", "é"]);
        expect("質問です", &["質", "問", "で", "す"]);
        expect("x質“y”\u{1}z", &["x", "質", "“", "y", "”", "z"]);
        expect(&"a".repeat(1000), &[&"a".repeat(64)]);
        expect(
            &format!("{}é {}1", "a".repeat(70), "b".repeat(70)),
            &[&"a".repeat(64), &"b".repeat(64)],
        );
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_definition(text in "([a-zA-Z0-9 ]|[ -~]|\\PC|.){0,120}") {
            check(&text);
        }

        #[test]
        fn any_text_gives_buckets_in_range(text in "\\PC{0,200}") {
            let mut buckets = Vec::new();
            let words = hash_ngrams(&text, &read(&text), 10, |bucket| buckets.push(bucket));
            prop_assert_eq!(buckets.len(), (2 * words).saturating_sub(1));
            prop_assert!(buckets.iter().all(|&b| b < 1024));
        }
    }
}
