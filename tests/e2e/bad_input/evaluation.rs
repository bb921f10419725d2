//! Logs that a router can hardly be judged on: refused, or reported on with what is missing.

use serde_json::{Value, json};

use crate::folder::{Folder, Ran};
use crate::sample;
use crate::schema::validates;

const REQUESTS: usize = 250;

/// Evaluates the sample router on rows; its report is in `report.json`.
fn eval(folder: &Folder, rows: &[Value]) -> Ran {
    folder.write("log.ndjson", sample::ndjson(rows));
    let router = sample::router(0).dir();
    let args = ["eval", router.to_str().unwrap(), "log.ndjson", "--resamples", "200"];
    folder.run_args(&[&args[..], &["--show-prompts", "--json", "report.json"]].concat())
}

/// The report on rows, and its tables: neither has a number that is none.
fn reported(rows: &[Value]) -> (Value, String) {
    let folder = Folder::new();
    let tables = eval(&folder, rows).ok().stdout;
    for bad in ["NaN", "inf", "null", "None"] {
        assert!(!tables.contains(bad), "{bad} in:\n{tables}");
    }
    let report = folder.read_json("report.json");
    // JSON writes `null` for what is not a number, and the schema says where that may stand.
    validates(&report, "eval-report.schema.json");
    (report, tables)
}

/// A full log after a change to each row.
fn rows(change: impl Fn(&mut Value)) -> Vec<Value> {
    let mut rows = sample::simulated(REQUESTS);
    rows.iter_mut().for_each(change);
    rows
}

fn without(fields: &[&str]) -> impl Fn(&mut Value) {
    move |row| {
        for field in fields {
            row.as_object_mut().unwrap().remove(*field);
        }
    }
}

const COST: [&str; 4] = ["cost_usd", "input_tokens", "cached_input_tokens", "output_tokens"];

fn withheld(report: &Value) -> &str {
    assert_eq!(report["frontier"], Value::Null);
    report["frontier_withheld"].as_str().unwrap()
}

#[test]
fn no_candidate_of_the_router() {
    let renamed =
        rows(|row| row["model"] = json!(format!("new-{}", row["model"].as_str().unwrap())));
    let folder = Folder::new();
    let said =
        ["error: no candidate of the router is in the log: the router has ", "`new-finch-small`"];
    eval(&folder, &renamed).ended(2, &said);
    assert!(!folder.path("report.json").exists());
}

#[test]
fn some_candidates_of_the_router() {
    let mut some = rows(|_| ());
    some.retain(|row| ["finch-small", "bustard-large"].contains(&row["model"].as_str().unwrap()));
    let (report, tables) = reported(&some);
    assert_eq!(report["data"]["absent_candidates"].as_array().unwrap().len(), 4);
    assert!(withheld(&report).contains("and there are 0"), "{report}");
    assert!(tables.contains("candidates without outcomes here: "), "{tables}");
    assert!(tables.contains("No cost/quality frontier: it needs 200 requests"), "{tables}");
}

#[test]
fn no_costs() {
    let (report, tables) = reported(&rows(without(&COST)));
    assert!(withheld(&report).ends_with("with its score, 0 with its cost"), "{report}");
    assert!(report["policy"]["quality"].is_object() && report["policy"]["cost_usd"].is_null());
    assert!(tables.contains("No cost/quality frontier"), "{tables}");
}

#[test]
fn no_scores() {
    let (report, _) = reported(&rows(without(&["score"])));
    assert!(withheld(&report).contains("0 requests with its score"), "{report}");
    assert!(report["policy"]["quality"].is_null() && report["policy"]["cost_usd"].is_object());
    assert_eq!(report["calibration"]["outcomes"], 0);
}

#[test]
fn neither_scores_nor_costs() {
    let (report, _) = reported(&rows(without(&[&COST[..], &["score"]].concat())));
    assert!(report["policy"]["quality"].is_null() && report["policy"]["cost_usd"].is_null());
    let decided = report["policy"]["decided_requests"].as_u64();
    assert_eq!(decided, report["data"]["scored_requests"].as_u64());
}

#[test]
fn every_score_the_same() {
    for score in [0.0, 1.0] {
        let (report, _) = reported(&rows(|row| row["score"] = json!(score)));
        let frontier = &report["frontier"];
        assert_eq!(frontier["best_single"]["quality"]["value"], json!(score));
        // Nothing is there to earn, and the cheapest model is the best one.
        assert_eq!(frontier["earned_share_pct"], Value::Null, "{frontier}");
        let singles = frontier["singles"].as_array().unwrap();
        let cost = |single: &Value| single["cost_usd"]["value"].as_f64().unwrap();
        let cheapest = singles.iter().map(cost).fold(f64::INFINITY, f64::min);
        assert!((cost(&frontier["best_single"]) - cheapest).abs() < 1e-12);
    }
}

#[test]
fn every_answer_free() {
    let (report, _) = reported(&rows(|row| row["cost_usd"] = json!(0.0)));
    assert!(report["policy"]["against_reference"]["saving_pct"].is_null());
}

#[test]
fn one_prompt_asked_again_and_again() {
    let mut same = rows(|row| {
        without(&["messages"])(row);
        row["prompt"] = json!("Why is the sky of this one log always the same?");
    });
    for (i, row) in same.iter_mut().enumerate() {
        row["request_id"] = json!(format!("r{}", i / sample::TINY_CANDIDATES));
    }
    let (report, tables) = reported(&same);
    assert_eq!(report["data"]["scored_groups"], 1);
    assert_eq!(report["data"]["scored_requests"], REQUESTS);
    let slices = report["slices"].as_array().unwrap();
    assert!(slices.iter().all(|slice| slice["figures"].is_null()), "{slices:?}");
    assert!(tables.contains("too few"), "{tables}");
}

/// One request, and one answer to it.
#[test]
fn next_to_nothing() {
    let mut one = rows(|_| ());
    one.truncate(sample::TINY_CANDIDATES);
    one.iter_mut().for_each(without(&["messages", "request_id"]));
    for row in &mut one {
        row["prompt"] = json!("What is asked once, in one log alone?");
    }
    for kept in [sample::TINY_CANDIDATES, 1] {
        let (report, _) = reported(&one[..kept]);
        assert_eq!(report["data"]["scored_requests"], 1);
        withheld(&report);
    }
}

#[test]
fn only_prompts_seen_in_training() {
    let all = sample::parse(&sample::log_ndjson());
    let folder = Folder::new();
    let said = "error: nothing is left to evaluate: all 1 requests of the log were used to fit";
    // Most requests of the log were used; some stand sealed between them.
    let mut logs = all.chunks(sample::TINY_CANDIDATES);
    let refused = logs.find_map(|rows| {
        let ran = eval(&folder, rows);
        (ran.code == Some(2)).then_some(ran)
    });
    refused.unwrap().ended(2, &[said]);
}
