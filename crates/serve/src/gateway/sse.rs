//! Server-sent events as they arrive: bytes in any pieces, whole events out.
//!
//! A proxy forwards an event as it came, so each comes with its own bytes; what is read of it are its
//! `data` lines (WHATWG HTML, section 9.2.6). A byte order mark, comments and the three kinds of line
//! ends are known, and an event longer than a limit ends the stream.

use axum::body::Bytes;

/// Longer events are refused.
pub(super) const LONGEST_EVENT: usize = 8 << 20;

/// Takes bytes apart into events.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// Bytes of events that are not whole yet.
    held: Vec<u8>,
    /// How far `held` has been looked through for the end of an event.
    looked: usize,
}

/// An event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// It as it came, with the empty line at its end.
    pub(super) raw: Bytes,
    /// What it says; `None`: comments and other fields only.
    pub(super) data: Option<Vec<u8>>,
}

/// An event is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

impl Scanner {
    /// Takes more bytes; the events that are whole with them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, TooLong> {
        self.held.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(end) = end_of_event(&self.held, start.max(self.looked)) {
            events.push(Event::of(&self.held[start..end]));
            (start, self.looked) = (end, end);
        }
        self.held.drain(..start);
        // The end of an event may begin with the last bytes.
        self.looked = self.held.len().saturating_sub(3);
        if self.held.len() > LONGEST_EVENT { Err(TooLong) } else { Ok(events) }
    }

    /// The stream has ended: what is left, an event without the empty line at its end.
    pub(super) fn finish(&mut self) -> Option<Event> {
        let held = std::mem::take(&mut self.held);
        (!held.is_empty()).then(|| Event::of(&held))
    }
}

/// Where the first event that ends at or after `from` ends: after an empty line.
fn end_of_event(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| matches!(byte, b'\n' | b'\r'))?;
        let next = after_line_end(bytes, at)?;
        match bytes.get(next)? {
            b'\n' => return Some(next + 1),
            b'\r' => return after_line_end(bytes, next),
            _ => at = next,
        }
    }
}

/// Where the line after a line end begins; `None`: more bytes are needed to say.
fn after_line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match (bytes[at], bytes.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(at + 2),
        // A lone carriage return is known by what follows.
        (b'\r', None) => None,
        _ => Some(at + 1),
    }
}

impl Event {
    fn of(raw: &[u8]) -> Self {
        let text = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
        let mut data: Option<Vec<u8>> = None;
        for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let Some(value) = line.strip_prefix(b"data") else { continue };
            let value = match value {
                [] => value,
                [b':', b' ', rest @ ..] | [b':', rest @ ..] => rest,
                _ => continue,
            };
            match &mut data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => data = Some(value.to_vec()),
            }
        }
        Self { raw: Bytes::copy_from_slice(raw), data }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the events say; a dash for those that say nothing.
    fn data(stream: &[u8]) -> Vec<String> {
        let mut scanner = Scanner::default();
        let mut events = scanner.push(stream).unwrap();
        events.extend(scanner.finish());
        let text = |event: Event| event.data.map_or("-".into(), |d| String::from_utf8(d).unwrap());
        events.into_iter().map(text).collect()
    }

    #[test]
    fn events_of_every_kind() {
        assert_eq!(data(b"data: a\n\ndata:b\r\n\r\ndata: c\r\r"), ["a", "b", "c"]);
        assert_eq!(data(b"event: x\ndata: {\ndata: }\nid: 1\n\n"), ["{\n}"]);
        assert_eq!(data(b": a comment\n\ndata\n\n"), ["-", ""]);
        assert_eq!(data(b"\xef\xbb\xbfdata: a\n\n"), ["a"]);
        assert_eq!(data(b"database: a\n\n"), ["-"]);
        assert_eq!(data(b"data: cut off"), ["cut off"]);
        assert!(data(b"").is_empty());
    }

    #[test]
    fn an_event_without_an_end_is_too_long_in_the_end() {
        let mut scanner = Scanner::default();
        let piece = vec![b'a'; 1 << 20];
        let pushed = (0..9).map(|_| scanner.push(&piece).is_ok()).filter(|fits| *fits).count();
        assert_eq!(pushed, 8);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            stream in proptest::collection::vec(prop_oneof![
                Just("data: a".to_owned()), Just("\n".to_owned()), Just("\r".to_owned()),
                Just("\r\n".to_owned()), Just(": c".to_owned()), "[ -~]{0,5}"], 0..30),
            cuts in proptest::collection::vec(1_usize..5, 0..60),
        ) {
            let stream = stream.concat().into_bytes();
            let mut whole = Scanner::default();
            let mut expected = whole.push(&stream).unwrap();
            expected.extend(whole.finish());
            let (mut scanner, mut events, mut rest) = (Scanner::default(), Vec::new(), &stream[..]);
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                events.extend(scanner.push(piece).unwrap());
                rest = after;
            }
            events.extend(scanner.push(rest).unwrap());
            events.extend(scanner.finish());
            let raw: Vec<u8> = events.iter().flat_map(|event| event.raw.to_vec()).collect();
            prop_assert_eq!(raw, stream);
            let said = |events: &[Event]| {
                events.iter().filter_map(|event| event.data.clone()).collect::<Vec<_>>()
            };
            prop_assert_eq!(said(&events), said(&expected));
        }
    }
}
