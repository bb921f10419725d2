//! From the bytes of a request to a checked shape, with errors that name the place.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRef, FromRequest, Request};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::ErrorCode;
use crate::config::Limits;
use crate::entries::Entries;
use crate::error::ApiError;
use crate::gate::Gate;

/// A client that sends too much is read on for so long, so that it gets to see the answer.
const DISCARDED_BYTES: usize = 64 << 20;

/// The whole body; its content type is not looked at.
#[derive(Debug)]
pub(crate) struct RequestBody(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for RequestBody
where
    Arc<Gate>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let gate = Arc::from_ref(state);
        let Limits { body_bytes, request_timeout, .. } = gate.rules().limits;
        let collecting = collect(request.into_body(), body_bytes, &gate);
        let collected = within(request_timeout, collecting).await.ok_or_else(|| {
            let ms = request_timeout.as_millis();
            let message = format!("the body did not arrive in {ms} ms; hint: send it again");
            ApiError::new(ErrorCode::RequestTimeout, message)
        })?;
        collected.map(Self)
    }
}

/// The result of some work, if it is done in time. Work that need not wait, such as taking a body that
/// has arrived, starts no timer.
async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    match poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        Poll::Ready(done) => Some(done),
        Poll::Pending => tokio::time::timeout(time, work).await.ok(),
    }
}

async fn collect(mut body: Body, limit: usize, gate: &Gate) -> Result<Bytes, ApiError> {
    let mut buffer = Buffer { limit, kept: Vec::new(), read: 0, gate };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            let message = "the body ended before its announced length; hint: send it again";
            ApiError::new(ErrorCode::InvalidJson, message)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if buffer.read == 0 && data.len() <= limit && body.is_end_stream() {
            return Ok(data);
        }
        if buffer.take(&data)?.is_break() {
            break;
        }
    }
    buffer.finish()
}

/// What has been read of a body; what is beyond the limit is read but not kept.
struct Buffer<'a> {
    limit: usize,
    kept: Vec<u8>,
    read: usize,
    /// Keeps count of what all buffers keep.
    gate: &'a Gate,
}

impl Buffer<'_> {
    fn take(&mut self, data: &[u8]) -> Result<ControlFlow<()>, ApiError> {
        self.read = self.read.saturating_add(data.len());
        if self.read <= self.limit {
            if !self.gate.buffer(data.len()) {
                let message = "too many large bodies at once; hint: send it again in a second";
                return Err(ApiError::new(ErrorCode::Overloaded, message));
            }
            self.kept.extend_from_slice(data);
            return Ok(ControlFlow::Continue(()));
        }
        self.discard();
        if self.read > self.limit.saturating_add(DISCARDED_BYTES) {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn discard(&mut self) -> Vec<u8> {
        self.gate.unbuffer(self.kept.len());
        std::mem::take(&mut self.kept)
    }

    fn finish(mut self) -> Result<Bytes, ApiError> {
        if self.read <= self.limit {
            return Ok(self.discard().into());
        }
        let message = format!(
            "the body is longer than {} bytes; hint: send less of the conversation, or smaller batches",
            self.limit
        );
        Err(ApiError::new(ErrorCode::BodyTooLarge, message))
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Reads a JSON object of some shape.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ApiError> {
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    if is_object {
        return serde_json::from_slice(bytes).map_err(|error| explain::<T>(bytes, &error));
    }
    // Serde would take a list for a struct.
    match serde_json::from_slice::<IgnoredAny>(bytes) {
        Ok(_) => {
            let message = "the body is not a JSON object; hint: see `/openapi.json` for its shape";
            Err(ApiError::new(ErrorCode::InvalidJson, message))
        }
        Err(error) => Err(explain::<IgnoredAny>(bytes, &error)),
    }
}

/// Reads a JSON list of some shape, no more than `MOST` entries of it.
pub(crate) fn parse_list<'a, T: Deserialize<'a>, const MOST: usize>(
    bytes: &'a [u8],
) -> Result<Entries<T, MOST>, ApiError> {
    serde_json::from_slice(bytes).map_err(|error| explain::<Entries<T, MOST>>(bytes, &error))
}

/// Reads it once more to learn where the error is: good requests don't pay for it.
fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8], error: &serde_json::Error) -> ApiError {
    if let Err(utf8) = std::str::from_utf8(bytes) {
        let message = format!(
            "the body is not valid UTF-8 from byte {} on; hint: send JSON in UTF-8",
            utf8.valid_up_to()
        );
        return ApiError::new(ErrorCode::InvalidJson, message);
    }
    if error.classify() != Category::Data {
        let message = format!("the body is not valid JSON: {error}; hint: check quotes and commas");
        return ApiError::new(ErrorCode::InvalidJson, message);
    }
    let json = &mut serde_json::Deserializer::from_slice(bytes);
    let path = match serde_path_to_error::deserialize::<_, T>(json) {
        Ok(_) => String::new(),
        Err(error) => error.path().to_string(),
    };
    let hint = "hint: see `/openapi.json` for the shape that is due";
    if path.is_empty() || path == "." {
        return ApiError::new(
            ErrorCode::InvalidJson,
            format!("the body is wrong: {error}; {hint}"),
        );
    }
    ApiError::new(ErrorCode::InvalidJson, format!("`{path}` is wrong: {error}; {hint}")).at(path)
}
