//! What is sent back: the head, and errors in the shape of the protocol that was spoken.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::body::Content;

pub(super) const JSON: &str = "application/json";
pub(super) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// An answer, and how long it takes to begin.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

impl Reply {
    pub(super) fn new(status: StatusCode, kind: &'static str, content: Content) -> Self {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))]);
        Self { delay: Duration::ZERO, status, headers, content }
    }

    /// A body of any kind with its length.
    pub(super) fn whole(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        Self::new(status, kind, Content::Whole(body.into()))
    }

    /// An error without a code.
    pub(super) fn error(path: &str, status: StatusCode, message: &str) -> Self {
        Self::coded_error(path, status, None, message)
    }

    /// An error in the shape of the protocol that the path belongs to; Anthropic's has no codes.
    pub(super) fn coded_error(
        path: &str,
        status: StatusCode,
        code: Option<&str>,
        message: &str,
    ) -> Self {
        let error = if path.starts_with("/v1/messages") {
            anthropic_error(status, message)
        } else {
            openai_error(status, code, message)
        };
        Self::whole(status, JSON, error.to_string())
    }

    /// One more header; a value that is not text is left out.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

pub(super) fn openai_error(status: StatusCode, code: Option<&str>, message: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    };
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
}

pub(super) fn anthropic_error(status: StatusCode, message: &str) -> Value {
    let kind = match status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": message } })
}
