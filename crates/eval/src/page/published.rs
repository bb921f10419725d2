//! Metrics as others have published them, to compare with their papers.

use maud::{Markup, html};

use super::number::{Unit, counted};
use super::table::{Cell, Table};
use crate::{PairReport, Report};

/// `RouteLLM`'s figures, or why there are none.
pub(super) fn render(report: &Report) -> Markup {
    match &report.pair {
        Some(pair) => self::pair(pair),
        None => super::withheld("RouteLLM figures", report.pair_withheld.as_deref()),
    }
}

fn pair(pair: &PairReport) -> Markup {
    let rows = [
        ("APGR: average performance gap recovered", Some(&pair.apgr), Unit::Quality),
        (
            "CPT(50 %): strong calls that recover half of the gap",
            pair.cpt50_pct.as_ref(),
            Unit::Percent,
        ),
        (
            "CPT(80 %): strong calls that recover four fifths of it",
            pair.cpt80_pct.as_ref(),
            Unit::Percent,
        ),
        ("quality of the weak model", Some(&pair.weak_quality), Unit::Quality),
        ("quality of the strong model", Some(&pair.strong_quality), Unit::Quality),
    ];
    let row = |(name, estimate, unit)| (html! { (name) }, vec![Cell::estimate(estimate, unit)]);
    html! {
        p {
            strong { (pair.weak) } " as the weak model, " strong { (pair.strong) } " as the strong one, on "
            (counted(pair.requests, "request")) " that both answered; a coin has an APGR of 0.5."
        }
        (Table {
            caption: "As RouteLLM's code computes them",
            columns: &["metric", "value"],
            rows: rows.map(row).into(),
        }.render())
    }
}
