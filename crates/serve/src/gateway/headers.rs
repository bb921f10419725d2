//! The heads of answers: what of an upstream's reaches the client, and what is told of the way there.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::time::Instant;

use super::account::{Account, Cost};
use super::forward::Progress;
use super::protocol::Shape;
use crate::decide::DecisionMade;
use crate::error::{ApiError, Carried};
use crate::headers::MODEL;

pub(super) const UPSTREAM: HeaderName = HeaderName::from_static("x-farthing-upstream");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-farthing-attempts");
const FALLBACKS: HeaderName = HeaderName::from_static("x-farthing-fallbacks");
pub(super) const COST_USD: HeaderName = HeaderName::from_static("x-farthing-cost-usd");
pub(super) const COST_STATUS: HeaderName = HeaderName::from_static("x-farthing-cost-status");
const OVERHEAD_US: HeaderName = HeaderName::from_static("x-farthing-overhead-us");
const ERROR_SOURCE: HeaderName = HeaderName::from_static("x-farthing-error-source");

/// Headers of upstreams that clients read begin like this.
const PASSED_DOWN: [&str; 5] =
    ["openai-", "anthropic-", "x-ratelimit-", "retry-after", "content-type"];

/// A response with those headers of an upstream that are the client's business.
pub(super) fn passed_down(status: StatusCode, headers: &HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if PASSED_DOWN.iter().any(|start| name.as_str().starts_with(start)) {
            response.headers_mut().append(name, value.clone());
        }
    }
    if !status.is_success() {
        response.headers_mut().insert(ERROR_SOURCE, HeaderValue::from_static("upstream"));
    }
    response
}

/// An error in the shape of the client's protocol.
pub(crate) fn error_of(shape: Shape, error: ApiError) -> Response {
    if shape != Shape::Messages {
        return error.into_response();
    }
    let message = error.message().to_owned();
    let openai = error.into_response();
    let kind = match openai.status().as_u16() {
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        status if status < 500 => "invalid_request_error",
        _ => "api_error",
    };
    let body = json!({"type": "error", "error": {"type": kind, "message": message}});
    let mut response = (openai.status(), axum::Json(body)).into_response();
    if let Some(after) = openai.headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, after.clone());
    }
    if let Some(carried) = openai.extensions().get::<Carried>() {
        response.extensions_mut().insert(carried.clone());
    }
    response
}

/// Tells who answered, and for how much.
pub(super) fn tell(mut response: Response, account: &Account, cost: Cost) -> Response {
    let headers = response.headers_mut();
    let mut tell = |name: HeaderName, text: &str| {
        // A name that no header can hold is left out.
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    tell(MODEL, account.candidate());
    tell(UPSTREAM, &account.instance().upstream.name);
    tell(COST_STATUS, cost.status.name());
    if let Some(usd) = cost.usd {
        tell(COST_USD, &usd.to_string());
    }
    response
}

/// What is told of the way to an answer.
pub(super) struct Told<'a> {
    pub(super) decision: Option<&'a DecisionMade>,
    pub(super) progress: &'a Progress,
    pub(super) came: Instant,
}

impl Told<'_> {
    /// Tells what is told of failures too.
    pub(super) fn on_every(&self, response: &mut Response) {
        let model = response.headers_mut().remove(MODEL);
        let empty = std::mem::replace(response, Response::new(Body::empty()));
        *response = match self.decision {
            Some(made) => (made.headers(), empty).into_response(),
            None => empty,
        };
        let headers = response.headers_mut();
        headers.remove(MODEL);
        if let Some(model) = model {
            headers.insert(MODEL, model);
        }
        let Progress { attempts, given_up, waited, .. } = self.progress;
        headers.insert(ATTEMPTS, HeaderValue::from(*attempts));
        headers.insert(FALLBACKS, HeaderValue::from(given_up.len()));
        let overhead = self.came.elapsed().saturating_sub(*waited).as_micros();
        headers.insert(OVERHEAD_US, HeaderValue::from(u64::try_from(overhead).unwrap_or(u64::MAX)));
        if !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
    }
}
