//! A kept answer: as it was, and as it is given again.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{AGE, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use farthing_core::Digest;
use http_body_util::{BodyExt as _, Collected};
use tokio::time::Instant;

use super::super::headers::{COST_STATUS, COST_USD, UPSTREAM};
use super::{Cache, Met};
use crate::error::Carried;
use crate::headers::MODEL;

const CACHE: HeaderName = HeaderName::from_static("x-farthing-cache");
/// What an entry takes besides its body: headers and the cache's own.
const OVERHEAD: usize = 2048;

/// A kept answer.
#[derive(Debug)]
pub(super) struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    carried: Option<Carried>,
    body: Bytes,
    stored: Instant,
}

impl Kept {
    /// An answer whose body is there already.
    pub(super) async fn collect(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        // The body of a whole answer is bytes in memory, which cannot fail.
        let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
        let carried = parts.extensions.get().cloned();
        let (status, headers) = (parts.status, parts.headers);
        Self { status, headers, carried, body, stored: Instant::now() }
    }

    pub(super) fn is_success(&self) -> bool {
        self.status.is_success()
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// In bytes.
    pub(super) fn weight(&self) -> u32 {
        u32::try_from(self.body.len() + OVERHEAD).unwrap_or(u32::MAX)
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.stored)
    }

    /// As it was.
    pub(super) fn first(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        if let Some(carried) = &self.carried {
            response.extensions_mut().insert(carried.clone());
        }
        response
    }

    /// For another request: without what was about the first one, and free.
    pub(super) fn again(&self, now: Instant) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for name in [&CONTENT_TYPE, &MODEL, &UPSTREAM] {
            if let Some(value) = self.headers.get(name) {
                headers.insert(name, value.clone());
            }
        }
        headers.insert(COST_USD, HeaderValue::from(0));
        headers.insert(COST_STATUS, HeaderValue::from_static("known"));
        headers.insert(AGE, HeaderValue::from(self.age(now).as_secs()));
        response
    }

    /// For another request, told as a stream.
    pub(super) fn streamed(&self, now: Instant, events: Vec<u8>) -> Response {
        let mut response = self.again(now).map(|_| Body::from(events));
        let stream = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, stream);
        response
    }
}

/// Says how a request met the cache.
pub(super) fn tell(response: &mut Response, met: Met) {
    let name = match met {
        Met::Hit | Met::Shared => "hit",
        Met::Miss | Met::Bypass => met.name(),
    };
    response.headers_mut().insert(CACHE, HeaderValue::from_static(name));
}

/// Keeps an answer under its key; a stream, piece by piece until it is at its end.
#[derive(Debug)]
pub(in super::super) struct Keep {
    cache: Cache,
    key: Digest,
    headers: HeaderMap,
    events: Vec<u8>,
    /// The stream is too long to be kept.
    is_over: bool,
}

impl Keep {
    pub(super) fn new(cache: Cache, key: Digest) -> Self {
        Self { cache, key, headers: HeaderMap::new(), events: Vec::new(), is_over: false }
    }

    /// The head of a stream.
    pub(in super::super) fn head(&mut self, headers: &HeaderMap) {
        self.headers = headers.clone();
    }

    /// The next piece of a stream.
    pub(in super::super) fn piece(&mut self, events: &[u8]) {
        self.is_over |= self.events.len() + events.len() > self.cache.longest;
        if self.is_over {
            self.events = Vec::new();
        } else {
            self.events.extend_from_slice(events);
        }
    }

    /// The last piece of a stream.
    pub(in super::super) async fn end(mut self, terminal: &[u8]) {
        self.piece(terminal);
        if self.is_over {
            return;
        }
        let body = std::mem::take(&mut self.events).into();
        let headers = std::mem::take(&mut self.headers);
        let stored = Instant::now();
        let kept = Kept { status: StatusCode::OK, headers, carried: None, body, stored };
        self.store(kept).await;
    }

    /// Keeps an answer, if it is one and not too long.
    pub(super) async fn store(self, kept: Kept) {
        if kept.is_success() && kept.body.len() <= self.cache.longest {
            self.cache.kept.insert(self.key, Arc::new(kept)).await;
        }
    }
}
