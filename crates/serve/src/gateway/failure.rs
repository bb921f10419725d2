//! Why an attempt failed, and what that means for the next.
//!
//! The classes are those on which gateways agree: what would fail anywhere is the client's to hear,
//! what is an upstream's own trouble is tried elsewhere, and a request that is too long for one
//! candidate may fit another.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};

/// Why an attempt failed: a closed set, and a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No connection.
    Connect,
    /// No head of an answer in time.
    HeadersTimeout,
    /// No first token in time.
    FirstTokenTimeout,
    /// Nothing for too long in the middle of an answer.
    IdleTimeout,
    /// The whole request took too long.
    TotalTimeout,
    /// The connection ended before the answer did.
    Cut,
    /// Too many requests.
    RateLimited,
    /// A fault of the upstream.
    ServerError,
    /// Our key is not accepted, or its account has no credit.
    Credentials,
    /// The upstream does not know the model.
    UnknownModel,
    /// The request is too long for the candidate.
    TooLong,
    /// The request is refused as it would be anywhere.
    Refused,
    /// What came is no answer of the protocol.
    Malformed,
    /// The answer is longer than is taken.
    TooLarge,
    /// Our own limit for the upstream is reached.
    Quota,
    /// Every instance has been tried.
    NoInstance,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another instance of the same candidate, then other candidates.
    Instance,
    /// Another candidate.
    Candidate,
    /// Nothing: the client hears of it.
    Stop,
}

impl Cause {
    pub(crate) const ALL: [Self; 16] = [
        Self::Connect,
        Self::HeadersTimeout,
        Self::FirstTokenTimeout,
        Self::IdleTimeout,
        Self::TotalTimeout,
        Self::Cut,
        Self::RateLimited,
        Self::ServerError,
        Self::Credentials,
        Self::UnknownModel,
        Self::TooLong,
        Self::Refused,
        Self::Malformed,
        Self::TooLarge,
        Self::Quota,
        Self::NoInstance,
    ];

    /// As metrics and messages have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::HeadersTimeout => "headers_timeout",
            Self::FirstTokenTimeout => "first_token_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::TotalTimeout => "total_timeout",
            Self::Cut => "cut",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Credentials => "credentials",
            Self::UnknownModel => "unknown_model",
            Self::TooLong => "too_long",
            Self::Refused => "refused",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Quota => "quota",
            Self::NoInstance => "no_instance",
        }
    }

    pub(super) fn next(self) -> Next {
        match self {
            Self::Connect
            | Self::HeadersTimeout
            | Self::FirstTokenTimeout
            | Self::IdleTimeout
            | Self::Cut
            | Self::RateLimited
            | Self::ServerError
            | Self::Credentials
            | Self::UnknownModel
            | Self::Malformed
            | Self::TooLarge => Next::Instance,
            Self::TooLong | Self::Quota | Self::NoInstance => Next::Candidate,
            Self::TotalTimeout | Self::Refused => Next::Stop,
        }
    }

    /// Whether it says something of the upstream's health.
    pub(super) fn is_unhealthy(self) -> bool {
        match self {
            Self::Connect
            | Self::HeadersTimeout
            | Self::FirstTokenTimeout
            | Self::IdleTimeout
            | Self::TotalTimeout
            | Self::Cut
            | Self::ServerError
            | Self::Credentials
            | Self::UnknownModel
            | Self::Malformed => true,
            Self::RateLimited
            | Self::TooLong
            | Self::Refused
            | Self::TooLarge
            | Self::Quota
            | Self::NoInstance => false,
        }
    }

    /// Whether a later try may find it gone.
    pub(super) fn passes(self) -> bool {
        match self {
            Self::Connect
            | Self::HeadersTimeout
            | Self::FirstTokenTimeout
            | Self::IdleTimeout
            | Self::Cut
            | Self::RateLimited
            | Self::ServerError
            | Self::Malformed
            | Self::Quota => true,
            Self::TotalTimeout
            | Self::Credentials
            | Self::UnknownModel
            | Self::TooLong
            | Self::Refused
            | Self::TooLarge
            | Self::NoInstance => false,
        }
    }

    /// Whether it is a matter of time.
    pub(super) fn is_timeout(self) -> bool {
        matches!(
            self,
            Self::HeadersTimeout | Self::FirstTokenTimeout | Self::IdleTimeout | Self::TotalTimeout
        )
    }

    /// What an error answer of an upstream means.
    pub(super) fn of_answer(status: StatusCode, body: &[u8]) -> Self {
        match status.as_u16() {
            429 => Self::RateLimited,
            401..=403 => Self::Credentials,
            404 => Self::UnknownModel,
            408 => Self::HeadersTimeout,
            413 => Self::TooLong,
            400 | 422 if is_too_long(body) => Self::TooLong,
            500.. => Self::ServerError,
            _ => Self::Refused,
        }
    }
}

/// Whether an error says that the request does not fit the model's context: OpenAI's code, and the words
/// of Anthropic, vLLM and others.
fn is_too_long(body: &[u8]) -> bool {
    const SIGNS: [&str; 4] = [
        "context_length_exceeded",
        "maximum context length",
        "prompt is too long",
        "context window",
    ];
    let text = String::from_utf8_lossy(body).to_lowercase();
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// How long the upstream asks to wait.
    pub(super) retry_after: Option<Duration>,
    /// What the upstream answered, where it did.
    pub(super) answer: Option<Refusal>,
}

/// An upstream's error answer, as it came.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Failure {
    pub(super) fn new(cause: Cause) -> Self {
        Self { cause, retry_after: None, answer: None }
    }
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self::new(cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
