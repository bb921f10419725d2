//! The default policy on parts of the log.

use maud::{Markup, html};

use super::number::Unit;
use super::table::{Cell, Table};
use crate::{Report, Slice};

/// A table to sort: by saving or quality difference it shows where the router earns and where it loses.
pub(super) fn render(report: &Report) -> Markup {
    if report.slices.is_empty() {
        return super::withheld("slices", Some("the log has nothing to slice by"));
    }
    let best = report.policy.against_best_single.as_ref().map(|against| against.model.as_str());
    html! {
        p {
            "Savings and differences are against "
            @match best { Some(best) => { "sending everything to " strong { (best) } }, None => "the best single model" }
            ". Sort by a column to see where it earns and where it loses. Many slices are looked at: one of twenty may stand out by chance."
        }
        (Table {
            caption: "The default policy by context, label, language, length and turns",
            columns: &["slice", "requests", "quality", "difference", "saved", "USD per 1,000", "bar met"],
            rows: report.slices.iter().map(row).collect(),
        }.render_sortable())
    }
}

fn row(slice: &Slice) -> (Markup, Vec<Cell>) {
    let mut cells = vec![Cell::count(slice.requests)];
    match &slice.figures {
        Some(figures) => cells.extend([
            Cell::estimate(figures.quality.as_ref(), Unit::Quality),
            Cell::estimate(figures.quality_difference.as_ref(), Unit::Quality),
            Cell::estimate(figures.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(figures.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(figures.attainment_pct.as_ref(), Unit::Percent),
        ]),
        None => cells.extend((0..5).map(|_| Cell::unknown("too few"))),
    }
    (html! { (slice.column) ": " (slice.value) }, cells)
}
