//! Two judges, two scores for one answer: averaged and counted, never refused.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::sample;

#[test]
fn contradicting_scores_are_averaged_and_counted() {
    let mut rows = sample::tiny_rows();
    let mean = |rows: &[Value]| {
        let of = rows.iter().filter(|row| row["model"] == "finch-small");
        of.map(|row| row["score"].as_f64().unwrap()).sum::<f64>() / sample::TINY_REQUESTS as f64
    };
    let before = mean(&rows);
    // Every answer of one model is judged again, to the contrary.
    let again = |row: &Value| {
        let mut row = row.clone();
        row["score"] = json!(1.0 - row["score"].as_f64().unwrap());
        row
    };
    let contrary: Vec<Value> =
        rows.iter().filter(|row| row["model"] == "finch-small").map(again).collect();
    rows.extend(contrary);
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&rows));
    let said = format!("{} ", sample::TINY_REQUESTS);
    let ran = folder.run("train log.ndjson -o router --force --json").ended(0, &[&said]);
    assert!(ran.stderr.contains("averaged"), "{}", ran.stderr);
    let cards = ran.json()["candidates"].clone();
    let card = cards.as_array().unwrap().iter().find(|c| c["model"] == "finch-small").unwrap();
    let found = card["mean_score"].as_f64().unwrap();
    assert!((found - 0.5).abs() < 1e-9 && (before - 0.5).abs() > 0.01, "{before} {found}");
}
