//! `farthing eval`: a router on requests that it was not trained on.

mod tables;

use std::path::{Path, PathBuf};

use farthing_data::{ReadOptions, read_decisions};
use farthing_eval::{EvalOptions, OtherRouter, Report, Subject, evaluate};
use farthing_model::{Parts, Router};

use crate::failure::Failure;
use crate::log_input::LogInput;
use crate::prices::load_router;
use crate::term;

/// Flags of `farthing eval`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory
    #[arg(value_name = "DIR")]
    router: PathBuf,
    #[command(flatten)]
    input: LogInput,
    /// One of the trained bars instead of the first
    #[arg(long)]
    bar: Option<f64>,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Resamples of the bootstrap
    #[arg(long, default_value_t = 2000)]
    resamples: u32,
    /// Show the prompts on which the router loses most
    #[arg(long)]
    show_prompts: bool,
    /// Columns that tell requests apart, beside those of training: slices and task means
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    label: Vec<String>,
    /// Another router's decisions, a CSV of `request_id,model`, to hold this one against; called by
    /// the file's stem unless a name is given
    #[arg(long, value_name = "[NAME=]FILE")]
    decisions: Vec<String>,
    /// Write the report as JSON; `-` prints it instead of the tables
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as a page for a browser: one file that loads nothing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let options = EvalOptions {
        seed: args.seed,
        resamples: args.resamples,
        bar: args.bar,
        show_prompts: args.show_prompts,
        decisions: other_routers(&args.decisions)?,
    };
    let report = evaluate_logs(args, &options)?;
    if let Some(path) = &args.html {
        std::fs::write(path, farthing_eval::page(&report)).map_err(Failure::write(path))?;
    }
    let Some(path) = &args.json else { return term::print(&tables::render(&report)) };
    if path == Path::new("-") {
        return term::print_json(&report);
    }
    let json = serde_json::to_string_pretty(&report)? + "\n";
    std::fs::write(path, json).map_err(Failure::write(path))?;
    term::print(&tables::render(&report))
}

/// Reads the files of `--decisions`.
fn other_routers(named: &[String]) -> Result<Vec<OtherRouter>, Failure> {
    let mut others: Vec<OtherRouter> = Vec::new();
    for argument in named {
        let (name, file) = match argument.split_once('=') {
            Some((name, file)) => (name.to_owned(), Path::new(file)),
            None => (stem(argument), Path::new(argument)),
        };
        if name.is_empty() || others.iter().any(|other| other.name == name) {
            return Err(Failure::bad_input(format!(
                "`--decisions {argument}` has no name of its own; hint: --decisions NAME=FILE.csv"
            )));
        }
        let decisions = read_decisions(file)?;
        if !decisions.ignored_columns.is_empty() {
            let columns = decisions.ignored_columns.join(", ");
            term::say(&format!("columns of `{}` ignored: {columns}", file.display()));
        }
        others.push(OtherRouter { name, decisions });
    }
    Ok(others)
}

fn stem(path: &str) -> String {
    Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn evaluate_logs(args: &Args, how: &EvalOptions) -> Result<Report, Failure> {
    let router = load_router(&args.router, args.input.price_file())?;
    let manifest = router.manifest();
    let options = ReadOptions {
        context: manifest.features.context.clone(),
        labels: args.label.clone(),
        labels_if_there: manifest.data.labels.clone(),
        prices: Some(router.prices().clone()),
        ..ReadOptions::default()
    };
    let rejects = PathBuf::from("eval.rejects.ndjson");
    let dataset = args.input.read(options, rejects)?;
    report(&args.router, &router, &dataset, how)
}

/// Evaluates with a progress count.
pub(crate) fn report(
    dir: &Path,
    router: &Router,
    dataset: &farthing_data::Dataset,
    options: &EvalOptions,
) -> Result<Report, Failure> {
    let (parts, _) = Parts::load(dir)?;
    let null = Router::null_of(&parts)?;
    let subject = Subject { router, null: null.as_ref(), seen: &parts.seen };
    let bar = term::counter("evaluating requests");
    let report = evaluate(subject, dataset, options, &|done| bar.set_position(done));
    bar.finish_and_clear();
    Ok(report?)
}

/// The report as tables.
pub(crate) fn render(report: &Report) -> String {
    tables::render(report)
}
