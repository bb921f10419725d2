//! Metrics as others have published them, to compare with their papers.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::number;
use super::table::{Cell, Table};
use crate::{PairReport, PublishedMetric, Report, Unit};

/// What this log allows, as a table; what it does not, by reason.
pub(super) fn render(report: &Report) -> Markup {
    let (found, missing): (Vec<&PublishedMetric>, Vec<_>) =
        report.published.iter().partition(|metric| metric.estimate.is_some());
    html! {
        p {
            "Each metric as its source defines it, paper or code; the same name elsewhere may mean something else."
            @if let Some(pair) = &report.pair { " " (roles(pair)) }
        }
        @if !found.is_empty() {
            (Table {
                caption: "Published metrics of this router on this log",
                columns: &["metric", "source", "value", "requests"],
                rows: found.into_iter().map(row).collect(),
            }.render_sortable())
        }
        @if !missing.is_empty() { (withheld(&missing)) }
    }
}

fn roles(pair: &PairReport) -> Markup {
    html! {
        "Of the two models " strong { (pair.weak) } " is taken as the weak one, " strong { (pair.strong) } " as the strong one."
    }
}

fn row(metric: &PublishedMetric) -> (Markup, Vec<Cell>) {
    let (unit, note) = match metric.unit {
        Unit::Share => (number::Unit::Quality, ""),
        Unit::Percent => (number::Unit::Percent, ""),
        Unit::Usd => (number::Unit::Usd, ", in USD per 1,000 requests"),
        Unit::Bits => (number::Unit::Quality, ", in bits"),
    };
    let cells = vec![
        Cell::text(html! { (metric.source) }),
        Cell::estimate(metric.estimate.as_ref(), unit),
        Cell::count(metric.requests),
    ];
    (html! { (metric.name) (note) }, cells)
}

/// Metrics without a number, those of one reason together.
fn withheld(missing: &[&PublishedMetric]) -> Markup {
    let mut reasons: BTreeMap<&str, Vec<&PublishedMetric>> = BTreeMap::new();
    for metric in missing {
        let reason = metric.withheld.as_deref().unwrap_or("it was not computed");
        reasons.entry(reason).or_default().push(metric);
    }
    html! {
        details {
            summary { (number::counted(missing.len() as u64, "metric")) " that this log does not allow, and why" }
            dl.prints {
                @for (reason, metrics) in &reasons {
                    dt { (reason) }
                    dd {
                        ul { @for metric in metrics { li { (metric.name) " (" (metric.source) ")" } } }
                    }
                }
            }
        }
    }
}
