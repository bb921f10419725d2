//! Dense features of a request that words do not show: lengths, shares of characters, shape.

use farthing_core::Request;
use memchr::memmem;

use crate::reading::{Kind, Reading};

/// Names of the surface features, in order.
pub const SURFACE_FEATURES: [&str; 16] = [
    "log_bytes",
    "log_words",
    "log_lines",
    "bytes_per_word",
    "digit_share",
    "upper_share",
    "non_ascii_share",
    "cjk_share",
    "cyrillic_or_arabic_share",
    "code_share",
    "math_share",
    "log_question_marks",
    "log_turns",
    "has_tools",
    "has_code_fence",
    "has_table",
];

/// Measures a routing text of `words` words, which was read.
#[expect(clippy::cast_possible_truncation, reason = "f32 is precise enough for features")]
pub(super) fn measure(
    text: &str,
    reading: &Reading,
    words: usize,
    request: &Request,
) -> [f32; SURFACE_FEATURES.len()] {
    let [lines, digits, upper, code, math, questions, pipes, backticks] = count(text.as_bytes());
    let wide = Wide::count(text, reading);
    let chars = text.chars().count();
    let share = |count: usize| count as f64 / chars.max(1) as f64;
    let log = |count: usize| (count as f64).ln_1p();
    let flag = |yes: bool| f64::from(u8::from(yes));
    [
        log(text.len()),
        log(words),
        log(lines),
        text.len() as f64 / words.max(1) as f64,
        share(digits),
        share(upper),
        share(wide.all),
        share(wide.cjk),
        share(wide.other_script),
        share(code),
        share(math),
        log(questions + wide.questions),
        log(request.messages().len()),
        flag(request.tools > 0),
        flag(backticks > 2 && memmem::find(text.as_bytes(), b"```").is_some()),
        flag(pipes > 3 && lines > 1),
    ]
    .map(|value| value as f32)
}

/// Kinds of ASCII characters that are counted.
const KINDS: usize = 8;

/// For each byte a one in the byte of the kind that it is of: eight counters in one word.
const KIND: [u64; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        #[expect(clippy::cast_possible_truncation, reason = "below 128")]
        let kind = match byte as u8 {
            b'\n' => Some(0),
            b'0'..=b'9' => Some(1),
            b'A'..=b'Z' => Some(2),
            b'{' | b'}' | b';' | b'(' | b')' | b'[' | b']' | b'<' | b'>' | b'#' | b'"' => Some(3),
            b'$' | b'\\' | b'^' | b'=' | b'+' | b'*' | b'/' => Some(4),
            b'?' => Some(5),
            b'|' => Some(6),
            b'`' => Some(7),
            _ => None,
        };
        if let Some(kind) = kind {
            table[byte] = 1 << (8 * kind);
        }
        byte += 1;
    }
    table
};

/// How many bytes there are of each kind.
fn count(bytes: &[u8]) -> [usize; KINDS] {
    let mut counts = [0; KINDS];
    // No counter overflows before it is emptied.
    for chunk in bytes.chunks(usize::from(u8::MAX)) {
        let packed: u64 = chunk.iter().map(|&byte| KIND[usize::from(byte)]).sum();
        for (count, part) in counts.iter_mut().zip(packed.to_le_bytes()) {
            *count += usize::from(part);
        }
    }
    counts
}

/// Counts of characters that are not ASCII.
#[derive(Default)]
struct Wide {
    all: usize,
    cjk: usize,
    other_script: usize,
    questions: usize,
}

impl Wide {
    fn count(text: &str, reading: &Reading) -> Self {
        let mut wide = Self::default();
        let mixed = reading.words.iter().filter(|word| word.kind == Kind::Mixed);
        for c in mixed.flat_map(|word| text[word.range()].chars()).filter(|c| !c.is_ascii()) {
            wide.all += 1;
            match c {
                '？' | '؟' => wide.questions += 1,
                '\u{3040}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' => wide.cjk += 1,
                '\u{0400}'..='\u{06FF}' => wide.other_script += 1,
                _ => {}
            }
        }
        wide
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str, name: &str) -> f32 {
        let request = Request::from_prompt(text).unwrap();
        let at = SURFACE_FEATURES.iter().position(|known| *known == name).unwrap();
        let mut reading = Reading::default();
        reading.read(text);
        measure(text, &reading, 10, &request)[at]
    }

    #[test]
    fn characters_are_counted_by_kind() {
        let text = "Über 12 {x} = 3?\n質問？ Да";
        assert_eq!(text.chars().count(), 23);
        for (name, count) in [
            ("digit_share", 3.0),
            ("upper_share", 0.0),
            ("non_ascii_share", 6.0),
            ("cjk_share", 2.0),
            ("cyrillic_or_arabic_share", 2.0),
            ("code_share", 2.0),
            ("math_share", 1.0),
        ] {
            assert!((measured(text, name) * 23.0 - count).abs() < 1e-4, "{name}");
        }
        assert!((measured(text, "log_question_marks") - 3_f32.ln()).abs() < 1e-6);
        assert!((measured(text, "log_lines") - 2_f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn long_texts_do_not_overflow_a_counter() {
        let text = "A?".repeat(5_000);
        assert!((measured(&text, "upper_share") - 0.5).abs() < 1e-6);
        assert!((measured(&text, "log_question_marks") - 5_000_f32.ln_1p()).abs() < 1e-6);
    }

    #[test]
    fn shapes_are_told_apart() {
        assert!(measured("```rust\nx\n```", "has_code_fence") > 0.5);
        assert!(measured("`` ` `x", "has_code_fence") < 0.5);
        assert!(measured("a|b\n-|-\n1|2|\n", "has_table") > 0.5);
        assert!(measured("a|b|c|d|e", "has_table") < 0.5);
    }
}
