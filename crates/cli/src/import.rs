//! `farthing import`: foreign logs -> outcome log.

use std::path::PathBuf;

use farthing_data::{ImportOptions, Recipe, Rejects, import};

use crate::failure::Failure;
use crate::term;

/// Flags of `farthing import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files to import: Parquet, NDJSON or CSV
    #[arg(value_name = "IN", required = true)]
    inputs: Vec<PathBuf>,
    /// Where the outcome log goes; the extension (.parquet, .ndjson, .csv) chooses the format
    #[arg(short, long, value_name = "LOG")]
    output: PathBuf,
    /// A recipe: a built-in name or a TOML file
    #[arg(long, value_name = "RECIPE")]
    from: Option<String>,
    /// Columns by name: `prompt=question,score=correct`
    #[arg(long, value_name = "TARGET=SOURCE,..")]
    map: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let recipe = args.from.as_deref().map(Recipe::load).transpose()?.unwrap_or_default();
    let options = ImportOptions {
        inputs: args.inputs.clone(),
        output: args.output.clone(),
        recipe: recipe.with_map(&args.map)?,
    };
    let mut rejects = Rejects::to_file(args.output.with_extension("rejects.ndjson"));
    let bar = term::counter("importing rows");
    let imported = import(&options, &mut rejects, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    let report = imported.inspect_err(|_| term::say_rejects(&rejects))?;
    term::say(&format!(
        "wrote {} of {} rows to `{}`: {} models, {} rows without a score",
        report.written,
        report.rows,
        args.output.display(),
        report.models.len(),
        report.not_judged,
    ));
    if report.empty_cells > 0 {
        term::say(&format!("  {} empty cells of the wide table left out", report.empty_cells));
    }
    if !report.ignored_columns.is_empty() {
        let columns: Vec<_> = report.ignored_columns.iter().map(String::as_str).collect();
        term::say(&format!("  columns ignored: {}", columns.join(", ")));
    }
    term::say_rejects(&rejects);
    Ok(())
}
