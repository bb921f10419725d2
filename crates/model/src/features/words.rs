//! Words and word pairs of a text, hashed into buckets.
//!
//! A word is a run of letters and digits in lower case, every digit read as 0; any other visible
//! character is a word of its own, and so is each character of a script written without spaces.

use xxhash_rust::xxh3::xxh3_64;

use crate::spans::{Kind, Span};

/// Longer words are cut, so that one hostile word costs no more than a line of text.
const MAX_WORD_BYTES: usize = 64;

/// Appends the bucket of every word, and of every pair of neighbours, to `buckets`. Returns the
/// number of words. `folded` is scratch space.
pub(super) fn hash_ngrams(
    text: &str,
    spans: &[Span],
    bucket_bits: u32,
    folded: &mut Vec<u8>,
    buckets: &mut Vec<u32>,
) -> usize {
    let mut words = 0;
    let mut previous = None;
    for_each_word(text, spans, folded, |word| {
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

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_lowercase() }
}

fn for_each_word(text: &str, spans: &[Span], folded: &mut Vec<u8>, mut emit: impl FnMut(&[u8])) {
    let bytes = text.as_bytes();
    // All at once, so that a word in ASCII is a slice and not a copy.
    folded.clear();
    folded.extend(bytes.iter().map(|&byte| fold(byte)));
    // What comes before has been emitted: a word that is not all ASCII takes several spans.
    let mut done = 0;
    for (at, &Span { start, end, kind }) in spans.iter().enumerate() {
        let start = start.max(done);
        if start >= end {
            continue;
        }
        let goes_on = |next: &Span| next.start == end && next.kind == Kind::Wide;
        match kind {
            Kind::Word if !spans.get(at + 1).is_some_and(goes_on) => {
                emit(&folded[start..end.min(start + MAX_WORD_BYTES)]);
            }
            Kind::Mark => emit(&bytes[start..end]),
            Kind::Word | Kind::Wide => {
                done = start;
                while done < end {
                    done = wide_word(text, done, &mut emit);
                }
            }
            Kind::Control | Kind::Space => {}
        }
    }
}

/// Emits the word, or the visible character, that begins at `start`; where it ends.
fn wide_word(text: &str, start: usize, emit: &mut impl FnMut(&[u8])) -> usize {
    let mut word = [0_u8; MAX_WORD_BYTES];
    let mut length = 0;
    for (offset, c) in text[start..].char_indices() {
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
        } else if offset > 0 {
            emit(&word[..length]);
            return start + offset;
        } else {
            if !c.is_whitespace() && !c.is_control() {
                emit(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            return start + c.len_utf8();
        }
    }
    emit(&word[..length]);
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
    use crate::spans::scan;

    fn words(text: &str) -> Vec<String> {
        let (mut words, mut spans) = (Vec::new(), Vec::new());
        scan(text, &mut spans);
        for_each_word(text, &spans, &mut Vec::new(), |word| {
            words.push(String::from_utf8(word.to_vec()).unwrap());
        });
        words
    }

    /// The definition, a character at a time.
    fn words_by_characters(text: &str) -> Vec<String> {
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

    #[test]
    fn words_are_cut_where_expected() {
        assert_eq!(words("Let x_1 = 42;"), ["let", "x", "_", "0", "=", "00", ";"]);
        assert_eq!(words("ÄRGER über"), ["ärger", "über"]);
        assert_eq!(words("naïve1 1é2,é"), ["naïve0", "0é0", ",", "é"]);
        assert_eq!(words("質問です"), ["質", "問", "で", "す"]);
        assert_eq!(words("x質“y”\u{1}z"), ["x", "質", "“", "y", "”", "z"]);
        assert_eq!(words(&"a".repeat(1000)), ["a".repeat(64)]);
        assert_eq!(words(&format!("{}é", "a".repeat(70))), ["a".repeat(64)]);
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_definition(text in "([a-zA-Z0-9 ]|[ -~]|\\PC|.){0,120}") {
            prop_assert_eq!(words(&text), words_by_characters(&text));
        }

        #[test]
        fn any_text_gives_buckets_in_range(text in "\\PC{0,200}") {
            let (mut buckets, mut spans) = (Vec::new(), Vec::new());
            scan(&text, &mut spans);
            let words = hash_ngrams(&text, &spans, 10, &mut Vec::new(), &mut buckets);
            prop_assert_eq!(buckets.len(), (2 * words).saturating_sub(1));
            prop_assert!(buckets.iter().all(|&b| b < 1024));
        }
    }
}
