//! Eligible candidates in the order of a rule, with the reason for the first and its lead.

use std::cmp::Ordering;

use super::bar::BarRule;
use super::{Reason, Rule};
use crate::Prediction;

/// Orders the eligible candidates best first; returns the reason for the first and its margin.
pub(super) fn rank(rule: &Rule, predictions: &[Prediction], ranked: &mut [usize]) -> (Reason, f64) {
    let quality = |i: usize| predictions[i].quality;
    // Only unpriced candidates of policies that do not compare costs reach the default.
    let cost = |i: usize| predictions[i].cost_usd.unwrap_or(f64::INFINITY);
    match *rule {
        Rule::CheapestAboveBar { threshold, fallback } => {
            let bar = BarRule::new(predictions, ranked, threshold, fallback);
            ranked.sort_by(|&a, &b| bar.order(a, b));
            bar.outcome(ranked)
        }
        Rule::Utility { lambda } => {
            let utility = |i: usize| quality(i) - lambda * cost(i);
            sort_by_key(ranked, |i| -utility(i), cost);
            (Reason::Utility, lead(ranked, utility))
        }
        Rule::BestQuality => {
            sort_by_key(ranked, |i| -quality(i), cost);
            (Reason::BestQuality, lead(ranked, quality))
        }
        Rule::Cheapest => {
            sort_by_key(ranked, cost, |i| -quality(i));
            (Reason::Cheapest, lead(ranked, |i| -cost(i)))
        }
        Rule::Fixed { .. } => (Reason::Fixed, f64::INFINITY),
    }
}

/// Stable: equal keys stay in candidate order.
fn sort_by_key(ranked: &mut [usize], key: impl Fn(usize) -> f64, then: impl Fn(usize) -> f64) {
    ranked.sort_by(|&a, &b| match key(a).total_cmp(&key(b)) {
        Ordering::Equal => then(a).total_cmp(&then(b)),
        order @ (Ordering::Less | Ordering::Greater) => order,
    });
}

/// By how much the first of the ranking leads the second.
fn lead(ranked: &[usize], value: impl Fn(usize) -> f64) -> f64 {
    ranked.get(1).map_or(f64::INFINITY, |&second| value(ranked[0]) - value(second))
}
