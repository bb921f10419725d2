//! Each candidate on its own.

use maud::{Markup, html};

use super::number::Unit;
use super::table::{Cell, Table};
use crate::Report;

/// A table to sort.
pub(super) fn render(report: &Report) -> Markup {
    let row = |candidate: &crate::CandidateFigures| {
        let cells = vec![
            Cell::estimate(candidate.mean_score.as_ref(), Unit::Quality),
            Cell::estimate(candidate.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(candidate.attainment_pct.as_ref(), Unit::Percent),
            Cell::count(candidate.judged_requests),
        ];
        (html! { (candidate.model) }, cells)
    };
    let table = Table {
        caption: "Each model over the requests that it answered",
        columns: &["model", "quality", "USD per 1,000", "bar met", "judged requests"],
        rows: report.candidates.iter().map(row).collect(),
    };
    html! {
        p { "Where models answered different requests, these figures do not compare; those of the plane do." }
        (table.render_sortable())
    }
}
