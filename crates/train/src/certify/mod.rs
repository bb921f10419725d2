//! The certificate: a finite-sample bound on how often a downgraded request misses the bar.
//!
//! Thresholds are fixed before scores are looked at, as those that downgrade 100, 150, 225, ... requests
//! of the certificate split whose outcomes are known, then tested from strict to permissive, each by the
//! Clopper-Pearson upper bound at a share of `delta`. A share is handed on by a test that holds and lost
//! by one that fails (the fallback procedure, Wiens 2003), so that bad luck among the first hundred ends
//! nothing.

mod resplit;
mod slices;
mod tally;

use farthing_core::{Bar, Prediction};
use farthing_data::Record;
use farthing_model::{Certificate, Guarantee};

pub use resplit::{Resplits, Rung, resplit};
use slices::slices;
use tally::{Tally, Yardstick};

use crate::TrainConfig;

/// Requests of known outcome that the strictest threshold downgrades.
const FIRST: u64 = 100;

/// Requests that nothing was fitted on, with what the router predicts of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldOut<'a> {
    pub(crate) records: &'a [&'a Record],
    /// `(n, candidates)` at the bar.
    pub(crate) predictions: &'a [Vec<Prediction>],
    pub(crate) bar: Bar,
    pub(crate) reference: usize,
    /// The candidate with the highest mean score, where the reference stands in for it.
    pub(crate) best: Option<usize>,
}

/// The most permissive threshold that holds, with its certificate; `None` where not even the
/// strictest does. `columns` are those of the dataset: labels, then context.
pub(crate) fn certify(
    held_out: HeldOut<'_>,
    (labels, context): (&[String], &[String]),
    config: &TrainConfig,
) -> Option<(f64, Certificate)> {
    let threshold = select(held_out, config)?;
    let all: Vec<usize> = (0..held_out.records.len()).collect();
    let against = Yardstick { threshold, judge: held_out.reference };
    let tally = Tally::of(held_out, &all, against);
    let best = held_out.best.map(|judge| Tally::of(held_out, &all, Yardstick { judge, ..against }));
    let certificate = Certificate {
        guarantee: config.guarantee,
        alpha: config.alpha,
        delta: config.delta,
        requests: held_out.records.len() as u64,
        downgraded: tally.downgraded,
        excess_misses: tally.excess_misses,
        excess_bound: tally.excess_bound(config.delta),
        misses: tally.misses,
        miss_bound: tally.miss_bound(config.delta),
        against_best: best.map(|tally| tally.bounds(config)),
        slices: slices(held_out, against, (labels, context), config),
    };
    Some((threshold, certificate))
}

/// The most permissive threshold whose bound holds, by the fallback procedure.
fn select(held_out: HeldOut<'_>, config: &TrainConfig) -> Option<f64> {
    let all: Vec<usize> = (0..held_out.records.len()).collect();
    let judge = held_out.reference;
    let tally = |threshold: f64| Tally::of(held_out, &all, Yardstick { threshold, judge });
    let holds = |threshold: f64, delta: f64| {
        let bound = match config.guarantee {
            Guarantee::Excess => tally(threshold).excess_bound(delta),
            Guarantee::Absolute => tally(threshold).miss_bound(delta),
        };
        bound <= config.alpha
    };
    let thresholds = ladder(held_out, config.guarantee);
    let (mut certified, mut handed_on) = (None, 0.0);
    for (&threshold, share) in thresholds.iter().zip(shares(thresholds.len())) {
        let delta = handed_on + share * config.delta;
        let held = holds(threshold, delta);
        certified = if held { Some(threshold) } else { certified };
        handed_on = if held { delta } else { 0.0 };
    }
    certified
}

/// Share of `delta` that each of some tests starts with: half for the first, the rest alike.
fn shares(tests: usize) -> Vec<f64> {
    let others = tests.saturating_sub(1);
    let first = if others == 0 { 1.0 } else { 0.5 };
    (0..tests).map(|i| if i == 0 { first } else { 0.5 / others as f64 }).collect()
}

/// The thresholds to test, from strict to permissive. They depend on which outcomes are known, not on what they
/// are.
fn ladder(held_out: HeldOut<'_>, guarantee: Guarantee) -> Vec<f64> {
    let all: Vec<usize> = (0..held_out.records.len()).collect();
    let judge = held_out.reference;
    thresholds(&strictest(held_out.predictions, judge), |threshold| {
        let tally = Tally::of(held_out, &all, Yardstick { threshold, judge });
        match guarantee {
            Guarantee::Excess => tally.paired,
            Guarantee::Absolute => tally.judged,
        }
    })
}

/// The highest threshold at which each request is downgraded, from strict to permissive.
fn strictest(predictions: &[Vec<Prediction>], reference: usize) -> Vec<f64> {
    let mut highest: Vec<f64> = predictions
        .iter()
        .filter_map(|request| {
            let limit = request[reference].cost_usd?;
            let cheaper = request.iter().filter(|p| p.cost_usd.is_some_and(|cost| cost < limit));
            cheaper.map(|p| p.p_above_bar).max_by(f64::total_cmp)
        })
        .collect();
    highest.sort_by(|a, b| b.total_cmp(a));
    highest
}

/// From strict to permissive: the first with evidence of 100, 150, 225, ... requests, then the last.
fn thresholds(strictest: &[f64], evidence: impl Fn(f64) -> u64) -> Vec<f64> {
    let mut thresholds = Vec::new();
    let mut due = FIRST;
    loop {
        let enough = strictest.partition_point(|&threshold| evidence(threshold) < due);
        let Some(&threshold) = strictest.get(enough) else { break };
        thresholds.push(threshold);
        due += due / 2;
    }
    if !thresholds.is_empty() {
        thresholds.extend(strictest.last());
    }
    thresholds.dedup();
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_delta() {
        assert_eq!(shares(1), [1.0]);
        assert_eq!(shares(3), [0.5, 0.25, 0.25]);
    }

    #[test]
    fn thresholds_go_from_strict_to_permissive() {
        let request = |i: usize| {
            let of = |p, cost| Prediction {
                quality: p,
                p_above_bar: p,
                cost_usd: Some(cost),
                output_tokens: None,
                output_tokens_q90: None,
            };
            vec![of(i as f64 / 300.0, 1.0), of(1.0, 2.0)]
        };
        let predictions: Vec<_> = (0..300).map(request).collect();
        let strictest = strictest(&predictions, 1);
        let downgraded =
            |threshold: f64| strictest.iter().filter(|p| **p >= threshold).count() as u64;
        let near = |found: &[f64], expected: &[f64]| {
            let expected = expected.iter().map(|i| i / 300.0);
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        let found = thresholds(&strictest, downgraded);
        assert!(found.len() == 4 && near(&found, &[200.0, 150.0, 75.0, 0.0]), "{found:?}");
        // Where every other outcome is unknown it takes twice as many.
        let found = thresholds(&strictest, |threshold| downgraded(threshold) / 2);
        assert!(found.len() == 2 && near(&found, &[100.0, 0.0]), "{found:?}");
        assert!(thresholds(&strictest, |_| 99).is_empty());
    }
}
