//! A whole report with intervals on a large log, beside one plain pass over the same cells.
//!
//! `cargo bench --profile dev -p farthing-eval --bench evaluate [-- REQUESTS CANDIDATES]` prints
//! seconds, the ratio to that pass, and the process's peak memory. It is run once: a report takes
//! seconds, and its bootstrap repeats the work two thousand times already.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and may panic")]

#[path = "../tests/made/mod.rs"]
mod made;

use std::time::Instant;

use farthing_data::Record;
use farthing_eval::{EvalOptions, Subject, evaluate};
use farthing_model::SeenPrompts;

fn main() {
    let sizes: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let [requests, candidates] = sizes.try_into().unwrap_or([50_000, 20]);
    let names: Vec<String> = (0..candidates).map(|i| format!("m{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // A fifth more, that the router was trained on: the baselines that learn are fitted on those.
    let (router, dataset) = (made::router(&names), made::dataset(&names, requests * 5 / 4));
    let used = dataset.records.iter().take(requests / 4).map(Record::prompt_key);
    let seen = SeenPrompts::new(0, used);
    let subject = Subject { router: &router, null: Some(&router), seen: &seen };

    let start = Instant::now();
    let cells = dataset.records.iter().flat_map(|record| &record.cells);
    let sum: f64 = cells.filter_map(|cell| Some(cell.score? / (1.0 + cell.cost_usd?))).sum();
    let pass = start.elapsed().as_secs_f64();

    let start = Instant::now();
    let report = evaluate(subject, &dataset, &EvalOptions::default(), &|_| ()).unwrap();
    let took = start.elapsed().as_secs_f64();
    let resamples = f64::from(report.settings.resamples);
    println!(
        "{requests} requests x {candidates} candidates, {resamples} resamples: {took:.1} s, {:.1} plain passes a resample (sum {sum:.0}){}",
        took / pass / resamples,
        peak_memory().map_or(String::new(), |memory| format!(", {memory} at most")),
    );
}

/// As Linux tells it.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
