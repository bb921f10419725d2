//! What the report rests on, and how to make it again.

use maud::{Markup, html};

use super::number::{count, counted};
use crate::{DataCounts, Report};

/// Counts, fingerprints and settings; what the log or the router lacked.
pub(super) fn render(report: &Report) -> Markup {
    let data = &report.data;
    let counts = [
        ("requests in the log", data.log_requests),
        ("skipped: seen in training", data.seen_requests),
        ("scored", data.scored_requests),
        ("groups of near-duplicate prompts among them", data.scored_groups),
        ("answered by every priced model", data.complete_requests),
    ];
    let settings = &report.settings;
    html! {
        dl.facts { @for (what, number) in counts { div { dt { (what) } dd { (count(number)) } } } }
        (missing(data))
        h3 { "To make it again" }
        p { "The same router, log, flags and settings give the same report, byte for byte." }
        dl.prints {
            dt { "router" } dd { code { (report.router) } }
            dt { "scored requests" } dd { code { (data.scored_digest) } }
            dt { "settings" }
            dd {
                "bar " (settings.bar) ", seed " (settings.seed) ", " (count(settings.resamples.into()))
                " bootstrap resamples by group, " (settings.interval_pct) "\u{a0}% intervals, report format "
                (report.format_version)
            }
        }
    }
}

fn missing(data: &DataCounts) -> Markup {
    let ignored = data.ignored_candidates.iter().map(|candidate| {
        format!("{} ({})", candidate.model, counted(candidate.requests, "request"))
    });
    let lists: [(&str, Vec<String>); 3] = [
        ("Models of the router without outcomes here", data.absent_candidates.clone()),
        ("Models of unknown cost, and so not on the plane", data.unpriced_candidates.clone()),
        ("Models of the log that the router does not have", ignored.collect()),
    ];
    html! {
        @for (what, names) in lists.iter().filter(|(_, names)| !names.is_empty()) {
            p { strong { (what) ": " } (names.join(", ")) "." }
        }
    }
}
