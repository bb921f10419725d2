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

/// Counts, and the one line of the rejects file.
fn check_reject(folder: &Folder, ran: Ran, expected: (&str, usize, &str)) {
    let (log, line, reason) = expected;
    let kind = reason.split(": ").next().unwrap();
    let rejected = format!("1 rows rejected: {kind} (1), see `router.rejects.ndjson`");
    let trained = format!("trained on {} requests", sample::TINY_REQUESTS);
    ran.ended(0, &[&format!("read {} rows\n", GOOD_ROWS + 1), &rejected, &trained]);
    let rejects = folder.read("router.rejects.ndjson");
    let reject: Value = serde_json::from_str(&rejects).unwrap();
    assert_eq!(reject, json!({"file": log, "line": line, "reason": reason}));
    let outcomes = &folder.read_json("router/manifest.json")["data"]["outcomes"];
    assert_eq!(outcomes.as_u64().unwrap() as usize, GOOD_ROWS, "rows in = rows used + rejected");
}

fn check(row: impl AsRef<[u8]>, reason: &str) {
    let (folder, ran) = train_with(row);
    check_reject(&folder, ran, ("log.ndjson", GOOD_ROWS + 1, reason));
}

/// The same through CSV; the log's prompts have line breaks, so only the row's own line is given.
fn check_csv(fields: &[u8], reason: &str) {
    let folder = Folder::new();
    let mut csv = b"prompt,model,score,cost_usd\n".to_vec();
    for request in 0..sample::TINY_REQUESTS {
        for model in 0..sample::TINY_CANDIDATES {
            let score = (request * model) % 2;
            csv.extend(
                format!("what is {request} + {model}?{request},m{model},{score},0.0{model}\n")
                    .bytes(),
            );
        }
    }
    csv.extend(fields);
    // Every request has a prompt of its own: its number and its model's are part of the text.
    folder.write("log.csv", csv);
    let ran = folder.run("train log.csv -o router --force");
    let rejects = folder.read("router.rejects.ndjson");
    let reject: Value = serde_json::from_str(&rejects).unwrap();
    assert_eq!(reject, json!({"file": "log.csv", "line": GOOD_ROWS + 2, "reason": reason}));
    ran.ended(0, &[&format!("trained on {GOOD_ROWS} requests"), "1 rows rejected: "]);
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

/// JSON has no NaN but as text; CSV has it. Parquet's is tested beside the reader, which alone can
/// write one.
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
    assert_eq!(data["outcomes"].as_u64().unwrap() as usize, GOOD_ROWS);
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
