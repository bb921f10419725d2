//! What goes wrong goes wrong as it says.

use std::time::{Duration, Instant};

use serde_json::json;

use super::super::{Behaviour, Upstream};
use super::client::{End, ask};
use super::{CHAT, chat, chat_with};

#[tokio::test]
async fn a_cut_stream_has_no_end() {
    let upstream = Upstream::start().await.unwrap();
    let streamed = json!({ "stream": true });
    for (scenario, end, events) in [
        ("cut_stream", End::Cut, 3),
        ("cut_stream,events=0", End::Cut, 0),
        ("cut_stream,events=5,clean=true", End::Whole, 5),
    ] {
        let answer = chat_with(&upstream, scenario, streamed.clone()).await;
        assert_eq!((answer.status, answer.end), (200, end), "{scenario}");
        assert_eq!(answer.events().len(), events, "{scenario}");
        assert!(!answer.text().contains("[DONE]"));
    }
    // However many are asked for, the last one does not come.
    let answer = chat_with(&upstream, "cut_stream,events=1000", streamed.clone()).await;
    let all = chat_with(&upstream, "ok", streamed).await;
    assert_eq!(answer.events().len(), all.events().len() - 1);
}

#[tokio::test]
async fn a_cut_body_is_half_a_body() {
    let upstream = Upstream::start().await.unwrap();
    for (scenario, end) in [("cut_stream", End::Cut), ("cut_stream,clean=true", End::Whole)] {
        let answer = chat_with(&upstream, scenario, json!({})).await;
        assert_eq!((answer.status, answer.end), (200, end), "{scenario}");
        let whole = chat_with(&upstream, "ok", json!({})).await;
        assert_eq!(answer.body, whole.body[..whole.body.len() / 2]);
    }
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "reset", json!({})).await;
    assert_eq!((answer.status, answer.end), (0, End::Reset));
    assert_eq!(upstream.received().len(), 1, "it was read before");
    assert!(!upstream.received()[0].hung_up);
}

#[tokio::test]
async fn stalls_keep_the_connection() {
    let upstream = Upstream::start().await.unwrap();
    for (scenario, status, events) in
        [("stall_headers", 0, 0), ("stall_first_token", 200, 0), ("stall_stream,events=4", 200, 4)]
    {
        let answer = chat_with(&upstream, scenario, json!({ "stream": true })).await;
        assert_eq!((answer.status, answer.end), (status, End::Stalled), "{scenario}");
        assert_eq!(answer.events().len(), events, "{scenario}");
    }
    // The client of each has gone by now.
    let started = Instant::now();
    while !upstream.received().iter().all(|request| request.hung_up) {
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", upstream.received());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn errors_have_the_status_and_the_shape() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "error,status=503,retry_after=7", json!({})).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("7")));
    assert_eq!(answer.json()["error"]["type"], "server_error");
    let scenario = "error,status=400,code=context_length_exceeded";
    let answer = chat_with(&upstream, scenario, json!({})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "context_length_exceeded");
    let path = "/error,status=529/v1/messages";
    let answer = ask(upstream.addr(), path, &chat("Hello", json!({}))).await;
    assert_eq!(answer.status, 529);
    assert_eq!(answer.json()["type"], "error");
    assert_eq!(answer.json()["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn rate_limits_say_when_to_come_back_if_asked_to() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "rate_limited,retry_after=3", json!({})).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("3")));
    assert_eq!(answer.header("x-ratelimit-remaining-requests"), Some("0"));
    assert_eq!(answer.header("x-ratelimit-reset-tokens"), Some("3s"));
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    let answer = chat_with(&upstream, "rate_limited", json!({})).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, None));
}

#[tokio::test]
async fn an_instance_dies_and_comes_back() {
    let upstream = Upstream::start().await.unwrap();
    let path = format!("/@one{CHAT}");
    let status = || async {
        let answer = ask(upstream.addr(), &path, &chat("Hello", json!({}))).await;
        (answer.status, answer.end)
    };
    assert_eq!(status().await, (404, End::Whole));
    upstream.set("one", Behaviour::Ok.into());
    assert_eq!(status().await, (200, End::Whole));
    upstream.set("one", Behaviour::Reset.into());
    assert_eq!(status().await, (0, End::Reset));
    upstream.set("one", "error,status=502".parse().unwrap());
    assert_eq!(status().await, (502, End::Whole));
}
