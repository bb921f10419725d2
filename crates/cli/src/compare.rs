//! `farthing compare`: every learner on the same folds, one table.

use farthing_train::{Comparison, LearnerName, TrainConfig, compare};
use serde_json::json;

use crate::failure::Failure;
use crate::log_input::LogInput;
use crate::term;

/// Flags of `farthing compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: LogInput,
    /// Columns that requests carry too, when they are routed
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    context: Vec<String>,
    /// Columns that only the log has: what kind of task is this?
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    label: Vec<String>,
    /// Seed of the folds
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let prices = args.input.prices()?;
    let config = TrainConfig {
        seed: args.seed,
        prices: prices.clone().unwrap_or_default(),
        ..TrainConfig::default()
    };
    let dataset =
        args.input.read(&args.context, &args.label, prices, "compare.rejects.ndjson".into())?;
    let bar = term::steps(5 * (LearnerName::ALL.len() + 1));
    let compared = compare(dataset, &config, &|| bar.inc(1));
    bar.finish_and_clear();
    let comparison = compared?;
    if args.json { term::print_json(&json(&comparison)) } else { term::print(&table(&comparison)) }
}

fn json(comparison: &Comparison) -> serde_json::Value {
    let entries = comparison.entries.iter().map(|entry| {
        json!({
            "learner": entry.learner,
            "earned_share_pct": entry.mean_pct(),
            "standard_error_pct": entry.standard_error_pct(),
            "folds_pct": entry.folds_pct,
        })
    });
    json!({
        "candidates": comparison.candidates,
        "requests": comparison.requests,
        "learners": entries.collect::<Vec<_>>(),
    })
}

fn table(comparison: &Comparison) -> String {
    let row = |entry: &farthing_train::Compared| {
        let folds: Vec<_> = entry.folds_pct.iter().map(|fold| format!("{fold:.1}")).collect();
        [
            entry.learner.clone(),
            format!("{:.2} %", entry.mean_pct()),
            format!("{:.2}", entry.standard_error_pct()),
            folds.join("  "),
        ]
    };
    format!(
        "{} candidates, {} requests answered by all of them\n\n{}",
        comparison.candidates.len(),
        comparison.requests,
        term::table(
            ["learner", "earned share", "standard error", "folds"],
            comparison.entries.iter().map(row).collect(),
        )
    )
}
