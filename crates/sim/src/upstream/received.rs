//! What has been asked: the last requests, kept for tests to look at. Bounded in number and size.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Uri};
use serde_json::Value;

use super::lock;

/// Requests that are kept.
const MOST: usize = 1024;
/// A longer body is not kept.
const LONGEST: usize = 1 << 20;

/// One request, and how its answer ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The first segment of the path.
    pub scenario: String,
    /// `GET` or `POST`.
    pub method: String,
    /// The rest of the path, with the query: `/v1/chat/completions`.
    pub path: String,
    /// As they came.
    pub headers: HeaderMap,
    /// Null where the body was empty, not JSON or longer than 1 MiB.
    pub body: Value,
    /// Whether the client was gone before the whole answer had been handed to the connection.
    pub hung_up: bool,
}

impl Received {
    /// A header's value, if it came and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The path's scenario and the rest.
pub(super) fn split(uri: &Uri) -> (&str, &str) {
    let path = uri.path_and_query().map_or("", |path| path.as_str());
    let path = path.strip_prefix('/').unwrap_or(path);
    path.split_at(path.find('/').unwrap_or(path.len()))
}

#[derive(Debug, Default)]
pub(super) struct Journal(Mutex<VecDeque<Arc<Entry>>>);

impl Journal {
    /// Writes a request down. The note says later how its answer ended.
    pub(super) fn write(&self, parts: Parts, body: Bytes) -> Note {
        let body = if body.len() > LONGEST { Bytes::new() } else { body };
        let Parts { method, uri, headers, .. } = parts;
        let ending = AtomicU8::new(Ending::Open as u8);
        let entry = Arc::new(Entry { method, uri, headers, body, ending });
        let mut entries = lock(&self.0);
        if entries.len() == MOST {
            entries.pop_front();
        }
        entries.push_back(Arc::clone(&entry));
        Note(entry)
    }

    pub(super) fn received(&self) -> Vec<Received> {
        // Copied first: reading bodies takes long, and requests wait for the lock.
        let entries: Vec<_> = lock(&self.0).iter().cloned().collect();
        entries.iter().map(|entry| entry.read()).collect()
    }

    pub(super) fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// A request as it came; reading it is left to whoever asks, so that writing it down is cheap.
#[derive(Debug)]
struct Entry {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
    ending: AtomicU8,
}

impl Entry {
    fn read(&self) -> Received {
        let (scenario, path) = split(&self.uri);
        Received {
            scenario: scenario.to_owned(),
            method: self.method.to_string(),
            path: path.to_owned(),
            headers: self.headers.clone(),
            body: serde_json::from_slice(&self.body).unwrap_or(Value::Null),
            hung_up: self.ending.load(Relaxed) == Ending::HungUp as u8,
        }
    }
}

#[derive(Clone, Copy)]
#[repr(u8)]
enum Ending {
    Open,
    Whole,
    HungUp,
}

/// Goes with an answer until it ends. Dropped without [`Note::whole`], the client hung up.
#[derive(Debug)]
pub(super) struct Note(Arc<Entry>);

impl Note {
    /// All that was meant to be sent has been handed over.
    pub(super) fn whole(&self) {
        self.0.ending.store(Ending::Whole as u8, Relaxed);
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.0.uri
    }

    pub(super) fn method(&self) -> &Method {
        &self.0.method
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let (open, hung_up) = (Ending::Open as u8, Ending::HungUp as u8);
        // It fails where the answer was whole, which is as it should be.
        self.0.ending.compare_exchange(open, hung_up, Relaxed, Relaxed).ok();
    }
}
