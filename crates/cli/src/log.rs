//! `farthing log`: what a server logged -> an outcome log, or Parquet.

use std::path::PathBuf;

use clap::Subcommand;
use farthing_data::{CompactReport, JoinOptions, JoinReport, Rejects, compact, join};

use crate::failure::Failure;
use crate::term;

/// What to do with it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Decisions and outcomes -> an outcome log that `train` and `eval` read
    Join(JoinArgs),
    /// Sealed segments -> Parquet, by UTC day
    Compact(CompactArgs),
}

/// Flags of `farthing log join`.
#[derive(Debug, clap::Args)]
pub(crate) struct JoinArgs {
    /// Folders that `farthing serve --log` writes to, or what `farthing log compact` made of them
    #[arg(value_name = "DIR", required = true)]
    dirs: Vec<PathBuf>,
    /// Where the outcome log goes; the extension (.parquet, .ndjson, .csv) chooses the format
    #[arg(short, long, value_name = "LOG")]
    output: PathBuf,
    /// A table with a `prompt` or `messages` column: texts for decisions of which only the digest is
    /// stored
    #[arg(long, value_name = "FILE")]
    prompts: Vec<PathBuf>,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

/// Flags of `farthing log compact`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompactArgs {
    /// The folder that `farthing serve --log` writes to
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The folder for the Parquet files; the same segment always gives the same file
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Print the counts as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Join(args) => run_join(args),
        Command::Compact(args) => run_compact(args),
    }
}

fn run_join(args: &JoinArgs) -> Result<(), Failure> {
    let options = JoinOptions {
        dirs: args.dirs.clone(),
        output: args.output.clone(),
        prompts: args.prompts.clone(),
    };
    let mut rejects = Rejects::to_file(args.output.with_extension("rejects.ndjson"));
    let bar = term::counter("joining rows");
    let joined = join(&options, &mut rejects, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    let report = joined.inspect_err(|_| term::say_rejects(&rejects))?;
    say_joined(&report, args);
    term::say_rejects(&rejects);
    if args.json {
        term::print_json(&report)?;
    }
    Ok(())
}

fn say_joined(report: &JoinReport, args: &JoinArgs) {
    term::say(&format!(
        "joined {} outcomes with {} decisions: {} rows in `{}`",
        report.outcomes,
        report.decisions,
        report.joined,
        args.output.display()
    ));
    let note = |count: u64, what: &str| {
        if count > 0 {
            term::say(&format!("  {count} {what}"));
        }
    };
    note(report.not_judged, "rows without a score");
    note(report.duplicate, "outcomes repeat or replace an earlier one of the same source");
    note(report.no_decision, "outcomes of decisions that are not there (no_decision)");
    note(report.without_outcome, "decisions without an outcome");
    note(report.gone, "files were deleted before they could be read");
    note(report.repeated_decisions, "decisions are there more than once; the first counts");
    let hint = if args.prompts.is_empty() {
        "give the texts with `--prompts FILE`, or serve with `--log-prompts full`"
    } else {
        "the files of `--prompts` do not have them"
    };
    note(
        report.no_prompt_stored,
        &format!("rows left out, their prompts are not stored (no_prompt_stored); hint: {hint}"),
    );
    if !report.context.is_empty() {
        let names = report.context.join(",");
        term::say(&format!("  context columns: {names}; hint: `farthing train --context {names}`"));
    }
    if !report.context_left_out.is_empty() {
        let names = report.context_left_out.join(", ");
        term::say(&format!(
            "  warning: context left out, its names are taken or too many: {names}"
        ));
    }
}

fn run_compact(args: &CompactArgs) -> Result<(), Failure> {
    std::fs::create_dir_all(&args.output).map_err(Failure::write(&args.output))?;
    let mut rejects = Rejects::to_file(args.output.join("rejects.ndjson"));
    let bar = term::counter("compacting rows");
    let compacted = compact(&args.dir, &args.output, &mut rejects, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    let report = compacted.inspect_err(|_| term::say_rejects(&rejects))?;
    let CompactReport { segments, open, gone, decisions, outcomes, files, .. } = &report;
    term::say(&format!(
        "wrote {decisions} decisions and {outcomes} outcomes of {segments} segments to {files} files in `{}`",
        args.output.display()
    ));
    if *open > 0 {
        term::say(&format!("  {open} segments are still written to and were left alone"));
    }
    if *gone > 0 {
        term::say(&format!("  {gone} segments were deleted before they could be read"));
    }
    term::say_rejects(&rejects);
    if args.json {
        term::print_json(&report)?;
    }
    Ok(())
}
