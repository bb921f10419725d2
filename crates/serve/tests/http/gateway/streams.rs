//! Streams: passed on event by event, and never ended as if they were whole when they are not.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Gateway, header, hello};

fn stream(model: &str) -> Value {
    let mut body = hello(model);
    body["stream"] = true.into();
    body
}

/// The data of the events of a stream.
fn data(text: &str) -> Vec<&str> {
    text.split("\n\n").filter_map(|event| event.split("data: ").nth(1)).collect()
}

#[tokio::test]
async fn a_stream_passes_and_its_usage_is_hidden_unless_asked_for() {
    let gateway = Gateway::new(&[("small", &["ok"])]).await;
    let answer = gateway.chat(&stream("auto")).await;
    assert!(header(&answer, "content-type").starts_with("text/event-stream"));
    assert_eq!(header(&answer, "x-farthing-cost-status"), "estimated");
    let events = data(&answer.text);
    assert_eq!(events.last(), Some(&"[DONE]"));
    assert!(!answer.text.contains("\"prompt_tokens\""), "{}", answer.text);
    assert_eq!(gateway.sent()[0]["stream_options"], json!({"include_usage": true}));

    let mut body = stream("auto");
    body["stream_options"] = json!({"include_usage": true});
    let answer = gateway.chat(&body).await;
    assert!(answer.text.contains("\"prompt_tokens\""), "{}", answer.text);

    body["farthing"] = json!({"explain": true});
    let answer = gateway.chat(&body).await;
    let events = data(&answer.text);
    let told: Value = serde_json::from_str(events[events.len() - 2]).unwrap();
    assert_eq!(told["farthing"]["cost_status"], "known");
    assert!(told["farthing"]["cost_usd"].as_f64().unwrap() > 0.0);
    let metrics = gateway.service.get("/metrics").await.text;
    assert!(metrics.contains(r#"farthing_upstream_first_token_seconds_count{model="small",instance="small-0",protocol="openai"} 3"#), "{metrics}");
}

#[tokio::test]
async fn a_stream_that_fails_after_its_first_token_is_an_error_and_never_whole() {
    for scenario in [
        "stall_stream,events=3",
        "cut_stream,events=3",
        "cut_stream,events=3,clean=true",
        "malformed_sse,events=3",
        "error_event,events=3",
    ] {
        let gateway = Gateway::new(&[("small", &[scenario])]).await;
        let answer = gateway.chat(&stream("small")).await;
        assert_eq!(answer.status, 200, "{scenario}");
        let events = data(&answer.text);
        let last: Value = serde_json::from_str(events.last().unwrap()).unwrap();
        assert_eq!(last["error"]["code"], "upstream_stream_failed", "{scenario}: {}", answer.text);
        assert_eq!(last["choices"][0]["finish_reason"], "error");
        assert!(!answer.text.contains("[DONE]"), "{scenario}");
        assert!(events.len() >= 3, "{scenario}: what came is passed on: {}", answer.text);
    }
}

#[tokio::test]
async fn tools_and_other_protocols_stream_too() {
    let gateway = Gateway::with(&[("small", &["ok"]), ("large", &["ok"])], |config| {
        let small = config.upstreams.get_mut("small-0").unwrap();
        small.protocol = farthing_serve::Protocol::Anthropic;
    });
    let gateway = gateway.await;
    let mut body = stream("small");
    body["max_tokens"] = 10.into();
    let answer = gateway.service.post("/v1/messages", body.to_string()).await;
    assert!(answer.text.contains("message_stop"), "{}", answer.text);
    let body = json!({"model": "large", "input": "hello", "stream": true}).to_string();
    let answer = gateway.service.post("/v1/responses", body).await;
    assert!(answer.text.contains("response.completed"), "{}", answer.text);
    let mut body = stream("large");
    body["messages"][0]["content"] = "use a tool".into();
    body["tools"] = json!([{"type": "function", "function": {"name": "look", "parameters": {}}}]);
    let answer = gateway.chat(&body).await;
    assert!(
        answer.text.contains("tool_calls") && answer.text.contains("[DONE]"),
        "{}",
        answer.text
    );
    let metrics = gateway.service.get("/metrics").await.text;
    assert_eq!(metrics.matches(r#"outcome="ok"} "#).count(), 2, "{metrics}");
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_upstream_request() {
    let gateway = Gateway::new(&[("small", &["slow,headers_ms=1,token_ms=20,tokens=200"])]).await;
    let request = Request::post("/v1/chat/completions");
    let request = request.body(Body::from(stream("small").to_string())).unwrap();
    let response = gateway.service.app.clone().oneshot(request).await.unwrap();
    let mut body = response.into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(b"data: "));
    drop(body);
    for _ in 0..200 {
        if gateway.upstream.received()[0].hung_up {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(gateway.upstream.received()[0].hung_up);
    let metrics = gateway.service.get("/metrics").await.text;
    assert!(metrics.contains(r#"outcome="abandoned"} 1"#), "{metrics}");
    assert!(metrics.contains("farthing_http_requests_in_flight 0"), "{metrics}");
}
