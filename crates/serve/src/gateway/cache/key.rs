//! When two requests are the same.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use farthing_core::Digest;

use super::super::attempt::MEANT_FOR_MODELS;
use super::super::call::Call;
use super::super::protocol::Shape;
use crate::auth::API_KEY;

/// Fields that say how an answer is sent, not what it says.
const FORM: [&str; 2] = ["stream", "stream_options"];

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Stream,
    StreamWithUsage,
}

impl Form {
    pub(super) fn of(call: &Call<'_>) -> Self {
        match (call.is_stream(), call.hides_usage()) {
            (false, _) => Self::Whole,
            (true, true) => Self::Stream,
            (true, false) => Self::StreamWithUsage,
        }
    }
}

/// What requests with the same answer have in common: who asks, what of its headers reaches models, every
/// field of the body in any order, and the router.
pub(super) fn key(
    form: Form,
    shape: Shape,
    headers: &HeaderMap,
    call: &Call<'_>,
    router: Option<&Digest>,
) -> Digest {
    Digest::of_all(|add| {
        // Every part has its length before it, so that no two lists of parts are the same bytes.
        let mut part = |bytes: &[u8]| {
            add(&(bytes.len() as u64).to_le_bytes());
            add(bytes);
        };
        part(&[form as u8, shape as u8]);
        part(router.map_or(&[], |digest| digest.as_bytes()));
        for name in [&AUTHORIZATION, &API_KEY].into_iter().chain(&MEANT_FOR_MODELS) {
            part(headers.get(name).map_or(&[], |value| value.as_bytes()));
        }
        let mut fields: Vec<_> = call.fields().filter(|(key, _)| !FORM.contains(key)).collect();
        fields.sort_unstable();
        for (key, value) in fields {
            part(key.as_bytes());
            part(value.as_bytes());
        }
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn of(body: &str, headers: &[(HeaderName, &'static str)], router: &[u8]) -> Digest {
        let call = Call::parse(Shape::Chat, body.as_bytes()).unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        key(Form::of(&call), Shape::Chat, &headers.collect(), &call, Some(&Digest::of(router)))
    }

    #[test]
    fn only_the_same_request_is_the_same() {
        let body = r#"{"model": "auto", "seed": 1}"#;
        let base = of(body, &[], b"r");
        assert_eq!(of(r#"{ "seed":1, "model":"auto"}"#, &[], b"r"), base);
        let trace = HeaderName::from_static("traceparent");
        assert_eq!(of(body, &[(trace, "00-1")], b"r"), base);
        let others = [
            of(r#"{"model": "auto", "seed": 2}"#, &[], b"r"),
            of(r#"{"model": "auto", "seed": 1, "n": 1}"#, &[], b"r"),
            of(r#"{"model": "auto", "seed": 1, "farthing": {}}"#, &[], b"r"),
            of(r#"{"model": "auto", "seed": 1, "stream": true}"#, &[], b"r"),
            of(body, &[(AUTHORIZATION, "Bearer a")], b"r"),
            of(body, &[(AUTHORIZATION, "Bearer b")], b"r"),
            of(body, &[(API_KEY, "Bearer b")], b"r"),
            of(body, &[(HeaderName::from_static("anthropic-beta"), "x")], b"r"),
            of(body, &[], b"other"),
        ];
        for (n, other) in others.iter().enumerate() {
            assert_ne!(*other, base, "{n}");
            assert!(!others[..n].contains(other), "{n}");
        }
    }
}
