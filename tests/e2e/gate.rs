//! The deployment gate: a router that earns its place passes, and nothing else is written.

use serde_json::{Value, json};

use crate::folder::{Folder, Ran};
use crate::sample;

/// Trains on rows whose text says nothing about their scores.
fn train_on_noise(folder: &Folder, flags: &str) -> Ran {
    let mut rows = sample::parse(&sample::log_ndjson());
    // Whole requests trade their outcomes, so each candidate keeps its mean score and cost.
    let outcomes: Vec<[Value; 2]> =
        rows.iter().map(|row| [row["score"].clone(), row["cost_usd"].clone()]).collect();
    let (n, step) = (rows.len(), 997 * sample::TINY_CANDIDATES);
    for (i, row) in rows.iter_mut().enumerate() {
        let [score, cost] = &outcomes[(i + step) % n];
        row["score"] = score.clone();
        row["cost_usd"] = cost.clone();
    }
    folder.write("noise.ndjson", sample::ndjson(&rows));
    folder.run(&format!("train noise.ndjson -o router {flags}"))
}

#[test]
fn the_sample_log_passes_with_every_seed() {
    for seed in 0..sample::SEEDS {
        let gate = &sample::router(seed).manifest["gate"];
        assert_eq!((&gate["passed"], &gate["forced"]), (&json!(true), &json!(false)), "{gate}");
        assert_eq!(gate["checks"].as_array().unwrap().len(), 3, "{gate}");
    }
}

#[test]
fn noise_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let said = ["gate: REFUSED: AIQ above", "the gate refused: no router was written; hint:"];
    train_on_noise(&folder, "").ended(3, &said);
    assert!(!folder.path("router").exists());
}

#[test]
fn force_writes_it_and_records_the_refusal() {
    let folder = Folder::new();
    train_on_noise(&folder, "--force").ended(0, &["gate: REFUSED: AIQ above", "wrote `router`"]);
    let gate = &folder.run("inspect router --json").ok().json()["gate"];
    assert_eq!((&gate["passed"], &gate["forced"]), (&json!(false), &json!(true)), "{gate}");
    let refused = |check: &Value| check["passed"] == false;
    assert!(gate["checks"].as_array().unwrap().iter().any(refused), "{gate}");
    assert!(folder.read("router/README.md").to_lowercase().contains("refused"));
}

#[test]
fn too_few_sealed_requests_are_a_reason_of_their_own() {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    let said =
        "gate: REFUSED: at least 200 sealed requests answered by every priced candidate (6 of 6";
    folder.run("train log.ndjson -o router").ended(3, &[said]);
    assert!(!folder.path("router").exists());
}
