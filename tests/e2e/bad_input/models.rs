//! Logs with too few models, or with one that was never judged.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::sample;

fn log(rows: &[Value]) -> Folder {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(rows));
    folder
}

#[test]
fn one_model() {
    let mut rows = sample::tiny_rows();
    rows.retain(|row| row["model"] == "finch-small");
    let folder = log(&rows);
    let said = [
        "error: the log has 1 candidate(s) with a score, at least 2 are needed: finch-small; hint: ",
    ];
    folder.run("train log.ndjson -o router --force").ended(2, &said);
    assert!(!folder.path("router").exists());
}

#[test]
fn one_model_of_models() {
    let folder = log(&sample::tiny_rows());
    let said = [
        "of `bustard-large` left out by --models",
        "warning: `nobody` of --models is not in the log",
        "error: the log has 1 candidate(s) with a score, at least 2 are needed: finch-small; hint: ",
    ];
    folder.run("train log.ndjson -o router --models finch-small,nobody").ended(2, &said);
}

#[test]
fn a_model_that_never_has_a_score() {
    let mut rows = sample::tiny_rows();
    for row in &mut rows {
        if row["model"] == "finch-small" {
            row.as_object_mut().unwrap().remove("score");
        }
    }
    let folder = log(&rows);
    let said = [
        &format!("{} rows without a score", sample::TINY_REQUESTS),
        "warning: `finch-small` has no score, so it is not a candidate",
        "5 candidates",
    ];
    folder.run("train log.ndjson -o router --force").ended(0, &said);
    let candidates = &folder.read_json("router/manifest.json")["candidates"];
    assert!(candidates.as_array().unwrap().iter().all(|card| card["model"] != "finch-small"));
}

#[test]
fn no_score_at_all() {
    let mut rows = sample::tiny_rows();
    for row in &mut rows {
        row["score"] = json!(null);
    }
    let said = ["error: the log has 0 candidate(s) with a score", "wren-mini (no score); hint: "];
    log(&rows).run("train log.ndjson -o router").ended(2, &said);
}

#[test]
fn too_few_requests() {
    let rows = &sample::tiny_rows()[..10 * sample::TINY_CANDIDATES];
    let said = ["error: the log has 10 judged requests, at least 30 are needed", "hint: "];
    log(rows).run("train log.ndjson -o router --force").ended(2, &said);
}
