//! Server-sent events, written into one buffer and taken out one by one.

use hyper::body::Bytes;
use serde::Serialize;

use super::said::write_json;

/// The events of one stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    bytes: Vec<u8>,
    ends: Vec<End>,
}

#[derive(Debug)]
struct End {
    at: usize,
    is_token: bool,
}

/// One event, as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) bytes: Bytes,
    /// Whether it brings text that took the model time.
    pub(super) is_token: bool,
}

impl Events {
    /// An event with data only.
    pub(super) fn data(&mut self, json: &impl Serialize) {
        self.bytes.extend(b"data: ");
        write_json(&mut self.bytes, json);
        self.end();
    }

    /// An event with a name.
    pub(super) fn named(&mut self, name: &str, json: &impl Serialize) {
        self.bytes.extend(b"event: ");
        self.bytes.extend(name.bytes());
        self.bytes.push(b'\n');
        self.data(json);
    }

    /// Says of the last event that it brings some of the answer.
    pub(super) fn mark_token(&mut self) {
        if let Some(end) = self.ends.last_mut() {
            end.is_token = true;
        }
    }

    /// The end of a chat stream.
    pub(super) fn done(&mut self) {
        self.bytes.extend(b"data: [DONE]");
        self.end();
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        let bytes = Bytes::from(self.bytes);
        let mut start = 0;
        let slice = |End { at, is_token }| {
            let from = std::mem::replace(&mut start, at);
            Event { bytes: bytes.slice(from..at), is_token }
        };
        self.ends.into_iter().map(slice).collect()
    }

    fn end(&mut self) {
        self.bytes.extend(b"\n\n");
        self.ends.push(End { at: self.bytes.len(), is_token: false });
    }
}
