//! What settings and blends are chosen by, fold by fold on cross-fitted predictions.
//!
//! The earned share is what counts, but on one fold it is too noisy to tell neighbours apart. So
//! settings of a learner are chosen by the variance of differences that they explain, candidates
//! counting as much as they compete for a place on the frontier; blends by the value of a softened
//! policy, which asks what the dial sweep asks and so punishes noise that a maximum would pick up; and
//! only whether a blend is worth having at all by the earned share itself, wherever enough requests
//! were answered by every candidate.

mod exchange;
mod frontier;

use nalgebra::DMatrix;

use exchange::{Exchange, contenders, exchange, surprise};
use frontier::Frontier;

/// Folds of the cross-fitting.
pub(crate) const FOLDS: usize = 5;

/// Judges predictions of differences.
#[derive(Debug)]
pub(crate) struct Objective {
    /// `(n, candidates)` score less mean and predicted difficulty, NaN where unknown.
    residual: DMatrix<f64>,
    exchange: Vec<Exchange>,
    /// `(candidates)` how much each counts; they add up to 1.
    weights: Vec<f64>,
    frontier: Option<Frontier>,
}

/// What the objective is computed from.
#[derive(Debug)]
pub(crate) struct Truth<'a> {
    /// `(n, candidates)`, NaN where unknown.
    pub(crate) score: &'a DMatrix<f64>,
    /// `(n, candidates)` USD, NaN where unknown.
    pub(crate) cost: &'a DMatrix<f64>,
    /// `(candidates)`
    pub(crate) mean_score: &'a [f64],
    /// `(candidates)`, NaN where unknown.
    pub(crate) mean_cost: &'a [f64],
    /// `(n, candidates)` score less mean and predicted difficulty, NaN where unknown.
    pub(crate) residual: DMatrix<f64>,
    /// `(n)`
    pub(crate) folds: &'a [usize],
}

impl Objective {
    pub(crate) fn new(truth: Truth<'_>) -> Self {
        let frontier = Frontier::new(&truth);
        let exchange = exchange(truth.mean_score, truth.mean_cost);
        let weights = contenders(&exchange);
        Self { residual: truth.residual, exchange, weights, frontier }
    }

    /// Gain over the zero router in percent, one value a fold, of `(n, candidates)` predicted differences.
    /// Without complete requests it is [`Self::value`], one value a request, which compares with itself as
    /// well.
    pub(crate) fn gains(&self, differences: &DMatrix<f64>) -> Vec<f64> {
        let Some(frontier) = &self.frontier else { return self.value(differences) };
        frontier.gains(differences)
    }

    /// What of the variance of differences is explained, in percent of its mean, one value a request.
    pub(crate) fn explained(&self, predicted: &DMatrix<f64>) -> Vec<f64> {
        let spread = |values: Vec<f64>| self.spread(&values);
        let total: Vec<f64> =
            self.residual.row_iter().map(|r| spread(r.iter().copied().collect())).collect();
        let all = mean(&total).max(f64::MIN_POSITIVE);
        let rows = self.residual.row_iter().zip(predicted.row_iter()).zip(&total);
        rows.map(|((residual, predicted), total)| {
            let left = spread(residual.iter().zip(predicted.iter()).map(|(r, p)| r - p).collect());
            100.0 * (total - left) / all
        })
        .collect()
    }

    /// What `predicted` should be multiplied by to explain most on top of `so_far`, from 0 to 1.
    pub(crate) fn scale(&self, so_far: &DMatrix<f64>, predicted: &DMatrix<f64>) -> f64 {
        let (mut along, mut length) = (0.0, 0.0);
        for row in 0..predicted.nrows() {
            let left = (0..predicted.ncols()).map(|c| self.residual[(row, c)] - so_far[(row, c)]);
            let left: Vec<f64> = left.collect();
            let known = |(c, left): (usize, &f64)| {
                if left.is_nan() { f64::NAN } else { predicted[(row, c)] }
            };
            let predicted: Vec<f64> = left.iter().enumerate().map(known).collect();
            along += self.product(&left, &predicted);
            length += self.spread(&predicted);
        }
        if length > 0.0 { (along / length).clamp(0.0, 1.0) } else { 1.0 }
    }

    /// Weighted sum of squares of what is known of a request, apart from what is common to all: their
    /// weighted mean. Of a single answer it is not known how much is common, and half is taken to be.
    fn spread(&self, values: &[f64]) -> f64 {
        self.product(values, values)
    }

    /// The same of two values a candidate, known of the same ones: the weighted sum of their products.
    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        let (a, b) = (self.apart(a), self.apart(b));
        self.weights.iter().zip(a).zip(b).map(|((weight, a), b)| weight * a * b).sum()
    }

    /// The values less what is common to them, 0 where unknown.
    fn apart(&self, values: &[f64]) -> Vec<f64> {
        let each = || self.weights.iter().zip(values).filter(|(_, value)| !value.is_nan());
        let weight: f64 = each().map(|(weight, _)| weight).sum();
        let sum: f64 = each().map(|(weight, value)| weight * value).sum();
        let mean = if weight > 0.0 { sum / weight } else { 0.0 };
        let common = if each().count() == 1 { mean / 2.0 } else { mean };
        let apart = |value: &f64| if value.is_nan() { 0.0 } else { value - common };
        values.iter().map(apart).collect()
    }

    /// Utility of the softened policy, in hundredths of a score, one value a request; `differences` is
    /// `(n, candidates)`.
    pub(crate) fn value(&self, differences: &DMatrix<f64>) -> Vec<f64> {
        let rows = self.residual.row_iter().zip(differences.row_iter());
        rows.map(|(residual, predicted)| {
            let predicted: Vec<f64> = predicted.iter().copied().collect();
            let surprise = surprise(&residual.iter().copied().collect::<Vec<_>>());
            100.0 * self.exchange.iter().map(|e| e.value(&predicted, &surprise)).sum::<f64>()
        })
        .collect()
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of the mean of paired differences `a - b`, over folds or requests.
pub(crate) fn paired_error(a: &[f64], b: &[f64]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let centre = mean(&differences);
    let variance = differences.iter().map(|d| (d - centre).powi(2)).sum::<f64>()
        / (differences.len() as f64 - 1.0).max(1.0);
    (variance / differences.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two candidates, equal on average, that take turns at being right.
    fn turns() -> (Objective, DMatrix<f64>) {
        let residual =
            DMatrix::from_fn(20, 2, |row, c| if (row + c) % 2 == 0 { 0.5 } else { -0.5 });
        let objective = Objective {
            exchange: exchange(&[0.5, 0.5], &[1.0, 1.0]),
            weights: vec![0.5, 0.5],
            residual: residual.clone(),
            frontier: None,
        };
        (objective, residual)
    }

    #[test]
    fn knowing_who_is_right_is_worth_most_and_the_wrong_way_round_least() {
        let (objective, residual) = turns();
        let value = |predicted: &DMatrix<f64>| mean(&objective.value(predicted));
        assert!((value(&residual) - 100.0).abs() < 1e-6);
        assert!((value(&DMatrix::zeros(20, 2)) - 50.0).abs() < 1e-6);
        assert!((value(&-&residual)).abs() < 1e-6);
    }

    #[test]
    fn one_answer_stands_for_the_others() {
        let (mut objective, residual) = turns();
        for row in 0..20 {
            objective.residual[(row, row / 2 % 2)] = f64::NAN;
        }
        let value = |predicted: &DMatrix<f64>| mean(&objective.value(predicted));
        assert!(value(&residual) > value(&DMatrix::zeros(20, 2)) + 10.0);
    }

    #[test]
    fn a_prediction_is_scaled_to_explain_most() {
        let (objective, residual) = turns();
        let scale =
            |predicted: &DMatrix<f64>, so_far: &DMatrix<f64>| objective.scale(so_far, predicted);
        let none = DMatrix::zeros(20, 2);
        assert!((scale(&(&residual * 4.0), &none) - 0.25).abs() < 1e-9);
        assert!((scale(&residual, &(&residual * 0.4)) - 0.6).abs() < 1e-9);
        // Never beyond what was fitted, and never the other way round.
        assert!((scale(&(&residual * 0.5), &none) - 1.0).abs() < 1e-9);
        assert!(scale(&-&residual, &none).abs() < 1e-9);
        // What is common to all candidates moves nothing.
        let lifted = (&residual * 4.0).add_scalar(3.0);
        assert!((scale(&lifted, &none) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_is_common_to_all_candidates_explains_nothing() {
        let (objective, residual) = turns();
        let shares = objective.explained(&residual);
        assert!(shares.iter().all(|share| (share - 100.0).abs() < 1e-9), "{shares:?}");
        let level = objective.explained(&DMatrix::from_element(20, 2, 0.3));
        assert!(level.iter().all(|share| share.abs() < 1e-9), "{level:?}");
    }
}
