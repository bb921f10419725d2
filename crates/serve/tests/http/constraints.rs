//! What candidates can do, against what requests need; and names of models in a body.

use std::collections::BTreeMap;

use farthing_core::{CandidateFacts, CandidateSettings};
use serde_json::{Value, json};

use crate::harness::{Service, service, service_with};

/// `small` can do little and is in the EU, of `large` little is known, of `homemade` nothing.
fn settings(when_none_eligible: Option<&str>) -> CandidateSettings {
    let small = CandidateFacts {
        context_window: Some(1000),
        max_output_tokens: Some(100),
        tools: Some(false),
        vision: Some(false),
        json_schema: Some(false),
        region: Some("eu".into()),
        tags: ["no-training".to_owned()].into(),
    };
    let large = CandidateFacts { region: Some("us".into()), ..CandidateFacts::default() };
    CandidateSettings {
        facts: BTreeMap::from([("small".into(), small), ("large".into(), large)]),
        when_none_eligible: when_none_eligible.map(str::to_owned),
    }
}

fn with_settings(when_none_eligible: Option<&str>) -> Service {
    service_with(|config, _| config.candidates = settings(when_none_eligible))
}

/// The choice on a body, the reason, and what stood against each candidate; or the error.
async fn outcome(service: &Service, body: &Value) -> String {
    let mut body = body.clone();
    body["farthing"]["explain"] = json!(true);
    let answer = service.route(body.to_string()).await;
    let json = answer.json();
    if answer.status != 200 {
        return format!("{} {}", answer.status, json["error"]["message"].as_str().unwrap());
    }
    let causes = json["candidates"].as_array().unwrap().iter();
    let causes: Vec<_> = causes.map(|c| c["excluded_by"].as_str().unwrap_or("-")).collect();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    format!("{} by {}: {}", text("model"), text("reason"), causes.join(" "))
}

#[tokio::test]
async fn each_need_excludes_who_is_known_not_to_meet_it() {
    let service = with_settings(None);
    let mut shown = Vec::new();
    for more in [
        json!({}),
        json!({"max_tokens": 101}),
        json!({"prompt": "a".repeat(4000)}),
        json!({"prompt": "a".repeat(3600), "max_tokens": 100}),
        json!({"tools": [{"type": "function", "function": {"name": "f"}}]}),
        json!({"functions": [{"name": "f"}]}),
        json!({"response_format": {"type": "json_schema", "json_schema": {}}}),
        json!({"farthing": {"regions": ["eu", "ch"]}}),
        json!({"farthing": {"regions": ["us"]}}),
        json!({"farthing": {"tags": ["no-training"]}}),
        json!({"farthing": {"tags": ["no-training"], "regions": ["us"]}}),
    ] {
        let mut body = json!({"prompt": "hello"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let sent = more.to_string();
        let sent = sent.replace(&"a".repeat(3600), "[3600]").replace(&"a".repeat(400), "[400]");
        shown.push(format!("{sent}\n  {}", outcome(&service, &body).await));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {}
      small by cheapest_above_bar: - - unpriced
    {"max_tokens":101}
      large by cheapest_above_bar: max_output_tokens - unpriced
    {"prompt":"[3600][400]"}
      large by cheapest_above_bar: context_window - unpriced
    {"max_tokens":100,"prompt":"[3600]"}
      large by cheapest_above_bar: context_window - unpriced
    {"tools":[{"function":{"name":"f"},"type":"function"}]}
      large by cheapest_above_bar: tools - unpriced
    {"functions":[{"name":"f"}]}
      large by cheapest_above_bar: tools - unpriced
    {"response_format":{"json_schema":{},"type":"json_schema"}}
      large by cheapest_above_bar: json_schema - unpriced
    {"farthing":{"regions":["eu","ch"]}}
      small by cheapest_above_bar: - region region
    {"farthing":{"regions":["us"]}}
      large by cheapest_above_bar: region - region
    {"farthing":{"tags":["no-training"]}}
      small by cheapest_above_bar: - tag tag
    {"farthing":{"regions":["us"],"tags":["no-training"]}}
      422 no candidate is eligible: `small` (region), `large` (tag), `homemade` (region); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured
    "#);
}

#[tokio::test]
async fn an_image_needs_eyes() {
    let image = json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]}]});
    let outcome = outcome(&with_settings(None), &image).await;
    assert_eq!(outcome, "large by cheapest_above_bar: vision - unpriced");
}

#[tokio::test]
async fn an_unknown_place_is_nowhere() {
    let body = json!({"prompt": "hello", "farthing": {"regions": ["eu"]}});
    let outcome = outcome(&service(), &body).await;
    assert!(outcome.starts_with("422 no candidate is eligible: `small` (region), "), "{outcome}");
}

#[tokio::test]
async fn the_configured_candidate_stands_in_unless_data_may_not_go_there() {
    let service = with_settings(Some("large"));
    let mut shown = Vec::new();
    for options in [
        json!({"max_cost_usd": 0}),
        json!({"candidates": ["small"], "exclude": ["small"]}),
        json!({"max_cost_usd": 0, "exclude": ["large"]}),
        json!({"max_cost_usd": 0, "regions": ["eu"]}),
        json!({"max_cost_usd": 0, "regions": ["us"]}),
        json!({"max_cost_usd": 0, "tags": ["no-training"]}),
    ] {
        let body = json!({"prompt": "hello", "farthing": options});
        shown.push(format!("{options}\n  {}", outcome(&service, &body).await));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {"max_cost_usd":0}
      large by none_eligible_default: max_cost max_cost unpriced
    {"candidates":["small"],"exclude":["small"]}
      large by none_eligible_default: excluded not_in_candidates not_in_candidates
    {"exclude":["large"],"max_cost_usd":0}
      422 no candidate is eligible: `small` (max_cost), `large` (excluded), `homemade` (unpriced); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured
    {"max_cost_usd":0,"regions":["eu"]}
      422 no candidate is eligible: `small` (max_cost), `large` (region), `homemade` (region); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured
    {"max_cost_usd":0,"regions":["us"]}
      large by none_eligible_default: region max_cost region
    {"max_cost_usd":0,"tags":["no-training"]}
      422 no candidate is eligible: `small` (max_cost), `large` (tag), `homemade` (tag); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured
    "#);
    let plain = service.route(r#"{"prompt": "a", "farthing": {"max_cost_usd": 0}}"#).await.json();
    let listed = &plain["candidates"][0];
    assert_eq!((&listed["model"], &listed["eligible"]), (&json!("large"), &json!(false)));
    assert_eq!(plain["candidates"].as_array().unwrap().len(), 1);
    assert_eq!(plain["models"], json!(["large"]));
    let metrics = service.get("/metrics").await.text;
    assert!(metrics.contains(r#"model="large",reason="none_eligible_default"} 4"#), "{metrics}");
}

#[tokio::test]
async fn names_of_models() {
    let service = service();
    let mut shown = Vec::new();
    for (model, options) in [
        ("auto", json!({})),
        ("farthing/auto", json!({})),
        ("gpt-4o", json!({})),
        ("auto:best_quality", json!({})),
        ("farthing/auto:only_large", json!({})),
        ("auto:best_quality", json!({"policy": "best_quality"})),
        ("auto:best_quality", json!({"policy": "cheapest"})),
        ("auto:best", json!({})),
        ("auto:", json!({})),
    ] {
        let body = json!({"model": model, "prompt": "hello", "farthing": options});
        let answer = service.route(body.to_string()).await;
        let json = answer.json();
        let told = if answer.status == 200 { &json["policy"] } else { &json["error"] };
        shown.push(format!("{model} {options}\n  {} {told}", answer.status));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    auto {}
      200 "cheapest_above_bar"
    farthing/auto {}
      200 "cheapest_above_bar"
    gpt-4o {}
      200 "cheapest_above_bar"
    auto:best_quality {}
      200 "best_quality"
    farthing/auto:only_large {}
      200 "only_large"
    auto:best_quality {"policy":"best_quality"}
      200 "best_quality"
    auto:best_quality {"policy":"cheapest"}
      400 {"code":"conflicting_policy","message":"`model` names another policy than `farthing.policy`: `auto:best_quality` and `cheapest`; hint: name it in one place","param":"model","type":"invalid_request_error"}
    auto:best {}
      400 {"code":"unknown_policy","message":"unknown policy: `best`; hint: use one of `best_quality`, `cheapest`, `cheapest_above_bar`, `only_large`","param":"model","type":"invalid_request_error"}
    auto: {}
      400 {"code":"unknown_policy","message":"unknown policy: ``; hint: use one of `best_quality`, `cheapest`, `cheapest_above_bar`, `only_large`","param":"model","type":"invalid_request_error"}
    "#);
}

#[tokio::test]
async fn a_list_of_models_is_a_list_of_candidates() {
    let service = service();
    let mut shown = Vec::new();
    for fields in [
        json!({"models": ["large"]}),
        json!({"models": []}),
        json!({"models": ["large"], "farthing": {"candidates": ["small"]}}),
        json!({"models": ["openai/gpt-4o"]}),
        json!({"models": "large"}),
    ] {
        let mut body = fields.clone();
        body["prompt"] = json!("hello");
        let answer = service.route(body.to_string()).await;
        let json = answer.json();
        let told = if answer.status == 200 { &json["models"] } else { &json["error"] };
        shown.push(format!("{fields}\n  {} {told}", answer.status));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {"models":["large"]}
      200 ["large"]
    {"models":[]}
      200 ["small","large"]
    {"farthing":{"candidates":["small"]},"models":["large"]}
      200 ["small"]
    {"models":["openai/gpt-4o"]}
      400 {"code":"unknown_candidate","message":"unknown candidate in `models`: `openai/gpt-4o`; hint: use any of `small`, `large`, `homemade`","param":"models","type":"invalid_request_error"}
    {"models":"large"}
      400 {"code":"invalid_json","message":"`models` is wrong: invalid type: string \"large\", expected a sequence at line 1 column 17; hint: see `/openapi.json` for the shape that is due","param":"models","type":"invalid_request_error"}
    "#);
}

#[tokio::test]
async fn settings_for_another_router_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::harness::config(dir.path());
    config.candidates.facts.insert("nobody".into(), CandidateFacts::default());
    config.candidates.when_none_eligible = Some("someone".into());
    let error = farthing_serve::AppState::start(&config, crate::harness::clock()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    insta::assert_snapshot!(cause, @"the settings name candidates that the router does not have: `nobody`, `someone`; hint: it has `small`, `large`, `homemade`");
}
