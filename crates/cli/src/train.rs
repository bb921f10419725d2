//! `farthing train`: outcome log -> router directory.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use farthing_core::PriceTable;
use farthing_data::{Dataset, ReadOptions, RequestCap};
use farthing_model::{
    BarCard, CandidateCard, DecisionTimeCard, GateReport, Guarantee, Manifest, Parts, PolicySpec,
    Router, write_router,
};
use farthing_train::{Progress, SplitBy, Stage, TrainConfig, Trained, train};

use crate::encoder::EncoderArgs;
use crate::failure::Failure;
use crate::log_input::LogInput;
use crate::prices::say_unnamed;
use crate::term;

/// Requests that reading and training hold in less than 1.5 GB; see docs/adr/0010-large-logs.md.
const MAX_REQUESTS: NonZeroUsize = NonZeroUsize::new(25_000).unwrap();
/// A candidate with fewer judged outcomes than this in the fit split is warned about.
const FEW_OUTCOMES: u64 = 30;

/// Flags of `farthing train`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    input: LogInput,
    /// The router directory to write
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Columns that requests carry too, when they are routed
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    context: Vec<String>,
    /// Columns that only the log has: what kind of task is this?
    #[arg(long, value_name = "COL,..", value_delimiter = ',')]
    label: Vec<String>,
    /// A column whose equal values stay on one side of every split: tenant, conversation
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// How requests are shared out among fit, certificate and sealed
    #[arg(long, value_enum, default_value_t = SplitFlag::Random)]
    split_by: SplitFlag,
    /// Train on at most so many requests, chosen by a hash of the prompt
    #[arg(long, value_name = "N", default_value_t = MAX_REQUESTS)]
    max_requests: NonZeroUsize,
    /// Scores that are good enough, the default one first
    #[arg(long, value_name = "BAR,..", value_delimiter = ',', default_value = "0.5")]
    bar: Vec<f64>,
    /// Greatest certified rate of the bad event among downgraded requests
    #[arg(long, default_value_t = 0.1)]
    alpha: f64,
    /// The certificate holds with probability 1 - delta
    #[arg(long, default_value_t = 0.05)]
    delta: f64,
    /// Which bad event is bounded
    #[arg(long, value_enum, default_value_t = GuaranteeFlag::Excess)]
    guarantee: GuaranteeFlag,
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Mean cost of a request, in USD, that the policy `budget` keeps
    #[arg(long, value_name = "USD")]
    budget: Option<f64>,
    /// Quality that one USD is worth to the policy `utility`
    #[arg(long)]
    lambda: Option<f64>,
    /// What a decision on 2,000 tokens may take by estimate, in microseconds; dear learners are left out for it
    #[arg(long, value_name = "US", default_value_t = 500.0)]
    max_decision_us: f64,
    /// Store nothing that lies close to single requests: leaves out clusters
    #[arg(long)]
    parametric_only: bool,
    /// Seed of the splits and of every draw
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where an interrupted run leaves its steps, so that the same command goes on from there; removed
    /// once the router is trained
    #[arg(long, value_name = "DIR")]
    checkpoint: Option<PathBuf>,
    /// Write the router even where the gate refuses, and record the refusal in it
    #[arg(long)]
    force: bool,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum GuaranteeFlag {
    /// The choice misses the bar and the reference meets it
    Excess,
    /// The choice misses the bar
    Absolute,
}

impl From<GuaranteeFlag> for Guarantee {
    fn from(flag: GuaranteeFlag) -> Self {
        match flag {
            GuaranteeFlag::Excess => Self::Excess,
            GuaranteeFlag::Absolute => Self::Absolute,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SplitFlag {
    /// In an order drawn from the seed
    Random,
    /// By `timestamp`: the newest tenth is sealed, the tenth before it certifies
    Time,
}

impl From<SplitFlag> for SplitBy {
    fn from(flag: SplitFlag) -> Self {
        match flag {
            SplitFlag::Random => Self::Random,
            SplitFlag::Time => Self::Time,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let prices = args.input.prices()?;
    let config = TrainConfig {
        bars: args.bar.clone(),
        alpha: args.alpha,
        delta: args.delta,
        guarantee: args.guarantee.into(),
        budget_usd: args.budget,
        lambda: args.lambda,
        seed: args.seed,
        split_by: args.split_by.into(),
        encoder: args.encoder.encoder()?,
        prices: prices.clone().unwrap_or_default(),
        max_decision_us: args.max_decision_us,
        parametric_only: args.parametric_only,
        force: args.force,
        checkpoint: args.checkpoint.clone(),
        ..TrainConfig::default()
    }
    .check()?;
    let rejects = term::beside(&args.output, ".rejects.ndjson");
    let options = ReadOptions {
        context: args.context.clone(),
        labels: args.label.clone(),
        prices,
        group: args.group.clone(),
        cap: Some(RequestCap { max_requests: args.max_requests.get(), seed: args.seed }),
        ..ReadOptions::default()
    };
    let dataset = args.input.read(options, rejects)?;
    if args.input.price_file().is_some() {
        say_unnamed(&config.prices, &dataset.candidates);
    }
    let manifest = train_and_write(dataset, &config, &args.output)?;
    if args.json {
        term::print_json(&manifest)?;
    }
    Ok(())
}

/// Trains with a progress bar, says on stderr what came of it, and writes the router unless the gate
/// refuses.
pub(crate) fn train_and_write(
    dataset: Dataset,
    config: &TrainConfig,
    output: &Path,
) -> Result<Manifest, Failure> {
    let bar = term::steps(Stage::ALL.len());
    let trained = train(dataset, config, &|progress| match progress {
        Progress::At { stage, done, due } => {
            let before = Stage::ALL.iter().position(|s| *s == stage).unwrap_or_default();
            bar.set_position(before as u64);
            let parts = if due > 1 { format!(", {done} of {due}") } else { String::new() };
            bar.set_message(format!("{}{parts}", stage.label()));
        }
        Progress::Note(what) => bar.suspend(|| term::say(&format!("  {what}"))),
    });
    bar.finish_and_clear();
    let Trained { parts, left_out } = trained?;
    for model in left_out {
        term::say(&format!("  warning: `{model}` has no score, so it is not a candidate"));
    }
    say_trained(&parts, &config.prices);
    if !parts.manifest.gate.passed && !config.force {
        term::say(
            "the gate refused: no router was written; hint: see what `farthing eval` would say with `--force`, \
             or log more outcomes",
        );
        return Err(Failure::Refused);
    }
    let digest = write_router(output, parts)?;
    term::say(&format!("wrote `{}`, {digest}", output.display()));
    Ok(Router::load(output)?.manifest().clone())
}

fn say_trained(parts: &Parts, prices: &PriceTable) {
    let manifest = &parts.manifest;
    let data = &manifest.data;
    term::say(&format!(
        "trained on {} requests ({} to fit, {} to certify, {} sealed), {} candidates, reference `{}`",
        data.requests,
        data.fit,
        data.certificate,
        data.sealed,
        manifest.candidates.len(),
        manifest.reference
    ));
    if let Some(split) = &data.by_time {
        term::say(&format!("  {} older requests of held-out groups were not used", split.unused));
    }
    say_unpriced(&manifest.candidates, prices);
    for card in manifest.candidates.iter().filter(|card| card.outcomes < FEW_OUTCOMES) {
        term::say(&format!(
            "  warning: `{}` has {} outcomes to learn from, so what is expected of it is a guess; hint: log more, or leave it out with --models",
            card.model, card.outcomes
        ));
    }
    for learner in &manifest.learners {
        term::say(&format!("  {learner}"));
    }
    if let Some(time) = &manifest.decision_time {
        say_time(time);
    }
    if let Some(stand_in) = &manifest.stands_in {
        term::say(&format!(
            "  the reference ties with `{}` and is cheaper: mean score lower by {:.4}, at most {:.4}",
            stand_in.best, stand_in.mean_loss, stand_in.loss_bound
        ));
    }
    say_bars(&manifest.bars);
    if let Some(PolicySpec::Budget(budget)) = manifest.policies.get("budget") {
        let realised = budget.realised_usd.map_or("unknown".to_owned(), |usd| format!("{usd:.3e}"));
        term::say(&format!(
            "  budget {} USD: lambda {:.3}, {:.3e} USD predicted, {realised} realised on {} requests",
            budget.budget_usd, budget.lambda, budget.predicted_usd, budget.requests
        ));
    }
    say_gate(&manifest.gate);
}

fn say_bars(bars: &[BarCard]) {
    for bar in bars {
        if let Some(card) = &bar.calibrated {
            term::say(&format!(
                "  bar {}: {} calibration, cross-validated error {:.4}",
                bar.bar,
                card.method.as_str(),
                card.ece
            ));
        }
        term::say(&match &bar.certificate {
            Some(c) => format!(
                "  bar {}: {} of {} certificate requests downgraded, excess miss <= {:.4}, any miss <= {:.4}",
                bar.bar, c.downgraded, c.requests, c.excess_bound, c.miss_bound
            ),
            None => {
                format!("  bar {}: no threshold could be certified, the reference serves", bar.bar)
            }
        });
    }
}

fn say_gate(gate: &GateReport) {
    if let Some(earned) = &gate.earned_share {
        let [low, high] = earned.interval_pct;
        term::say(&format!("  earned share: {:.1} % [{low:.1}, {high:.1}]", earned.pct));
    }
    for check in &gate.checks {
        let mark = match check.passed {
            Some(true) => "passed",
            Some(false) => "REFUSED",
            None => "n/a",
        };
        term::say(&format!("  gate: {mark}: {} ({})", check.check, check.detail));
    }
}

fn say_time(card: &DecisionTimeCard) {
    for left_out in &card.left_out {
        term::say(&format!(
            "  left out to decide within {} us: {}, which saves {:.0} us and loses {:.3} +- {:.3} hundredths of a score; hint: --max-decision-us",
            card.limit_us, left_out.learner, left_out.saved_us, left_out.loss, left_out.loss_error
        ));
    }
    term::say(&format!(
        "  a decision on 2,000 tokens is estimated to take {:.0} us",
        card.estimate_us
    ));
}

/// Says whose cost cannot be predicted, and what would change that.
fn say_unpriced(candidates: &[CandidateCard], prices: &PriceTable) {
    let unpriced: Vec<_> = candidates.iter().filter(|card| !card.is_priced(prices)).collect();
    if unpriced.len() == candidates.len() {
        term::say(
            "  warning: no cost is known, so the router compares quality only; hint: log `cost_usd`, or \
             `input_tokens` and `output_tokens` for the prices of `--prices` to multiply",
        );
        return;
    }
    for card in unpriced {
        let hint = match prices.get(&card.model) {
            Some(_) => "log its `input_tokens` and `output_tokens`, which its price multiplies",
            None => "--prices",
        };
        term::say(&format!(
            "  warning: the cost of `{}` is unknown, so policies that compare costs leave it out; hint: {hint}",
            card.model
        ));
    }
}
