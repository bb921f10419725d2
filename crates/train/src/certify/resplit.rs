//! Does the certificate hold? One fixed router, and many ways to split what it was not fitted on.

use farthing_data::Dataset;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::tally::{Tally, Yardstick};
use super::{HeldOut, ladder, select};
use crate::{Fitted, TrainConfig, TrainError};

/// What came of certifying one router again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Resplits {
    /// Requests that nothing was fitted on.
    pub requests: usize,
    /// How often they were split into a certificate half and the rest.
    pub trials: usize,
    /// Trials in which some threshold was certified.
    pub certified: usize,
    /// Trials in which the rest's rate of excess misses at that threshold is above `alpha`.
    pub violations: usize,
    /// Mean share of the rest that the certified thresholds downgrade, trials without one included.
    pub downgraded: f64,
    /// The thresholds of all requests together, from strict to permissive.
    pub ladder: Vec<Rung>,
}

/// One threshold over all requests that nothing was fitted on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rung {
    /// Least calibrated probability.
    pub threshold: f64,
    /// Requests it downgrades.
    pub downgraded: u64,
    /// Share of them whose choice misses the bar where the reference meets it.
    pub excess_rate: f64,
    /// Share of them whose choice misses the bar.
    pub miss_rate: f64,
}

/// Fits and calibrates once, then certifies the first bar on random halves of the requests that
/// nothing was fitted on, and looks at the other half.
pub fn resplit(
    dataset: Dataset,
    config: &TrainConfig,
    trials: usize,
) -> Result<Resplits, TrainError> {
    let fitted = Fitted::new(dataset, config, &|_| ())?;
    let mut rows = [fitted.roles.certificate.clone(), fitted.roles.sealed.clone()].concat();
    let (records, features) = (fitted.records(&rows), fitted.features(&rows));
    let predictions = fitted.predict(&features, 0);
    let all = fitted.held_out(&records, &predictions, 0);
    let mut generator = ChaCha8Rng::seed_from_u64(config.seed);
    rows = (0..records.len()).collect();
    let (mut certified, mut violations, mut downgraded) = (0, 0, 0.0);
    for _ in 0..trials {
        rows.shuffle(&mut generator);
        let (inside, rest) = rows.split_at(rows.len() / 2);
        let records: Vec<_> = inside.iter().map(|&row| records[row]).collect();
        let predictions: Vec<_> = inside.iter().map(|&row| predictions[row].clone()).collect();
        let half = HeldOut { records: &records, predictions: &predictions, ..all };
        let Some(threshold) = select(half, config) else { continue };
        let tally = Tally::of(all, rest, Yardstick { threshold, judge: all.reference });
        certified += 1;
        violations += usize::from(tally.excess_rate() > config.alpha);
        downgraded += tally.downgraded as f64 / rest.len() as f64;
    }
    rows.sort_unstable();
    let rung = |threshold: f64| {
        let tally = Tally::of(all, &rows, Yardstick { threshold, judge: all.reference });
        Rung {
            threshold,
            downgraded: tally.downgraded,
            excess_rate: tally.excess_rate(),
            miss_rate: tally.misses as f64 / tally.judged as f64,
        }
    };
    Ok(Resplits {
        requests: rows.len(),
        trials,
        certified,
        violations,
        downgraded: downgraded / trials as f64,
        ladder: ladder(all, config.guarantee).into_iter().map(rung).collect(),
    })
}
