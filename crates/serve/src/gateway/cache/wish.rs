//! What a request lets a cache do with it.

use std::time::Duration;

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::super::call::Call;
use super::super::protocol::Shape;
use crate::ErrorCode;
use crate::error::ApiError;

const CACHE: HeaderName = HeaderName::from_static("x-farthing-cache");

/// What a request lets a cache do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// Answer it.
    pub(super) read: bool,
    /// Keep its answer.
    pub(super) write: bool,
    /// Older answers are not wanted.
    most: Option<Duration>,
}

impl Wish {
    /// What a request says, by `x-farthing-cache` and `cache-control` (RFC 9111, section 5.2.1); without
    /// the former, only requests whose answers are meant to be the same each time are kept. `None`: it
    /// has nothing to do with the cache.
    pub(super) fn of(
        shape: Shape,
        headers: &HeaderMap,
        call: &Call<'_>,
    ) -> Result<Option<Self>, ApiError> {
        let (mut read, mut write) = match headers.get(CACHE).map(HeaderValue::as_bytes) {
            Some(b"on") => (true, true),
            Some(b"read") => (true, false),
            Some(b"write") => (false, true),
            Some(b"off") => (false, false),
            Some(_) => {
                let message = "the header `x-farthing-cache` is wrong; hint: it is `on`, `read`, \
                               `write` or `off`";
                return Err(ApiError::new(ErrorCode::InvalidHeader, message).at("x-farthing-cache"));
            }
            None => {
                let repeats = shape == Shape::Embeddings || call.is_at_temperature_zero();
                (repeats, repeats)
            }
        };
        let mut most = None;
        for value in headers.get_all(CACHE_CONTROL) {
            for directive in value.to_str().unwrap_or_default().split(',') {
                let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => (read, write) = (false, false),
                    "no-cache" => read = false,
                    // What is no number of seconds is as old as can be (section 4.2.1).
                    "max-age" => {
                        let seconds = argument.trim().trim_matches('"').parse().unwrap_or(0);
                        most = Some(Duration::from_secs(seconds));
                    }
                    _ => {}
                }
            }
        }
        Ok((read || write).then_some(Self { read, write, most }))
    }

    /// Whether an answer of that age will do.
    pub(super) fn takes(&self, age: Duration) -> bool {
        self.most.is_none_or(|most| age <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(
        body: &str,
        headers: &[(HeaderName, &'static str)],
    ) -> Option<(bool, bool, Option<u64>)> {
        let call = Call::parse(Shape::Chat, body.as_bytes()).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let wish = Wish::of(Shape::Chat, &headers.collect(), &call).unwrap();
        wish.map(|wish| (wish.read, wish.write, wish.most.map(|most| most.as_secs())))
    }

    #[test]
    fn only_what_repeats_is_kept_unasked() {
        for body in [r#"{"temperature": 0}"#, r#"{"temperature": 0.0}"#, r#"{"temperature": -0e1}"#]
        {
            assert_eq!(wish(body, &[]), Some((true, true, None)), "{body}");
        }
        for body in
            ["{}", r#"{"temperature": 0.1}"#, r#"{"temperature": "0"}"#, r#"{"temperature": null}"#]
        {
            assert_eq!(wish(body, &[]), None, "{body}");
        }
        let call = Call::parse(Shape::Embeddings, b"{}").unwrap();
        assert!(Wish::of(Shape::Embeddings, &HeaderMap::new(), &call).unwrap().is_some());
    }

    #[test]
    fn headers_say_otherwise() {
        let zero = r#"{"temperature": 0}"#;
        assert_eq!(wish("{}", &[(CACHE, "on")]), Some((true, true, None)));
        assert_eq!(wish("{}", &[(CACHE, "read")]), Some((true, false, None)));
        assert_eq!(wish("{}", &[(CACHE, "write")]), Some((false, true, None)));
        assert_eq!(wish(zero, &[(CACHE, "off")]), None);
        assert_eq!(wish(zero, &[(CACHE_CONTROL, "no-store")]), None);
        assert_eq!(wish(zero, &[(CACHE_CONTROL, "No-Cache")]), Some((false, true, None)));
        let aged = [(CACHE_CONTROL, "private, max-age=60")];
        assert_eq!(wish(zero, &aged), Some((true, true, Some(60))));
        assert_eq!(wish(zero, &[(CACHE_CONTROL, "max-age=x")]), Some((true, true, Some(0))));
        let call = Call::parse(Shape::Chat, b"{}").unwrap();
        let wrong = [(CACHE, "yes".parse().unwrap())].into_iter().collect();
        assert!(Wish::of(Shape::Chat, &wrong, &call).is_err());
    }
}
