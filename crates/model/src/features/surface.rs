//! Dense features of a request that words do not show: lengths, shares of characters, shape.

use farthing_core::Request;

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

/// Measures a routing text of `words` words.
#[expect(clippy::cast_possible_truncation, reason = "f32 is precise enough for features")]
pub(super) fn measure(
    text: &str,
    words: usize,
    request: &Request,
) -> [f32; SURFACE_FEATURES.len()] {
    let [mut lines, mut digits, mut upper, mut non_ascii, mut cjk, mut other_script] = [0_u32; 6];
    let [mut code, mut math, mut questions, mut pipes] = [0_u32; 4];
    let mut chars = 0_u32;
    for c in text.chars() {
        chars += 1;
        match c {
            '\n' => lines += 1,
            '0'..='9' => digits += 1,
            'A'..='Z' => upper += 1,
            '{' | '}' | ';' | '(' | ')' | '[' | ']' | '<' | '>' | '#' | '"' => code += 1,
            '$' | '\\' | '^' | '=' | '+' | '*' | '/' => math += 1,
            '?' | '？' | '؟' => questions += 1,
            '|' => pipes += 1,
            '\u{3040}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' => cjk += 1,
            '\u{0400}'..='\u{06FF}' => other_script += 1,
            _ => {}
        }
        non_ascii += u32::from(!c.is_ascii());
    }
    let share = |count: u32| f64::from(count) / f64::from(chars.max(1));
    let log = |count: f64| count.ln_1p();
    let flag = |yes: bool| f64::from(u8::from(yes));
    [
        log(text.len() as f64),
        log(words as f64),
        log(f64::from(lines)),
        text.len() as f64 / words.max(1) as f64,
        share(digits),
        share(upper),
        share(non_ascii),
        share(cjk),
        share(other_script),
        share(code),
        share(math),
        log(f64::from(questions)),
        log(request.messages().len() as f64),
        flag(request.tools > 0),
        flag(text.contains("```")),
        flag(pipes > 3 && lines > 1),
    ]
    .map(|value| value as f32)
}
