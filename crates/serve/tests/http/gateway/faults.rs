//! The fault matrix: every way for an upstream to fail ends in a fallback that succeeds, or in an error
//! within the deadline.

use std::time::{Duration, Instant};

use farthing_sim::upstream::Scenario;
use serde_json::{Value, json};

use super::{Gateway, header, hello};

/// Ways to fail before there is an answer: scenario, and whether it shows in streams, whole answers.
const FAULTS: [(&str, bool, bool); 20] = [
    ("stall_headers", true, true),
    ("stall_first_token", true, true),
    ("stall_stream,events=1", true, true),
    ("cut_stream,events=1", true, true),
    ("cut_stream,events=1,clean=true", true, true),
    ("malformed_sse,events=1", true, false),
    ("error_event,events=1", true, true),
    ("rate_limited", true, true),
    ("rate_limited,retry_after=1", true, true),
    ("error,status=500", true, true),
    ("error,status=503,retry_after=1", true, true),
    ("error,status=401", true, true),
    ("error,status=404", true, true),
    ("error,status=400,code=context_length_exceeded", true, true),
    ("html_error", true, true),
    ("slow_body,ms=400", true, true),
    ("reset", true, true),
    ("not_json", true, true),
    ("empty", true, true),
    ("huge", true, true),
];

fn body(model: &str, stream: bool) -> Value {
    let mut body = hello(model);
    if stream {
        body["stream"] = true.into();
    }
    body
}

/// Longest answers are one MiB.
async fn gateway(candidates: &[(&str, &[&str])]) -> Gateway {
    Gateway::with(candidates, |config| config.answer_bytes = 1 << 20).await
}

#[tokio::test]
async fn every_fault_falls_back_to_the_next_candidate() {
    for (fault, in_streams, in_wholes) in FAULTS {
        for stream in [true, false] {
            if (stream && !in_streams) || (!stream && !in_wholes) {
                continue;
            }
            let gateway = gateway(&[("small", &[fault]), ("large", &["ok"])]).await;
            let began = Instant::now();
            let answer = gateway.chat(&body("auto", stream)).await;
            let place = format!("{fault}, stream {stream}: {}", cut(&answer.text));
            assert_eq!(answer.status, 200, "{place}");
            assert_eq!(header(&answer, "x-farthing-model"), "large", "{place}");
            assert_eq!(header(&answer, "x-farthing-fallbacks"), "1", "{place}");
            assert_eq!(stream, answer.text.ends_with("data: [DONE]\n\n"), "{place}");
            assert!(began.elapsed() < Duration::from_secs(3), "{place}");
        }
    }
}

#[tokio::test]
async fn every_fault_falls_back_to_the_next_instance() {
    for (fault, ..) in FAULTS.iter().filter(|(fault, ..)| !fault.contains("context_length")) {
        let gateway = gateway(&[("small", &[fault, "ok"])]).await;
        for _ in 0..3 {
            let answer = gateway.chat(&body("small", false)).await;
            assert_eq!(answer.status, 200, "{fault}: {}", cut(&answer.text));
        }
    }
}

#[tokio::test]
async fn every_fault_alone_is_an_explicit_error_in_time() {
    for (fault, in_streams, in_wholes) in FAULTS {
        for stream in [true, false] {
            if (stream && !in_streams) || (!stream && !in_wholes) {
                continue;
            }
            let gateway = gateway(&[("small", &[fault])]).await;
            let began = Instant::now();
            let answer = gateway.chat(&body("auto", stream)).await;
            let place =
                format!("{fault}, stream {stream}: {} {}", answer.status, cut(&answer.text));
            assert!(answer.status >= 400, "{place}");
            assert!(answer.json()["error"]["message"].is_string(), "{place}");
            assert_ne!(header(&answer, "x-farthing-decision-id"), "", "{place}");
            assert!(began.elapsed() < Duration::from_millis(3500), "{place}");
            let timed_out = fault.starts_with("stall") || fault.starts_with("slow");
            assert_eq!(timed_out, answer.status == 504, "{place}");
        }
    }
}

#[tokio::test]
async fn what_a_client_got_wrong_is_told_and_not_tried_elsewhere() {
    let gateway =
        gateway(&[("small", &["error,status=400,code=bad_field"]), ("large", &["ok"])]).await;
    let answer = gateway.chat(&body("auto", false)).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &json!("bad_field")));
    assert_eq!(header(&answer, "x-farthing-error-source"), "upstream");
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test]
async fn a_rate_limit_is_passed_on_with_its_time() {
    let gateway = gateway(&[("small", &["rate_limited,retry_after=7"])]).await;
    let answer = gateway.chat(&body("auto", false)).await;
    assert_eq!((answer.status, header(&answer, "retry-after")), (429, "7"));
    // The wait would be longer than the whole request may take.
    assert_eq!(gateway.sent().len(), 1);
}

#[tokio::test]
async fn errors_do_not_count_as_the_clients_key() {
    let gateway = gateway(&[("small", &["error,status=401"])]).await;
    let answer = gateway.chat(&body("auto", false)).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (502, &json!("all_candidates_failed"))
    );
    assert!(answer.text.contains("small at small-0 (credentials)"), "{}", answer.text);
}

#[tokio::test]
async fn strict_upstreams_take_what_we_send() {
    let gateway = gateway(&[("small", &["refuse_field"])]).await;
    for stream in [true, false] {
        let mut body = body("auto", stream);
        body["farthing"] = json!({"explain": true});
        body["models"] = json!(["small"]);
        assert_eq!(gateway.chat(&body).await.status, 200);
    }
}

#[tokio::test]
async fn an_instance_that_dies_costs_no_request_and_is_left_alone() {
    let gateway = Gateway::with(&[("small", &["ok", "ok"])], |config| {
        let dying = config.upstreams["small-0"].base_url.to_string();
        let dying = dying.replace("/ok/", "/@dying/").parse().unwrap();
        let mut third = config.upstreams["small-0"].clone();
        third.base_url = dying;
        config.upstreams.insert("small-2".into(), third);
    })
    .await;
    gateway.upstream.set("dying", "ok".parse::<Scenario>().unwrap());
    let body = body("small", false);
    for round in 0..30 {
        if round == 10 {
            gateway.upstream.set("dying", "error,status=500".parse().unwrap());
            gateway.upstream.clear();
        }
        let load = (0..12).map(|_| gateway.chat(&body));
        for answer in futures_util::future::join_all(load).await {
            assert_eq!(answer.status, 200, "{round}: {}", answer.text);
        }
    }
    let dying = gateway.upstream.received();
    let dying = dying.iter().filter(|received| received.scenario == "@dying").count();
    // The round in which it dies, and no more than it takes to see that.
    assert!((1..=12).contains(&dying), "{dying}");
    let metrics = gateway.service.get("/metrics").await.text;
    assert!(
        metrics.contains(
            r#"farthing_upstream_state{model="small",instance="small-2",protocol="openai"} 2"#
        ),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_flaky_upstream_is_tried_again() {
    let gateway = gateway(&[("small", &["flaky,ratio=0.4,seed=3"])]).await;
    let mut failed = 0;
    for _ in 0..30 {
        failed += u32::from(gateway.chat(&body("small", false)).await.status != 200);
    }
    // Four attempts fail one time in forty.
    assert!(failed <= 3, "{failed}");
}

fn cut(text: &str) -> &str {
    &text[..text.len().min(300)]
}
