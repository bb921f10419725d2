//! Arbitrary bytes as the body of every endpoint that takes one, through the whole service without a
//! socket: an answer or an error of the documented shape, never a fault of the server; and what a batch
//! says of a body is what is said of it alone.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::http::Request;
use farthing_serve::{
    App, AppState, Background, Clock, LogConfig, PromptStorage, ServeConfig, app,
};
use http_body_util::BodyExt as _;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;
use tempfile::TempDir;
use tiny::write_tiny_router;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt as _;

#[path = "../../crates/serve/tests/http/tiny.rs"]
mod tiny;

struct Service {
    app: App,
    runtime: Runtime,
    _background: Background,
    _dir: TempDir,
}

thread_local! {
    static SERVICE: Service = Service::start();
}

fuzz_target!(|body: &[u8]| {
    SERVICE.with(|service| {
        let alone = service.post("/v1/route", body);
        service.post("/v1/outcomes", body);
        service.post("/v1/route/batch", body);
        if serde_json::from_slice::<&RawValue>(body).is_ok() {
            let batch = [b"{\"requests\":[".as_slice(), body, b"]}"].concat();
            let answers = service.post("/v1/route/batch", &batch);
            assert_eq!(answers["data"].as_array().map(Vec::len), Some(1));
            check_same(&answers["data"][0], &alone);
        }
    });
});

/// A decision has another id and takes another time, and an error in a batch names its entry.
fn check_same(in_batch: &Value, alone: &Value) {
    for field in ["model", "models", "policy", "reason", "bar", "truncated", "candidates"] {
        assert_eq!(in_batch[field], alone[field], "{field}");
    }
    for field in ["type", "code"] {
        assert_eq!(in_batch["error"][field], alone["error"][field], "{in_batch} {alone}");
    }
}

impl Service {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder for temporary files");
        let router = dir.path().join("router");
        write_tiny_router(&router);
        let mut config = ServeConfig::new(router);
        config.seed = Some(7);
        config.limits.batch_requests = 4;
        config.log = Some(LogConfig {
            prompts: PromptStorage::Full,
            segment_bytes: 1 << 20,
            max_bytes: Some(1 << 20),
            ..LogConfig::new(dir.path().join("log"))
        });
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_secs(1_767_323_045));
        let entered = runtime.enter();
        let (state, background) = AppState::start(&config, clock).expect("the service starts");
        drop(entered);
        Self { app: app(&state), runtime, _background: background, _dir: dir }
    }

    /// The answer, once it has the shape that its status asks for.
    fn post(&self, path: &str, body: &[u8]) -> Value {
        let request = Request::post(path).body(Body::from(body.to_vec())).expect("a request");
        let (status, answer) = self.runtime.block_on(async {
            let Ok(response) = self.app.clone().oneshot(request).await;
            let (parts, body) = response.into_parts();
            let collected = body.collect().await.expect("the answer is whole").to_bytes();
            (parts.status.as_u16(), collected)
        });
        let answer: Value = serde_json::from_slice(&answer).expect("answers are JSON");
        match status {
            200 => check_answer(&answer),
            202 => assert!(answer["accepted"].is_u64(), "{answer}"),
            400 | 413 | 422 => check_error(&answer),
            _ => panic!("{path}: {status} {answer}"),
        }
        answer
    }
}

fn check_answer(answer: &Value) {
    if answer["object"] == "list" {
        let entries = answer["data"].as_array().expect("a list of answers");
        for entry in entries {
            match entry.get("error") {
                Some(_) => check_error(entry),
                None => check_answer(entry),
            }
        }
    } else {
        assert_eq!(answer["object"], "routing.decision");
        assert_eq!(answer["model"], answer["models"][0]);
        assert!(answer["propensity"].as_f64().is_some_and(|p| 0.0 < p && p <= 1.0), "{answer}");
    }
}

fn check_error(answer: &Value) {
    for field in ["message", "type", "code"] {
        let text = answer["error"][field].as_str();
        assert!(text.is_some_and(|text| !text.is_empty()), "{answer}");
    }
    assert_ne!(answer["error"]["code"], "internal");
}
