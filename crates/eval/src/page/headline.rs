//! What the router is worth, in words, with how sure that is.

use farthing_model::Guarantee;
use maud::{Markup, html};

use super::number::{Unit, count, counted, range, show};
use crate::{CostTarget, Estimate, Frontier, Report};

/// The title, the verdict and the few figures behind it.
pub(super) fn render(report: &Report) -> Markup {
    let data = &report.data;
    let requests = report.frontier.as_ref().map_or(data.scored_requests, |f| f.requests);
    let groups = report.frontier.as_ref().map_or(data.scored_groups, |f| f.groups);
    html! {
        p.kicker { "Farthing router report" }
        h1 { (verdict(report)) }
        div.cards {
            (policy_card(report))
            @if let Some(frontier) = &report.frontier { (cards(frontier)) }
            (card("requests behind this", &count(requests), &html! {
                "none of them seen in training; " (counted(groups, "group")) " of near-duplicates"
            }))
        }
        p.promise { (promise(report)) }
    }
}

/// One sentence on what would be served; what the interval does not support is not claimed.
fn verdict(report: &Report) -> Markup {
    let against = report.policy.against_best_single.as_ref();
    let Some((saving, against)) = against.and_then(|a| Some((a.saving_pct?, a))) else {
        return html! { "This log cannot say what the router saves" };
    };
    let best = model(&against.model);
    let quality = against.quality_difference.map(|difference| {
        html! { ", quality " (signed_quality(difference.value)) }
    });
    html! {
        @match (saving.low, saving.high) {
            (Some(low), _) if low > 0.0 => {
                "Saves " (show(saving.value, Unit::Percent)) " of the cost of " (best)
            }
            (_, Some(high)) if high < 0.0 => {
                "Costs " (show(-saving.value, Unit::Percent)) " more than " (best)
            }
            _ => { "No sure saving against " (best) ": " (show(saving.value, Unit::Percent)) }
        }
        @if let Some(quality) = quality { (quality) }
    }
}

/// A difference of quality with its sign.
fn signed_quality(difference: f64) -> String {
    let plus = if difference > 0.0 { "+" } else { "" };
    format!("{plus}{}", show(difference, Unit::Quality))
}

/// A name that breaks only where it does not fit on a line of its own.
fn model(name: &str) -> Markup {
    html! { span.model { (name) } }
}

fn place(target: &str) -> &'static str {
    match target {
        "best_single_100_pct" => "at the same quality",
        "best_single_minus_0.005" => "at its quality less 0.005",
        _ => "at 95\u{a0}% of its quality",
    }
}

/// What is saved at the highest quality that the router reaches, and which that is.
fn saving(frontier: &Frontier) -> Option<(Estimate, &CostTarget)> {
    let mut reached = frontier.cost_targets.iter().rev().filter(|target| target.cost_usd.is_some());
    reached.find_map(|target| Some((target.saving_pct?, target)))
}

fn cards(frontier: &Frontier) -> Markup {
    let reached = saving(frontier);
    html! {
        @if let Some((saving, target)) = reached {
            (estimate_card(&format!("saved {}, in hindsight", place(&target.target)), &saving, Unit::Percent, &html! {
                "by the best setting of the dial on these requests, against " (model(&frontier.best_single.model))
                @if let Some(earned) = &target.earned_saving_pct {
                    br; (show(earned.value, Unit::Percent))
                    @if let Some(range) = range(earned, Unit::Percent) { " (" (range) ")" }
                    " of that cost by learning; the rest a router that learned nothing about prompts saves too"
                }
            }))
        }
        @if let Some(earned) = &frontier.earned_share_pct {
            (estimate_card("earned share", earned, Unit::Percent, &html! {
                "of what reading requests could gain: 0 is mixing models at random, 100 is knowing every answer"
                @if earned.low.is_none_or(|low| low <= 0.0) { "; not shown to be above chance" }
            }))
        }
    }
}

/// What is saved without turning anything.
fn policy_card(report: &Report) -> Markup {
    let against = report.policy.against_best_single.as_ref();
    let saving = against.and_then(|against| Some((against.saving_pct?, against)));
    html! {
        @if let Some((saving, against)) = saving {
            (estimate_card("saved by the default policy", &saving, Unit::Percent, &html! {
                "as it would serve today, against " (model(&against.model))
                @if let Some(difference) = &against.quality_difference {
                    ", at a difference of quality of " (show(difference.value, Unit::Quality))
                }
                "; on " (counted(against.costed_requests, "request")) " with both costs in the log"
            }))
        }
    }
}

fn estimate_card(what: &str, estimate: &Estimate, unit: Unit, note: &Markup) -> Markup {
    let range =
        range(estimate, unit).map(|range| html! { p.interval { "95\u{a0}% interval: " (range) } });
    card(
        what,
        &show(estimate.value, unit),
        &html! { @if let Some(range) = range { (range) } (note) },
    )
}

fn card(what: &str, value: &str, note: &Markup) -> Markup {
    html! { div.card { p.what { (what) } p.value { (value) } div.note { (note) } } }
}

/// The certificate in a sentence. What is promised is the rate that was asked for: the bound at the
/// threshold that was chosen is lower, but the threshold was chosen by it.
pub(super) fn promise(report: &Report) -> Markup {
    let bar = report.settings.bar;
    let reference = &report.policy.against_reference.model;
    let Some(certificate) = &report.certificate else {
        return html! {
            "Nothing is promised at bar " (bar) ": the policy " code { "cheapest_above_bar" }
            " sends everything to " (reference) "."
        };
    };
    let percent = |share: f64| show(100.0 * share, Unit::Percent);
    let bounded = match certificate.guarantee {
        Guarantee::Excess => "miss the bar where it would have met it",
        Guarantee::Absolute => "miss the bar",
    };
    html! {
        "Promised of the policy " code { "cheapest_above_bar" } " at bar " (bar)
        ": of requests sent to something cheaper than " (reference) ", at most "
        strong { (percent(certificate.alpha)) } " " (bounded) ", at confidence "
        (percent(1.0 - certificate.delta)) "."
    }
}
