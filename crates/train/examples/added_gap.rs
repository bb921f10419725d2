//! How far a candidate added from few outcomes falls short of a full retrain, on any log.
//!
//! ```text
//! cargo run -p farthing-train --example added_gap -- LOG MODEL,.. [OUTCOMES [LABEL]]
//! ```
//!
//! Prints points of quality at equal cost, at the worst of 60 cost levels between the cheapest and
//! the dearest single model and on average over them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an experiment, for a person to read"
)]

#[path = "../tests/shared/gap.rs"]
mod gap;

use farthing_data::{ReadOptions, Rejects, read_log};
use gap::{Contest, Log};

/// A candidate of the comparison answered at least this share of the requests, with score and cost.
const COVERAGE: f64 = 0.97;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcomes = args.get(2).map_or(400, |text| text.parse().unwrap());
    let labels = args.get(3).into_iter().cloned().collect();
    let options = ReadOptions { labels, ..ReadOptions::default() };
    let mut rejects = Rejects::to_file(std::env::temp_dir().join("added_gap.rejects.ndjson"));
    let (mut dataset, _) =
        read_log(&[args[0].as_str().into()], &options, &mut rejects, &|_| {}).unwrap();
    only_covered(&mut dataset);
    println!(
        "{} requests, {} candidates, {outcomes} outcomes",
        dataset.records.len(),
        dataset.candidates.len()
    );
    println!(
        "{:28} {:7}   added          mean only      scrambled      without        mean score, difference",
        "candidate", "log"
    );
    for model in args[1].split(',') {
        let contest = Contest::new(&dataset, model, 0);
        for log in [Log::Paired, Log::Alone] {
            let gap = contest.add(outcomes, log);
            let short = [gap.added, gap.mean_only, gap.scrambled, gap.without];
            let short = short.map(|s| format!("{:5.2} {:5.2}   ", s.worst, s.mean)).concat();
            let of = |(card, truth): (farthing_model::IntervalCard, f64)| {
                format!("{:.3} [{:.3}, {:.3}] true {truth:.3}", card.value, card.low, card.high)
            };
            println!(
                "{model:28} {log:7?} {short} {}; {}  {} {}",
                of(gap.quality),
                of(gap.difference),
                gap.settings,
                gap.explore_only.unwrap_or_default()
            );
        }
    }
}

/// Leaves out candidates with too few outcomes to compare.
fn only_covered(dataset: &mut farthing_data::Dataset) {
    let mut answered = vec![0_usize; dataset.candidates.len()];
    for cell in dataset.records.iter().flat_map(|record| &record.cells) {
        answered[cell.candidate] += usize::from(cell.score.is_some() && cell.cost_usd.is_some());
    }
    let least = COVERAGE * dataset.records.len() as f64;
    let kept = |candidate: usize| answered[candidate] as f64 >= least;
    let position = |candidate: usize| (0..candidate).filter(|&c| kept(c)).count();
    for record in &mut dataset.records {
        record.cells.retain(|cell| kept(cell.candidate));
        for cell in &mut record.cells {
            cell.candidate = position(cell.candidate);
        }
    }
    let names = std::mem::take(&mut dataset.candidates);
    dataset.candidates =
        names.into_iter().enumerate().filter(|(i, _)| kept(*i)).map(|(_, name)| name).collect();
}
