//! The loop on the sample log: train, evaluate, route, serve, and read the decision log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::folder::{Folder, files};
use crate::sample;
use crate::schema::validates;
use crate::server::Server;

/// Request bodies of several kinds: bare prompts and chats, with and without context and options.
fn bodies() -> Vec<Value> {
    let explained = |context: &str, policy: &str| json!({"context": {"feature": context}, "policy": policy, "explain": true});
    vec![
        json!({"prompt": "Translate to German: The meeting is moved to Thursday.", "farthing": {"explain": true}}),
        json!({"prompt": "翻译成英文：今天天气很好。", "farthing": explained("no such feature", "best_quality")}),
        json!({"messages": [{"role": "system", "content": "Answer with code only."},
                            {"role": "user", "content": "Write `fn gcd(a: u64, b: u64) -> u64`."}],
               "model": "auto", "temperature": 0.2, "farthing": explained("chat", "cheapest")}),
        json!({"prompt": "Prove that there are infinitely many primes.",
               "farthing": {"explain": true, "policy": "cheapest_above_bar", "bar": 0.5, "session_id": "s"}}),
    ]
}

/// A decision without what differs from one process to the next.
fn comparable(mut decision: Value) -> Value {
    let fields = decision.as_object_mut().unwrap();
    assert!(fields.remove("decision_id").is_some());
    assert!(fields.remove("decision_us").unwrap().as_f64().unwrap() > 0.0);
    decision
}

fn model_names(entries: &Value, field: &str) -> BTreeSet<String> {
    entries.as_array().unwrap().iter().map(|e| e[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn eval_scores_the_sealed_requests() {
    let sample = sample::router(0);
    let folder = Folder::new();
    let (router, log) = (sample.dir(), sample::log());
    let args = ["eval", router.to_str().unwrap(), log.to_str().unwrap(), "--json", "report.json"];
    let tables = folder.run_args(&args).ok().stdout;
    assert!(tables.contains("earned share: "), "{tables}");

    let report = folder.read_json("report.json");
    validates(&report, "eval-report.schema.json");
    assert_eq!(report["router"], sample.manifest["digest"]);
    let trained = &sample.manifest["data"];
    let counts = &report["data"];
    assert_eq!(counts["log_requests"], trained["requests"]);
    assert_eq!(counts["scored_requests"], trained["sealed"]);
    let used = trained["fit"].as_u64().unwrap() + trained["certificate"].as_u64().unwrap();
    assert_eq!(counts["seen_requests"], used);
    let earned = &report["frontier"]["earned_share_pct"];
    assert!(earned["low"].as_f64().unwrap() > 0.0, "{earned}");
    let targets = &report["frontier"]["cost_targets"];
    let names = model_names(targets, "target");
    assert!(names.contains("best_single_95_pct") && names.contains("best_single_100_pct"));

    // The same again gives the same bytes.
    let again = folder.run_args(&[&args[..3], &["--json", "-"]].concat()).ok().stdout;
    assert_eq!(again, folder.read("report.json"));
}

#[test]
fn http_and_command_line_decide_alike() {
    let sample = sample::router(0);
    let folder = Folder::new();
    let server = Server::start(&folder, &sample.dir());
    for body in bodies() {
        folder.write("body.json", body.to_string());
        let router = sample.dir();
        let args = ["route", router.to_str().unwrap(), "--file", "body.json", "--json"];
        let printed = folder.run_args(&args).ok().json();
        let answered = server.post("/v1/route", body.to_string()).json(200);
        assert_eq!(printed["candidates"].as_array().unwrap().len(), sample::TINY_CANDIDATES);
        assert_eq!(comparable(answered), comparable(printed), "{body}");
    }
    server.stop();
}

#[test]
fn every_decision_is_logged_once() {
    let sample = sample::router(0);
    let folder = Folder::new();
    let server = Server::start(&folder, &sample.dir());
    let mut answered = BTreeMap::new();
    let mut note = |decision: Value| {
        let id = decision["decision_id"].as_str().unwrap().to_owned();
        assert!(answered.insert(id, decision).is_none());
    };
    for body in bodies() {
        note(server.post("/v1/route", body.to_string()).json(200));
    }
    let bad = json!({"prompt": "a", "farthing": {"candidates": ["nobody"]}});
    server.post("/v1/route", bad.to_string()).json(400);
    let requests = [bodies(), vec![bad], bodies()].concat();
    let batch = json!({ "requests": requests });
    let batch = server.post("/v1/route/batch", batch.to_string()).json(200);
    let entries = batch["data"].as_array().unwrap();
    assert_eq!(entries.len(), 9);
    assert_eq!(entries[4]["error"]["code"], "unknown_candidate");
    entries.iter().filter(|e| e["error"].is_null()).cloned().for_each(&mut note);
    assert!(server.stop().contains("stopped"));

    assert_eq!(answered.len(), 12);
    let mut logged = 0;
    for (name, bytes) in files(&folder.path("decisions")) {
        for line in String::from_utf8(bytes).unwrap().lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            if row["type"] != "decision" {
                continue;
            }
            assert_eq!(row["router"], sample.manifest["digest"], "{name}");
            let answer = &answered[row["decision_id"].as_str().unwrap()];
            for field in ["model", "policy", "reason", "bar", "margin", "propensity", "truncated"] {
                assert_eq!(row[field], answer[field], "{field}");
            }
            let candidates = row["predicted"]["quality"].as_array().unwrap();
            assert_eq!(candidates.len(), sample::TINY_CANDIDATES);
            logged += 1;
        }
    }
    assert_eq!(logged, answered.len());
}

#[test]
fn the_server_says_what_it_is() {
    let sample = sample::router(0);
    let folder = Folder::new();
    let server = Server::start(&folder, &sample.dir());
    assert_eq!(server.get("/livez").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let listed = model_names(&server.get("/v1/models").json(200)["data"], "id");
    let candidates = model_names(&sample.manifest["candidates"], "model");
    assert!(listed.is_superset(&candidates), "{listed:?}");
    let router = server.get("/v1/router").json(200);
    assert_eq!(router["digest"], sample.manifest["digest"]);
    assert_eq!(server.get("/openapi.json").json(200)["info"]["title"], "Farthing");
    assert_eq!(server.get("/nowhere").json(404)["error"]["code"], "not_found");
    server.post("/v1/route", r#"{"prompt": "hello"}"#).json(200);
    let metrics = server.get("/metrics").body;
    let decided =
        |line: &&str| line.starts_with("farthing_decisions_total") && line.ends_with(" 1");
    assert_eq!(metrics.lines().filter(decided).count(), 1, "{metrics}");
    server.stop();
}

#[test]
fn a_sound_router_is_said_to_be_sound() {
    let sample = sample::router(0);
    let folder = Folder::new();
    let router = sample.dir();
    let checked = folder.run_args(&["serve", router.to_str().unwrap(), "--check"]).ok();
    assert!(checked.stderr.contains("is sound: sha256:"), "{}", checked.stderr);
    let card = folder.run_args(&["inspect", router.to_str().unwrap()]).ok().stdout;
    assert!(card.starts_with(sample.manifest["digest"].as_str().unwrap()), "{card}");
}
