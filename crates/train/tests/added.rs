//! A candidate added from 400 outcomes stands close to a full retrain, on traffic with known truth.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

#[path = "shared/gap.rs"]
mod gap;

use farthing_data::{Dataset, LogWriter, ReadOptions, Rejects, read_log};
use farthing_sim::{CONTEXT_COLUMN, Config, LABEL_COLUMN, LogPolicy, generate};

use gap::{Contest, Gap, Log};

const REQUESTS: usize = 3000;
const OUTCOMES: usize = 400;
/// A cheap candidate, a strong one, and two that are good at one thing.
const CANDIDATES: [&str; 4] = ["wren-mini", "plover-reasoner", "heron-coder", "linnet-polyglot"];

fn simulated(seed: u64) -> Dataset {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    let extra = [CONTEXT_COLUMN.to_owned(), LABEL_COLUMN.to_owned()];
    let mut writer = LogWriter::create(&path, &extra).unwrap();
    let config = Config { rows: REQUESTS, seed, log_policy: LogPolicy::Full };
    for row in generate(config).flat_map(|request| request.rows) {
        writer.write(&row).unwrap();
    }
    writer.finish().unwrap();
    let mut rejects = Rejects::to_file(dir.path().join("rejects.ndjson"));
    read_log(&[path], &ReadOptions::default(), &mut rejects, &|_| {}).unwrap().0
}

/// Every candidate, with and without the others' outcomes on the same requests.
fn gaps(seed: u64) -> Vec<Gap> {
    let dataset = simulated(seed);
    let contests = CANDIDATES.iter().map(|model| Contest::new(&dataset, model, seed));
    contests
        .flat_map(|contest| [Log::Paired, Log::Alone].map(|log| contest.add(OUTCOMES, log)))
        .collect()
}

fn mean(gaps: &[Gap], of: impl Fn(&Gap) -> f64) -> f64 {
    gaps.iter().map(of).sum::<f64>() / gaps.len() as f64
}

/// Quality at equal cost within two points of a full retrain on six times as many outcomes; the
/// learned part earns, and predictions that belong to other requests would be noticed.
fn check(seed: u64) {
    let gaps = &gaps(seed);
    for gap in gaps {
        assert!(gap.added.mean < 2.0 && gap.added.worst < 3.0, "{gap:#?}");
        assert!(gap.explore_only.is_none(), "{gap:#?}");
    }
    assert!(gaps.iter().any(|gap| gap.settings != "{}"), "{gaps:#?}");
    let added = mean(gaps, |gap| gap.added.mean);
    assert!(added < 1.0, "{gaps:#?}");
    assert!(mean(gaps, |gap| gap.added.worst) < 2.0, "{gaps:#?}");
    assert!(mean(gaps, |gap| gap.mean_only.mean) > added + 0.4, "{gaps:#?}");
    assert!(mean(gaps, |gap| gap.scrambled.mean) > added + 1.0, "{gaps:#?}");
    assert!(mean(gaps, |gap| gap.without.mean) > added + 1.0, "{gaps:#?}");
    // The truth is a sample, too, so a miss or two of sixteen are to be expected.
    let covered = |(card, truth): (farthing_model::IntervalCard, f64)| {
        usize::from((card.low..=card.high).contains(&truth))
    };
    let holds: usize = gaps.iter().map(|gap| covered(gap.quality) + covered(gap.difference)).sum();
    assert!(holds * 4 >= gaps.len() * 2 * 3, "{holds}: {gaps:#?}");
}

#[test]
fn four_hundred_outcomes_come_close_to_a_full_retrain() {
    check(5);
}

#[test]
fn on_other_traffic_too() {
    check(6);
}
