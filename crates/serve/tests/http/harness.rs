//! A service around the tiny router, and answers made comparable.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use farthing_serve::{App, AppState, Background, Clock, ServeConfig, Sources, app};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::tiny::write_tiny_router;

/// A service and the folder it lives in.
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) background: Background,
    pub(crate) dir: TempDir,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// 2026-01-02T03:04:05Z, always.
pub(crate) fn clock() -> Clock {
    Clock::from_fn(|| UNIX_EPOCH + Duration::from_secs(1_767_323_045))
}

pub(crate) fn config(dir: &Path) -> ServeConfig {
    let router_dir = dir.join("router");
    write_tiny_router(&router_dir);
    let mut config = ServeConfig::new(router_dir);
    config.seed = Some(7);
    config.listen.set_port(0);
    config
}

pub(crate) fn service() -> Service {
    service_with(|_, _| ())
}

/// A service with another configuration; the closure is given the folder that it lives in.
pub(crate) fn service_with(change: impl FnOnce(&mut ServeConfig, &Path)) -> Service {
    start(change, |_| None)
}

/// A service that can read its settings again.
pub(crate) fn service_with_sources(
    change: impl FnOnce(&mut ServeConfig, &Path),
    sources: impl FnOnce(&Path) -> Sources,
) -> Service {
    start(change, |dir| Some(sources(dir)))
}

fn start(
    change: impl FnOnce(&mut ServeConfig, &Path),
    sources: impl FnOnce(&Path) -> Option<Sources>,
) -> Service {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    change(&mut config, dir.path());
    let (state, background) = AppState::start_with(&config, sources(dir.path()), clock()).unwrap();
    Service { app: app(&state), background, dir }
}

impl Service {
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn route(&self, body: impl Into<Body>) -> Answer {
        self.post("/v1/route", body).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// What was sent, and on the next line status and body.
    pub(crate) fn line(&self, sent: &[u8]) -> String {
        format!("{}\n  {} {}\n", String::from_utf8_lossy(sent), self.status, self.text)
    }

    /// Status and body with what differs from run to run blanked and floats rounded.
    pub(crate) fn shown(&self) -> String {
        let mut json = self.json();
        blank(&mut json);
        format!("{}\n{}", self.status, serde_json::to_string_pretty(&json).unwrap())
    }
}

fn blank(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "decision_id" => *value = "[id]".into(),
                    "decision_us" => *value = "[us]".into(),
                    "router" => *value = "[digest]".into(),
                    _ => blank(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Number(number) if number.is_f64() => {
            let rounded = (number.as_f64().unwrap() * 1e8).round() / 1e8;
            *json = rounded.into();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
