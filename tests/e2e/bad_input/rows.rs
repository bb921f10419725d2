//! Rows that cannot be used: each is rejected with its line and reason, and the others train.

use serde_json::{Value, json};

use crate::folder::{Folder, Ran};
use crate::sample;

/// Trains on a tiny log with one line more at its end, in NDJSON.
fn train_with(line: impl AsRef<[u8]>) -> (Folder, Ran) {
    let folder = Folder::new();
    let log = sample::ndjson(&sample::tiny_rows());
    folder.write("log.ndjson", [log.as_bytes(), line.as_ref()].concat());
    let ran = folder.run("train log.ndjson -o router --force");
    (folder, ran)
}

const GOOD_ROWS: usize = sample::TINY_REQUESTS * sample::TINY_CANDIDATES;

/// Counts add up, and the rejects file has the one line.
fn check(row: impl AsRef<[u8]>, reason: &str) {
    let (folder, ran) = train_with(row);
    let kind = reason.split(": ").next().unwrap();
    let read = format!("read {} rows\n", GOOD_ROWS + 1);
    let rejected = format!("1 rows rejected: {kind} (1), see `router.rejects.ndjson`");
    let trained = format!("trained on {} requests", sample::TINY_REQUESTS);
    ran.ended(0, &[&read, &rejected, &trained]);
    let reject: Value = serde_json::from_str(&folder.read("router.rejects.ndjson")).unwrap();
    assert_eq!(reject, json!({"file": "log.ndjson", "line": GOOD_ROWS + 1, "reason": reason}));
    let outcomes = &folder.read_json("router/manifest.json")["data"]["outcomes"];
    assert_eq!(outcomes, GOOD_ROWS, "rows read = rows used + rows rejected");
}

/// The same in CSV, after as many requests that each one model answered.
fn check_csv(row: &[u8], reason: &str) {
    let folder = Folder::new();
    let good =
        (0..GOOD_ROWS).map(|i| format!("what is {i} + {i}?,m{},{},0.0{}\n", i % 6, i % 2, i % 7));
    let good: String = good.collect();
    folder.write("log.csv", [b"prompt,model,score,cost_usd\n", good.as_bytes(), row].concat());
    let ran = folder.run("train log.csv -o router --force");
    ran.ended(0, &[&format!("trained on {GOOD_ROWS} requests"), "1 rows rejected: "]);
    let reject: Value = serde_json::from_str(&folder.read("router.rejects.ndjson")).unwrap();
    assert_eq!(reject, json!({"file": "log.csv", "line": GOOD_ROWS + 2, "reason": reason}));
}

#[test]
fn a_score_of_1_7() {
    check(r#"{"prompt": "a", "model": "m", "score": 1.7}"#, "score is not in [0, 1]: 1.7");
    check_csv(b"a,m,1.7,0.1\n", "score is not in [0, 1]: 1.7");
}

#[test]
fn a_negative_cost() {
    let reason = "cost_usd is not a number of at least 0: -0.5";
    check(r#"{"prompt": "a", "model": "m", "cost_usd": -0.5}"#, reason);
    check_csv(b"a,m,1,-0.5\n", reason);
}

#[test]
fn an_empty_prompt() {
    check(r#"{"prompt": " \n", "model": "m", "score": 1}"#, "empty prompt");
    check(r#"{"prompt": "", "model": "m", "score": 1}"#, "neither prompt nor messages");
    check(r#"{"messages": [], "model": "m", "score": 1}"#, "empty prompt");
    check_csv(b"  ,m,1,0.1\n", "empty prompt");
}

/// JSON has no NaN but as text; CSV and Parquet have it.
#[test]
fn nan() {
    check(r#"{"prompt": "a", "model": "m", "score": "NaN"}"#, "score is not in [0, 1]: NaN");
    check_csv(b"a,m,NaN,0.1\n", "score is not in [0, 1]: NaN");
    check_csv(b"a,m,1,nan\n", "cost_usd is not a number of at least 0: NaN");
}

#[test]
fn a_bare_nan_is_not_json() {
    let (folder, ran) = train_with(r#"{"prompt": "a", "model": "m", "score": NaN}"#);
    ran.ended(0, &["1 rows rejected: the line is not a JSON object (1)"]);
    let reject: Value = serde_json::from_str(&folder.read("router.rejects.ndjson")).unwrap();
    assert_eq!(reject["line"], GOOD_ROWS + 1);
}

#[test]
fn nan_in_parquet() {
    let folder = Folder::new();
    let good: Vec<_> = (0..100).map(|i| format!("what is {i}?,m{},0.5", i % 2)).collect();
    let good = good.join("\n");
    folder.write("log.csv", format!("prompt,model,score\n{good}\na,m0,0.3712345678\n"));
    folder.run("import log.csv -o log.parquet").ok();
    // The importer writes no NaN, so one score becomes one.
    let mut bytes = std::fs::read(folder.path("log.parquet")).unwrap();
    let score = 0.371_234_567_8_f64.to_le_bytes();
    let places: Vec<_> = (0..bytes.len() - 8).filter(|&at| bytes[at..at + 8] == score).collect();
    assert!(!places.is_empty(), "the score stands in the file as it is");
    for at in places {
        bytes[at..at + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    }
    folder.write("log.parquet", bytes);
    let said =
        ["read 101 rows", "1 rows rejected: score is not in [0, 1] (1)", "trained on 100 requests"];
    folder.run("train log.parquet -o router --force").ended(0, &said);
    let reject: Value = serde_json::from_str(&folder.read("router.rejects.ndjson")).unwrap();
    let expected =
        json!({"file": "log.parquet", "line": 101, "reason": "score is not in [0, 1]: NaN"});
    assert_eq!(reject, expected);
}

#[test]
fn invalid_utf8() {
    check(
        b"{\"prompt\": \"caf\xe9\", \"model\": \"m\", \"score\": 1}",
        "the line is not valid UTF-8",
    );
    check_csv(b"caf\xe9,m,1,0.1\n", "prompt is not valid UTF-8");
}

#[test]
fn import_counts_them_too() {
    let folder = Folder::new();
    folder.write("in.csv", "question,model,score\na,m,0.5\nb,m,1.7\nc,m,x\nd,,1\n,m,1\n");
    folder.run("import in.csv -o log.ndjson --map prompt=question").ended(
        0,
        &["wrote 1 of 5 rows to `log.ndjson`", "4 rows rejected: ", "see `log.rejects.ndjson`"],
    );
    assert_eq!(folder.read("log.ndjson").lines().count(), 1);
    let rejects = folder.read("log.rejects.ndjson");
    let lines = rejects.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<_> = lines.map(|reject| reject["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
}

#[test]
fn rows_that_disagree_are_averaged() {
    let rows = sample::tiny_rows();
    let mut again = rows[0].clone();
    again["score"] = json!(1.0 - rows[0]["score"].as_f64().unwrap().round());
    let (folder, ran) = train_with(sample::ndjson(&[again]));
    let said = "1 (request, model) pairs were sampled several times (2 rows) and averaged; 1 of them disagree";
    ran.ended(0, &[said]);
    let data = &folder.read_json("router/manifest.json")["data"];
    assert_eq!(data["outcomes"], GOOD_ROWS);
    assert!(!folder.path("router.rejects.ndjson").exists(), "a repeated sample is no mistake");
}

#[test]
fn a_log_without_a_usable_row() {
    let folder = Folder::new();
    folder.write("log.csv", "prompt,model,score\na,m,1.7\nb,m,-1\n");
    let said = [
        "error: no usable row in `log.csv`: 2 rejected: score is not in [0, 1] (2)",
        "hint: `router.rejects.ndjson` says where and why",
    ];
    folder.run("train log.csv -o router").ended(2, &said);
    assert!(!folder.path("router").exists());
}
