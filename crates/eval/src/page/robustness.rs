//! Whether the default policy's choices depend on what they should.

use maud::{Markup, html};

use super::number::{Unit, counted, figure};
use super::table::{Cell, Table};
use crate::{ChangeFigures, Report, Robustness};

/// What harmless changes do, then what attempts to steer do.
pub(super) fn render(report: &Report) -> Markup {
    let robustness = &report.robustness;
    if robustness.kinds.iter().all(|kind| kind.requests == 0) {
        return super::withheld(
            "robustness figures",
            Some("no request could be changed and routed"),
        );
    }
    html! {
        p {
            "A sample of " (counted(robustness.requests, "request")) " was changed in ways that leave the task alone, and "
            "routed again. Of " (counted(robustness.pairs, "pair")) ", "
            strong { (figure(robustness.robustness_pct.as_ref(), Unit::Percent)) }
            " kept their model. Flips to a dearer model are what a user who wants to steer would be after."
        }
        (table(robustness, false, "Changes that people make without a thought"))
        (table(robustness, true, "Attempts to move the router"))
        p.note { "Differences are of logged quality and cost, over all pairs for which the log knows both sides." }
    }
}

fn table(robustness: &Robustness, steering: bool, caption: &str) -> Markup {
    let row = |kind: &ChangeFigures| {
        let cells = vec![
            Cell::estimate(kind.flip_pct.as_ref(), Unit::Percent),
            Cell::count(kind.to_dearer),
            Cell::count(kind.to_cheaper),
            Cell::estimate(kind.quality_change.as_ref(), Unit::Quality),
            Cell::estimate(kind.cost_change_usd.as_ref(), Unit::Usd),
            Cell::count(kind.requests),
        ];
        (html! { (kind.what) }, cells)
    };
    let kinds = robustness.kinds.iter().filter(|kind| kind.steering == steering);
    Table {
        caption,
        columns: &[
            "change",
            "flips",
            "to dearer",
            "to cheaper",
            "quality",
            "USD per 1,000",
            "pairs",
        ],
        rows: kinds.map(row).collect(),
    }
    .render_sortable()
}
