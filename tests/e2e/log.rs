//! The loop, closed: what a server decided and was told becomes the log that the next router is
//! trained on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::sample::{self, parse};
use crate::server::Server;

/// Requests that are sent.
const REQUESTS: usize = 400;

/// The body that asks what the row of a log asks.
fn body(row: &Value) -> Value {
    let mut body = json!({"farthing": {"context": {"feature": row["feature"]}}});
    match row["messages"].as_str() {
        Some(json) => body["messages"] = serde_json::from_str(json).unwrap(),
        None => body["prompt"] = row["prompt"].clone(),
    }
    body
}

/// Messages as they are stored: who said which text, and nothing of calls of tools.
fn texts(messages: &str) -> String {
    let messages: Vec<Value> = serde_json::from_str(messages).unwrap();
    let text = |m: &Value| {
        let content = json!(m["content"].as_str().unwrap_or_default());
        format!(r#"{{"role":{},"content":{content}}}"#, m["role"])
    };
    format!("[{}]", messages.iter().map(text).collect::<Vec<_>>().join(","))
}

/// What the joined log has to say of a decision, from the row that says what the choice really did.
fn expected(truth: &Value, decision: &Value, policy: &str) -> Value {
    let mut row = json!({
        "request_id": decision["decision_id"], "decision_id": decision["decision_id"],
        "router": decision["router"], "policy": policy, "propensity": decision["propensity"],
        "score_source": "verifier",
    });
    for column in [
        "model",
        "prompt",
        "feature",
        "score",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "latency_ms",
    ] {
        if !truth[column].is_null() {
            row[column] = truth[column].clone();
        }
    }
    if let Some(messages) = truth["messages"].as_str() {
        row["messages"] = texts(messages).into();
    }
    row
}

/// Sends every request of a simulated log and reports what the chosen model did; the decisions, and
/// the true row of each.
fn serve(folder: &Folder, rows: &[Value], prompts: &str) -> Vec<(Value, Value)> {
    let server = Server::start_with(folder, &sample::router(0).dir(), &["--log-prompts", prompts]);
    let mut sent = Vec::new();
    for answers in rows.chunk_by(|a, b| a["request_id"] == b["request_id"]) {
        let decision = server.post("/v1/route", body(&answers[0]).to_string()).json(200);
        let truth = answers.iter().find(|row| row["model"] == decision["model"]).unwrap();
        let mut outcome = json!({"decision_id": decision["decision_id"], "source": "verifier"});
        for column in ["model", "score", "cost_usd", "input_tokens", "output_tokens", "latency_ms"]
        {
            outcome[column] = truth[column].clone();
        }
        // Sent again, as a client does that saw no answer.
        let list = json!([outcome, outcome]);
        assert_eq!(server.post("/v1/outcomes", list.to_string()).json(202)["accepted"], 2);
        sent.push((decision, truth.clone()));
    }
    server.stop();
    sent
}

#[test]
fn what_was_served_trains_the_next_router() {
    let folder = Folder::new();
    let sent = serve(&folder, &sample::simulated(REQUESTS), "full");
    let report = folder.run("log join decisions -o joined.ndjson --json").ok().json();
    assert_eq!((&report["joined"], &report["duplicate"]), (&json!(REQUESTS), &json!(REQUESTS)));
    for count in
        ["no_decision", "no_prompt_stored", "not_judged", "torn", "rejected", "without_outcome"]
    {
        assert_eq!(report[count], 0, "{count}");
    }
    let mut joined: BTreeMap<String, Value> = parse(&folder.read("joined.ndjson"))
        .into_iter()
        .map(|row| (row["decision_id"].as_str().unwrap().to_owned(), row))
        .collect();
    assert_eq!(joined.len(), REQUESTS);
    for (decision, truth) in &sent {
        let mut row = joined.remove(decision["decision_id"].as_str().unwrap()).unwrap();
        assert!(row["timestamp"].is_string());
        row.as_object_mut().unwrap().remove("timestamp");
        let policy = row["policy"].as_str().unwrap();
        assert!(policy.starts_with("sha256:"), "{policy}");
        assert_eq!(row, expected(truth, decision, policy));
    }
    let train = "train joined.ndjson -o router --context feature --force --json";
    let manifest = folder.run(train).ok().json();
    assert_eq!(manifest["data"]["requests"], REQUESTS);
    // The Parquet of the same segments trains the same router.
    folder.run("log compact decisions -o parquet").ok();
    folder.run("log join parquet -o joined.parquet").ok();
    let train = "train joined.parquet -o again --context feature --force --json";
    assert_eq!(folder.run(train).ok().json()["digest"], manifest["digest"]);
}

#[test]
fn hashed_prompts_join_with_the_team_s_own_store() {
    let folder = Folder::new();
    let rows = sample::tiny_rows();
    serve(&folder, &rows, "hashed");
    let refused = folder.run("log join decisions -o joined.ndjson");
    refused.ended(2, &["prompts that are not stored; hint: give the texts with `--prompts FILE`"]);
    assert!(!folder.path("joined.ndjson").exists());
    folder.write("store.ndjson", sample::ndjson(&rows));
    let join = "log join decisions -o joined.ndjson --prompts store.ndjson --json";
    assert_eq!(folder.run(join).ok().json()["joined"], sample::TINY_REQUESTS);
}
