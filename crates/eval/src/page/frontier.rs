//! The cost/quality plane with its slider, and what qualities cost.

use maud::{Markup, html};

use super::number::{Unit, counted, figure};
use super::plane::Plane;
use super::table::{Cell, Table};
use super::{dial, withheld};
use crate::{Frontier, Report};

/// The section, or why there is none.
pub(super) fn render(report: &Report) -> Markup {
    let Some(frontier) = &report.frontier else {
        return withheld("cost/quality plane", report.frontier_withheld.as_deref());
    };
    let settings = dial::settings(frontier);
    let chosen = dial::first_choice(frontier, &settings);
    let plane = Plane { frontier, settings: &settings, chosen };
    html! {
        p {
            "Up is better, left is cheaper. Every point is measured on the same "
            (counted(frontier.requests, "request")) ", which all priced models answered."
        }
        @match plane.render() {
            Some(plane) => (plane),
            None => (withheld("picture", Some("no model costs anything"))),
        }
        (dial::render(frontier, &settings, chosen))
        (targets(frontier))
    }
}

fn targets(frontier: &Frontier) -> Markup {
    let name = |target: &str| match target {
        "best_single_100_pct" => "the best single model's quality",
        "best_single_minus_0.005" => "that less 0.005",
        _ => "95\u{a0}% of it",
    };
    let row = |target: &crate::CostTarget| {
        let cells = vec![
            Cell::number(Some(target.quality), Unit::Quality),
            Cell::estimate(target.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(target.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(target.earned_saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(target.fitted_zero_cost_usd.as_ref(), Unit::Usd),
        ];
        (html! { (name(&target.target)) }, cells)
    };
    let best = &frontier.best_single;
    html! {
        h3 { "What quality costs" }
        p {
            "The best single model is " strong { (best.model) } ": quality "
            (figure(Some(&best.quality), Unit::Quality)) " at "
            (figure(Some(&best.cost_usd), Unit::Usd)) " USD per 1,000 requests. "
            "What learning saves is what remains after the saving of the same learners on shuffled labels. A dash: never reached, or not known."
        }
        (Table {
            caption: "What it costs to reach a quality, for 1,000 requests",
            columns: &[
                "to reach",
                "quality",
                "this router, USD",
                "saved",
                "saved by learning",
                "zero router, USD",
            ],
            rows: frontier.cost_targets.iter().rev().map(row).collect(),
        }.render())
    }
}
