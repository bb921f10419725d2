//! `farthing simulate`: synthetic traffic with known truth.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use farthing_data::LogWriter;
use farthing_sim::{CONTEXT_COLUMN, Config, LABEL_COLUMN, LogPolicy, generate};

use crate::failure::Failure;
use crate::term;

/// Flags of `farthing simulate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the outcome log goes; the extension (.parquet, .ndjson, .csv) chooses the format
    #[arg(short, long, value_name = "LOG")]
    output: PathBuf,
    /// Number of requests
    #[arg(long, value_name = "N")]
    rows: usize,
    /// Seed: the same seed gives the same bytes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Which candidates answer a request
    #[arg(long, default_value = "full", value_parser = PossibleValuesParser::new(LogPolicy::NAMES))]
    log_policy: String,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let log_policy = LogPolicy::from_name(&args.log_policy)
        .ok_or_else(|| Failure::bad_input(format!("unknown log policy: `{}`", args.log_policy)))?;
    let config = Config { rows: args.rows, seed: args.seed, log_policy };
    let extra = [CONTEXT_COLUMN.to_owned(), LABEL_COLUMN.to_owned()];
    let mut writer = LogWriter::create(&args.output, &extra)?;
    let bar = term::steps(args.rows);
    let mut rows = 0_u64;
    for request in generate(config) {
        for row in &request.rows {
            writer.write(row)?;
            rows += 1;
        }
        bar.inc(1);
    }
    writer.finish()?;
    bar.finish_and_clear();
    term::say(&format!(
        "wrote {} synthetic requests, {rows} rows, to `{}`",
        args.rows,
        args.output.display()
    ));
    Ok(())
}
