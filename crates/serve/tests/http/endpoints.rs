//! Every endpoint, answered as documented.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;

use crate::harness::service;

#[tokio::test]
async fn a_bare_prompt_is_routed() {
    let answer = service().route(r#"{"prompt": "what is a farthing?"}"#).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    insta::assert_snapshot!(answer.shown(), @r#"
    200
    {
      "bar": 0.5,
      "candidates": [
        {
          "cost_usd": 0.00010369,
          "eligible": true,
          "model": "small",
          "output_tokens": 100.0,
          "output_tokens_q90": 175.0,
          "p_above_bar": 0.73105858,
          "quality": 0.75
        },
        {
          "cost_usd": 0.0008295,
          "eligible": true,
          "model": "large",
          "output_tokens": 100.0,
          "output_tokens_q90": 175.0,
          "p_above_bar": 0.88079708,
          "quality": 0.875
        }
      ],
      "decision_id": "[id]",
      "decision_us": "[us]",
      "margin": 0.10605858,
      "model": "small",
      "models": [
        "small",
        "large"
      ],
      "object": "routing.decision",
      "policy": "cheapest_above_bar",
      "propensity": 1.0,
      "reason": "cheapest_above_bar",
      "router": "[digest]",
      "truncated": false
    }
    "#);
}

#[tokio::test]
async fn a_chat_body_is_routed_with_code_to_the_better_model() {
    let body = json!({
        "model": "auto", "temperature": 0.2, "stream": true,
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "fix\n```\nfn main() {\n```"}]},
        ],
    });
    let answer = service().route(body.to_string()).await.json();
    assert_eq!(answer["model"], "large");
    assert_eq!(answer["models"], json!(["large", "small"]));
}

#[tokio::test]
async fn explain_lists_every_candidate() {
    let body = json!({"prompt": "hello there", "farthing": {
        "explain": true, "exclude": ["small"], "policy": "cheapest_above_bar", "bar": 0.8,
        "context": {"task": "hard"}, "session_id": "s1", "max_cost_usd": 1.0,
    }});
    insta::assert_snapshot!(service().route(body.to_string()).await.shown(), @r#"
    200
    {
      "bar": 0.8,
      "candidates": [
        {
          "cost_usd": 0.00010319,
          "eligible": false,
          "excluded_by": "excluded",
          "model": "small",
          "output_tokens": 100.0,
          "output_tokens_q90": 175.0,
          "p_above_bar": 0.04742587,
          "quality": 0.25
        },
        {
          "cost_usd": 0.0008255,
          "eligible": true,
          "model": "large",
          "output_tokens": 100.0,
          "output_tokens_q90": 175.0,
          "p_above_bar": 0.88079708,
          "quality": 0.875
        },
        {
          "cost_usd": null,
          "eligible": false,
          "excluded_by": "unpriced",
          "model": "homemade",
          "output_tokens": null,
          "output_tokens_q90": null,
          "p_above_bar": 0.26894142,
          "quality": 0.5
        }
      ],
      "decision_id": "[id]",
      "decision_us": "[us]",
      "margin": null,
      "model": "large",
      "models": [
        "large"
      ],
      "object": "routing.decision",
      "policy": "cheapest_above_bar",
      "propensity": 1.0,
      "reason": "fallback_reference",
      "router": "[digest]",
      "truncated": false
    }
    "#);
}

#[tokio::test]
async fn options_change_the_choice() {
    let service = service();
    for (options, model, reason) in [
        (json!({}), "small", "cheapest_above_bar"),
        (json!({"policy": "default"}), "small", "cheapest_above_bar"),
        (json!({"bar": 0.8}), "large", "fallback_reference"),
        (json!({"context": {"task": "hard"}}), "large", "cheapest_above_bar"),
        (json!({"policy": "best_quality"}), "large", "best_quality"),
        (
            json!({"policy": "best_quality", "exclude": ["large", "small"]}),
            "homemade",
            "best_quality",
        ),
        (json!({"policy": "cheapest"}), "small", "cheapest"),
        (json!({"policy": "only_large"}), "large", "fixed"),
        (json!({"candidates": ["large"]}), "large", "cheapest_above_bar"),
    ] {
        let body = json!({"prompt": "hello", "farthing": options});
        let answer = service.route(body.to_string()).await.json();
        assert_eq!(
            (&answer["model"], &answer["reason"]),
            (&json!(model), &json!(reason)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn numbers_are_not_rounded_and_ids_differ() {
    let service = service();
    let first = service.route(r#"{"prompt": "a"}"#).await.json();
    let second = service.route(r#"{"prompt": "a"}"#).await.json();
    assert_ne!(first["decision_id"], second["decision_id"]);
    assert_eq!(first["decision_id"].as_str().unwrap().chars().nth(14), Some('7'));
    assert_eq!(first["candidates"][0]["p_above_bar"], json!(1.0 / (1.0 + (-1.0_f64).exp())));
    assert!(first["decision_us"].as_f64().unwrap() > 0.0);
}

#[tokio::test]
async fn models_lists_candidates_and_virtual_names() {
    let answer = service().get("/v1/models").await;
    let json = answer.json();
    assert_eq!(json["object"], "list");
    let ids: Vec<_> = json["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(
        ids,
        [
            "small",
            "large",
            "homemade",
            "auto",
            "auto:best_quality",
            "auto:cheapest",
            "auto:cheapest_above_bar",
            "auto:only_large",
        ]
    );
    assert_eq!(
        json["data"][0],
        json!({"id": "small", "object": "model", "created": 1_767_323_045, "owned_by": "farthing"})
    );
}

#[tokio::test]
async fn router_is_the_manifest_on_disk() {
    let service = service();
    let mut served = service.get("/v1/router").await.json();
    served.as_object_mut().unwrap().remove("serving").unwrap();
    let manifest = std::fs::read(service.dir.path().join("router/manifest.json")).unwrap();
    assert_eq!(served, serde_json::from_slice::<serde_json::Value>(&manifest).unwrap());
}

#[tokio::test]
async fn probes_and_head() {
    let service = service();
    for path in ["/livez", "/readyz"] {
        let answer = service.get(path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"status":"ok"}"#));
        assert_eq!(service.call(Method::HEAD, path, "").await.status, 200);
    }
}

#[tokio::test]
async fn request_ids_are_echoed_or_given() {
    let service = service();
    let request = Request::get("/livez").header("x-request-id", "mine").body(Body::empty());
    assert_eq!(service.send(request.unwrap()).await.headers["x-request-id"], "mine");
    let given = service.get("/no-such-path").await.headers["x-request-id"].clone();
    assert_eq!(given.len(), 36);
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let service = service();
    for _ in 0..3 {
        service.route(r#"{"prompt": "hello"}"#).await;
    }
    service.route(r#"{"prompt": ""}"#).await;
    service.get("/no-such-path").await;
    let mixed = r#"{"requests": [{"prompt": "hello"}, {}]}"#;
    service.post("/v1/route/batch", mixed).await;
    let answer = service.get("/metrics").await;
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let digest = service.route(r#"{"prompt": "a"}"#).await.json()["router"].clone();
    for line in [
        r#"farthing_decisions_total{policy="cheapest_above_bar",model="small",reason="cheapest_above_bar"} 4"#,
        r#"farthing_decision_errors_total{code="empty_prompt"} 1"#,
        r#"farthing_decision_errors_total{code="missing_prompt"} 1"#,
        r#"farthing_http_requests_total{path="/v1/route",code="ok"} 3"#,
        r#"farthing_http_requests_total{path="/v1/route",code="empty_prompt"} 1"#,
        r#"farthing_http_requests_total{path="/v1/route/batch",code="ok"} 1"#,
        r#"farthing_http_requests_total{path="other",code="not_found"} 1"#,
        "farthing_decision_duration_seconds_count 4",
        r#"farthing_decision_duration_seconds_bucket{le="0.00001"} "#,
        "farthing_log_queue_depth 0",
        r#"farthing_log_rows_dropped_total{cause="queue_full"} 0"#,
        "farthing_log_rows_written_total 0",
        &format!("farthing_router_info{{digest={digest}}} 1"),
    ] {
        assert!(answer.text.contains(line), "{line} is not in\n{}", answer.text);
    }
}
