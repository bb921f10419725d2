//! Answers that come, but are not what they should be.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::Upstream;
use super::client::{Answer, End, ask, ask_with};
use super::{CHAT, chat, chat_with, said};

/// A stream that counts its tokens.
fn counted() -> Value {
    json!({ "stream": true, "stream_options": { "include_usage": true } })
}

#[tokio::test]
async fn slow_is_slow_before_the_head_and_before_each_token() {
    let upstream = Upstream::start().await.unwrap();
    let scenario = "slow,headers_ms=60,token_ms=10,tokens=5";
    for fields in [json!({}), counted()] {
        let started = Instant::now();
        let answer = chat_with(&upstream, scenario, fields).await;
        assert!(started.elapsed() >= Duration::from_millis(110), "{:?}", started.elapsed());
        assert_eq!(answer.end, End::Whole);
    }
    let answer = chat_with(&upstream, scenario, counted()).await;
    assert_eq!(said(&answer), "and so on, and so on");
    let usage = answer.events()[answer.events().len() - 2]["usage"].clone();
    assert_eq!(usage["completion_tokens"], 5);
}

#[tokio::test]
async fn a_malformed_line_comes_in_between() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "malformed_sse,events=2", counted()).await;
    let mut events = answer.events();
    assert!(events.remove(2).as_str().unwrap().starts_with("{\"choices\""), "no JSON");
    let honest = chat_with(&upstream, "ok", counted()).await;
    assert_eq!(events, honest.events());
}

#[tokio::test]
async fn an_error_event_is_the_last_one() {
    let upstream = Upstream::start().await.unwrap();
    for (path, fields) in [
        (CHAT, json!({})),
        ("/v1/messages", json!({})),
        ("/v1/responses", json!({ "input": "How are you?" })),
    ] {
        let ask = async |stream: bool| {
            let mut body = chat("How are you?", fields.clone());
            body["stream"] = stream.into();
            ask(upstream.addr(), &format!("/error_event,events=4{path}"), &body).await
        };
        let answer = ask(true).await;
        assert_eq!((answer.status, answer.end, answer.events().len()), (200, End::Whole, 5));
        assert!(answer.events()[4].to_string().contains("broke off"), "{path}: {answer:?}");
        assert!(!answer.text().contains("[DONE]"));
        let answer = ask(false).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["error"]["message"], "the model broke off in the middle");
    }
}

#[tokio::test]
async fn usage_can_be_wrong() {
    let upstream = Upstream::start().await.unwrap();
    for (kind, prompt, completion) in [
        ("negative", json!(-6), json!(-8)),
        ("strings", json!("6"), json!("8")),
        ("null", Value::Null, Value::Null),
        ("missing", Value::Null, Value::Null),
    ] {
        let scenario = format!("wrong_usage,kind={kind}");
        let answer = chat_with(&upstream, &scenario, json!({})).await.json();
        assert_eq!(answer.get("usage").is_none(), kind == "missing");
        assert_eq!(answer["usage"]["prompt_tokens"], prompt);
        assert_eq!(answer["usage"]["completion_tokens"], completion);
        let streamed = chat_with(&upstream, &scenario, counted()).await.events();
        let last = &streamed[streamed.len() - 2];
        assert_eq!(last["choices"] == json!([]), kind != "missing", "{last}");
        assert_eq!(last["usage"]["completion_tokens"], completion);
    }
}

#[tokio::test]
async fn usage_can_be_on_every_chunk() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "usage_everywhere", json!({ "stream": true })).await;
    let (done, chunks) =
        answer.events().split_last().map(|(l, r)| (l.clone(), r.to_vec())).unwrap();
    assert_eq!(done, "[DONE]");
    assert!(chunks.iter().all(|chunk| chunk["choices"].as_array().unwrap().len() == 1));
    let so_far: Vec<_> =
        chunks.iter().map(|c| c["usage"]["completion_tokens"].as_u64().unwrap()).collect();
    assert_eq!(so_far.first(), Some(&0));
    assert!(so_far.is_sorted());
    let honest = chat_with(&upstream, "ok", json!({})).await.json();
    assert_eq!(chunks.last().unwrap()["usage"], honest["usage"]);
}

#[tokio::test]
async fn a_slow_body_drips_across_events() {
    let upstream = Upstream::start().await.unwrap();
    let started = Instant::now();
    let answer = chat_with(&upstream, "slow_body,bytes=400,ms=10", counted()).await;
    let honest = chat_with(&upstream, "ok", counted()).await;
    assert_eq!((answer.end, &answer.body), (End::Whole, &honest.body));
    let drops = honest.body.len().div_ceil(400);
    assert!(started.elapsed() >= Duration::from_millis(10) * u32::try_from(drops).unwrap());
}

#[tokio::test]
async fn huge_is_huge_and_counted() {
    let upstream = Upstream::start().await.unwrap();
    let bytes = 3_000_001;
    let scenario = format!("huge,bytes={bytes}");
    let check = |text: &Value, usage: &Value| {
        assert_eq!(text.as_str().unwrap().len(), bytes);
        assert!(text.as_str().unwrap().bytes().all(|byte| byte == b'x'));
        assert_eq!(usage["completion_tokens"], 750_001);
    };
    let answer = chat_with(&upstream, &scenario, json!({})).await.json();
    check(&answer["choices"][0]["message"]["content"], &answer["usage"]);
    let events = chat_with(&upstream, &scenario, counted()).await.events();
    check(&events[1]["choices"][0]["delta"]["content"], &events[3]["usage"]);
}

#[tokio::test]
async fn some_bodies_are_no_json() {
    let upstream = Upstream::start().await.unwrap();
    for (scenario, status, kind, start) in [
        ("not_json", 200, "application/json", "this is no JSON"),
        ("empty", 200, "application/json", ""),
        ("html_error", 502, "text/html", "<!doctype html>"),
        ("html_error,status=504", 504, "text/html", "<!doctype html>"),
    ] {
        let answer = chat_with(&upstream, scenario, counted()).await;
        assert_eq!((answer.status, answer.end), (status, End::Whole), "{scenario}");
        assert_eq!(answer.header("content-type"), Some(kind));
        assert!(answer.text().starts_with(start));
        assert_eq!(answer.body.is_empty(), start.is_empty());
    }
    assert!(upstream.received().iter().all(|request| !request.hung_up));
}

#[tokio::test]
async fn flaky_fails_in_the_same_places() {
    let statuses = async |scenario: &str| {
        let upstream = Upstream::start().await.unwrap();
        let mut statuses = Vec::new();
        for _ in 0..40 {
            // What another scenario is asked changes nothing.
            chat_with(&upstream, "flaky,seed=9", json!({})).await;
            statuses.push(chat_with(&upstream, scenario, json!({})).await.status);
        }
        assert!(statuses.iter().all(|status| [200, 500].contains(status)));
        statuses
    };
    let half = statuses("flaky,ratio=0.5,seed=1").await;
    assert_eq!(half, statuses("flaky,ratio=0.5,seed=1").await);
    assert_ne!(half, statuses("flaky,ratio=0.5,seed=2").await);
    let failed = half.iter().filter(|status| **status == 500).count();
    assert!((10..30).contains(&failed), "{failed}");
    assert_eq!(statuses("flaky,ratio=0").await, [200; 40]);
    assert_eq!(statuses("flaky,ratio=1").await, [500; 40]);
}

#[tokio::test]
async fn a_strict_upstream_knows_its_fields() {
    let upstream = Upstream::start().await.unwrap();
    let status = async |fields: Value| {
        let answer = chat_with(&upstream, "refuse_field", fields).await;
        (answer.status, answer.json()["error"]["message"].clone())
    };
    assert_eq!(status(json!({ "temperature": 0, "user": "u" })).await, (200, Value::Null));
    for field in ["farthing", "models", "session_id"] {
        let message = format!("unrecognized request argument: {field}");
        assert_eq!(status(json!({ field: [] })).await, (400, message.into()));
    }
    let body = json!({ "model": "m", "input": "text", "messages": [] });
    assert_eq!(ask(upstream.addr(), "/refuse_field/v1/embeddings", &body).await.status, 400);
}

#[tokio::test]
async fn a_key_opens_the_door() {
    let upstream = Upstream::start().await.unwrap();
    let with = async |headers: &str| -> Answer {
        let path = format!("/need_key,key=secret{CHAT}");
        let body = chat("Hello", json!({})).to_string();
        ask_with(upstream.addr(), "POST", &path, headers, &body).await
    };
    assert_eq!(with("authorization: Bearer secret\r\n").await.status, 200);
    assert_eq!(with("x-api-key: secret\r\n").await.status, 200);
    for wrong in ["", "authorization: Bearer other\r\n", "authorization: secret\r\n"] {
        let answer = with(wrong).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.json()["error"]["code"], "invalid_api_key");
        assert!(!answer.text().contains("other") && !answer.text().contains("secret"));
    }
}
