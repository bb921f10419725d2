//! Health of candidates, ids, headers and labels: what operators see and say.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{Service, service};

const HELLO: &str = r#"{"prompt": "hello", "farthing": {"explain": true}}"#;

async fn say(service: &Service, model: &str, healthy: bool) {
    let body = json!({"model": model, "healthy": healthy, "seconds": 60});
    assert_eq!(service.post("/admin/health", body.to_string()).await.status, 200);
}

#[tokio::test]
async fn a_candidate_that_is_out_is_not_chosen() {
    let service = service();
    let body = r#"{"model": "small", "healthy": false, "seconds": 90}"#;
    let answer = service.post("/admin/health", body).await.json();
    let out = json!([{"model": "small", "until": "2026-01-02T03:05:35.000000Z"}]);
    assert_eq!(answer, json!({"object": "farthing.health", "unhealthy": out}));
    assert_eq!(service.get("/admin/health").await.json()["unhealthy"], out);
    assert_eq!(service.get("/v1/router").await.json()["serving"]["unhealthy"], out);

    let decision = service.route(HELLO).await.json();
    assert_eq!(decision["model"], "large");
    assert_eq!(decision["candidates"][0]["excluded_by"], "unhealthy");

    say(&service, "small", true).await;
    assert_eq!(service.route(HELLO).await.json()["model"], "small");
    assert_eq!(service.get("/admin/health").await.json()["unhealthy"], json!([]));
}

#[tokio::test]
async fn health_is_ignored_where_nobody_is_well() {
    let service = service();
    for model in ["small", "large", "homemade"] {
        say(&service, model, false).await;
    }
    let decision = service.route(HELLO).await.json();
    assert_eq!(decision["model"], "small");
    // Who is out does not matter to a request that nobody could have served anyway.
    let none = r#"{"prompt": "a", "farthing": {"max_cost_usd": 0.0}}"#;
    assert_eq!(service.route(none).await.status, 422);
    let metrics = service.get("/metrics").await.text;
    assert!(metrics.contains("farthing_health_ignored_total 1\n"), "{metrics}");
}

#[tokio::test]
async fn words_on_health_that_make_no_sense_are_refused() {
    let service = service();
    for (body, code) in [
        (r#"{"model": "nobody", "healthy": false}"#, "unknown_candidate"),
        (r#"{"model": "small"}"#, "invalid_json"),
        (r#"{"model": "small", "healthy": false, "seconds": -1}"#, "invalid_json"),
        (r#"{"model": "small", "healthy": false, "minutes": 1}"#, "invalid_json"),
        ("", "invalid_json"),
    ] {
        let answer = service.post("/admin/health", body).await;
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!(code)), "{body}");
    }
}

#[tokio::test]
async fn a_decision_stands_in_headers_too() {
    let answer = service().route(HELLO).await;
    let decision = answer.json();
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!(header("x-farthing-decision-id"), decision["decision_id"]);
    assert_eq!(header("x-farthing-model"), "small");
    assert_eq!(header("x-farthing-policy"), "cheapest_above_bar");
    assert_eq!(header("x-farthing-reason"), "cheapest_above_bar");
    let whole: f64 = header("x-farthing-decision-us").parse().unwrap();
    assert!((whole - decision["decision_us"].as_f64().unwrap()).abs() <= 0.5);
}

#[tokio::test]
async fn hostile_request_ids_are_replaced() {
    let service = service();
    for id in ["a b", "\"", &"a".repeat(129)] {
        let request = Request::get("/livez").header("x-request-id", id).body(Body::empty());
        let answer = service.send(request.unwrap()).await;
        assert_eq!(answer.headers["x-request-id"].len(), 36, "{id}");
    }
}

/// Whatever clients send, the number of series stays what the server's own sets make it.
#[tokio::test]
async fn clients_add_no_labels() {
    let service = service();
    let series = async || service.get("/metrics").await.text.lines().count();
    let send = async |i: usize| {
        service.get(&format!("/junk/{i}?x={i}")).await;
        let body = json!({"prompt": "a", "model": i.to_string(),
            "farthing": {"policy": i.to_string(), "session_id": i.to_string()}});
        service.route(body.to_string()).await;
        let body = json!({"prompt": "a", "farthing": {"candidates": [i.to_string()]}});
        service.route(body.to_string()).await;
        service
            .route(
                json!({"prompt": "a", "farthing": {"context": {"task": i.to_string()}}})
                    .to_string(),
            )
            .await;
    };
    send(0).await;
    series().await;
    let before = series().await;
    for i in 1..50 {
        send(i).await;
    }
    assert_eq!(series().await, before);
}
