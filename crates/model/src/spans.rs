//! Where the words of a text begin and end, as far as ASCII shows it.
//!
//! N-grams and tokens are cut at the same places, so a text is scanned once for both. What a character
//! beyond ASCII is, and whether a word goes on after it, is for the reader of the spans to say.

/// A piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) kind: Kind,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters and digits.
    Word,
    /// One visible character of another kind.
    Mark,
    /// One control character; those that count as white space are in no span.
    Control,
    /// Characters beyond ASCII.
    Wide,
    /// White space, of which there are no spans.
    Space,
}

const KINDS: [Kind; 256] = {
    let mut table = [Kind::Wide; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        table[byte as usize] = if byte.is_ascii_alphanumeric() {
            Kind::Word
        } else if byte.is_ascii_graphic() {
            Kind::Mark
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            Kind::Space
        } else {
            Kind::Control
        };
        byte += 1;
    }
    table
};

/// The spans of a text, in order; `spans` is emptied first.
pub(crate) fn scan(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    spans.clear();
    let mut start = 0;
    while let Some(&byte) = bytes.get(start) {
        let kind = KINDS[usize::from(byte)];
        let end = match kind {
            Kind::Word => start + alphanumeric_run(&bytes[start..]),
            Kind::Wide => start + bytes[start..].iter().take_while(|byte| !byte.is_ascii()).count(),
            Kind::Mark | Kind::Control | Kind::Space => start + 1,
        };
        if kind != Kind::Space {
            spans.push(Span { start, end, kind });
        }
        start = end;
    }
}

/// Every byte 1.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The top bit of every byte, in which comparisons leave their answer.
const TOPS: u64 = ONES << 7;

/// How many ASCII letters and digits `bytes` begins with, found eight bytes at a time.
fn alphanumeric_run(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks();
    for (chunk, before) in chunks.iter().zip((0..).step_by(8)) {
        let others = TOPS & !alphanumeric(u64::from_le_bytes(*chunk));
        if others != 0 {
            return before + others.trailing_zeros() as usize / 8;
        }
    }
    let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric());
    bytes.len() - rest.len() + length.unwrap_or(rest.len())
}

/// The top bit of each byte that is an ASCII letter or digit.
fn alphanumeric(bytes: u64) -> u64 {
    let ascii = !bytes & TOPS;
    // Setting 0x20 lowers a letter's case and moves no other byte among the letters.
    let letters = between(bytes | (ONES * 0x20), b'a', b'z');
    ascii & (letters | between(bytes, b'0', b'9'))
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

    fn spans(text: &str) -> Vec<(&str, Kind)> {
        let mut spans = Vec::new();
        scan(text, &mut spans);
        spans.into_iter().map(|span| (&text[span.start..span.end], span.kind)).collect()
    }

    #[test]
    fn a_text_is_cut_where_its_kind_changes() {
        use Kind::{Control, Mark, Wide, Word};
        assert_eq!(
            spans("naïve x_1\u{1}\t質問?"),
            [
                ("na", Word),
                ("ï", Wide),
                ("ve", Word),
                ("x", Word),
                ("_", Mark),
                ("1", Word),
                ("\u{1}", Control),
                ("質問", Wide),
                ("?", Mark),
            ]
        );
    }

    #[test]
    fn every_byte_is_told_apart() {
        for byte in 0..=u8::MAX {
            let bytes = [b'x', b'9', byte, b'Z', b'a', b'0', b'z', b'A', b'_'];
            let expected = if byte.is_ascii_alphanumeric() { 8 } else { 2 };
            assert_eq!(alphanumeric_run(&bytes), expected, "{byte}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_of_one_kind_and_leave_out_space_alone(text in "([ -~\t\n]|\\PC|.){0,80}") {
            let spaces = ['\n', '\t', '\r', ' '];
            let joined: String = spans(&text).iter().map(|(part, _)| *part).collect();
            prop_assert_eq!(joined, text.replace(spaces, ""));
            for (part, kind) in spans(&text) {
                prop_assert!(part.bytes().all(|byte| KINDS[usize::from(byte)] == kind));
            }
        }

        #[test]
        fn a_run_is_what_it_is_byte_by_byte(bytes in "[a-zA-Z0-9]{0,40}\\PC{0,5}") {
            let bytes = bytes.as_bytes();
            let expected = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            prop_assert_eq!(alphanumeric_run(bytes), expected);
        }
    }
}
