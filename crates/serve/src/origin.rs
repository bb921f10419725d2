//! Who asked: the ids that tie an answer to the caller's own records.
//!
//! `x-request-id` is taken from the request where it is short and harmless, else given; `traceparent`
//! (W3C Trace Context, level 1) is read for the trace id. What a client sends stands in log lines, so
//! hostile values are not taken.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::ids::{self, Ids};

/// The header of request ids.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Longer request ids are replaced.
const LONGEST_ID: usize = 128;

/// The ids of one request.
#[derive(Debug)]
pub(crate) struct Origin {
    request_id: HeaderValue,
    traceparent: Option<HeaderValue>,
}

impl Origin {
    /// What the headers say; an id is made where they have none that can be used.
    pub(crate) fn of(headers: &HeaderMap, ids: &Ids) -> Self {
        let sent = headers.get(REQUEST_ID).filter(|id| is_harmless(id.as_bytes()));
        Self {
            request_id: sent.cloned().unwrap_or_else(|| ids::header(ids.next_request())),
            traceparent: headers.get(TRACEPARENT).cloned(),
        }
    }

    /// The id to answer with.
    pub(crate) fn request_id(&self) -> &HeaderValue {
        &self.request_id
    }

    /// The id as text.
    pub(crate) fn request_id_text(&self) -> Option<&str> {
        self.request_id.to_str().ok()
    }

    /// The trace that the request belongs to.
    pub(crate) fn trace_id(&self) -> Option<&str> {
        trace_id(self.traceparent.as_ref()?.to_str().ok()?)
    }
}

fn is_harmless(id: &[u8]) -> bool {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(harmless)
}

/// `00-<trace id>-<parent id>-<flags>`; later versions may have more fields.
fn trace_id(traceparent: &str) -> Option<&str> {
    let mut fields = traceparent.split('-');
    let mut field = |length| {
        let is_hex = |field: &&str| {
            let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            field.len() == length && field.bytes().all(hex)
        };
        fields.next().filter(is_hex)
    };
    let (version, trace, parent, _flags) = (field(2)?, field(32)?, field(16)?, field(2)?);
    let is_zero = |field: &str| field.bytes().all(|byte| byte == b'0');
    let known_length = version != "00" || fields.next().is_none();
    (version != "ff" && known_length && !is_zero(trace) && !is_zero(parent)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_ids_are_those_of_the_standard() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = "00f067aa0ba902b7";
        let good = [
            format!("00-{trace}-{parent}-01"),
            format!("00-{trace}-{parent}-00"),
            format!("cc-{trace}-{parent}-01-what-the-future-will-be-like"),
        ];
        for header in &good {
            assert_eq!(trace_id(header), Some(trace), "{header}");
        }
        let zeros = "0".repeat(32);
        let bad = [
            String::new(),
            "00".to_owned(),
            format!("00-{trace}-{parent}"),
            format!("00-{trace}-{parent}-01-more"),
            format!("ff-{trace}-{parent}-01"),
            format!("00-{zeros}-{parent}-01"),
            format!("00-{trace}-{}-01", &zeros[..16]),
            format!("00-{}-{parent}-01", trace.to_uppercase()),
            format!("00-{trace}0-{parent}-01"),
        ];
        for header in &bad {
            assert_eq!(trace_id(header), None, "{header}");
        }
    }

    #[test]
    fn harmless_ids_are_short_and_plain() {
        for id in ["mine", "0198-aB_c.d:e/f+g=h@i", &"a".repeat(128)] {
            assert!(is_harmless(id.as_bytes()), "{id}");
        }
        for id in ["", "a b", "a\"", "a\tb", "{}", "é", &"a".repeat(129)] {
            assert!(!is_harmless(id.as_bytes()), "{id}");
        }
    }
}
