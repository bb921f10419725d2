//! One attempt: a request to one instance, until there is an answer to pass on or a reason to go elsewhere.

use std::future::Future;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use tokio::time::{Instant, timeout, timeout_at};

use super::failure::{Cause, Failure, Refusal};
use super::fleet::Instance;
use super::protocol::Shape;
use crate::Clock;
use crate::config::Timeouts;
use crate::origin::REQUEST_ID;

/// Longer error answers are cut.
const LONGEST_ERROR: usize = 64 << 10;
/// OpenAI says it in milliseconds too.
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Headers of a client that may change what a model answers. Upstreams get to see these and the trace,
/// never `authorization` nor cookies.
pub(super) const MEANT_FOR_MODELS: [HeaderName; 5] = [
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
];

const OF_THE_REQUEST: [HeaderName; 3] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("idempotency-key"),
];

/// What all attempts for one request share.
#[derive(Debug)]
pub(super) struct Sender<'a> {
    pub(super) http: &'a Client,
    pub(super) patience: Patience,
    pub(super) shape: Shape,
    /// Of the client's request.
    pub(super) headers: &'a HeaderMap,
    pub(super) request_id: &'a HeaderValue,
    pub(super) answer_bytes: usize,
    pub(super) clock: &'a Clock,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) timeouts: Timeouts,
    /// When the whole request has to be answered.
    pub(super) deadline: Instant,
}

impl Patience {
    /// What comes in some time, and before the request's deadline.
    pub(super) async fn within<T>(
        &self,
        time: Duration,
        otherwise: Cause,
        work: impl Future<Output = T>,
    ) -> Result<T, Cause> {
        if Instant::now() + time < self.deadline {
            return timeout(time, work).await.map_err(|_| otherwise);
        }
        timeout_at(self.deadline, work).await.map_err(|_| Cause::TotalTimeout)
    }

    /// The next piece of an answer; `None`: it ended.
    pub(super) async fn chunk(&self, response: &mut Response) -> Result<Option<Bytes>, Cause> {
        let chunk = self.within(self.timeouts.idle, Cause::IdleTimeout, response.chunk()).await?;
        chunk.map_err(|_| Cause::Cut)
    }
}

impl Sender<'_> {
    /// The head of a good answer.
    pub(super) async fn send(
        &self,
        instance: &Instance,
        body: Vec<u8>,
    ) -> Result<Response, Failure> {
        let mut request = self.http.post(instance.upstream.url(self.shape)).body(body);
        request =
            request.header(CONTENT_TYPE, "application/json").header(ACCEPT_ENCODING, "identity");
        request = request.header(USER_AGENT, concat!("farthing/", env!("CARGO_PKG_VERSION")));
        request = request.header(REQUEST_ID, self.request_id);
        for name in MEANT_FOR_MODELS.iter().chain(&OF_THE_REQUEST) {
            if let Some(value) = self.headers.get(name) {
                request = request.header(name, value);
            }
        }
        if let Some((name, value)) = &instance.upstream.key {
            request = request.header(name, value);
        }
        let Patience { timeouts, .. } = self.patience;
        let sent = self.patience.within(timeouts.headers, Cause::HeadersTimeout, request.send());
        let sent = sent.await?;
        let response = sent.map_err(|error| cause_of(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal(response).await)
    }

    /// The rest of a whole answer.
    pub(super) async fn collect(&self, mut response: Response) -> Result<Bytes, Failure> {
        let patience = self.patience;
        let Some(first) = patience.chunk(&mut response).await? else { return Ok(Bytes::new()) };
        let Some(second) = patience.chunk(&mut response).await? else { return Ok(first) };
        let mut all = Vec::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = patience.chunk(&mut response).await? {
            if all.len() + chunk.len() > self.answer_bytes {
                return Err(Cause::TooLarge.into());
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }

    /// An error answer; one whose body does not come is as good without.
    async fn refusal(&self, mut response: Response) -> Failure {
        let patience = self.patience;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = patience.chunk(&mut response).await {
            body.extend_from_slice(&chunk);
            if body.len() >= LONGEST_ERROR {
                body.truncate(LONGEST_ERROR);
                break;
            }
        }
        Failure {
            cause: Cause::of_answer(status, &body),
            retry_after: retry_after(&headers, self.clock.now()),
            answer: Some(Refusal { status, headers, body: body.into() }),
        }
    }
}

/// Why no answer began.
fn cause_of(error: &reqwest::Error) -> Cause {
    if error.is_connect() || error.is_builder() { Cause::Connect } else { Cause::Cut }
}

/// How long an upstream asks to wait: milliseconds, seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text =
        |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let seconds = |text: &str| text.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
    if let Some(ms) = text(&RETRY_AFTER_MS).and_then(seconds) {
        return Some(ms / 1000);
    }
    let text = text(&RETRY_AFTER)?;
    let until = || httpdate::parse_http_date(text).ok()?.duration_since(now).ok();
    seconds(text).or_else(until)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn retry_after_is_read_in_every_form() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_770);
        let after = |name: &'static str, value: &'static str| {
            let headers = [(HeaderName::from_static(name), HeaderValue::from_static(value))];
            retry_after(&headers.into_iter().collect(), now)
        };
        assert_eq!(after("retry-after", "3"), Some(Duration::from_secs(3)));
        assert_eq!(after("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(after("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        let date = after("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date, Some(Duration::from_secs(7)));
        for nonsense in ["", "-1", "soon", "1e99", "NaN"] {
            assert_eq!(after("retry-after", nonsense), None, "{nonsense}");
        }
    }
}
