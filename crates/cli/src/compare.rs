//! `farthing compare`: every learner and baseline on the same folds, one table.

mod json;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use farthing_data::{ReadOptions, Rejects, RequestCap, read_log, read_prices};
use farthing_train::{Compared, Comparison, TrainConfig, compare};
use serde::Deserialize;

use crate::encoder::EncoderFlag;
use crate::failure::Failure;
use crate::prices::say_unnamed;
use crate::term::{self, number};

pub(crate) use json::ComparisonJson;

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
    if args.json {
        term::print_json(&ComparisonJson::from(&comparison))
    } else {
        term::print(&table(&comparison))
    }
}

fn table(comparison: &Comparison) -> String {
    let known = |figure: Option<f64>, digits: usize| {
        figure.map_or_else(|| "-".to_owned(), |figure| number(figure, digits))
    };
    let row = |entry: &Compared| {
        let folds = entry.folds_pct.iter().copied();
        [
            entry.name.clone(),
            number(entry.mean_pct(), 1),
            number(entry.standard_error_pct(), 1),
            format!(
                "{} to {}",
                number(folds.clone().fold(f64::INFINITY, f64::min), 1),
                number(folds.fold(f64::NEG_INFINITY, f64::max), 1),
            ),
            known(entry.cost_ratio().map(|ratio| 100.0 * ratio), 1),
            known(entry.decision_us, 0),
        ]
    };
    let header = ["", "earned, %", "+-", "folds", "cost, %", "decision, us"];
    let distillation = comparison.distillation_pct().map_or_else(String::new, |(pct, error)| {
        format!(
            "\nserving clusters in place of exact neighbours: {pct:+.1} +- {error:.1} % of earned share\n"
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
earned: earned share; 0 is mixing single models by their averages, 100 an oracle; mean of five folds
+-: standard error of that mean; folds: the least and the greatest of the five
costs predicted, shuffled labels: what is earned by knowing what a request costs, without knowing
who answers it well
cost: where 95 % of the best single model's quality is reached, in % of its cost
decision: estimated time to decide on a prompt of 2,000 tokens; -: no router can serve it
";
