//! `farthing route`: one decision, explained.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use farthing_core::{Decision, RouteBody};
use farthing_model::{Circumstances, Decided, Router, Scorer};

use crate::failure::Failure;
use crate::prices::load_router;
use crate::term;

/// Flags of `farthing route`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory
    #[arg(value_name = "DIR")]
    router: PathBuf,
    /// What is asked; `-` reads it from stdin
    #[arg(required_unless_present = "file")]
    prompt: Option<String>,
    /// A request body as JSON: an OpenAI chat body or {"prompt": ".."}, with a `farthing` object
    #[arg(long, value_name = "F.json", conflicts_with = "prompt")]
    file: Option<PathBuf>,
    /// Decide at the prices of this table (.csv, .toml or .json) instead of the router's own
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// One of the router's policies instead of the default one
    #[arg(long, value_name = "NAME")]
    policy: Option<String>,
    /// Print the decision as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let router = load_router(&args.router, args.prices.as_deref())?;
    let mut body = body(args.file.as_deref(), args.prompt.as_deref())?;
    if args.policy.is_some() {
        body.farthing.policy.clone_from(&args.policy);
    }
    let (decided, took_us) = decide(&router, body)?;
    let decision = show(&decided, &router, took_us);
    if args.json { term::print_json(&decision) } else { term::print(&explain(&decision)) }
}

/// A body from a file, or of a prompt; `-` reads the prompt from stdin.
pub(crate) fn body(file: Option<&Path>, prompt: Option<&str>) -> Result<RouteBody, Failure> {
    let (json, place) = match (file, prompt) {
        (Some(path), _) => {
            let read = std::fs::read_to_string(path);
            let json = read.map_err(|e| {
                Failure::bad_input(format!("cannot read `{}`: {e}", path.display()))
            })?;
            (json, path.display().to_string())
        }
        (None, Some("-")) => {
            let mut prompt = String::new();
            std::io::stdin().read_to_string(&mut prompt)?;
            (prompt_body(&prompt), "stdin".to_owned())
        }
        (None, prompt) => (prompt_body(prompt.unwrap_or_default()), "the prompt".to_owned()),
    };
    serde_json::from_str(&json)
        .map_err(|e| Failure::bad_input(format!("`{place}` is not a request body: {e}")))
}

fn prompt_body(prompt: &str) -> String {
    serde_json::json!({ "prompt": prompt }).to_string()
}

/// What the router decides, and how many microseconds that took.
pub(crate) fn decide(router: &Router, body: RouteBody) -> Result<(Decided, f64), Failure> {
    let (request, options) = body.check()?;
    let start = Instant::now();
    let decided =
        router.route(&mut Scorer::default(), &request, &options, Circumstances::drawn(1.0))?;
    Ok((decided, start.elapsed().as_secs_f64() * 1e6))
}

/// The decision with every candidate listed; it is not logged, so its id says only that.
pub(crate) fn show<'a>(decided: &'a Decided, router: &'a Router, took_us: f64) -> Decision<'a> {
    decided.decision(router, "not-logged", took_us, true)
}

/// The decision for a person.
pub(crate) fn explain(decision: &Decision<'_>) -> String {
    let row = |c: &farthing_core::CandidateReport<'_>| {
        let note = if c.model == decision.model {
            "chosen".to_owned()
        } else {
            c.excluded_by.map_or_else(String::new, |by| format!("excluded by {by:?}"))
        };
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("unknown".to_owned(), |v| format!("{v:.digits$}"))
        };
        [
            c.model.clone().into_owned(),
            format!("{:.3}", c.quality),
            format!("{:.3}", c.p_above_bar),
            number(c.cost_usd.map(|usd| usd * 1000.0), 4),
            number(c.output_tokens, 0),
            number(c.output_tokens_q90, 0),
            note,
        ]
    };
    let table = term::table(
        ["candidate", "quality", "P(>= bar)", "USD/1k", "output tokens", "nine in ten", ""],
        decision.candidates.iter().map(row).collect(),
    );
    let reason = serde_json::to_string(&decision.reason).unwrap_or_default();
    let margin =
        decision.margin.map_or("nothing could change it".to_owned(), |m| format!("margin {m:.4}"));
    format!(
        "{}\n\n{table}\npolicy {}, reason {}, bar {}, {margin}{}, decided in {:.0} us\n",
        decision.model,
        decision.policy,
        reason.trim_matches('"'),
        decision.bar,
        if decision.truncated { ", text truncated" } else { "" },
        decision.decision_us,
    )
}
