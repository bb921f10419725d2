//! The default policy, as it would serve.

use farthing_core::Reason;
use maud::{Markup, html};

use super::number::{Unit, counted, figure, show};
use super::table::{Cell, Table, bar};
use crate::{Comparison, Estimate, PolicyReport};

/// What it comes to, against whom, and what it chose.
pub(super) fn render(policy: &PolicyReport) -> Markup {
    let facts: [(&str, Option<&Estimate>, Unit); 7] = [
        ("quality", policy.quality.as_ref(), Unit::Quality),
        ("USD per 1,000 requests", policy.cost_usd.as_ref(), Unit::Usd),
        ("met the bar", policy.attainment_pct.as_ref(), Unit::Percent),
        ("no model was expected to be good enough", policy.abstained_pct.as_ref(), Unit::Percent),
        (
            "sent to something cheaper than the reference",
            policy.downgraded_pct.as_ref(),
            Unit::Percent,
        ),
        ("of those, missed the bar", policy.downgraded_miss_pct.as_ref(), Unit::Percent),
        (
            "of those, missed it where the reference met it",
            policy.downgraded_excess_miss_pct.as_ref(),
            Unit::Percent,
        ),
    ];
    html! {
        p {
            "The policy " code { (policy.policy) } " decided " (counted(policy.decided_requests, "request"))
            @if policy.undecided_requests > 0 {
                "; for " (counted(policy.undecided_requests, "other")) " no model was eligible"
            }
            "."
        }
        dl.facts {
            @for (what, value, unit) in facts { div { dt { (what) } dd { (figure(value, unit)) } } }
        }
        (comparisons(policy))
        (choices(policy))
        p {
            "Why: "
            @for (i, share) in policy.reasons.iter().enumerate() {
                @if i > 0 { ", " }
                (reason(share.reason)) " " (show(share.share_pct, Unit::Percent))
            }
            "."
        }
    }
}

/// A reason in words.
fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::CheapestAboveBar => "the cheapest that passed the bar",
        Reason::FallbackReference => "none passed, so the reference",
        Reason::FallbackBestQuality => "none passed, so the best expected",
        Reason::Utility => "the greatest utility",
        Reason::BestQuality => "the best expected",
        Reason::Cheapest => "the cheapest",
        Reason::Fixed => "named by the policy",
        Reason::Explored => "explored",
        Reason::NoneEligibleDefault => "nobody was eligible",
        Reason::Requested => "the client named it",
        Reason::Session => "its session stays with it",
        Reason::Rule => "a rule names it",
    }
}

fn comparisons(policy: &PolicyReport) -> Markup {
    let row = |(name, against): (&str, &Comparison)| {
        let cells = vec![
            Cell::text(html! { (against.model) }),
            Cell::estimate(against.saving_pct.as_ref(), Unit::Percent),
            Cell::estimate(against.quality_difference.as_ref(), Unit::Quality),
            Cell::count(against.costed_requests),
        ];
        (html! { (name) }, cells)
    };
    let best = policy.against_best_single.as_ref().map(|against| ("best single model", against));
    let rows = best.into_iter().chain([("reference", &policy.against_reference)]);
    Table {
        caption: "Against sending everything to one model",
        columns: &["against", "model", "saved", "quality difference", "requests"],
        rows: rows.map(row).collect(),
    }
    .render()
}

fn choices(policy: &PolicyReport) -> Markup {
    html! {
        h3 { "Who answers" }
        ul.mix {
            @for choice in policy.choices.iter().filter(|choice| choice.requests > 0) {
                li {
                    span.name { (choice.model) }
                    (bar(choice.share_pct))
                    span.share { (show(choice.share_pct, Unit::Percent)) }
                }
            }
        }
    }
}
