//! The loop on public outcome data, where that lies beside the repository in `../shared/data`.
//!
//! Routers see text only: neither context nor labels. The split is by hash of the normalised prompt,
//! two tenths of the prompts to test.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use farthing_core::{Digest, normalise};
use serde_json::Value;

use crate::folder::Folder;

/// A candidate has outcomes with a cost for at least this share of the prompts.
const COVERAGE: f64 = 0.97;

#[test]
fn mmlu_pro() {
    let Some(report) = train_and_eval("mmlu_pro", true) else { return };
    assert!(earned(&report, "low") > 0.0, "{}", report["frontier"]["earned_share_pct"]);
}

#[test]
fn zeroeval() {
    let Some(report) = train_and_eval("zeroeval", true) else { return };
    assert!(earned(&report, "value") >= 0.0, "{}", report["frontier"]["earned_share_pct"]);
}

/// Only GSM8K has costs in this log: APGR is over all rows, the earned share over those.
#[test]
fn routellm() {
    let Some(report) = train_and_eval("routellm", false) else { return };
    let (all, priced) = (&report["pair"]["requests"], &report["frontier"]["requests"]);
    assert_eq!(all, &report["data"]["scored_requests"]);
    assert!(priced.as_u64().unwrap() < all.as_u64().unwrap());
    let apgr = &report["pair"]["apgr"];
    say(&format!(
        "routellm: APGR {} over {all} requests; earned share over the {priced} with costs",
        figure(apgr, 1.0)
    ));
    assert!(apgr["value"].as_f64().unwrap() > 0.5, "{apgr}");
}

fn earned(report: &Value, field: &str) -> f64 {
    report["frontier"]["earned_share_pct"][field].as_f64().unwrap()
}

/// Import, split, train, eval; `None`, and a line that says so, where the data are absent.
fn train_and_eval(name: &str, priced_only: bool) -> Option<Value> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let table = data.join(format!("{name}.parquet"));
    if !table.exists() {
        say(&format!("left out: real_data::{name}, because `{}` is not there", table.display()));
        return None;
    }
    let folder = Folder::new();
    let args = ["import", "--from", name, table.to_str().unwrap(), "-o", "all.ndjson"];
    folder.run_args(&args).ok();
    let models = split(&folder, priced_only).join(",");
    // A refusal is recorded and shown: the gate asks for more than these tests do.
    let train = ["train", "train.ndjson", "-o", "router", "--force", "--models", &models];
    let trained = folder.run_args(&train).ok().stderr;
    let eval = ["eval", "router", "test.ndjson", "--models", &models, "--resamples", "500"];
    folder.run_args(&[&eval[..], &["--json", "report.json"]].concat()).ok();
    let report = folder.read_json("report.json");
    assert_eq!(report["data"]["seen_requests"], 0, "the split keeps near-duplicates together");
    show(name, &trained, &report);
    Some(report)
}

/// A prompt is for testing when the first 32 bits of its text's hash, modulo 10, are 0 or 1.
fn is_test(prompt: &str) -> bool {
    let digest = Digest::of(normalise(prompt).as_bytes());
    (digest.prefix() >> 32) % 10 < 2
}

/// Writes `train.ndjson` and `test.ndjson`; the names of the candidates.
fn split(folder: &Folder, priced_only: bool) -> Vec<String> {
    let all = std::fs::read_to_string(folder.path("all.ndjson")).unwrap();
    let [mut train, mut test] =
        ["train.ndjson", "test.ndjson"].map(|name| writer(folder.path(name)));
    let mut requests = BTreeSet::new();
    let mut answered: BTreeMap<String, usize> = BTreeMap::new();
    for line in all.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        let counts = row["cost_usd"].is_f64() || !priced_only;
        *answered.entry(text("model")).or_default() += usize::from(counts);
        requests.insert(text("request_id"));
        let side = if is_test(&text("prompt")) { &mut test } else { &mut train };
        writeln!(side, "{line}").unwrap();
    }
    train.flush().unwrap();
    test.flush().unwrap();
    let least = COVERAGE * requests.len() as f64;
    answered.retain(|_, answers| *answers as f64 >= least);
    answered.into_keys().collect()
}

fn writer(path: PathBuf) -> BufWriter<std::fs::File> {
    BufWriter::new(std::fs::File::create(path).unwrap())
}

/// What the gate said, and the figures that one wants to see.
fn show(name: &str, trained: &str, report: &Value) {
    for line in trained.lines().filter_map(|line| line.trim().strip_prefix("gate: ")) {
        say(&format!("{name}: gate: {line}"));
    }
    let frontier = &report["frontier"];
    say(&format!("{name}: earned share {} %", figure(&frontier["earned_share_pct"], 1.0)));
    let target = &frontier["cost_targets"][0];
    assert_eq!(target["target"], "best_single_95_pct");
    say(&format!(
        "{name}: 95 % of the quality of {} costs {} USD per 1,000 requests, {} % of its cost",
        frontier["best_single"]["model"],
        figure(&target["cost_usd"], 1000.0),
        figure(&target["ratio_to_best_single"], 100.0),
    ));
}

/// An estimate with its interval, times `scale`.
fn figure(estimate: &Value, scale: f64) -> String {
    let [value, low, high] = ["value", "low", "high"].map(|end| {
        estimate[end].as_f64().map_or("none".to_owned(), |x| format!("{:.3}", x * scale))
    });
    format!("{value} [{low}, {high}]")
}

/// Straight to stderr: what `eprintln!` says in a test that passes is hidden.
fn say(line: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "{line}").unwrap();
}
