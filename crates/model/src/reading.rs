//! A text made ready to be cut: in lower case, and where its words are as far as ASCII shows it.
//!
//! N-grams and tokens are cut at the same places, so a text is scanned once for both. What a character
//! beyond ASCII is, is for the reader of the words to say.

use xxhash_rust::xxh3::xxh3_64;

/// The words of a text.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The text with ASCII letters in lower case.
    pub(crate) lower: Vec<u8>,
    pub(crate) words: Vec<Word>,
}

/// A run of letters and digits, one visible character of another kind, or all that stands between white
/// space and such characters where it is not all ASCII letters and digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word {
    /// Of the word in lower case.
    pub(crate) hash: u64,
    start: u32,
    end: u32,
    pub(crate) kind: Kind,
}

/// What a word is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ASCII letters, or one mark.
    Letters,
    /// ASCII letters and digits, of which there are some.
    Digits,
    /// Control characters or characters beyond ASCII, among others.
    Mixed,
}

impl Word {
    /// Where in the text it is.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Alphanumeric,
    Mark,
    Space,
    Other,
}

const BYTES: [Byte; 256] = {
    let mut table = [Byte::Other; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        table[byte as usize] = if byte.is_ascii_alphanumeric() {
            Byte::Alphanumeric
        } else if byte.is_ascii_graphic() {
            Byte::Mark
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            Byte::Space
        } else {
            Byte::Other
        };
        byte += 1;
    }
    table
};

fn kind_of(byte: u8) -> Byte {
    BYTES[usize::from(byte)]
}

impl Reading {
    /// Reads a text; what was read before is forgotten.
    pub(crate) fn read(&mut self, text: &str) {
        let Self { lower, words } = self;
        lower.clear();
        lower.extend_from_slice(text.as_bytes());
        lower.make_ascii_lowercase();
        words.clear();
        let mut start = 0;
        while let Some(&byte) = lower.get(start) {
            let (mut end, mut kind) = (start + 1, Kind::Letters);
            match kind_of(byte) {
                Byte::Space => {
                    start = end;
                    continue;
                }
                Byte::Mark => {}
                Byte::Other => kind = Kind::Mixed,
                Byte::Alphanumeric => {
                    let run = alphanumeric_run(&lower[start..]);
                    end = start + run.bytes;
                    if run.has_digits {
                        kind = Kind::Digits;
                    }
                    if lower.get(end).is_some_and(|&next| kind_of(next) == Byte::Other) {
                        kind = Kind::Mixed;
                    }
                }
            }
            if kind == Kind::Mixed {
                let goes_on = |&&byte: &&u8| !matches!(kind_of(byte), Byte::Mark | Byte::Space);
                end += lower[end..].iter().take_while(goes_on).count();
            }
            let hash = xxh3_64(&lower[start..end]);
            words.push(Word { hash, start: position(start), end: position(end), kind });
            // Most words are followed by one space.
            start = end + usize::from(lower.get(end) == Some(&b' '));
        }
    }
}

/// A text is read within the byte budget, or piece by piece: none has 4 GiB.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// How a text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    bytes: usize,
    has_digits: bool,
}

/// Every byte 1.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The top bit of every byte, in which comparisons leave their answer.
const TOPS: u64 = ONES << 7;

/// The ASCII letters in lower case and the digits that `bytes` begins with, found eight bytes at a time.
fn alphanumeric_run(bytes: &[u8]) -> Run {
    let mut run = Run { bytes: 0, has_digits: false };
    let (chunks, rest) = bytes.as_chunks();
    for chunk in chunks {
        let chunk = u64::from_le_bytes(*chunk);
        let ascii = !chunk & TOPS;
        let digits = between(chunk, b'0', b'9') & ascii;
        let others = TOPS & !(between(chunk, b'a', b'z') & ascii | digits);
        // The bits below the first byte that is another.
        run.has_digits |= digits & others.wrapping_sub(1) & !others != 0;
        if others != 0 {
            run.bytes += others.trailing_zeros() as usize / 8;
            return run;
        }
        run.bytes += 8;
    }
    let tail = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric());
    for byte in tail {
        run.bytes += 1;
        run.has_digits |= byte.is_ascii_digit();
    }
    run
}

/// The top bit of each byte whose lower seven bits are from `low` to `high`.
fn between(bytes: u64, low: u8, high: u8) -> u64 {
    let seven = bytes & !TOPS;
    // With the top bit set nothing is borrowed from the next byte.
    let at_least = (seven | TOPS) - ONES * u64::from(low);
    let at_most = ((ONES * u64::from(high)) | TOPS) - seven;
    at_least & at_most & TOPS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<(&str, Kind)> {
        let mut reading = Reading::default();
        reading.read("before");
        reading.read(text);
        assert_eq!(reading.lower, text.to_ascii_lowercase().as_bytes());
        let words = reading.words.iter().inspect(|word| {
            assert_eq!(word.hash, xxh3_64(&reading.lower[word.range()]));
        });
        words.map(|word| (&text[word.range()], word.kind)).collect()
    }

    #[test]
    fn a_text_is_cut_at_spaces_and_marks() {
        use Kind::{Digits, Letters, Mixed};
        assert_eq!(
            words("So naïve x_1\u{1}y\t質問?  B2b"),
            [
                ("So", Letters),
                ("naïve", Mixed),
                ("x", Letters),
                ("_", Letters),
                ("1\u{1}y", Mixed),
                ("質問", Mixed),
                ("?", Letters),
                ("B2b", Digits),
            ]
        );
    }

    #[test]
    fn every_byte_is_told_apart() {
        for byte in (0..=u8::MAX).filter(|byte| !byte.is_ascii_uppercase()) {
            let bytes = [b'x', b'y', byte, b'z', b'a', b'b', b'z', b'1', b'_'];
            let run = alphanumeric_run(&bytes);
            let expected = if byte.is_ascii_alphanumeric() { 8 } else { 2 };
            assert_eq!(run, Run { bytes: expected, has_digits: expected == 8 }, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn words_leave_out_space_alone(text in "([ -~\t\n]|\\PC|.){0,80}") {
            let joined: String = words(&text).iter().map(|(word, _)| *word).collect();
            prop_assert_eq!(joined, text.replace(['\n', '\t', '\r', ' '], ""));
            for (word, kind) in words(&text) {
                let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric());
                let mark = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_graphic());
                prop_assert_eq!(kind != Kind::Mixed, plain || mark);
                let digits = word.bytes().any(|byte| byte.is_ascii_digit());
                prop_assert!(kind == Kind::Mixed || (kind == Kind::Digits) == digits);
            }
        }

        #[test]
        fn a_run_is_what_it_is_byte_by_byte(text in "[a-z0-9]{0,40}\\PC{0,5}") {
            let bytes = text.to_ascii_lowercase().into_bytes();
            let run = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric());
            let has_digits = run.clone().any(u8::is_ascii_digit);
            prop_assert_eq!(alphanumeric_run(&bytes), Run { bytes: run.count(), has_digits });
        }
    }
}
