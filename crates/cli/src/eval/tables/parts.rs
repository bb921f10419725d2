//! The default policy on parts of the log, and on changed requests.

use farthing_eval::{ChangeFigures, Robustness, Slice};

use super::format::{alone, name, per_1k, percent, score, section, wrapped};
use crate::term::table;

/// Values of a column that are shown.
const VALUES: usize = 8;

/// The largest slices of each column.
pub(super) fn slices(slices: &[Slice]) -> String {
    let columns = slices.chunk_by(|a, b| a.column == b.column);
    let mut body = String::new();
    for column in columns {
        let row = |slice: &Slice| {
            let value = name(&slice.value);
            let requests = slice.requests.to_string();
            let Some(figures) = &slice.figures else {
                let none = || "too few".to_owned();
                return [value, requests, none(), none(), none(), none()];
            };
            [
                value,
                requests,
                score(alone(figures.quality.as_ref()).as_ref()),
                per_1k(alone(figures.cost_usd.as_ref()).as_ref()),
                percent(figures.saving_pct.as_ref()),
                score(figures.quality_difference.as_ref()),
            ]
        };
        let header =
            [&column[0].column, "requests", "quality", "USD/1k", "saved, %", "quality less best"];
        body.push('\n');
        body += &table(header, column.iter().take(VALUES).map(row).collect());
        let left = column.len().saturating_sub(VALUES);
        if left > 0 {
            body += &wrapped(&format!("  and {left} smaller ones, in --json"));
        }
    }
    section("Parts of the log, against the best single model", &body)
}

/// Choices on changed requests.
pub(super) fn robustness(found: &Robustness) -> String {
    let row = |kind: &ChangeFigures| {
        [
            kind.change.name().replace('_', " "),
            kind.requests.to_string(),
            percent(kind.flip_pct.as_ref()),
            kind.to_dearer.to_string(),
            kind.to_cheaper.to_string(),
            score(kind.quality_change.as_ref()),
            per_1k(alone(kind.cost_change_usd.as_ref()).as_ref()),
        ]
    };
    let title = format!(
        "Changed requests: {} % of {} harmless changes do not move the choice; the last four try to",
        percent(found.robustness_pct.as_ref()),
        found.pairs,
    );
    let header = ["", "requests", "moved, %", "dearer", "cheaper", "quality", "USD/1k"];
    section(&title, &table(header, found.kinds.iter().map(row).collect()))
}
