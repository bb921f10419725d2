//! `farthing eval --decisions`: other routers on the requests that this one is scored on.

use serde_json::Value;

use crate::folder::{Folder, Ran};
use crate::sample;
use crate::schema::validates;

/// Requests of the log, a candidate for each of which stands in `others/dear.csv`.
const REQUESTS: usize = 300;

/// A folder with a log, and the decisions of a router that sends everything to one candidate.
fn folder() -> Folder {
    let folder = Folder::new();
    let rows = sample::simulated(REQUESTS);
    folder.write("log.ndjson", sample::ndjson(&rows));
    let of_one = rows.iter().filter(|row| row["model"] == "bustard-large");
    let lines =
        of_one.map(|row| format!("{},bustard-large,dear", row["request_id"].as_str().unwrap()));
    let lines: Vec<String> = lines.collect();
    assert_eq!(lines.len(), REQUESTS);
    folder
        .write("dear.csv", format!("request_id,model,why\n{}\nelsewhere,m,x\n", lines.join("\n")));
    folder
}

fn eval(folder: &Folder, decisions: &[&str]) -> Ran {
    let router = sample::router(0).dir();
    let mut args = vec!["eval", router.to_str().unwrap(), "log.ndjson", "--resamples", "200"];
    args.extend(["--json", "report.json"]);
    args.extend(decisions.iter().flat_map(|file| ["--decisions", file]));
    folder.run_args(&args)
}

fn value(estimate: &Value) -> f64 {
    estimate["value"].as_f64().unwrap()
}

#[test]
fn a_router_that_always_calls_one_model_comes_to_what_that_model_does() {
    let folder = folder();
    let ran = eval(&folder, &["dear.csv", "again=dear.csv"]);
    let ran = ran.ended(0, &["columns of `dear.csv` ignored: why"]);
    assert!(ran.stdout.contains("again"), "{}", ran.stdout);
    let report = folder.read_json("report.json");
    validates(&report, "eval-report.schema.json");
    let [dear, again] = &report["decisions"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!((&dear["name"], &again["name"]), (&"dear".into(), &"again".into()));
    assert_eq!(dear["rows"], REQUESTS + 1);
    assert_eq!(dear["unmatched_rows"], 1);
    assert_eq!(dear["matched_requests"], report["data"]["scored_requests"]);
    assert_eq!(dear["seen_rows"], report["data"]["seen_requests"]);
    assert_eq!(dear["unknown_models"], serde_json::json!([]));
    let candidates = report["candidates"].as_array().unwrap();
    let alone = candidates.iter().find(|c| c["model"] == "bustard-large").unwrap();
    assert_eq!(dear["figures"]["quality"], alone["mean_score"]);
    assert_eq!(dear["figures"]["cost_usd"], alone["cost_usd"]);
    let (own, paired) = (&report["policy"], &dear["paired"]);
    assert_eq!(paired["requests"], own["decided_requests"]);
    let saving = 100.0 * (1.0 - value(&own["cost_usd"]) / value(&alone["cost_usd"]));
    assert!((value(&paired["saving_pct"]) - saving).abs() < 1e-6, "{paired}");
    let lost = value(&own["quality"]) - value(&alone["mean_score"]);
    assert!((value(&paired["quality_difference"]) - lost).abs() < 1e-9, "{paired}");
    assert_eq!(paired, &again["paired"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let folder = folder();
    folder.write("other.csv", "request_id,model\n1,finch-small\n");
    let said = [
        "error: `other` decides none of the scored requests: of its 1, 0 ",
        "hint: decisions are matched by the log's `request_id`",
        "its first is `1`",
    ];
    eval(&folder, &["other.csv"]).ended(2, &said);
    folder.write("twice.csv", "request_id,model\n1,a\n1,b\n");
    let said = ["error: `twice.csv`, line 3: request `1` has gone to `a`, now to `b`"];
    eval(&folder, &["x=twice.csv"]).ended(2, &said);
    let said =
        ["error: `--decisions dear.csv` has no name of its own; hint: --decisions NAME=FILE"];
    eval(&folder, &["dear.csv", "dear.csv"]).ended(2, &said);
    eval(&folder, &["none.csv"]).ended(2, &["error: cannot read `none.csv`"]);
    assert!(!folder.path("report.json").exists());
}
