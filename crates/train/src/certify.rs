//! The certificate: a finite-sample bound on how often a downgraded request misses the bar.
//!
//! Thresholds are fixed by predictions alone, as those that downgrade 100, 150, 225, ... requests of
//! the certificate split, then tested from strict to permissive until the first one fails
//! (fixed-sequence testing), each by the Clopper-Pearson upper bound.

use farthing_core::{Bar, Constraints, Policy, Prediction, Rule, decide};
use farthing_data::Record;
use farthing_model::{Certificate, Guarantee};
use statrs::distribution::{Beta, ContinuousCDF};

use crate::TrainConfig;

const FIRST: usize = 100;

/// The most permissive threshold that holds, with its certificate; `None` where not even the
/// strictest does.
pub(crate) fn certify(
    records: &[&Record],
    predictions: &[Vec<Prediction>],
    reference: usize,
    bar: Bar,
    config: &TrainConfig,
) -> Option<(f64, Certificate)> {
    let mut certified = None;
    for threshold in thresholds(predictions, reference) {
        let tally = Tally::of(records, predictions, reference, bar, threshold);
        let certificate = tally.certificate(records.len(), config);
        let bound = match config.guarantee {
            Guarantee::Excess => certificate.excess_bound,
            Guarantee::Absolute => certificate.miss_bound,
        };
        if bound > config.alpha {
            break;
        }
        certified = Some((threshold, certificate));
    }
    certified
}

/// From strict to permissive.
fn thresholds(predictions: &[Vec<Prediction>], reference: usize) -> Vec<f64> {
    let mut highest: Vec<f64> = predictions
        .iter()
        .filter_map(|request| {
            let limit = request[reference].cost_usd?;
            let cheaper = request.iter().filter(|p| p.cost_usd.is_some_and(|cost| cost < limit));
            cheaper.map(|p| p.p_above_bar).max_by(f64::total_cmp)
        })
        .collect();
    highest.sort_by(|a, b| b.total_cmp(a));
    let mut thresholds = Vec::new();
    let mut downgraded = FIRST;
    while downgraded < highest.len() {
        thresholds.push(highest[downgraded - 1]);
        downgraded += downgraded / 2;
    }
    if highest.len() >= FIRST {
        thresholds.extend(highest.last());
    }
    thresholds.dedup();
    thresholds
}

/// What happened to the downgraded requests at one threshold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    downgraded: u64,
    /// Downgraded with the choice's outcome known, and misses among them.
    judged: u64,
    misses: u64,
    /// Downgraded with both outcomes known, and excess misses among them.
    paired: u64,
    excess_misses: u64,
}

impl Tally {
    fn of(
        records: &[&Record],
        predictions: &[Vec<Prediction>],
        reference: usize,
        bar: Bar,
        threshold: f64,
    ) -> Self {
        let rule = Rule::CheapestAboveBar { threshold, fallback: reference };
        let policy = Policy::new(rule);
        let mut tally = Self::default();
        for (record, request) in records.iter().zip(predictions) {
            let Ok(choice) = decide(&policy, request, &Constraints::default(), 0.0) else {
                continue;
            };
            let chosen = choice.ranked[0];
            if request[chosen].cost_usd >= request[reference].cost_usd {
                continue;
            }
            tally.downgraded += 1;
            let met = |candidate: usize| {
                let cell = record.cells.iter().find(|cell| cell.candidate == candidate)?;
                cell.score.map(|score| score >= bar)
            };
            let Some(choice_met) = met(chosen) else { continue };
            tally.judged += 1;
            tally.misses += u64::from(!choice_met);
            if let Some(reference_met) = met(reference) {
                tally.paired += 1;
                tally.excess_misses += u64::from(!choice_met && reference_met);
            }
        }
        tally
    }

    fn certificate(&self, requests: usize, config: &TrainConfig) -> Certificate {
        Certificate {
            guarantee: config.guarantee,
            alpha: config.alpha,
            delta: config.delta,
            requests: requests as u64,
            downgraded: self.downgraded,
            excess_misses: self.excess_misses,
            excess_bound: upper_bound(self.excess_misses, self.paired, config.delta),
            misses: self.misses,
            miss_bound: upper_bound(self.misses, self.judged, config.delta),
        }
    }
}

/// The Clopper-Pearson upper bound on a rate of which `events` in `trials` were seen.
fn upper_bound(events: u64, trials: u64, delta: f64) -> f64 {
    if events >= trials {
        return 1.0;
    }
    let beta = Beta::new(events as f64 + 1.0, (trials - events) as f64);
    beta.map_or(1.0, |beta| beta.inverse_cdf(1.0 - delta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_agree_with_tables() {
        // 59 trials without an event are what 5 % at 95 % confidence needs.
        assert!((upper_bound(0, 59, 0.05) - 0.0495).abs() < 5e-4);
        assert!((upper_bound(5, 100, 0.05) - 0.1022).abs() < 5e-4);
        assert!((upper_bound(3, 3, 0.05) - 1.0).abs() < 1e-12);
        assert!((upper_bound(0, 0, 0.05) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn thresholds_go_from_strict_to_permissive() {
        let request = |i: usize| {
            let of = |p, cost| Prediction {
                quality: p,
                p_above_bar: p,
                cost_usd: Some(cost),
                output_tokens: None,
            };
            vec![of(i as f64 / 300.0, 1.0), of(1.0, 2.0)]
        };
        let predictions: Vec<_> = (0..300).map(request).collect();
        let found = thresholds(&predictions, 1);
        let expected = [200.0, 150.0, 75.0, 0.0].map(|i| i / 300.0);
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert!(thresholds(&predictions[..50], 1).is_empty());
    }
}
