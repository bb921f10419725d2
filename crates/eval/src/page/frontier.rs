//! The cost/quality plane with its slider, and what qualities cost.

use maud::{Markup, html};

use super::number::{Unit, counted, figure, show};
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
    let plane = Plane { frontier, policy: &report.policy, settings: &settings, chosen };
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
        (areas(frontier))
    }
}

fn targets(frontier: &Frontier) -> Markup {
    let name = |target: &str| match target {
        "best_single_100_pct" => "the best single model's quality",
        "best_single_minus_0.005" => "that less 0.005",
        _ => "95\u{a0}% of it",
    };
    let row = |target: &crate::CostTarget| {
        let ratio = target.ratio_to_best_single.map(|ratio| ratio.affine(100.0, 0.0));
        let cells = vec![
            Cell::number(Some(target.quality), Unit::Quality),
            Cell::estimate(target.cost_usd.as_ref(), Unit::Usd),
            Cell::estimate(ratio.as_ref(), Unit::Percent),
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
            (figure(Some(&best.cost_usd), Unit::Usd)) " USD per 1,000 requests. A dash: never reached."
        }
        (Table {
            caption: "What it costs to reach a quality, in USD per 1,000 requests",
            columns: &["to reach", "quality", "this router", "of best single", "without reading requests"],
            rows: frontier.cost_targets.iter().rev().map(row).collect(),
        }.render())
    }
}

fn areas(frontier: &Frontier) -> Markup {
    let aiq = &frontier.aiq;
    let rows = [
        ("oracle: knows every answer", &aiq.oracle_sweep),
        ("this router", &aiq.router),
        ("best mix of single models, in hindsight", &aiq.hindsight_zero),
        ("zero router: training averages only", &aiq.fitted_zero),
        ("control: predictions shuffled among requests", &frontier.shuffled_control.aiq),
    ];
    let row =
        |(name, aiq): (&str, _)| (html! { (name) }, vec![Cell::estimate(Some(aiq), Unit::Quality)]);
    html! {
        h3 { "Mean quality along the cost range" }
        p {
            "One number for a whole curve (AIQ). The earned share places this router between the zero router, 0, and the oracle, 100: "
            @match &frontier.earned_share_pct {
                Some(earned) => strong { (figure(Some(earned), Unit::Percent)) },
                None => "not defined here, since the two are alike",
            }
            ". The control should be at the zero router or below: "
            (show_control(frontier)) "."
        }
        (Table { caption: "Mean quality from the cheapest to the dearest model's cost", columns: &["router", "AIQ"], rows: rows.map(row).into() }.render())
    }
}

fn show_control(frontier: &Frontier) -> String {
    let control = frontier.shuffled_control.earned_share_pct;
    control.map_or_else(|| "not defined".to_owned(), |share| show(share.value, Unit::Percent))
}
