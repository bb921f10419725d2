//! What is read of a request: the last user turn, within a byte budget.
//!
//! Tool results and the reminders that coding harnesses put into user turns say nothing about what
//! is asked, so they are left out. A short turn ("yes", "go on") inherits the last substantive one.

use std::borrow::Cow;
use std::iter;

use farthing_core::{Request, Role};
use memchr::memmem;

/// A turn of fewer words than this says too little on its own.
const SUBSTANTIVE_WORDS: usize = 4;
/// A longer one says enough: scripts without spaces say much in one "word".
const SUBSTANTIVE_BYTES: usize = 40;
const NOISE: (&str, &str) = ("<system-reminder>", "</system-reminder>");

/// The text that features are computed from.
#[derive(Debug, PartialEq, Eq)]
pub struct RoutingText<'a> {
    /// The text, at most `head_bytes + tail_bytes + 1` long.
    pub text: Cow<'a, str>,
    /// Whether something was cut out of its middle.
    pub truncated: bool,
}

/// The routing text of a request; text beyond `head_bytes` from its start and `tail_bytes` from its
/// end is cut out at character boundaries. However long a request is, no more than that is copied.
pub fn build(request: &Request, head_bytes: usize, tail_bytes: usize) -> RoutingText<'_> {
    let budget = Budget { head_bytes, tail_bytes };
    let messages = request.messages();
    let users = messages.iter().rev().filter(|message| message.role == Role::User);
    let mut turns = users.map(|message| Turn(&message.text)).filter(|turn| !turn.is_blank());
    let Some(last) = turns.next() else {
        // Without a user turn, what there is.
        let texts = messages.iter().map(|message| &*message.text).filter(|text| !text.is_empty());
        return budget.cut(texts.flat_map(|text| ["\n", text]).skip(1));
    };
    let earlier = if last.is_substantive() { None } else { turns.find(Turn::is_substantive) };
    match earlier {
        Some(earlier) => budget.cut(earlier.pieces().chain(["\n"]).chain(last.pieces())),
        None => budget.cut(last.pieces()),
    }
}

/// What a user said, with what a harness added.
struct Turn<'a>(&'a str);

impl<'a> Turn<'a> {
    /// What is left between the noise; noise that nothing ends goes on to the end.
    fn pieces(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let (open, close) = NOISE;
        let mut rest = Some(self.0);
        let pieces = iter::from_fn(move || {
            let text = rest?;
            let Some(start) = memmem::find(text.as_bytes(), open.as_bytes()) else {
                return rest.take();
            };
            let end = memmem::find(&text.as_bytes()[start..], close.as_bytes());
            rest = end.map(|end| &text[start + end + close.len()..]);
            Some(&text[..start])
        });
        pieces.filter(|piece| !piece.is_empty())
    }

    fn is_blank(&self) -> bool {
        self.pieces().all(is_blank)
    }

    fn is_substantive(&self) -> bool {
        let mut text = String::new();
        for piece in self.pieces() {
            if text.len() + piece.len() > SUBSTANTIVE_BYTES {
                return true;
            }
            text.push_str(piece);
        }
        text.split_whitespace().nth(SUBSTANTIVE_WORDS - 1).is_some()
    }
}

/// As `trim().is_empty()`, which takes a character at a time.
fn is_blank(text: &str) -> bool {
    let space = |byte: &u8| matches!(byte, b'\t'..=b'\r' | b' ');
    let (chunks, _) = text.as_bytes().as_chunks::<64>();
    let blank = chunks.iter().take_while(|chunk| chunk.iter().fold(true, |all, b| all & space(b)));
    text[64 * blank.count()..].trim().is_empty()
}

/// How much is kept.
#[derive(Clone, Copy)]
struct Budget {
    head_bytes: usize,
    tail_bytes: usize,
}

impl Budget {
    /// The pieces as one text, without its middle where they are too long.
    fn cut<'a>(self, mut pieces: impl Iterator<Item = &'a str>) -> RoutingText<'a> {
        let first = pieces.next().unwrap_or_default();
        let Some(second) = pieces.next() else { return self.cut_one(first) };
        let mut kept = Kept { budget: self, head: String::new(), tail: String::new(), cut: false };
        for piece in [first, second].into_iter().chain(pieces) {
            kept.push(piece);
        }
        kept.finish()
    }

    fn cut_one(self, text: &str) -> RoutingText<'_> {
        if text.len() <= self.head_bytes + self.tail_bytes {
            return RoutingText { text: Cow::Borrowed(text), truncated: false };
        }
        let head = &text[..text.floor_char_boundary(self.head_bytes)];
        let tail = &text[text.ceil_char_boundary(text.len() - self.tail_bytes)..];
        RoutingText { text: Cow::Owned(format!("{head}\n{tail}")), truncated: true }
    }
}

/// What is kept of the pieces so far: all of them while they fit, then their head and their tail.
struct Kept {
    budget: Budget,
    head: String,
    tail: String,
    cut: bool,
}

impl Kept {
    fn push(&mut self, piece: &str) {
        let Budget { head_bytes, tail_bytes } = self.budget;
        if !self.cut {
            if self.head.len() + piece.len() <= head_bytes + tail_bytes {
                return self.head.push_str(piece);
            }
            // What is beyond the head is of no use any more but as a tail.
            self.cut = true;
            let room = head_bytes.saturating_sub(self.head.len());
            let fits = piece.floor_char_boundary(room);
            self.tail = self.head.split_off(self.head.floor_char_boundary(head_bytes));
            if self.tail.is_empty() {
                self.head.push_str(&piece[..fits]);
            }
        }
        if piece.len() > tail_bytes {
            self.tail.clear();
        }
        let last = piece.ceil_char_boundary(piece.len().saturating_sub(tail_bytes));
        self.tail.push_str(&piece[last..]);
        let over = self.tail.len().saturating_sub(tail_bytes);
        self.tail.drain(..self.tail.ceil_char_boundary(over));
    }

    fn finish(self) -> RoutingText<'static> {
        let Self { head, tail, cut, .. } = self;
        let text = if cut { format!("{head}\n{tail}") } else { head };
        RoutingText { text: Cow::Owned(text), truncated: cut }
    }
}

#[cfg(test)]
mod tests {
    use farthing_core::Message;
    use proptest::prelude::*;

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

    #[test]
    fn blank_is_what_trims_to_nothing() {
        for text in [" ".repeat(200), "\t\n\r ".repeat(50), "\u{a0}".repeat(100), String::new()] {
            assert!(is_blank(&text));
            assert!(!is_blank(&format!("{text}x")) && !is_blank(&format!("x{text}")));
        }
    }

    /// The definition: all noise out, then all of the text, then its middle out.
    fn defined(turns: &[String], head_bytes: usize, tail_bytes: usize) -> (String, bool) {
        let clean = |turn: &String| {
            let mut text = turn.clone();
            while let Some(start) = text.find(NOISE.0) {
                let close = text[start..].find(NOISE.1);
                let end = close.map_or(text.len(), |at| start + at + NOISE.1.len());
                text.replace_range(start..end, "");
            }
            text
        };
        let turns: Vec<String> = turns.iter().map(clean).filter(|t| !t.trim().is_empty()).collect();
        let substantive =
            |text: &&String| text.len() > SUBSTANTIVE_BYTES || text.split_whitespace().count() > 3;
        let last = turns.last().unwrap();
        let earlier = turns.iter().rev().skip(1).find(substantive);
        let text = match earlier.filter(|_| !substantive(&last)) {
            Some(earlier) => format!("{earlier}\n{last}"),
            None => last.clone(),
        };
        let cut = Budget { head_bytes, tail_bytes }.cut_one(&text);
        (cut.text.to_string(), cut.truncated)
    }

    proptest! {
        #[test]
        fn pieces_are_cut_as_the_whole_text_would_be(
            turns in proptest::collection::vec("([a-zé質 ]{0,12}|[a-z]{30}|<system-reminder>|</system-reminder>){0,8}", 1..4),
            head_bytes in 0_usize..40, tail_bytes in 0_usize..40,
        ) {
            let messages: Vec<Message> =
                turns.iter().map(|text| Message { role: Role::User, text: text.clone() }).collect();
            prop_assume!(messages.iter().any(|message| !Turn(&message.text).is_blank()));
            let request = Request::new(messages).unwrap();
            let built = build(&request, head_bytes, tail_bytes);
            prop_assert_eq!((built.text.to_string(), built.truncated), defined(&turns, head_bytes, tail_bytes));
        }
    }
}
