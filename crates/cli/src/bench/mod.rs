//! `farthing bench`: how long a router's decisions take on this machine, by length of the prompt.
//!
//! A decision is all between the parsed request and the choice: routing text, features, heads,
//! calibration, constraints, policy; on one thread, each prompt seen for the first time. HTTP is
//! measured elsewhere.

mod prompts;

use std::hint::black_box;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Instant;

use farthing_core::{Request, RouteOptions};
use farthing_data::{ReadOptions, Rejects, read_log};
use farthing_model::{Circumstances, Router, Scorer};
use serde::Serialize;

use crate::failure::Failure;
use crate::term;
use prompts::{Prompts, Text};

/// Flags of `farthing bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory
    #[arg(value_name = "DIR")]
    router: PathBuf,
    /// Take the words of prompts from this outcome log instead of from synthetic ones
    #[arg(long, value_name = "LOG")]
    log: Option<PathBuf>,
    /// Decisions that are timed for each length
    #[arg(long, value_name = "N", default_value = "5000")]
    decisions: NonZero<usize>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Times of the decisions on one kind of prompt, in microseconds.
#[derive(Debug, Serialize)]
struct Row {
    /// What the prompts are.
    prompt: String,
    /// Bytes of each, at least.
    bytes: usize,
    decisions: usize,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let router = Router::load(&args.router)?;
    let prompts = match &args.log {
        None => Prompts::synthetic(),
        Some(log) => Prompts::of(log_prompts(log)?),
    };
    let kinds = Text::all();
    let bar = term::steps(kinds.len());
    let mut rows = Vec::new();
    for kind in kinds {
        bar.set_message(kind.name());
        rows.push(time(&router, &prompts, kind, args.decisions.get())?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if args.json {
        return term::print_json(&rows);
    }
    term::print(&table(&rows))?;
    let candidates = router.candidates().len();
    term::say(&format!(
        "microseconds for one decision among {candidates} candidates, on one thread, first sight of each prompt"
    ));
    Ok(())
}

fn log_prompts(log: &PathBuf) -> Result<Vec<String>, Failure> {
    let mut rejects = Rejects::count_only();
    let read = read_log(std::slice::from_ref(log), &ReadOptions::default(), &mut rejects, &|_| {});
    let (dataset, _) = read.inspect_err(|_| term::say_rejects(&rejects))?;
    term::say_rejects(&rejects);
    Ok(dataset.records.iter().map(|record| record.request.full_text()).collect())
}

/// Times decisions on prompts of one kind, after as many untimed ones that warm the caches.
fn time(router: &Router, prompts: &Prompts, kind: Text, decisions: usize) -> Result<Row, Failure> {
    // A long prompt takes longer to write than to decide on.
    let decisions = decisions.min((256 << 20) / kind.bytes());
    let warm_up = decisions.div_ceil(4);
    let (mut scorer, options) = (Scorer::default(), RouteOptions::default());
    let mut times = Vec::with_capacity(decisions);
    for i in 0..warm_up + decisions {
        let request = Request::from_prompt(prompts.text(kind, i))?;
        let start = Instant::now();
        black_box(router.route(
            &mut scorer,
            black_box(&request),
            &options,
            Circumstances::drawn(1.0),
        )?);
        if i >= warm_up {
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    times.sort_unstable_by(f64::total_cmp);
    Ok(Row {
        prompt: kind.name(),
        bytes: kind.bytes(),
        decisions,
        p50_us: quantile(&times, 0.5),
        p99_us: quantile(&times, 0.99),
        p999_us: quantile(&times, 0.999),
    })
}

/// The least value that a share of `share` of the ascending values does not exceed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the values")]
fn quantile(ascending: &[f64], share: f64) -> f64 {
    let rank = (share * ascending.len() as f64).ceil() as usize;
    ascending[rank.clamp(1, ascending.len()) - 1]
}

fn table(rows: &[Row]) -> String {
    let row = |row: &Row| {
        [
            row.prompt.clone(),
            row.bytes.to_string(),
            row.decisions.to_string(),
            term::number(row.p50_us, 1),
            term::number(row.p99_us, 1),
            term::number(row.p999_us, 1),
        ]
    };
    let header = ["prompt", "bytes", "decisions", "p50", "p99", "p99.9"];
    term::table(header, rows.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_values() {
        let values: Vec<f64> = (1..=1000).map(f64::from).collect();
        for (share, expected) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (0.999, 999.0)] {
            assert!((quantile(&values, share) - expected).abs() < 1e-9, "{share}");
        }
        assert!((quantile(&[7.0], 0.999) - 7.0).abs() < 1e-9);
    }
}
