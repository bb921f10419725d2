//! What the router is held against, on the same requests.

use maud::{Markup, html};

use super::number::{Unit, counted};
use super::table::{Cell, Table};
use crate::{Baseline, BaselineKind, Frontier, Report};

/// Dials in one table, single ways of choosing in another.
pub(super) fn render(report: &Report) -> Markup {
    let Some(frontier) = &report.frontier else {
        return super::withheld("baselines", report.frontier_withheld.as_deref());
    };
    html! {
        p { (fitting(frontier)) }
        (dials(frontier))
        (points(frontier))
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
    let row = |baseline: &Baseline| {
        let cells = vec![
            Cell::estimate(baseline.earned_share_pct.as_ref(), Unit::Percent),
            Cell::estimate(baseline.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(baseline.aiq.as_ref(), Unit::Quality),
        ];
        (html! { (baseline.name) }, cells)
    };
    let router = Baseline {
        name: "this router".to_owned(),
        kind: BaselineKind::Dial,
        quality: None,
        cost_usd: None,
        router_gain: None,
        aiq: Some(frontier.aiq.router),
        earned_share_pct: frontier.earned_share_pct,
        saving_pct: saving_near_best(frontier),
    };
    let dials = frontier.baselines.iter().filter(|b| b.kind == BaselineKind::Dial);
    Table {
        caption: "Those with a dial from cheap to good; saved: at the best single model's quality less 0.005",
        columns: &["baseline", "earned share", "saved", "AIQ"],
        rows: [&router].into_iter().chain(dials).map(row).collect(),
    }
    .render_sortable()
}

fn saving_near_best(frontier: &Frontier) -> Option<crate::Estimate> {
    let near = frontier.cost_targets.iter().find(|t| t.target == "best_single_minus_0.005");
    near.and_then(|target| target.saving_pct)
}

fn points(frontier: &Frontier) -> Markup {
    let row = |baseline: &Baseline| {
        let cells = vec![
            Cell::estimate(baseline.quality.as_ref(), Unit::Quality),
            Cell::estimate(baseline.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(baseline.router_gain.as_ref(), Unit::Quality),
        ];
        (html! { (baseline.name) }, cells)
    };
    let points = frontier.baselines.iter().filter(|b| b.kind != BaselineKind::Dial);
    Table {
        caption: "Those that choose in one way; gain: the router's quality at the same cost less theirs",
        columns: &["baseline", "quality", "USD per 1,000", "the router's gain"],
        rows: points.map(row).collect(),
    }
    .render_sortable()
}
