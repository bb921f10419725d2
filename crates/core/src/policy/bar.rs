//! The bar rule on one request: the cheapest candidate that is good enough.

use std::cmp::Ordering;

use super::Reason;
use crate::Prediction;

/// The bar rule on one request.
pub(super) struct BarRule<'a> {
    predictions: &'a [Prediction],
    threshold: f64,
    fallback: usize,
    /// Only cheaper candidates can pass: the rule saves, it never buys up. Infinite where the
    /// fallback itself is not eligible.
    limit_usd: f64,
}

impl<'a> BarRule<'a> {
    pub(super) fn new(
        predictions: &'a [Prediction],
        eligible: &[usize],
        threshold: f64,
        fallback: usize,
    ) -> Self {
        let limit = predictions.get(fallback).filter(|_| eligible.contains(&fallback));
        let limit_usd = limit.and_then(|p| p.cost_usd).unwrap_or(f64::INFINITY);
        Self { predictions, threshold, fallback, limit_usd }
    }

    fn p(&self, i: usize) -> f64 {
        self.predictions[i].p_above_bar
    }

    fn cost(&self, i: usize) -> f64 {
        self.predictions[i].cost_usd.unwrap_or(f64::INFINITY)
    }

    fn may_pass(&self, i: usize) -> bool {
        i == self.fallback || self.cost(i) < self.limit_usd
    }

    fn passes(&self, i: usize) -> bool {
        self.may_pass(i) && self.p(i) >= self.threshold
    }

    /// Those that pass by rising cost, then the fallback, then the others by falling quality.
    pub(super) fn order(&self, a: usize, b: usize) -> Ordering {
        let quality = |i: usize| self.predictions[i].quality;
        let (pass_a, pass_b) = (self.passes(a), self.passes(b));
        pass_b.cmp(&pass_a).then_with(|| {
            if pass_a {
                self.cost(a).total_cmp(&self.cost(b)).then(self.p(b).total_cmp(&self.p(a)))
            } else {
                (b == self.fallback)
                    .cmp(&(a == self.fallback))
                    .then(quality(b).total_cmp(&quality(a)))
            }
        })
    }

    /// Reason and margin: how far the choice is from failing, or a candidate that would then be
    /// preferred from passing.
    pub(super) fn outcome(&self, ranked: &[usize]) -> (Reason, f64) {
        let first = ranked[0];
        let passes = self.passes(first);
        let rival = |&i: &usize| {
            i != first
                && self.may_pass(i)
                && self.p(i) < self.threshold
                && (!passes || self.cost(i) < self.cost(first))
        };
        let nearest_rival = ranked
            .iter()
            .copied()
            .filter(rival)
            .map(|i| self.threshold - self.p(i))
            .fold(f64::INFINITY, f64::min);
        if passes {
            // The fallback stays where it is when it fails.
            let alone = ranked.len() == 1 || first == self.fallback;
            let own = if alone { f64::INFINITY } else { self.p(first) - self.threshold };
            (Reason::CheapestAboveBar, nearest_rival.min(own))
        } else if first == self.fallback {
            (Reason::FallbackReference, nearest_rival)
        } else {
            (Reason::FallbackBestQuality, nearest_rival)
        }
    }
}
