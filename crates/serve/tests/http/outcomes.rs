//! `POST /v1/outcomes`: acknowledged once on disk, and not before.

use std::fs;

use farthing_core::OutcomeBody;
use farthing_core::log::read::{Line, read_segment};
use farthing_serve::LogConfig;
use serde_json::json;

use crate::harness::{Service, service, service_with};

const ID: &str = "0198a2b4-7c11-7def-8123-456789abcdef";

fn logging() -> Service {
    service_with(|config, dir| config.log = Some(LogConfig::new(dir.join("log"))))
}

/// The outcomes in the log, sealed or not.
fn on_disk(service: &Service) -> Vec<OutcomeBody> {
    let mut outcomes = Vec::new();
    for entry in fs::read_dir(service.dir.path().join("log")).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("outcomes-") {
            read_segment(&fs::read(path).unwrap(), &mut |_, line| {
                if let Line::Outcome(event) = line.unwrap() {
                    assert_eq!(event.received, "2026-01-02T03:04:05.000000Z");
                    outcomes.push(event.outcome.into_owned());
                }
            });
        }
    }
    outcomes
}

#[tokio::test]
async fn accepted_means_on_disk() {
    let service = logging();
    let one = json!({"decision_id": ID, "model": "small", "score": 0.1 + 0.2, "source": "human",
                     "input_tokens": 10, "cached_input_tokens": 4, "output_tokens": 7,
                     "cost_usd": 0.25, "latency_ms": 12.5, "idempotency_key": "k"});
    let answer = service.post("/v1/outcomes", one.to_string()).await;
    assert_eq!((answer.status, answer.text.as_str()), (202, r#"{"object":"list","accepted":1}"#));
    assert_eq!(serde_json::to_value(on_disk(&service)).unwrap(), json!([one]));

    let list = json!([{"decision_id": ID, "model": "other", "cost_usd": 0}, one]);
    let answer = service.post("/v1/outcomes", format!(" {list}")).await;
    assert_eq!((answer.status, answer.json()["accepted"].as_u64()), (202, Some(2)));
    assert_eq!(on_disk(&service).len(), 3);
    assert_eq!(service.post("/v1/outcomes", "[]").await.json()["accepted"], 0);

    let text = service.get("/metrics").await.text;
    assert!(text.contains("farthing_outcomes_accepted_total 3"), "{text}");
    assert!(text.contains(r#"farthing_http_requests_total{path="/v1/outcomes",code="ok"} 3"#));
    service.background.finish().await.unwrap();
    let names = fs::read_dir(service.dir.path().join("log")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[tokio::test]
async fn many_callers_are_answered() {
    let service = std::sync::Arc::new(logging());
    let mut calls = tokio::task::JoinSet::new();
    for i in 0..64 {
        let service = std::sync::Arc::clone(&service);
        calls.spawn(async move {
            let outcome = json!({"decision_id": ID, "model": format!("m{i}"), "score": 1});
            service.post("/v1/outcomes", outcome.to_string()).await.status
        });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 202));
    assert_eq!(on_disk(&service).len(), 64);
}

#[tokio::test]
async fn a_list_with_one_mistake_is_refused_whole() {
    let service = logging();
    let good = json!({"decision_id": ID, "model": "m", "score": 1});
    let with = |changes: serde_json::Value| {
        let mut outcome = good.clone();
        outcome.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        outcome
    };
    let mut shown = String::new();
    for body in [
        json!([good, with(json!({"score": 1.5}))]),
        json!([good, good, with(json!({"input_tokens": -1}))]),
        json!([good, with(json!({"scores": 1}))]),
        json!([good, 7]),
        json!([good, {"model": "m", "score": 1}]),
        with(json!({"decision_id": "first"})),
        with(json!({"model": ""})),
        with(json!({"score": "good"})),
        with(json!({"score": null})),
        with(json!({"source": "cat"})),
        json!("text"),
    ] {
        let answer = service.post("/v1/outcomes", body.to_string()).await;
        let error = &answer.json()["error"];
        let line = format!(
            "{} {} {}: {}\n",
            answer.status, error["code"], error["param"], error["message"]
        );
        shown += &line.replace('"', "");
    }
    insta::assert_snapshot!(shown, @r"
    400 invalid_outcome [1].score: `[1]`: score is not in [0, 1]: 1.5
    400 invalid_json [2].input_tokens: `[2].input_tokens` is wrong: invalid value: integer `-1`, expected u64 at line 1 column 226; hint: see `/openapi.json` for the shape that is due
    400 invalid_json [1].scores: `[1].scores` is wrong: unknown field `scores`, expected one of `decision_id`, `model`, `score`, `cost_usd`, `input_tokens`, `cached_input_tokens`, `output_tokens`, `latency_ms`, `source`, `idempotency_key` at line 1 column 162; hint: see `/openapi.json` for the shape that is due
    400 invalid_json [1]: `[1]` is wrong: invalid type: integer `7`, expected an outcome: an object with `decision_id` and `model` at line 1 column 79; hint: see `/openapi.json` for the shape that is due
    400 invalid_json [1]: `[1]` is wrong: missing field `decision_id` at line 1 column 101; hint: see `/openapi.json` for the shape that is due
    400 invalid_outcome decision_id: `decision_id` is not the id of a decision: `first`; hint: send it as the decision has it
    400 invalid_outcome model: `model` is empty or longer than 256 bytes
    400 invalid_json score: `score` is wrong: not a number at line 1 column 81; hint: see `/openapi.json` for the shape that is due
    400 invalid_outcome null: the outcome says nothing; hint: give `score`, `cost_usd`, `latency_ms` or a number of tokens
    400 invalid_json source: `source` is wrong: unknown variant `cat`, expected one of `human`, `judge`, `verifier`, `implicit` at line 1 column 90; hint: see `/openapi.json` for the shape that is due
    400 invalid_json null: the body is not a JSON object; hint: see `/openapi.json` for its shape
    ");
    assert_eq!(on_disk(&service), []);
    let many = vec![good; 1025];
    let answer = service.post("/v1/outcomes", json!(many).to_string()).await.json();
    assert_eq!(answer["error"]["code"], "batch_too_large");
    let text = service.get("/metrics").await.text;
    assert!(text.contains(r#"farthing_outcomes_refused_total{code="invalid_outcome"} "#), "{text}");
}

#[tokio::test]
async fn without_a_log_nothing_is_taken() {
    let outcome = json!({"decision_id": ID, "model": "m", "score": 1});
    insta::assert_snapshot!(service().post("/v1/outcomes", outcome.to_string()).await.shown(), @r#"
    409
    {
      "error": {
        "code": "log_not_configured",
        "message": "this server keeps no log, so it takes no outcomes; hint: start it with `--log`",
        "param": null,
        "type": "invalid_request_error"
      }
    }
    "#);
}

/// Neither acknowledged nor forgotten that it was not: the client is told to come again.
#[tokio::test]
async fn a_disk_that_fails_is_not_acknowledged() {
    let service = logging();
    let log = service.dir.path().join("log");
    fs::remove_dir_all(&log).unwrap();
    let outcome = json!({"decision_id": ID, "model": "m", "score": 1});
    let answer = service.post("/v1/outcomes", outcome.to_string()).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(answer.json()["error"]["code"], "log_failed");
    fs::create_dir(&log).unwrap();
    assert_eq!(service.post("/v1/outcomes", outcome.to_string()).await.status, 202);
    assert_eq!(on_disk(&service).len(), 1);
}
