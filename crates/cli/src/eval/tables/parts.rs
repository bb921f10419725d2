//! The default policy on parts of the log, and on changed requests.

use farthing_eval::{ChangeFigures, Robustness, Slice};

use super::format::{alone, difference, name, note, per_1k, percent, percent_said, score, section};
use crate::term::table;

/// Values of a column that are shown.
const VALUES: usize = 5;

/// The largest slices of each column.
pub(super) fn slices(slices: &[Slice]) -> String {
    let columns = slices.chunk_by(|a, b| a.column == b.column);
    let mut body = String::new();
    for column in columns {
        let row = |slice: &Slice| {
            let value = name(&slice.value);
            let requests = slice.requests.to_string();
            let Some(figures) = &slice.figures else {
                let [a, b, c] = [(); 3].map(|()| String::new());
                return [value, requests, "too few".to_owned(), a, b, c];
            };
            [
                value,
                requests,
                score(alone(figures.quality.as_ref()).as_ref()),
                per_1k(alone(figures.cost_usd.as_ref()).as_ref()),
                percent(figures.saving_pct.as_ref()),
                difference(figures.quality_difference.as_ref()),
            ]
        };
        let header =
            [&column[0].column, "requests", "quality", "USD/1k", "saved, %", "quality less best"];
        body.push('\n');
        body += &table(header, column.iter().take(VALUES).map(row).collect());
        let left = column.len().saturating_sub(VALUES);
        if left > 0 {
            body += &note(&format!("and {left} smaller ones, in --json"));
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
            difference(kind.quality_change.as_ref()),
            per_1k(alone(kind.cost_change_usd.as_ref()).as_ref()),
        ]
    };
    let kinds = |what: &str, steering: bool| {
        let kinds = found.kinds.iter().filter(|kind| kind.steering == steering);
        let header = [what, "requests", "moved, %", "dearer", "cheaper", "quality", "USD/1k"];
        table(header, kinds.map(row).collect())
    };
    let title = format!(
        "Changed requests: {} of {} harmless changes leave the choice as it was",
        percent_said(found.robustness_pct.as_ref()),
        found.pairs,
    );
    section(&title, &[kinds("harmless", false), kinds("steering", true)].join("\n"))
}
