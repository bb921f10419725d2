//! `farthing compare`: every learner and baseline on the same folds, one table.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use farthing_data::{ReadOptions, Rejects, RequestCap, read_log, read_prices};
use farthing_train::{Compared, Comparison, TrainConfig, compare};
use serde::Deserialize;
use serde_json::json;

use crate::encoder::EncoderFlag;
use crate::failure::Failure;
use crate::prices::say_unnamed;
use crate::term;

/// Flags of `farthing compare`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to compare: a TOML file of `context`, `label`, `models`, `prices`, `encoder`, `encoder_dir`,
    /// `seed`, `group`, `max_requests`, all optional
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// Outcome logs: Parquet, NDJSON or CSV; several are read as one
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The configuration file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    /// Columns that requests carry too, when they are routed.
    context: Vec<String>,
    /// Columns that only the log has.
    label: Vec<String>,
    /// Only these models.
    models: Option<Vec<String>>,
    /// A price table, as `--prices` of `farthing train` takes it.
    prices: Option<PathBuf>,
    /// `static`, `minilm` or `none`, as `--encoder` of `farthing train` takes it.
    encoder: EncoderFlag,
    /// As `--encoder-dir` of `farthing train` takes it.
    encoder_dir: Option<PathBuf>,
    /// Seed of the folds.
    seed: u64,
    /// A column whose equal values stay in one fold.
    group: Option<String>,
    /// At most so many requests, chosen by a hash of the prompt.
    max_requests: Option<NonZeroUsize>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let place = args.config.display();
    let text = std::fs::read_to_string(&args.config)
        .map_err(|e| Failure::bad_input(format!("cannot read `{place}`: {e}")))?;
    let config: Config = toml::from_str(&text)
        .map_err(|e| Failure::bad_input(format!("`{place}` is not a configuration: {e}")))?;
    let prices = config.prices.as_deref().map(read_prices).transpose()?;
    let settings = TrainConfig {
        seed: config.seed,
        encoder: config.encoder.encoder(config.encoder_dir.as_deref())?,
        prices: prices.clone().unwrap_or_default(),
        ..TrainConfig::default()
    };
    let options = ReadOptions {
        context: config.context,
        labels: config.label,
        models: config.models,
        prices,
        group: config.group,
        cap: config
            .max_requests
            .map(|max| RequestCap { max_requests: max.get(), seed: config.seed }),
        ..ReadOptions::default()
    };
    let mut rejects = Rejects::to_file("compare.rejects.ndjson");
    let (dataset, report) = read_log(&args.logs, &options, &mut rejects, &|_| {})?;
    term::say_read(&report, &rejects);
    term::say_left_out(&dataset);
    if let Some(prices) = &options.prices {
        say_unnamed(prices, &dataset.candidates);
    }
    let bar = term::steps(0);
    let compared = compare(dataset, &settings, &|done, due| {
        bar.set_length(due as u64);
        bar.set_position(done as u64);
    });
    bar.finish_and_clear();
    let comparison = compared?;
    if args.json { term::print_json(&json(&comparison)) } else { term::print(&table(&comparison)) }
}

fn json(comparison: &Comparison) -> serde_json::Value {
    let rows = comparison.entries.iter().map(|entry| {
        json!({
            "name": entry.name,
            "earned_share_pct": entry.mean_pct(),
            "standard_error_pct": entry.standard_error_pct(),
            "folds_pct": entry.folds_pct,
            "cost_ratio_at_95_pct_quality": entry.cost_ratio(),
            "folds_cost_ratio": entry.cost_ratios,
            "decision_us": entry.decision_us,
        })
    });
    let distillation = comparison
        .distillation_pct()
        .map(|(pct, error)| json!({ "earned_share_pct": pct, "standard_error_pct": error }));
    json!({
        "candidates": comparison.candidates,
        "requests": comparison.requests,
        "rows": rows.collect::<Vec<_>>(),
        "cluster_less_exact_neighbours": distillation,
    })
}

fn table(comparison: &Comparison) -> String {
    let unknown = || "-".to_owned();
    let row = |entry: &Compared| {
        let folds: Vec<_> = entry.folds_pct.iter().map(|fold| format!("{fold:6.1}")).collect();
        [
            entry.name.clone(),
            format!("{:.2} %", entry.mean_pct()),
            format!("{:.2}", entry.standard_error_pct()),
            entry.cost_ratio().map_or_else(unknown, |ratio| format!("{:.1} %", 100.0 * ratio)),
            entry.decision_us.map_or_else(unknown, |us| format!("{us:.0} us")),
            folds.concat(),
        ]
    };
    let header = ["", "earned share", "+-", "cost at 95 %", "decision", "earned share by fold"];
    let distillation = comparison.distillation_pct().map_or_else(String::new, |(pct, error)| {
        format!(
            "\nserving clusters in place of exact neighbours: {pct:+.2} +- {error:.2} % of earned share\n"
        )
    });
    format!(
        "{} candidates, {} requests answered by all of them\n\n{}{distillation}{LEGEND}",
        comparison.candidates.len(),
        comparison.requests,
        term::table(header, comparison.entries.iter().map(row).collect()),
    )
}

/// What the columns mean.
const LEGEND: &str = "
earned share: 0 is mixing single models by their averages, 100 an oracle; mean of five folds
+-: standard error of that mean
costs predicted, shuffled labels: what is earned by knowing what a request costs, without knowing who answers it well
cost at 95 %: where 95 % of the best single model's quality is reached, as a share of its cost
decision: estimated time to decide on a prompt of 2,000 tokens; -: no router can serve it
";
