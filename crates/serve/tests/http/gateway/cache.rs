//! Answers that are given again.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use farthing_serve::CacheConfig;
use serde_json::{Value, json};

use super::{Gateway, header, hello};
use crate::harness::Answer;

/// A gateway that keeps answers.
async fn keeping(scenario: &str) -> Gateway {
    Gateway::with(&[("small", &[scenario])], |config| {
        config.cache = Some(CacheConfig::new(1 << 20));
        config.attempts = 1;
    })
    .await
}

/// A request with a temperature of 0.
fn repeated() -> Value {
    let mut body = hello("auto");
    body["temperature"] = 0.into();
    body
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = true.into();
    body
}

impl Gateway {
    async fn chat_with(&self, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post("/v1/chat/completions");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.service.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

/// How each of some answers met the cache.
fn met<const N: usize>(answers: [&Answer; N]) -> [&str; N] {
    answers.map(|answer| header(answer, "x-farthing-cache"))
}

#[tokio::test]
async fn the_same_request_is_answered_again_for_nothing() {
    let gateway = keeping("ok").await;
    let first = gateway.chat(&repeated()).await;
    let again = gateway.chat(&repeated()).await;
    assert_eq!(met([&first, &again]), ["miss", "hit"]);
    assert_eq!(first.text, again.text);
    assert_eq!(gateway.sent().len(), 1);
    assert_eq!(header(&again, "x-farthing-model"), "small");
    assert_eq!(header(&again, "x-farthing-cost-usd"), "0");
    assert_eq!(header(&again, "x-farthing-cost-status"), "known");
    assert_eq!(header(&again, "age"), "0");
    // What was decided once is not told, logged or learned from twice.
    assert_ne!(header(&first, "x-farthing-decision-id"), "");
    assert_eq!(header(&again, "x-farthing-decision-id"), "");
    let metrics = gateway.service.get("/metrics").await.text;
    for line in [
        r#"farthing_cache_requests_total{result="hit"} 1"#,
        r#"farthing_cache_requests_total{result="miss"} 1"#,
        r#"farthing_decisions_total{policy="cheapest_above_bar",model="small",reason="cheapest_above_bar"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[tokio::test]
async fn who_asks_and_what_decides() {
    let gateway = keeping("ok").await;
    let body = repeated();
    let [a, b] = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    let of_a = gateway.chat_with(&body, &[a]).await;
    let of_b = gateway.chat_with(&body, &[b]).await;
    let again = gateway.chat_with(&body, &[a]).await;
    assert_eq!(met([&of_a, &of_b, &again]), ["miss", "miss", "hit"]);

    let no_cache = gateway.chat_with(&body, &[a, ("cache-control", "no-cache")]).await;
    let no_store = gateway.chat_with(&body, &[a, ("cache-control", "no-store")]).await;
    let off = gateway.chat_with(&body, &[a, ("x-farthing-cache", "off")]).await;
    assert_eq!(met([&no_cache, &no_store, &off]), ["miss", "bypass", "bypass"]);

    let warm = gateway.chat(&hello("auto")).await;
    let on = [("x-farthing-cache", "on")];
    let (first, second) = (
        gateway.chat_with(&hello("auto"), &on).await,
        gateway.chat_with(&hello("auto"), &on).await,
    );
    assert_eq!(met([&warm, &first, &second]), ["bypass", "miss", "hit"]);
    let wrong = gateway.chat_with(&hello("auto"), &[("x-farthing-cache", "yes")]).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["code"]), (400, &json!("invalid_header")));
}

#[tokio::test]
async fn requests_that_are_alike_wait_for_one_answer() {
    let gateway = keeping("slow,headers_ms=100").await;
    let body = repeated();
    let all = futures_util::future::join_all((0..20).map(|_| gateway.chat(&body))).await;
    assert_eq!(gateway.sent().len(), 1);
    let misses = all.iter().filter(|answer| header(answer, "x-farthing-cache") == "miss").count();
    assert_eq!(misses, 1);
    assert!(all.iter().all(|answer| answer.status == 200 && answer.text == all[0].text));
}

#[tokio::test]
async fn failures_are_shared_and_never_kept() {
    let gateway = keeping("error,status=500").await;
    let body = repeated();
    let (one, other) = tokio::join!(gateway.chat(&body), gateway.chat(&body));
    assert_eq!((one.status, other.status), (502, 502));
    assert_eq!(gateway.sent().len(), 1);
    assert_eq!(gateway.chat(&body).await.status, 502);
    assert_eq!(gateway.sent().len(), 2);
}

#[tokio::test]
async fn a_request_that_is_given_up_does_not_take_others_with_it() {
    let gateway = keeping("slow,headers_ms=150").await;
    let body = repeated();
    let given_up = tokio::time::timeout(Duration::from_millis(50), gateway.chat(&body));
    let (given_up, other) = tokio::join!(given_up, gateway.chat(&body));
    assert!(given_up.is_err());
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn streams_are_kept_once_they_are_whole_and_chats_are_told_as_streams() {
    let gateway = keeping("ok").await;
    let body = streamed(repeated());
    let (first, again) = (gateway.chat(&body).await, gateway.chat(&body).await);
    assert_eq!(met([&first, &again]), ["miss", "hit"]);
    assert_eq!(first.text, again.text);
    assert!(header(&again, "content-type").starts_with("text/event-stream"));

    let gateway = keeping("ok").await;
    let whole = gateway.chat(&repeated()).await;
    let stream = gateway.chat(&body).await;
    assert_eq!(met([&whole, &stream]), ["miss", "hit"]);
    assert!(header(&stream, "content-type").starts_with("text/event-stream"));
    let content = whole.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    assert!(stream.text.contains(&serde_json::to_string(&content).unwrap()), "{}", stream.text);
    assert!(stream.text.ends_with("data: [DONE]\n\n"));

    let gateway = keeping("cut_stream,events=3").await;
    let (first, again) = (gateway.chat(&body).await, gateway.chat(&body).await);
    assert_eq!(met([&first, &again]), ["miss", "miss"]);
}

#[tokio::test]
async fn what_is_old_or_too_long_is_not_kept() {
    let gateway = Gateway::with(&[("small", &["ok"])], |config| {
        config.cache =
            Some(CacheConfig { ttl: Duration::from_millis(50), ..CacheConfig::new(1 << 20) });
    })
    .await;
    let body = repeated();
    let first = gateway.chat(&body).await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    let later = gateway.chat(&body).await;
    assert_eq!(met([&first, &later]), ["miss", "miss"]);

    let gateway = Gateway::with(&[("small", &["ok"])], |config| {
        config.cache = Some(CacheConfig::new(16));
    })
    .await;
    for body in [repeated(), streamed(repeated())] {
        let (first, again) = (gateway.chat(&body).await, gateway.chat(&body).await);
        assert_eq!(met([&first, &again]), ["miss", "miss"]);
    }
}
