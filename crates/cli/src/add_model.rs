//! `farthing add-model`: one more candidate in a finished router, the others not refitted.

use std::path::{Path, PathBuf};

use farthing_core::PriceTable;
use farthing_data::ReadOptions;
use farthing_model::{CandidateCard, IntervalCard, Parts, Router, write_router};
use farthing_train::{AddConfig, Added, add_model};
use serde_json::json;

use crate::failure::Failure;
use crate::log_input::LogInput;
use crate::term;

/// Flags of `farthing add-model`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory to extend; it is only read
    #[arg(value_name = "DIR")]
    router: PathBuf,
    #[command(flatten)]
    input: LogInput,
    /// The candidate to add, by its name in the log
    #[arg(long, value_name = "NAME")]
    model: String,
    /// The router directory to write
    #[arg(short, long, value_name = "DIR2")]
    output: PathBuf,
    /// Let only exploration choose it, however good the evidence; certificates then stay
    #[arg(long)]
    explore_only: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    refuse_same(&args.router, &args.output)?;
    let (parent, digest) = Parts::load(&args.router)?;
    let prices = args.input.prices()?;
    let config = AddConfig {
        model: args.model.clone(),
        prices: prices.clone().unwrap_or_default(),
        explore_only: args.explore_only,
    };
    // The router's own prices fill in what the others cost; the new one's stands in `--prices`.
    let known = prices.unwrap_or_else(|| parent.prices.clone());
    let context = &parent.manifest.features.context;
    let rejects = term::beside(&args.output, ".rejects.ndjson");
    let options =
        ReadOptions { context: context.clone(), prices: Some(known), ..ReadOptions::default() };
    let dataset = args.input.read(options, rejects)?;
    let added = add_model(&parent, digest, &dataset, &config)?;
    say(&added);
    let (card, voided) = (added.card().clone(), added.voided.clone());
    let written = write_router(&args.output, added.parts)?;
    term::say(&format!("wrote `{}`, {written}", args.output.display()));
    let router = Router::load(&args.output)?;
    if args.json {
        return term::print_json(&json!({
            "router": written,
            "extended_from": router.manifest().extended_from,
            "candidate": card,
            "price": router.prices().get(&card.model),
            "voided_certificates": voided,
        }));
    }
    term::print(&table(&card, &router.manifest().reference, router.prices()))
}

/// A router directory is immutable: whoever serves the old one must find it as it was.
fn refuse_same(router: &Path, output: &Path) -> Result<(), Failure> {
    let same = router.canonicalize().ok().zip(output.canonicalize().ok());
    match same {
        Some((router, output)) if router == output => Err(Failure::bad_input(format!(
            "`{}` is the router to extend; hint: give another directory to `-o`",
            output.display()
        ))),
        _ => Ok(()),
    }
}

/// What a person should know beyond the table, on stderr.
fn say(added: &Added) {
    let card = added.card();
    let Parts { manifest, prices, .. } = &added.parts;
    if card.cost.mean_cost_usd.is_none() && prices.get(&card.model).is_none() {
        term::say(&format!(
            "  warning: the cost of `{}` is unknown, so policies that compare costs leave it out; hint: --prices",
            card.model
        ));
    }
    for bar in &added.voided {
        term::say(&format!(
            "  warning: bar {bar}: the certificate is void, it was for {} candidates; hint: `farthing train` certifies anew, `--explore-only` keeps it",
            manifest.candidates.len() - 1
        ));
    }
    let reference = manifest.candidates.iter().find(|other| other.model == manifest.reference);
    if reference.is_some_and(|reference| card.mean_score > reference.mean_score) {
        term::say(&format!(
            "  note: it does better than the reference `{}`, which stays the fallback; hint: `farthing train` chooses anew",
            manifest.reference
        ));
    }
}

fn table(card: &CandidateCard, reference: &str, prices: &PriceTable) -> String {
    let mut rows = vec![["judged outcomes".to_owned(), card.outcomes.to_string()]];
    if let Some(added) = &card.added {
        rows.push(["on requests of the reference, too".to_owned(), added.paired.to_string()]);
        rows.push(["mean score".to_owned(), estimate(added.quality)]);
        rows.push([format!("less that of `{reference}`"), estimate(added.difference)]);
    }
    let cost = card.cost.mean_cost_usd.map(|cost| format!("{:.4}", 1000.0 * cost));
    rows.push(["USD/1k requests in the log".to_owned(), cost.unwrap_or("unknown".to_owned())]);
    let price = prices
        .get(&card.model)
        .map(|price| format!("{} in, {} out", price.usd_per_1m_input, price.usd_per_1m_output));
    rows.push(["USD/1M tokens".to_owned(), price.unwrap_or("unknown".to_owned())]);
    let state = match card.explore_only() {
        Some(lacks) => format!("only exploration chooses it: {lacks}"),
        None => "it takes part in decisions".to_owned(),
    };
    format!("{}\n{state}\n", term::table([card.model.as_str(), ""], rows))
}

fn estimate(interval: IntervalCard) -> String {
    format!("{:.4}  [{:.4}, {:.4}]", interval.value, interval.low, interval.high)
}
