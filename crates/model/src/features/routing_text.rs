//! What is read of a request: the last user turn, within a byte budget.
//!
//! Tool results and the reminders that coding harnesses put into user turns say nothing about what
//! is asked, so they are left out. A short turn ("yes", "go on") inherits the last substantive one.

use std::borrow::Cow;

use farthing_core::{Message, Request, Role};
use memchr::memmem;

/// A turn of fewer words than this says too little on its own.
const SUBSTANTIVE_WORDS: usize = 4;
const NOISE: [(&str, &str); 1] = [("<system-reminder>", "</system-reminder>")];

/// The text that features are computed from.
#[derive(Debug, PartialEq, Eq)]
pub struct RoutingText<'a> {
    /// The text, at most `head_bytes + tail_bytes + 1` long.
    pub text: Cow<'a, str>,
    /// Whether something was cut out of its middle.
    pub truncated: bool,
}

/// The routing text of a request; text beyond `head_bytes` from its start and `tail_bytes` from its
/// end is cut out at character boundaries.
pub fn build(request: &Request, head_bytes: usize, tail_bytes: usize) -> RoutingText<'_> {
    let text = match user_turns(request.messages()) {
        (Some(last), Some(earlier)) => Cow::Owned(format!("{earlier}\n{last}")),
        (Some(last), None) => last,
        // Without a user turn, what there is.
        (None, _) => Cow::Owned(request.full_text()),
    };
    cut(text, head_bytes, tail_bytes)
}

/// The last user turn and, where that is too short to go by, the last substantive one before it.
fn user_turns(messages: &[Message]) -> (Option<Cow<'_, str>>, Option<Cow<'_, str>>) {
    let mut turns = messages
        .iter()
        .rev()
        .filter(|m| m.role == Role::User)
        .map(|m| without_noise(&m.text))
        .filter(|text| !text.trim().is_empty());
    let last = turns.next();
    let earlier = match &last {
        Some(text) if !is_substantive(text) => turns.find(|text| is_substantive(text)),
        _ => None,
    };
    (last, earlier)
}

fn is_substantive(text: &str) -> bool {
    // Scripts without spaces say much in one "word".
    text.len() > 40 || text.split_whitespace().nth(SUBSTANTIVE_WORDS - 1).is_some()
}

fn without_noise(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (open, close) in NOISE {
        while let Some(start) = memmem::find(text.as_bytes(), open.as_bytes()) {
            let found = memmem::find(&text.as_bytes()[start..], close.as_bytes());
            let end = found.map_or(text.len(), |at| start + at + close.len());
            text = Cow::Owned(format!("{}{}", &text[..start], &text[end..]));
        }
    }
    text
}

fn cut(text: Cow<'_, str>, head_bytes: usize, tail_bytes: usize) -> RoutingText<'_> {
    if text.len() <= head_bytes + tail_bytes {
        return RoutingText { text, truncated: false };
    }
    let head = &text[..text.floor_char_boundary(head_bytes)];
    let tail = &text[text.ceil_char_boundary(text.len() - tail_bytes)..];
    RoutingText { text: Cow::Owned(format!("{head}\n{tail}")), truncated: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(turns: &[(Role, &str)], expected: &str) {
        let messages =
            turns.iter().map(|&(role, text)| Message { role, text: text.into() }).collect();
        let request = Request::new(messages).unwrap();
        assert_eq!(build(&request, 100, 100).text, expected);
    }

    #[test]
    fn the_last_user_turn_counts() {
        use Role::{Assistant, System, Tool, User};
        check(&[(System, "be brief"), (User, "explain how tides work")], "explain how tides work");
        check(
            &[(User, "write a sorting function"), (Assistant, "ok?"), (User, "yes")],
            "write a sorting function\nyes",
        );
        check(
            &[(User, "find all the prime numbers"), (Tool, "2 3 5")],
            "find all the prime numbers",
        );
        check(&[(System, "only this")], "only this");
    }

    #[test]
    fn harness_noise_is_dropped() {
        use Role::User;
        check(
            &[(User, "a b c d<system-reminder>x</system-reminder> e<system-reminder>y")],
            "a b c d e",
        );
        check(
            &[(User, "what is the time"), (User, "<system-reminder>y</system-reminder>")],
            "what is the time",
        );
    }

    #[test]
    fn the_middle_is_cut_at_character_boundaries() {
        let request = Request::from_prompt("ä".repeat(100)).unwrap();
        let text = build(&request, 5, 3);
        assert!(text.truncated);
        assert_eq!(text.text, "ää\nä");
    }
}
