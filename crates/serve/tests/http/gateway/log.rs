//! What the log keeps of forwarded requests: a decision, and what came of it.

use std::fs;

use serde_json::Value;

use super::{Gateway, header, hello};

/// Every line of the log, in files by name.
fn lines(gateway: &Gateway) -> Vec<Value> {
    let mut files: Vec<_> = fs::read_dir(gateway.service.dir.path().join("log")).unwrap().collect();
    files.sort_by_key(|file| file.as_ref().unwrap().file_name());
    let text =
        files.into_iter().map(|file| fs::read_to_string(file.unwrap().path()).unwrap_or_default());
    let text: Vec<String> = text.collect();
    let lines = text.iter().flat_map(|text| text.lines());
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[tokio::test]
async fn each_answer_leaves_an_outcome_that_joins_its_decision() {
    let mut gateway =
        Gateway::new(&[("small", &["rate_limited"]), ("large", &["ok,cached=1"])]).await;
    let mut stream = hello("auto");
    stream["stream"] = true.into();
    let answers = [gateway.chat(&hello("auto")).await, gateway.chat(&stream).await];
    let service = std::mem::replace(&mut gateway.service, crate::harness::service());
    service.background.finish().await.unwrap();
    gateway.service.dir = service.dir;
    let lines = lines(&gateway);
    let (decisions, outcomes) = (of_type(&lines, "decision"), of_type(&lines, "outcome"));
    assert_eq!((decisions.len(), outcomes.len()), (2, 2));
    for (answer, outcome) in answers.iter().zip(outcomes) {
        let outcome = &outcome["outcome"];
        assert_eq!(outcome["decision_id"], header(answer, "x-farthing-decision-id"));
        assert_eq!(outcome["model"], "large");
        assert_eq!(outcome["cached_input_tokens"], 1);
        for known in ["cost_usd", "input_tokens", "output_tokens", "latency_ms"] {
            assert!(outcome[known].as_f64().unwrap() > 0.0, "{known}: {outcome}");
        }
    }
    let text = format!("{lines:?}");
    assert!(!text.contains("hello there"), "prompts are stored hashed");
}
