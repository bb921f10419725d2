//! From expected score to P(score >= bar), per candidate, on cross-fitted predictions.
//!
//! Three kinds, from simple to free: logistic (Platt 1999), beta (Kull, Silva Filho and Flach 2017)
//! and isotonic. Each candidate's is shrunk towards that of all candidates together, so that one
//! with few outcomes borrows theirs. The kind is chosen for the router by cross-validated log loss
//! over groups of prompts: the simplest within a standard error of the best.

mod isotonic;
mod logistic;

use farthing_core::Bar;
use farthing_eval::metrics;
use farthing_model::{Beta, Calibration, CalibrationCard, CalibrationMethod, Platt};
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::objective::{FOLDS, mean, paired_error};
use logistic::Prior;

/// From simple to free.
const METHODS: [CalibrationMethod; 3] =
    [CalibrationMethod::Platt, CalibrationMethod::Beta, CalibrationMethod::Isotonic];
/// Weight of the fit of all candidates together, in outcomes.
const PRIOR_OUTCOMES: f64 = 20.0;
/// Mean squares of 1 and of expected scores that are spread over [0, 1].
const SPREAD: [f64; 2] = [1.0, 1.0 / 12.0];

/// One calibration a candidate, and how the kind was chosen.
#[derive(Debug)]
pub(crate) struct Calibrated {
    pub(crate) calibration: Vec<Calibration>,
    pub(crate) card: CalibrationCard,
}

/// Cross-fitted predictions beside what came true, `(n, candidates)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrossFitted<'a> {
    pub(crate) expected: &'a DMatrix<f64>,
    /// NaN where unknown.
    pub(crate) score: &'a DMatrix<f64>,
    /// `(n)`: near-duplicates share a fold.
    pub(crate) folds: &'a [usize],
}

/// What one outcome says.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    expected: f64,
    met: bool,
    fold: usize,
}

/// Calibrates every candidate at a bar; graded scores meet it where they reach it.
pub(crate) fn calibrate(data: CrossFitted<'_>, bar: Bar) -> Calibrated {
    let by_candidate = outcomes(data, bar);
    let validated: Vec<Vec<Vec<(f64, bool)>>> =
        METHODS.par_iter().map(|method| cross_validate(*method, &by_candidate)).collect();
    let fold_losses: Vec<Vec<f64>> = validated.iter().map(|folds| losses(folds)).collect();
    let chosen = simplest(&fold_losses);
    let pairs = validated[chosen].concat();
    let bins = metrics::reliability(&pairs, metrics::ECE_BINS);
    let log_loss = METHODS.iter().zip(&fold_losses).map(|(method, l)| (*method, mean(l))).collect();
    Calibrated {
        calibration: fit(METHODS[chosen], &by_candidate),
        card: CalibrationCard {
            method: METHODS[chosen],
            log_loss,
            ece: metrics::ece(&bins).unwrap_or(0.0),
            outcomes: pairs.len() as u64,
        },
    }
}

/// The calibration of one more candidate, logistic and shrunk towards the line between what the others
/// say on average at expected scores of 1/4 and 3/4. `samples` are (expected score, whether it met).
pub(crate) fn calibrate_one(samples: &[(f64, bool)], others: &[Calibration]) -> Calibration {
    let logit_at = |expected: f64| {
        let sum: f64 = others.iter().map(|calibration| calibration.apply(expected)).sum();
        let p = (sum / others.len().max(1) as f64).clamp(1e-6, 1.0 - 1e-6);
        (p / (1.0 - p)).ln()
    };
    let (low, high) = (logit_at(0.25), logit_at(0.75));
    let slope = ((high - low) / 0.5).max(0.0);
    let prior = Prior {
        coefficients: [f64::midpoint(low, high) - 0.5 * slope, slope],
        outcomes: PRIOR_OUTCOMES,
        mean_squares: SPREAD,
    };
    let terms = |&(expected, met): &(f64, bool)| ([1.0, expected], f64::from(u8::from(met)));
    let [intercept, slope] = logistic::fit(&samples.iter().map(terms).collect::<Vec<_>>(), prior);
    Calibration::Platt(Platt { slope, intercept })
}

fn outcomes(data: CrossFitted<'_>, bar: Bar) -> Vec<Vec<Outcome>> {
    let CrossFitted { expected, score, folds } = data;
    let of_candidate = |c: usize| {
        let known = (0..score.nrows()).filter(|&row| !score[(row, c)].is_nan());
        let outcome = |row: usize| Outcome {
            expected: expected[(row, c)],
            met: score[(row, c)] >= bar,
            fold: folds[row],
        };
        known.map(outcome).collect()
    };
    (0..score.ncols()).map(of_candidate).collect()
}

/// Probabilities of each fold's outcomes by calibrations fitted on the others, by fold.
fn cross_validate(
    method: CalibrationMethod,
    by_candidate: &[Vec<Outcome>],
) -> Vec<Vec<(f64, bool)>> {
    let of_fold = |fold: usize| {
        let outside = |all: &Vec<Outcome>| all.iter().filter(|o| o.fold != fold).copied().collect();
        let calibrations = fit(method, &by_candidate.iter().map(outside).collect::<Vec<_>>());
        let inside = by_candidate.iter().zip(&calibrations).flat_map(|(all, calibration)| {
            let inside = all.iter().filter(|o| o.fold == fold);
            inside.map(|o| (calibration.apply(o.expected), o.met))
        });
        inside.collect()
    };
    (0..FOLDS).into_par_iter().map(of_fold).collect()
}

/// Mean log loss of each fold that has outcomes.
fn losses(folds: &[Vec<(f64, bool)>]) -> Vec<f64> {
    folds.iter().filter_map(|pairs| metrics::log_loss(pairs)).collect()
}

/// The first whose mean is within a standard error of the least.
fn simplest(losses: &[Vec<f64>]) -> usize {
    let best = losses.iter().min_by(|a, b| mean(a).total_cmp(&mean(b)));
    let within =
        |other: &Vec<f64>| best.is_some_and(|b| mean(other) - mean(b) <= paired_error(other, b));
    losses.iter().position(within).unwrap_or(0)
}

/// One calibration a candidate.
fn fit(method: CalibrationMethod, by_candidate: &[Vec<Outcome>]) -> Vec<Calibration> {
    let all = by_candidate.concat();
    match method {
        CalibrationMethod::Platt => platts(&all, by_candidate).map(Calibration::Platt).collect(),
        CalibrationMethod::Beta => betas(&all, by_candidate),
        CalibrationMethod::Isotonic => {
            let free = |(outcomes, platt): (&Vec<Outcome>, Platt)| {
                let samples: Vec<_> =
                    outcomes.iter().map(|o| (o.expected, f64::from(u8::from(o.met)))).collect();
                isotonic::fit(&samples, platt)
                    .map_or(Calibration::Platt(platt), Calibration::Isotonic)
            };
            by_candidate.iter().zip(platts(&all, by_candidate)).map(free).collect()
        }
    }
}

fn platts(all: &[Outcome], by_candidate: &[Vec<Outcome>]) -> impl Iterator<Item = Platt> {
    let terms = |outcome: &Outcome| [1.0, outcome.expected];
    let neutral = [Platt::NEUTRAL.intercept, Platt::NEUTRAL.slope];
    shrunk(
        all,
        by_candidate,
        Prior { coefficients: neutral, outcomes: 1.0, mean_squares: SPREAD },
        terms,
    )
    .into_iter()
    .map(|[intercept, slope]| Platt { slope, intercept })
}

fn betas(all: &[Outcome], by_candidate: &[Vec<Outcome>]) -> Vec<Calibration> {
    let terms = |outcome: &Outcome| {
        let [high, low] = Beta::terms(outcome.expected);
        [1.0, high, low]
    };
    let prior =
        Prior { coefficients: [0.0, 1.0, 1.0], outcomes: 1.0, mean_squares: [1.0, 1.0, 1.0] };
    shrunk(all, by_candidate, prior, terms)
        .into_iter()
        .map(|[intercept, high, low]| Calibration::Beta(Beta { high, low, intercept }))
        .collect()
}

/// Coefficients of each candidate, shrunk towards those of all.
fn shrunk<const K: usize>(
    all: &[Outcome],
    by_candidate: &[Vec<Outcome>],
    prior: Prior<K>,
    terms: impl Fn(&Outcome) -> [f64; K],
) -> Vec<[f64; K]> {
    let samples = |outcomes: &[Outcome]| -> Vec<_> {
        outcomes.iter().map(|o| (terms(o), f64::from(u8::from(o.met)))).collect()
    };
    let coefficients = logistic::fit(&samples(all), prior);
    let prior = Prior { coefficients, outcomes: PRIOR_OUTCOMES, ..prior };
    by_candidate.iter().map(|outcomes| logistic::fit(&samples(outcomes), prior)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `100 x steps` requests of which the share `p(x)` meets the bar at expected score `x`.
    fn fitted(steps: usize, p: impl Fn(f64) -> f64) -> Calibrated {
        let n = 100 * steps;
        let x = |i: usize| (i / 100) as f64 / steps as f64;
        let expected = DMatrix::from_fn(n, 1, |i, _| x(i));
        let met = |i: usize| ((i * 37 % 100) as f64) < 100.0 * p(x(i));
        let score = DMatrix::from_fn(n, 1, |i, _| if met(i) { 0.7 } else { 0.4 });
        let folds: Vec<usize> = (0..n).map(|i| i % FOLDS).collect();
        calibrate(CrossFitted { expected: &expected, score: &score, folds: &folds }, 0.5)
    }

    fn check(steps: usize, p: impl Fn(f64) -> f64, method: CalibrationMethod) {
        let found = fitted(steps, &p);
        assert_eq!(found.card.method, method, "{:?}", found.card);
        for x in [0.1, 0.5, 0.9] {
            let served = found.calibration[0].apply(x);
            assert!((served - p(x)).abs() < 0.04, "{x}: {served}, {:?}", found.calibration);
        }
        assert!(found.card.ece < 0.03, "{:?}", found.card);
    }

    #[test]
    fn the_kind_that_the_truth_has_is_chosen() {
        let platt = Platt { slope: 5.0, intercept: -3.0 };
        check(20, |x| platt.apply(x), CalibrationMethod::Platt);
        let beta = Beta { high: 4.0, low: 0.3, intercept: -2.0 };
        check(40, |x| beta.apply(x), CalibrationMethod::Beta);
        let step = |x: f64| if x < 0.3 { 0.15 } else { 0.45 + 0.4 * f64::from(u8::from(x > 0.7)) };
        check(60, step, CalibrationMethod::Isotonic);
    }

    #[test]
    fn a_bar_that_all_or_none_meet_and_a_reversed_one_stay_sane() {
        let at = |p: fn(f64) -> f64| fitted(10, p).calibration[0].apply(0.5);
        assert!(at(|_| 1.0) > 0.98);
        assert!(at(|_| 0.0) < 0.02);
        assert!((at(|x| 1.0 - x) - 0.55).abs() < 0.03);
    }

    #[test]
    fn a_candidate_without_outcomes_has_the_calibration_of_all() {
        let expected = DMatrix::from_fn(500, 2, |i, _| (i / 50) as f64 / 10.0);
        let met = |i: usize| f64::from(u8::from(i % 50 < 5 * (i / 50)));
        let score = DMatrix::from_fn(500, 2, |i, c| if c == 0 { met(i) } else { f64::NAN });
        let folds: Vec<usize> = (0..500).map(|i| i % FOLDS).collect();
        let data = CrossFitted { expected: &expected, score: &score, folds: &folds };
        let found = calibrate(data, 0.5).calibration;
        for x in [0.2, 0.8] {
            assert!((found[0].apply(x) - found[1].apply(x)).abs() < 0.05, "{found:?}");
            assert!((found[1].apply(x) - x).abs() < 0.1, "{found:?}");
        }
    }
}
