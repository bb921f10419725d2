//! What a person sees: data on stdout, everything else on stderr.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use farthing_data::{Dataset, LeftOut, ReadReport, Rejects};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::failure::Failure;

/// One message to stderr.
pub(crate) fn say(message: &str) {
    // Nobody is left to tell when stderr is closed.
    writeln!(io::stderr(), "{message}").unwrap_or_default();
}

/// Data to stdout.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().lock().write_all(text.as_bytes())?)
}

/// JSON to stdout.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// A spinner with a count, on stderr, shown only on a terminal.
pub(crate) fn counter(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix}: {human_pos}  {elapsed}");
    let bar = ProgressBar::no_length().with_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(100));
    with_style(bar, style)
}

/// A bar of known length, on stderr, shown only on a terminal.
pub(crate) fn steps(length: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {msg}  {elapsed}");
    let bar = ProgressBar::new(length as u64);
    bar.enable_steady_tick(Duration::from_millis(100));
    with_style(bar, style)
}

fn with_style(
    bar: ProgressBar,
    style: Result<ProgressStyle, indicatif::style::TemplateError>,
) -> ProgressBar {
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The path with something appended to its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A table of text on the left and numbers on the right.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.map(str::to_owned));
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((if i == 0 { 2 } else { 1 }, 1));
        if i > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}\n", table.trim_fmt())
}

/// A number for a table: zero has no minus sign, however it came about.
pub(crate) fn number(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| matches!(byte, b'0' | b'.')) => rest.to_owned(),
        _ => text,
    }
}

/// What reading a log came to, on stderr.
pub(crate) fn say_read(report: &ReadReport, rejects: &Rejects) {
    say(&format!("read {} rows", report.rows));
    let note = |count: u64, what: &str| {
        if count > 0 {
            say(&format!("  {count} {what}"));
        }
    };
    note(report.filtered_by_split, "rows of another split left out");
    note(report.not_judged, "rows without a score");
    note(report.priced, "costs filled in from tokens and prices");
    note(report.ambiguous_ids, "request ids name several different prompts, which were kept apart");
    note(
        report.disagreeing_labels,
        "requests have rows with different labels; the first in order was taken",
    );
    if report.repeated_pairs > 0 {
        say(&format!(
            "  {} (request, model) pairs were sampled several times ({} rows) and averaged; {} of them disagree",
            report.repeated_pairs, report.repeated_rows, report.disagreeing_pairs
        ));
    }
    for (model, rows) in &report.left_out_models {
        say(&format!("  {rows} rows of `{model}` left out by --models"));
    }
    for model in &report.absent_models {
        say(&format!("  warning: `{model}` of --models is not in the log"));
    }
    if !report.ignored_columns.is_empty() {
        let columns: Vec<_> = report.ignored_columns.iter().map(String::as_str).collect();
        say(&format!("  columns ignored: {}", columns.join(", ")));
    }
    say_rejects(rejects);
}

/// What a cap on requests left out, on stderr.
pub(crate) fn say_left_out(dataset: &Dataset) {
    if let Some(LeftOut { max_requests, requests, rows }) = dataset.left_out {
        say(&format!(
            "  {requests} requests ({rows} rows) left out, {} kept: --max-requests {max_requests}",
            dataset.records.len()
        ));
    }
}

/// What was rejected and where it is written down, on stderr.
pub(crate) fn say_rejects(rejects: &Rejects) {
    if rejects.total() > 0 {
        let place = rejects.path().map_or_else(String::new, |p| format!(", see `{}`", p.display()));
        say(&format!("  {} rows rejected: {}{place}", rejects.total(), rejects.summary()));
    }
}
