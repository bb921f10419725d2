//! `farthing add-model`: one more candidate, the others not refitted.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::folder::{Folder, copy_dir, files};
use crate::sample;

const NEW: &str = "heron-coder";
const OTHERS: &str = "bustard-large,finch-small,linnet-polyglot,plover-reasoner,wren-mini";
/// Requests that the router without the new candidate was trained on.
const REQUESTS: usize = 400;

/// The rows of a log of so many requests; the router is trained on its first [`REQUESTS`].
fn rows() -> &'static [Value] {
    static ROWS: OnceLock<Vec<Value>> = OnceLock::new();
    ROWS.get_or_init(|| sample::simulated(REQUESTS + 300))
}

/// A folder with a router of the other candidates in `router`.
fn folder() -> Folder {
    static PARENT: OnceLock<Folder> = OnceLock::new();
    let parent = PARENT.get_or_init(|| {
        let folder = Folder::within(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")));
        let trained = &rows()[..REQUESTS * sample::TINY_CANDIDATES];
        folder.write("log.ndjson", sample::ndjson(trained));
        folder
            .run(&format!("train log.ndjson -o router --force --context feature --models {OTHERS}"))
            .ok();
        folder
    });
    let folder = Folder::new();
    copy_dir(&parent.path("router"), &folder.path("router"));
    folder
}

/// The outcomes of the new candidate on the last `requests` requests, changed.
fn outcomes(requests: usize, change: impl Fn(&mut Value)) -> Vec<Value> {
    let mut own: Vec<Value> = rows().iter().filter(|row| row["model"] == NEW).cloned().collect();
    own.drain(..own.len() - requests);
    own.iter_mut().for_each(change);
    own
}

fn add(folder: &Folder, rows: &[Value], flags: &str) -> Value {
    folder.write("few.ndjson", sample::ndjson(rows));
    folder
        .run(&format!("add-model router few.ndjson --model {NEW} -o wider --json {flags}"))
        .ok()
        .json()
}

fn names(manifest: &Value) -> Vec<&str> {
    manifest["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["model"].as_str().unwrap())
        .collect()
}

#[test]
fn the_candidate_takes_part_and_the_directory_says_where_it_came_from() {
    let folder = folder();
    let added = add(&folder, &outcomes(600, |_| {}), "");
    let [parent, wider] =
        ["router", "wider"].map(|dir| folder.run(&format!("inspect {dir} --json")).ok().json());
    assert_eq!(wider["extended_from"], parent["digest"]);
    assert_eq!(added["router"], wider["digest"]);
    assert_eq!(names(&wider).len(), 6);
    assert!(names(&wider).is_sorted() && names(&wider).contains(&NEW));
    assert_eq!(wider["gate"], parent["gate"]);
    assert_eq!(wider["bars"][0]["threshold"], parent["bars"][0]["threshold"]);
    let card = &added["candidate"];
    let own = &card["added"];
    assert_eq!((&card["outcomes"], &own["paired"]), (&json!(600), &json!(0)));
    let quality = |end: &str| own["quality"][end].as_f64().unwrap();
    assert!(quality("low") < quality("value") && quality("value") < quality("high"), "{own}");
    assert!(own["explore_only"].is_null(), "{own}");
    let decision =
        folder.run_args(&["route", "wider", "Write `fn gcd(a: u64, b: u64)`.", "--json"]);
    let decision = decision.ok().json();
    let report = |name: &str| {
        let candidates = decision["candidates"].as_array().unwrap();
        candidates.iter().find(|c| c["model"] == name).cloned().unwrap()
    };
    assert_eq!(report(NEW)["eligible"], true);
    assert!(report(NEW)["cost_usd"].as_f64().unwrap() > 0.0);
    assert!(folder.read("wider/README.md").contains("## Added afterwards"));

    // Nothing is left to evaluate on: its prompts count as seen now.
    folder
        .run("eval wider few.ndjson")
        .ended(2, &["nothing is left to evaluate: all 600 requests"]);
    // The same again gives the same bytes, and the router that was extended is as it was.
    folder.run(&format!("add-model router few.ndjson --model {NEW} -o again")).ok();
    assert_eq!(files(&folder.path("wider")), files(&folder.path("again")));
    assert_eq!(folder.run("inspect router --json").ok().json(), parent);
}

#[test]
fn predictions_of_the_others_stay_as_they_were() {
    let folder = folder();
    add(&folder, &outcomes(250, |_| {}), "");
    let predicted = |router: &str| -> Vec<(String, f64)> {
        let args = ["route", router, "Prove that there are infinitely many primes.", "--json"];
        let decision = folder.run_args(&args).ok().json();
        let each = decision["candidates"].as_array().unwrap().iter();
        each.map(|c| (c["model"].as_str().unwrap().to_owned(), c["p_above_bar"].as_f64().unwrap()))
            .filter(|(model, _)| model != NEW)
            .collect()
    };
    assert_eq!(predicted("router"), predicted("wider"));
}

#[test]
fn too_little_evidence_is_for_exploration_only() {
    let folder = folder();
    let added = add(&folder, &outcomes(150, |_| {}), "");
    assert_eq!(added["candidate"]["added"]["explore_only"], "150 of 200 judged outcomes");
    assert_eq!(added["voided_certificates"], json!([]));
    let body = |farthing: Value| json!({"prompt": "hello", "farthing": farthing}).to_string();
    let route = |farthing: Value| {
        folder.write("body.json", body(farthing));
        folder.run("route wider --file body.json --json").ok().json()
    };
    let decision = route(json!({"policy": "best_quality", "explain": true}));
    let candidates = decision["candidates"].as_array().unwrap();
    let new = candidates.iter().find(|c| c["model"] == NEW).unwrap();
    assert_eq!((&new["eligible"], &new["excluded_by"]), (&json!(false), &json!("explore_only")));
    assert!(new["quality"].as_f64().unwrap() > 0.0);
    assert_eq!(route(json!({"candidates": [NEW]}))["model"], NEW);
    let card = folder.read("wider/README.md");
    assert!(card.contains("Only exploration chooses it: 150 of 200 judged outcomes."), "{card}");

    let kept = add(&folder, &outcomes(600, |_| {}), "--explore-only");
    assert_eq!(kept["candidate"]["added"]["explore_only"], "it was added with `--explore-only`");
}

#[test]
fn odd_logs_work() {
    let folder = folder();
    let equal = add(&folder, &outcomes(300, |row| row["score"] = json!(1.0)), "");
    let quality = &equal["candidate"]["added"]["quality"];
    assert!((quality["value"].as_f64().unwrap() - 1.0).abs() < 1e-3, "{quality}");
    assert!(quality["low"].as_f64().unwrap() < 0.999, "{quality}");

    // Without cost or price it is listed, and never chosen by cost.
    let costless = outcomes(300, |row| row["cost_usd"] = Value::Null);
    folder.write("few.ndjson", sample::ndjson(&costless));
    let args = format!("add-model router few.ndjson --model {NEW} -o wider");
    folder.run(&args).ended(0, &["the cost of `heron-coder` is unknown", "hint: --prices"]);
    let decision = folder.run("route wider hello --json").ok().json();
    let candidates = decision["candidates"].as_array().unwrap();
    let new = candidates.iter().find(|c| c["model"] == NEW).unwrap();
    assert_eq!((&new["excluded_by"], &new["cost_usd"]), (&json!("unpriced"), &Value::Null));

    // With a price its tokens cost something.
    folder.write("prices.csv", format!("model,usd_per_1m_input,usd_per_1m_output\n{NEW},1,2\n"));
    let table = folder.run(&format!("{args} --prices prices.csv")).ok().stdout;
    assert!(table.contains("1 in, 2 out"), "{table}");
    let decision = folder.run("route wider hello --json").ok().json();
    let candidates = decision["candidates"].as_array().unwrap();
    let new = candidates.iter().find(|c| c["model"] == NEW).unwrap();
    assert!(new["cost_usd"].as_f64().unwrap() > 0.0, "{new}");
}

#[test]
fn refusals_say_what_to_do() {
    let folder = folder();
    folder.write("few.ndjson", sample::ndjson(&outcomes(29, |_| {})));
    let add = |model: &str, output: &str| {
        folder.run(&format!("add-model router few.ndjson --model {model} -o {output}"))
    };
    add("wren-mini", "wider")
        .ended(2, &["`wren-mini` is a candidate of the router already", "hint"]);
    add("nobody", "wider").ended(2, &["`nobody` is not in the log, which has `heron-coder`"]);
    add(NEW, "wider").ended(2, &["29 judged outcomes of `heron-coder`, at least 30 are needed"]);
    add(NEW, "./router").ended(2, &["is the router to extend; hint: give another directory"]);
    assert!(!folder.path("wider").exists());
}

#[test]
fn a_certificate_is_void_once_it_takes_part() {
    let folder = Folder::new();
    let log = sample::log();
    let log = log.to_str().unwrap();
    let train = ["train", log, "-o", "router", "--force", "--models", OTHERS, "--json"];
    let parent = &folder.run_args(&train).ok().json()["bars"][0];
    assert!(parent["certificate"].is_object(), "{parent}");
    let add = ["add-model", "router", log, "--model", NEW, "-o", "wider", "--json"];
    let bar = || folder.run("inspect wider --json").ok().json()["bars"][0].clone();

    let kept = folder.run_args(&[&add[..], &["--explore-only"]].concat()).ok().json();
    assert_eq!(kept["voided_certificates"], json!([]));
    assert_eq!(bar()["certificate"], parent["certificate"]);

    let added = folder.run_args(&add).ended(0, &["warning: bar 0.5: the certificate is void"]);
    let added = added.json();
    assert_eq!(added["voided_certificates"], json!([0.5]));
    assert_eq!(added["candidate"]["added"]["paired"], added["candidate"]["outcomes"]);
    assert_eq!((&bar()["certificate"], &bar()["threshold"]), (&Value::Null, &parent["threshold"]));
    assert!(folder.read("wider/README.md").contains("void: the threshold was certified for fewer"));
}
