//! Rules of the configuration around the router's choices, and the experiment.

use std::collections::BTreeMap;

use farthing_core::rules::{
    ConditionalRule, Experiment, Rules, Span, Then, Unit, When, WhenChosen,
};
use serde_json::{Value, json};

use crate::harness::{Service, service, service_with};

fn rule(name: &str, when: When, then: Then) -> ConditionalRule {
    ConditionalRule { name: name.into(), when, then }
}

fn with(list: Vec<ConditionalRule>, experiment: Option<Experiment>) -> Service {
    service_with(move |config, _| config.rules = Rules { list, experiment })
}

fn feature(name: &str) -> When {
    let context = BTreeMap::from([("feature".to_owned(), [name.to_owned()].into())]);
    When { context, ..When::default() }
}

fn only(name: &str) -> Then {
    Then { only: Some(vec![name.to_owned()]), ..Then::default() }
}

/// The choice on a prompt, its reason and the rules that held; or the error.
async fn outcome(service: &Service, farthing: Value) -> String {
    let body = json!({"prompt": "hello", "farthing": farthing});
    let answer = service.route(body.to_string()).await;
    let json = answer.json();
    match answer.status {
        _ if answer.status == 200 => {
            format!("{} by {}: {}", json["model"], json["reason"], json["rules"]).replace('"', "")
        }
        status => format!("{status} {}", json["error"]["message"]),
    }
}

#[tokio::test]
async fn rules_say_who_may_be_chosen() {
    let none = service();
    assert_eq!(outcome(&none, json!({})).await, "small by cheapest_above_bar: null");
    let service = with(
        vec![
            rule("law", feature("law"), only("large")),
            rule("own", feature("own"), only("homemade")),
            rule(
                "no small",
                feature("no small"),
                Then { exclude: vec!["small".into()], ..Then::default() },
            ),
        ],
        None,
    );
    let mut shown = Vec::new();
    for farthing in [
        json!({}),
        json!({"context": {"feature": "law"}}),
        json!({"context": {"feature": "no small"}}),
        // What the request says itself is not taken back, and a rule is not overruled.
        json!({"context": {"feature": "law"}, "candidates": ["small"]}),
        // A candidate without a price cannot be compared by cost.
        json!({"context": {"feature": "own"}}),
        json!({"context": {"feature": "own"}, "policy": "best_quality"}),
    ] {
        shown.push(format!("{farthing}\n  {}", outcome(&service, farthing.clone()).await));
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    {}
      small by cheapest_above_bar: null
    {"context":{"feature":"law"}}
      large by rule: [law]
    {"context":{"feature":"no small"}}
      large by cheapest_above_bar: [no small]
    {"candidates":["small"],"context":{"feature":"law"}}
      422 "no candidate is eligible: `small` (rule), `large` (not_in_candidates), `homemade` (not_in_candidates); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured"
    {"context":{"feature":"own"}}
      422 "no candidate is eligible: `small` (rule), `large` (rule), `homemade` (unpriced); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured"
    {"context":{"feature":"own"},"policy":"best_quality"}
      homemade by rule: [own]
    "#);
    let metrics = service.get("/metrics").await.text;
    assert!(metrics.contains("farthing_rule_decisions_total{rule=\"law\"} 1\n"), "{metrics}");
}

#[tokio::test]
async fn a_rule_can_ask_for_the_choice() {
    let unsure = |below| {
        let chosen = WhenChosen {
            models: ["small".to_owned()].into(),
            p_above_bar: Span { at_least: None, below: Some(below) },
            ..WhenChosen::default()
        };
        let when = When { chosen: Some(chosen), ..When::default() };
        with(vec![rule("unsure", when, only("large"))], None)
    };
    assert_eq!(outcome(&unsure(1.1), json!({})).await, "large by rule: [unsure]");
    assert_eq!(outcome(&unsure(0.0), json!({})).await, "small by cheapest_above_bar: null");
    // Large is chosen already: nothing follows.
    let other = outcome(&unsure(1.1), json!({"exclude": ["small"]})).await;
    assert_eq!(other, "large by cheapest_above_bar: null");
}

#[tokio::test]
async fn a_session_stays_in_its_arm() {
    let experiment = Experiment {
        name: "x".to_owned(),
        by: Unit::Session,
        arms: vec![("control".into(), 1), ("large".into(), 1)],
    };
    let in_arm = When { arm: Some("large".to_owned()), ..When::default() };
    let service = with(vec![rule("arm", in_arm, only("large"))], Some(experiment));
    let mut arms = BTreeMap::new();
    for session in 0..20 {
        let body = json!({"prompt": "hi", "farthing": {"session_id": session.to_string()}});
        let first = service.route(body.to_string()).await;
        let again = service.route(body.to_string()).await.json();
        let arm = first.headers["x-farthing-arm"].to_str().unwrap().to_owned();
        assert_eq!(again["arm"], arm);
        assert_eq!(again["model"] == "large", arm == "large");
        *arms.entry(arm).or_insert(0_u64) += 2;
    }
    assert!(arms.values().all(|&n| n >= 8), "{arms:?}");
    let metrics = service.get("/metrics").await.text;
    for (arm, n) in arms {
        let line = format!("farthing_arm_decisions_total{{arm=\"{arm}\"}} {n}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}
