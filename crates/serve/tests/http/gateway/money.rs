//! What may be spent, and what waiting is worth.

use axum::body::Body;
use axum::http::Request;
use farthing_core::Digest;
use farthing_serve::{BudgetConfig, Period};
use serde_json::json;

use super::{Gateway, header, hello};
use crate::harness::Answer;

/// What two answers of the simulated upstream cost `small`, more or less.
fn two_answers(answer: &Answer) -> f64 {
    2.5 * header(answer, "x-farthing-cost-usd").parse::<f64>().unwrap()
}

async fn ask(gateway: &Gateway, key: &str, tags: &str) -> Answer {
    let request = Request::post("/v1/chat/completions")
        .header("authorization", format!("Bearer {key}"))
        .header("x-farthing-tags", tags)
        .body(Body::from(hello("small").to_string()));
    gateway.service.send(request.unwrap()).await
}

#[tokio::test]
async fn a_budget_that_is_spent_lets_nobody_through() {
    let probe = Gateway::new(&[("small", &["ok"])]).await;
    let usd = two_answers(&ask(&probe, "any", "").await);
    let gateway = Gateway::with(&[("small", &["ok"])], |config| {
        let (per, tags) = (Period::Day, vec!["search".to_owned()]);
        let budget = BudgetConfig { usd, per, keys: vec![Digest::of(b"team")], tags };
        config.budgets.insert("search".to_owned(), budget);
    })
    .await;
    // By key, by tag, and once more while there is something left.
    for (key, tags) in [("team", ""), ("other", "beta, search"), ("team", "search")] {
        assert_eq!(ask(&gateway, key, tags).await.status, 200);
    }
    let refused = ask(&gateway, "team", "").await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["code"]),
        (429, &json!("budget_exceeded"))
    );
    // 2026-01-02T03:04:05Z: until midnight.
    assert_eq!(header(&refused, "retry-after"), "75355");
    assert_eq!(header(&refused, "x-should-retry"), "false");
    assert_eq!(gateway.sent().len(), 3);
    assert_eq!(ask(&gateway, "other", "").await.status, 200);
    let metrics = gateway.service.get("/metrics").await.text;
    assert!(metrics.contains("farthing_budget_refused_total{budget=\"search\"} 1\n"), "{metrics}");

    let Gateway { service, upstream: _upstream } = gateway;
    service.background.finish().await.unwrap();
    let kept = std::fs::read_to_string(service.dir.path().join("log/budgets.json")).unwrap();
    assert!(kept.contains("\"spent\""), "{kept}");
}

#[tokio::test]
async fn time_is_money_where_costs_are_compared() {
    let slow = "slow,headers_ms=60";
    for (usd_per_second, then) in [(0.0, "small"), (1.0, "large")] {
        let gateway = Gateway::with(&[("small", &[slow]), ("large", &["ok"])], |config| {
            config.usd_per_second = usd_per_second;
        })
        .await;
        // Nothing is known yet, so that the cheaper one is asked.
        assert_eq!(header(&gateway.chat(&hello("auto")).await, "x-farthing-model"), "small");
        assert_eq!(header(&gateway.chat(&hello("auto")).await, "x-farthing-model"), then);
        let metrics = gateway.service.get("/metrics").await.text;
        let seconds = metrics.lines().find_map(|line| {
            let rest = line.strip_prefix("farthing_upstream_latency_seconds{model=\"small\"")?;
            rest.split_once("} ")?.1.parse::<f64>().ok()
        });
        assert!(seconds.unwrap() >= 0.06, "{metrics}");
        assert!(
            metrics.contains("farthing_upstream_tokens_per_second{model=\"small\""),
            "{metrics}"
        );
    }
}

#[tokio::test]
async fn a_cap_is_on_money_alone() {
    let gateway = Gateway::with(&[("small", &["slow,headers_ms=60"])], |config| {
        config.usd_per_second = 1000.0;
    })
    .await;
    let mut body = hello("auto");
    body["farthing"] = json!({"max_cost_usd": 0.01});
    for _ in 0..2 {
        let answer = gateway.chat(&body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}
