//! What the router is held against, on the same requests.

use maud::{Markup, html};

use super::number::{Unit, counted};
use super::table::{Cell, Table};
use crate::{Baseline, BaselineKind, Estimate, Frontier, Report};

/// Dials in one table, single ways of choosing in another, single models behind a fold.
pub(super) fn render(report: &Report) -> Markup {
    let Some(frontier) = &report.frontier else {
        return html! {
            (super::withheld("baselines", report.frontier_withheld.as_deref()))
            (super::decisions::render(&report.decisions))
        };
    };
    html! {
        p {
            "The earned share places a router between the zero router, which knows training averages only, at 0, and the "
            "oracle at 100. " (fitting(frontier)) " With its predictions shuffled among requests a router should be at 0 or below; learned from shuffled labels, it "
            "shows what knowing the cost of a request is worth by itself."
        }
        (dials(frontier))
        (points(frontier, BaselineKind::Point, "Those that choose in one way"))
        details {
            summary { "Against each single model" }
            (points(frontier, BaselineKind::SingleModel, "Everything to one model"))
        }
        (super::decisions::render(&report.decisions))
    }
}

fn fitting(frontier: &Frontier) -> Markup {
    let fitting = &frontier.fitting;
    html! {
        @match &fitting.withheld {
            Some(reason) => { "Baselines that learn are missing: " (reason) "." },
            None => {
                "Baselines that learn were fitted on " (counted(fitting.requests, "request"))
                " of this log that the router, too, was made from."
            },
        }
    }
}

fn dials(frontier: &Frontier) -> Markup {
    let near = frontier.cost_targets.iter().find(|t| t.target == "best_single_minus_0.005");
    let shuffled = &frontier.shuffled_control;
    let unknown: Option<Estimate> = None;
    let own = [
        (
            "this router",
            frontier.earned_share_pct,
            near.and_then(|target| target.saving_pct),
            Some(frontier.aiq.router),
        ),
        (
            "control: its predictions, shuffled",
            shuffled.earned_share_pct,
            unknown,
            Some(shuffled.aiq),
        ),
    ];
    let null = frontier.null_control.as_ref().map(|null| {
        let saving = near.and_then(|target| target.null_saving_pct);
        ("control: learned from shuffled labels", null.earned_share_pct, saving, Some(null.aiq))
    });
    let dials = frontier.baselines.iter().filter(|b| b.kind == BaselineKind::Dial);
    let dials = dials.map(|b| (b.name.as_str(), b.earned_share_pct, b.saving_pct, b.aiq));
    let row = |(name, earned, saving, aiq): (
        &str,
        Option<Estimate>,
        Option<Estimate>,
        Option<Estimate>,
    )| {
        let cells = vec![
            Cell::estimate(earned.as_ref(), Unit::Percent),
            Cell::estimate(saving.as_ref(), Unit::Percent),
            Cell::estimate(aiq.as_ref(), Unit::Quality),
        ];
        (html! { (name) }, cells)
    };
    Table {
        caption: "Those with a dial from cheap to good; saved: at the best single model's quality less 0.005; AIQ: mean quality from the cheapest to the dearest model's cost",
        columns: &["router", "earned share", "saved", "AIQ"],
        rows: own.into_iter().chain(null).chain(dials).map(row).collect(),
    }
    .render_sortable()
}

fn points(frontier: &Frontier, kind: BaselineKind, caption: &str) -> Markup {
    let row = |baseline: &Baseline| {
        let cells = vec![
            Cell::estimate(baseline.quality.as_ref(), Unit::Quality),
            Cell::estimate(baseline.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(baseline.router_gain.as_ref(), Unit::Quality),
        ];
        (html! { (baseline.name) }, cells)
    };
    let rows: Vec<_> = frontier.baselines.iter().filter(|b| b.kind == kind).map(row).collect();
    let caption = format!("{caption}; gain: this router's quality at the same cost less theirs");
    Table { caption: &caption, columns: &["baseline", "quality", "USD per 1,000", "gain"], rows }
        .render_sortable()
}
