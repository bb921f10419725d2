//! Other routers' decisions beside this one's.

use maud::{Markup, html};

use super::number::{Unit, counted};
use super::table::{Cell, Table};
use crate::OtherDecisions;

/// A table of them and what became of their decisions; nothing where there are none.
pub(super) fn render(others: &[OtherDecisions]) -> Markup {
    if others.is_empty() {
        return html! {};
    }
    let row = |other: &OtherDecisions| {
        let cells = vec![
            Cell::estimate(other.figures.quality.as_ref(), Unit::Quality),
            Cell::estimate(other.figures.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(other.paired.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(other.paired.quality_difference.as_ref(), Unit::Quality),
            Cell::count(other.paired.requests),
        ];
        (html! { (other.name) }, cells)
    };
    let table = Table {
        caption: "Other routers; saved and quality gained: by this router's default policy, on the requests that both decided",
        columns: &["router", "quality", "USD per 1,000", "saved", "quality gained", "requests"],
        rows: others.iter().map(row).collect(),
    };
    html! {
        (table.render_sortable())
        @for other in others {
            p.note {
                (other.name) " decides " (counted(other.rows, "request")) ": "
                (counted(other.matched_requests, "scored one")) ", " (other.seen_rows) " that training used, "
                (other.unmatched_rows) " that the log does not have."
                @if !other.unknown_models.is_empty() {
                    " Models that this router does not have:"
                    @for model in &other.unknown_models { " " (model.model) " (" (model.requests) ")" }
                    "."
                }
            }
        }
    }
}
