//! What passes through, and what does not.

use axum::body::Body;
use axum::http::Request;
use farthing_serve::{Protocol, Secret};
use serde_json::json;

use super::{Gateway, header, hello, speaking};

#[tokio::test]
async fn the_router_chooses_and_the_body_passes_through() {
    let gateway = Gateway::new(&[("small", &["ok"]), ("large", &["ok"])]).await;
    let mut body = hello("auto");
    body["temperature"] = json!(0.25);
    body["models"] = json!(["small", "large"]);
    body["farthing"] = json!({"session_id": "s"});
    let answer = gateway.chat(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(
        gateway.sent(),
        [json!({"model": "small-2026", "temperature": 0.25,
            "messages": [{"role": "user", "content": "hello there"}]})]
    );
    assert_eq!(answer.json()["model"], "small-2026");
    for (name, value) in [
        ("x-farthing-model", "small"),
        ("x-farthing-upstream", "small-0"),
        ("x-farthing-reason", "cheapest_above_bar"),
        ("x-farthing-attempts", "1"),
        ("x-farthing-fallbacks", "0"),
        ("x-farthing-cost-status", "known"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(header(&answer, name), value, "{name}");
    }
    // 0.25 and 1 USD per million tokens.
    let usage = &answer.json()["usage"];
    let tokens = |name: &str| usage[name].as_f64().unwrap();
    let due = (tokens("prompt_tokens") * 0.25 + tokens("completion_tokens")) / 1e6;
    let cost: f64 = header(&answer, "x-farthing-cost-usd").parse().unwrap();
    assert!((cost - due).abs() < 1e-12, "{cost} {due}");
}

#[tokio::test]
async fn a_named_model_is_asked_as_it_is() {
    let gateway = Gateway::new(&[("large", &["ok"]), ("unknown-to-the-router", &["ok"])]).await;
    let answer = gateway.chat(&hello("large")).await;
    assert_eq!((answer.status, header(&answer, "x-farthing-model")), (200, "large"));
    assert_eq!(header(&answer, "x-farthing-reason"), "requested");
    let answer = gateway.chat(&hello("unknown-to-the-router")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(header(&answer, "x-farthing-decision-id"), "");
    assert_eq!(header(&answer, "x-farthing-cost-status"), "unknown");
    // A conversation that no router could read.
    let body = json!({"model": "large", "messages": [{"role": "critic", "content": "a"}]});
    let answer = gateway.chat(&body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let answer = gateway.chat(&hello("larger")).await;
    assert_eq!(answer.status, 404);
    insta::assert_snapshot!(answer.text, @r#"{"error":{"message":"no upstream serves `larger`; hint: use `auto`, `large`, `unknown-to-the-router`","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#);
}

#[tokio::test]
async fn a_candidate_without_an_upstream_is_not_chosen() {
    let gateway = Gateway::new(&[("large", &["ok"])]).await;
    let answer = gateway.chat(&hello("auto")).await;
    assert_eq!((answer.status, header(&answer, "x-farthing-model")), (200, "large"));
    let mut body = hello("auto");
    body["farthing"] = json!({"candidates": ["small"]});
    let answer = gateway.chat(&body).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("`small` (no_upstream)"), "{}", answer.text);
}

#[tokio::test]
async fn regions_bind_instances_too() {
    let gateway = Gateway::with(&[("large", &["ok", "ok"])], |config| {
        for (name, region) in [("large-0", "us"), ("large-1", "eu")] {
            config.upstreams.get_mut(name).unwrap().region = Some(region.to_owned());
        }
    });
    let gateway = gateway.await;
    for _ in 0..4 {
        let mut body = hello("large");
        body["farthing"] = json!({"regions": ["eu"]});
        let answer = gateway.chat(&body).await;
        assert_eq!(header(&answer, "x-farthing-upstream"), "large-1");
    }
}

#[tokio::test]
async fn embeddings_and_responses_pass() {
    let gateway = Gateway::new(&[("large", &["ok"])]).await;
    let body = json!({"model": "large", "input": "hello"}).to_string();
    for path in ["/v1/embeddings", "/v1/responses"] {
        let answer = gateway.service.post(path, body.clone()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(header(&answer, "x-farthing-cost-status"), "known", "{path}");
        let auto = json!({"model": "auto", "input": "hello"}).to_string();
        assert_eq!(gateway.service.post(path, auto).await.status, 404);
    }
}

#[tokio::test]
async fn messages_go_to_those_who_speak_them_and_errors_have_their_shape() {
    let gateway = Gateway::with(&[("small", &["ok"])], |config| {
        let (_, small) = config.upstreams.pop_first().unwrap();
        config.upstreams.insert("claude".into(), speaking(small, Protocol::Anthropic));
    });
    let gateway = gateway.await;
    let body = json!({"model": "auto", "max_tokens": 50, "system": "be brief",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]});
    let answer = gateway.service.post("/v1/messages", body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["type"], "message");
    assert_eq!(header(&answer, "x-farthing-cost-status"), "known");
    let answer = gateway.service.post("/v1/messages", "{").await;
    assert_eq!((answer.status, &answer.json()["type"]), (400, &json!("error")));
    assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    let answer = gateway.chat(&hello("auto")).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
}

#[tokio::test]
async fn keys_go_to_their_upstream_and_nowhere_else() {
    let gateway = Gateway::with(&[("small", &["need_key,key=sk-of-small"])], |config| {
        let small = config.upstreams.get_mut("small-0").unwrap();
        small.key = Secret::new("sk-of-small");
    });
    let gateway = gateway.await;
    let request = Request::post("/v1/chat/completions")
        .header("authorization", "Bearer sk-of-the-client")
        .header("cookie", "session=secret")
        .header("x-request-id", "mine")
        .body(Body::from(hello("small").to_string()));
    let answer = gateway.service.send(request.unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let received = gateway.upstream.received().remove(0);
    assert_eq!(received.header("authorization"), Some("Bearer sk-of-small"));
    assert_eq!(received.header("cookie"), None);
    assert_eq!(received.header("x-request-id"), Some("mine"));
    let metrics = gateway.service.get("/metrics").await.text;
    assert!(metrics.contains(r#"farthing_upstream_requests_total{model="small",instance="small-0",protocol="openai",outcome="ok"} 1"#), "{metrics}");
    for secret in ["sk-of", "hello there"] {
        assert!(!metrics.contains(secret));
    }
}

#[tokio::test]
async fn without_upstreams_there_is_no_gateway() {
    let service = crate::harness::service();
    let answer = service.post("/v1/chat/completions", hello("auto").to_string()).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (409, &json!("gateway_not_configured"))
    );
}

#[tokio::test]
async fn bad_bodies_are_refused_with_their_place() {
    let gateway = Gateway::new(&[("small", &["ok"])]).await;
    for (body, code) in [
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        (r#"{"model": 5}"#, "invalid_json"),
        (r#"{"model": "auto"}"#, "missing_prompt"),
        (r#"{"model": "auto", "messages": [{"role": "user", "content": ""}]}"#, "empty_prompt"),
        (r#"{"model": "auto:nope", "prompt": "a"}"#, "unknown_policy"),
    ] {
        let answer = gateway.service.post("/v1/chat/completions", body).await;
        assert_eq!(answer.json()["error"]["code"], code, "{body}: {}", answer.text);
    }
    assert!(gateway.sent().is_empty());
}

#[tokio::test]
async fn a_session_is_pinned_to_who_answered() {
    let gateway = Gateway::new(&[("small", &["error,status=500"]), ("large", &["ok"])]).await;
    let request = || {
        Request::post("/v1/chat/completions")
            .header("x-farthing-session-id", "s")
            .body(Body::from(hello("auto").to_string()))
            .unwrap()
    };
    let first = gateway.service.send(request()).await;
    assert_eq!(header(&first, "x-farthing-model"), "large");
    let pin = header(&first, "x-farthing-pin");
    assert!(pin.starts_with("1:1:11:") && pin.ends_with(":large"), "{pin}");
    let second = gateway.service.send(request()).await;
    assert!(header(&second, "x-farthing-pin").starts_with("1:2:"));
}

#[tokio::test]
async fn what_only_upstreams_serve_is_listed_too() {
    let gateway = Gateway::new(&[("small", &["ok"]), ("elsewhere", &["ok"])]).await;
    let list = gateway.service.get("/v1/models").await.json();
    let names: Vec<_> = list["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert_eq!(names[..5], ["small", "large", "homemade", "elsewhere", "auto"]);
}
