//! What clients are told when something is wrong, in the shape of the OpenAI API.
//!
//! One table gives each stable code its status. The message is written for the client; the cause of an
//! internal error stays in `source` and goes to the log, once, in `service`.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use farthing_core::{RequestError, RouteOptions};
use farthing_model::RouteError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::closed::exclusion_name;
use crate::origin::Origin;

/// Stable codes: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The body is not JSON, or not of the shape that is due.
    InvalidJson,
    /// The request has no text.
    EmptyPrompt,
    /// The request has neither `prompt` nor `messages`.
    MissingPrompt,
    /// The request has both.
    ConflictingPrompt,
    /// A message has a role that the protocol does not know.
    UnknownRole,
    /// `model` names one policy and `farthing.policy` another.
    ConflictingPolicy,
    /// A name in `candidates`, `models` or `exclude` is not a candidate.
    UnknownCandidate,
    /// The router was not trained for the bar.
    UnknownBar,
    /// No policy has the name.
    UnknownPolicy,
    /// `max_cost_usd` is not a cost.
    InvalidMaxCost,
    /// The constraints leave no candidate.
    NoEligibleModel,
    /// The body is longer than accepted.
    BodyTooLarge,
    /// The batch has more requests than accepted.
    BatchTooLarge,
    /// A header is not what it can be.
    InvalidHeader,
    /// What may be spent is spent.
    BudgetExceeded,
    /// No such path.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// No accepted key.
    Unauthorized,
    /// A page of another site asked, and there are no keys.
    ForeignOrigin,
    /// The body did not arrive in time.
    RequestTimeout,
    /// An outcome is out of range, or says nothing.
    InvalidOutcome,
    /// The server keeps no log.
    LogNotConfigured,
    /// The log cannot be written.
    LogFailed,
    /// The server has too much to do.
    Overloaded,
    /// There was no answer in time.
    Timeout,
    /// No router is loaded.
    RouterNotLoaded,
    /// The server is about to stop.
    Draining,
    /// A reload or a rollback was not possible; what was in service stays.
    NotReloaded,
    /// No upstream serves a model of that name.
    ModelNotFound,
    /// No upstream is configured.
    GatewayNotConfigured,
    /// Every upstream is at its limit.
    RateLimited,
    /// No upstream gave an answer.
    AllCandidatesFailed,
    /// No upstream gave an answer in time.
    UpstreamTimeout,
    /// A fault of the server.
    Internal,
}

impl ErrorCode {
    /// Every code, in declaration order.
    pub const ALL: [Self; 34] = [
        Self::InvalidJson,
        Self::EmptyPrompt,
        Self::MissingPrompt,
        Self::ConflictingPrompt,
        Self::UnknownRole,
        Self::ConflictingPolicy,
        Self::UnknownCandidate,
        Self::UnknownBar,
        Self::UnknownPolicy,
        Self::InvalidMaxCost,
        Self::NoEligibleModel,
        Self::BodyTooLarge,
        Self::BatchTooLarge,
        Self::InvalidHeader,
        Self::BudgetExceeded,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Unauthorized,
        Self::ForeignOrigin,
        Self::RequestTimeout,
        Self::InvalidOutcome,
        Self::LogNotConfigured,
        Self::LogFailed,
        Self::Overloaded,
        Self::Timeout,
        Self::RouterNotLoaded,
        Self::Draining,
        Self::NotReloaded,
        Self::ModelNotFound,
        Self::GatewayNotConfigured,
        Self::RateLimited,
        Self::AllCandidatesFailed,
        Self::UpstreamTimeout,
        Self::Internal,
    ];

    /// The table: code -> name and status.
    fn row(self) -> (&'static str, StatusCode) {
        match self {
            Self::InvalidJson => ("invalid_json", StatusCode::BAD_REQUEST),
            Self::EmptyPrompt => ("empty_prompt", StatusCode::BAD_REQUEST),
            Self::MissingPrompt => ("missing_prompt", StatusCode::BAD_REQUEST),
            Self::ConflictingPrompt => ("conflicting_prompt", StatusCode::BAD_REQUEST),
            Self::UnknownRole => ("unknown_role", StatusCode::BAD_REQUEST),
            Self::ConflictingPolicy => ("conflicting_policy", StatusCode::BAD_REQUEST),
            Self::UnknownCandidate => ("unknown_candidate", StatusCode::BAD_REQUEST),
            Self::UnknownBar => ("unknown_bar", StatusCode::BAD_REQUEST),
            Self::UnknownPolicy => ("unknown_policy", StatusCode::BAD_REQUEST),
            Self::InvalidMaxCost => ("invalid_max_cost", StatusCode::BAD_REQUEST),
            Self::NoEligibleModel => ("no_eligible_model", StatusCode::UNPROCESSABLE_ENTITY),
            Self::BodyTooLarge => ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::BatchTooLarge => ("batch_too_large", StatusCode::BAD_REQUEST),
            Self::InvalidHeader => ("invalid_header", StatusCode::BAD_REQUEST),
            Self::BudgetExceeded => ("budget_exceeded", StatusCode::TOO_MANY_REQUESTS),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED),
            Self::ForeignOrigin => ("foreign_origin", StatusCode::FORBIDDEN),
            Self::RequestTimeout => ("request_timeout", StatusCode::REQUEST_TIMEOUT),
            Self::InvalidOutcome => ("invalid_outcome", StatusCode::BAD_REQUEST),
            Self::LogNotConfigured => ("log_not_configured", StatusCode::CONFLICT),
            Self::LogFailed => ("log_failed", StatusCode::SERVICE_UNAVAILABLE),
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::Timeout => ("timeout", StatusCode::SERVICE_UNAVAILABLE),
            Self::RouterNotLoaded => ("router_not_loaded", StatusCode::SERVICE_UNAVAILABLE),
            Self::Draining => ("draining", StatusCode::SERVICE_UNAVAILABLE),
            Self::NotReloaded => ("not_reloaded", StatusCode::CONFLICT),
            Self::ModelNotFound => ("model_not_found", StatusCode::NOT_FOUND),
            Self::GatewayNotConfigured => ("gateway_not_configured", StatusCode::CONFLICT),
            Self::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
            Self::AllCandidatesFailed => ("all_candidates_failed", StatusCode::BAD_GATEWAY),
            Self::UpstreamTimeout => ("upstream_timeout", StatusCode::GATEWAY_TIMEOUT),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// As clients and metrics see it.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that goes with it.
    pub fn status(self) -> StatusCode {
        self.row().1
    }
}

/// An error body.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// What is wrong.
    error: ErrorDetail,
}

/// What is wrong with a request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// For people: what, where and what to do.
    message: String,
    /// `invalid_request_error` or `server_error`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The field it is about, as a path into the body.
    #[schema(required)]
    param: Option<String>,
    /// For programs; stable.
    code: ErrorCode,
}

/// An error on its way to a client.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: String,
    param: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
    /// How long to wait before another try.
    retry_after: Option<Duration>,
}

/// Messages may quote what the client sent, which may be long.
const LONGEST_MESSAGE: usize = 2000;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > LONGEST_MESSAGE {
            message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
            message.push('…');
        }
        Self { code, message, param: None, source: None, retry_after: None }
    }

    /// A fault of ours: the client learns that there was one, the log learns which.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let message = "an internal error; hint: give the `x-request-id` of the answer to those who \
                       run this server";
        Self { source: Some(source.into()), ..Self::new(ErrorCode::Internal, message) }
    }

    #[must_use]
    pub(crate) fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    #[must_use]
    pub(crate) fn at(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same error as that of one entry of a batch.
    #[must_use]
    pub(crate) fn in_entry(mut self, index: usize) -> Self {
        let entry = format!("requests[{index}]");
        self.message = format!("`{entry}`: {}", self.message);
        self.param = Some(match self.param {
            Some(param) => format!("{entry}.{param}"),
            None => entry,
        });
        self
    }

    /// Why a router refused a request with these options; `names` are its candidates.
    pub(crate) fn from_route(error: RouteError, options: &RouteOptions, names: &[String]) -> Self {
        let message = error.to_string();
        let (code, param) = match error {
            RouteError::UnknownPolicy { .. } if options.elsewhere.policy_in_model => {
                (ErrorCode::UnknownPolicy, "model")
            }
            RouteError::UnknownPolicy { .. } => (ErrorCode::UnknownPolicy, "farthing.policy"),
            RouteError::UnknownBar { .. } => (ErrorCode::UnknownBar, "farthing.bar"),
            RouteError::UnknownCandidate { field: "exclude", .. } => {
                (ErrorCode::UnknownCandidate, "farthing.exclude")
            }
            RouteError::UnknownCandidate { field: "models", .. } => {
                (ErrorCode::UnknownCandidate, "models")
            }
            RouteError::UnknownCandidate { .. } => {
                (ErrorCode::UnknownCandidate, "farthing.candidates")
            }
            RouteError::MaxCost(_) => (ErrorCode::InvalidMaxCost, "farthing.max_cost_usd"),
            RouteError::NoneEligible(none) => {
                let causes = names.iter().zip(none.excluded).filter_map(|(name, excluded)| {
                    excluded.map(|cause| format!("`{name}` ({})", exclusion_name(cause)))
                });
                let causes = causes.collect::<Vec<_>>().join(", ");
                let (what, hint) = message.split_once("; ").unwrap_or((&message, ""));
                let message = format!("{what}: {causes}; {hint}");
                return Self::new(ErrorCode::NoEligibleModel, message).at("farthing");
            }
            RouteError::Forward(_) => return Self::internal(error),
        };
        Self::new(code, message).at(param)
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.code
    }

    pub(crate) fn into_body(self) -> ErrorBody {
        let kind = if self.code.status().is_server_error() {
            "server_error"
        } else {
            "invalid_request_error"
        };
        let Self { code, message, param, .. } = self;
        ErrorBody { error: ErrorDetail { message, kind, param, code } }
    }

    /// Writes it to the log. A client's mistake is logged without its message, which may quote the
    /// prompt.
    pub(crate) fn log(&self, origin: Option<&Origin>) {
        let code = self.code.name();
        let request_id = origin.and_then(Origin::request_id_text);
        let trace_id = origin.and_then(Origin::trace_id);
        if let Some(source) = &self.source {
            let cause = chain(source.as_ref());
            tracing::error!(code, request_id, trace_id, "request failed: {cause}");
        } else {
            tracing::debug!(code, param = self.param, request_id, trace_id, "request refused");
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl From<RequestError> for ApiError {
    fn from(error: RequestError) -> Self {
        let message = error.to_string();
        match error {
            RequestError::Missing => Self::new(ErrorCode::MissingPrompt, message),
            RequestError::Both => Self::new(ErrorCode::ConflictingPrompt, message),
            RequestError::Empty => Self::new(ErrorCode::EmptyPrompt, message),
            RequestError::UnknownRole { index, .. } => {
                Self::new(ErrorCode::UnknownRole, message).at(format!("messages[{index}].role"))
            }
            RequestError::ConflictingPolicy { .. } => {
                Self::new(ErrorCode::ConflictingPolicy, message).at("model")
            }
            RequestError::TooLarge { place, .. } => {
                Self::new(ErrorCode::InvalidJson, message).at(place)
            }
            RequestError::Json(_) => Self::new(ErrorCode::InvalidJson, message).at("messages"),
        }
    }
}

/// OpenAI's clients try again unless it says `false`.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// Marks a response with the error it carries, for the layer that counts and logs.
#[derive(Debug, Clone)]
pub(crate) struct Carried(pub(crate) Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        let source = self.source.take();
        let (code, param, retry_after) = (self.code, self.param.clone(), self.retry_after);
        let mut response = (code.status(), Json(self.into_body())).into_response();
        let headers = response.headers_mut();
        if matches!(code.status(), StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
        {
            // In whole seconds, none of them too early.
            let seconds = retry_after.map_or(1, |after| after.as_millis().div_ceil(1000).max(1));
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
            if code == ErrorCode::BudgetExceeded {
                headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
            }
        } else if code == ErrorCode::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let rest = Self { code, message: String::new(), param, source, retry_after };
        response.extensions_mut().insert(Carried(Arc::new(rest)));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_complete_and_in_order() {
        for (position, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, position);
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
        }
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let error = ApiError::new(ErrorCode::InvalidJson, "ü".repeat(5000));
        assert_eq!(error.message.len(), LONGEST_MESSAGE + '…'.len_utf8());
    }

    #[test]
    fn an_entry_is_named() {
        let error = ApiError::new(ErrorCode::UnknownBar, "no").at("farthing.bar").in_entry(3);
        assert_eq!(error.param.as_deref(), Some("requests[3].farthing.bar"));
        assert_eq!(error.message, "`requests[3]`: no");
    }
}
