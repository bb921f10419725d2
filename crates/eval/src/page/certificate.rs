//! What was certified in training.

use farthing_model::{Certificate, SliceBounds};
use maud::{Markup, html};

use super::headline::promise;
use super::number::{Unit, count, counted, show};
use super::table::{Cell, Table};
use crate::Report;

/// The promise, what it rests on, and the same by slice.
pub(super) fn render(report: &Report) -> Markup {
    html! {
        p { (promise(report)) }
        @if let Some(certificate) = &report.certificate { (details(certificate)) }
    }
}

fn details(certificate: &Certificate) -> Markup {
    let percent = |share: f64| show(100.0 * share, Unit::Percent);
    html! {
        p {
            "From training, not from this log: " (count(certificate.downgraded)) " of "
            (counted(certificate.requests, "request")) " set aside were sent to something cheaper. Of those, "
            (count(certificate.excess_misses)) " missed the bar where the reference met it (upper bound "
            (percent(certificate.excess_bound)) ") and " (count(certificate.misses))
            " missed it at all (" (percent(certificate.miss_bound))
            "). Those bounds are of the threshold that was chosen, and not corrected for choosing it. "
            "The promise lapses where traffic drifts."
        }
        @if !certificate.slices.is_empty() { (slices(&certificate.slices)) }
    }
}

fn slices(slices: &[SliceBounds]) -> Markup {
    let bound = |bound: Option<f64>| match bound {
        Some(bound) => Cell::number(Some(100.0 * bound), Unit::Percent),
        None => Cell::unknown("too few"),
    };
    let row = |slice: &SliceBounds| {
        let cells = vec![
            Cell::count(slice.requests),
            Cell::count(slice.bounds.downgraded),
            bound(slice.bounds.excess_bound),
            bound(slice.bounds.miss_bound),
        ];
        (html! { (slice.column) " = " (slice.value) }, cells)
    };
    Table {
        caption: "The bounds by slice of the traffic, each on its own",
        columns: &[
            "slice",
            "requests",
            "sent cheaper",
            "misses that the reference would not, at most",
            "any miss, at most",
        ],
        rows: slices.iter().map(row).collect(),
    }
    .render_sortable()
}
