//! Normalised text: groups near-identical prompts for splits and the leak guard, nothing else.

use crate::Digest;

/// Lower case, every run of characters that are neither letters, digits nor `_` one space.
pub fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_gap = false;
    for c in text.to_lowercase().chars() {
        if c.is_alphanumeric() || c == '_' {
            out.push(c);
            in_gap = false;
        } else if !in_gap {
            out.push(' ');
            in_gap = true;
        }
    }
    out
}

/// A uniform key of the normalised text: prompts that differ only in case, spacing or punctuation
/// share it, so a split by key keeps them on one side.
pub fn split_key(text: &str) -> u64 {
    Digest::of(normalise(text).trim().as_bytes()).prefix()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_space_and_punctuation_do_not_count() {
        assert_eq!(normalise("Hello,  World_1!\n"), "hello world_1 ");
        assert_eq!(split_key("Hello,  World!"), split_key("hello world"));
        assert_ne!(split_key("hello world"), split_key("hello worlds"));
    }
}
