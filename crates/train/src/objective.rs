//! What settings and blends are chosen by, fold by fold on cross-fitted predictions.
//!
//! Settings and weights are chosen by the share of the variance of differences that they explain: the
//! earned share itself is too noisy on a fold to tell neighbours apart. Whether a blend is worth having
//! at all is asked of the earned share, wherever enough requests were answered by every candidate.

use farthing_eval::metrics::{self, Matrix};
use nalgebra::DMatrix;

/// Folds of the cross-fitting.
pub(crate) const FOLDS: usize = 5;
/// A fold with fewer complete requests gives no usable area.
const MIN_COMPLETE_PER_FOLD: usize = 40;
/// A candidate that answered less than this share would leave too few complete requests.
const MIN_COVERAGE: f64 = 0.9;

/// Judges predictions of differences.
#[derive(Debug)]
pub(crate) struct Objective {
    folds: Vec<usize>,
    /// `(n, candidates)` differences, NaN where unknown.
    differences: DMatrix<f64>,
    frontier: Option<Frontier>,
}

/// What areas are computed from.
#[derive(Debug)]
struct Frontier {
    /// Candidates that are compared.
    candidates: Vec<usize>,
    folds: Vec<FoldTruth>,
}

#[derive(Debug)]
struct FoldTruth {
    rows: Vec<usize>,
    score: Matrix,
    cost: Matrix,
    predicted_cost: Matrix,
    range: (f64, f64),
    zero: f64,
    oracle: f64,
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
    /// `(n, candidates)` score less mean and request effect, NaN where unknown.
    pub(crate) differences: DMatrix<f64>,
    /// `(n)`
    pub(crate) folds: Vec<usize>,
}

impl Objective {
    pub(crate) fn new(truth: Truth<'_>) -> Self {
        let n = truth.score.nrows();
        let known = |row: usize, c: usize| {
            !truth.score[(row, c)].is_nan() && !truth.cost[(row, c)].is_nan()
        };
        let coverage =
            |c: usize| (0..n).filter(|&row| known(row, c)).count() as f64 / n.max(1) as f64;
        let candidates: Vec<usize> =
            (0..truth.score.ncols()).filter(|&c| coverage(c) >= MIN_COVERAGE).collect();
        let complete = |row: usize| candidates.iter().all(|&c| known(row, c));
        let fold_rows = |fold: usize| -> Vec<usize> {
            (0..n).filter(|&row| truth.folds[row] == fold && complete(row)).collect()
        };
        let rows: Vec<_> = (0..FOLDS).map(fold_rows).collect();
        let enough = candidates.len() >= 2 && rows.iter().all(|r| r.len() >= MIN_COMPLETE_PER_FOLD);
        let frontier = enough.then(|| Frontier {
            folds: rows.into_iter().map(|rows| FoldTruth::new(rows, &candidates, &truth)).collect(),
            candidates,
        });
        Self { folds: truth.folds, differences: truth.differences, frontier }
    }

    /// Fold of each request.
    pub(crate) fn folds(&self) -> &[usize] {
        &self.folds
    }

    /// Gain over the zero router in percent, one value a fold; `base` is `(n, candidates)` what is
    /// predicted without `differences`.
    pub(crate) fn gains(&self, base: &DMatrix<f64>, differences: &DMatrix<f64>) -> Vec<f64> {
        let Some(frontier) = &self.frontier else { return self.explained(differences) };
        let predict = |row: usize, c: usize| base[(row, c)] + differences[(row, c)];
        frontier.folds.iter().map(|fold| fold.gain(&frontier.candidates, predict)).collect()
    }

    /// Share of the variance of differences that is explained, in percent, one value a fold.
    pub(crate) fn explained(&self, predicted: &DMatrix<f64>) -> Vec<f64> {
        let (mut left, mut total) = ([0.0; FOLDS], [0.0; FOLDS]);
        for (row, &fold) in self.folds.iter().enumerate() {
            for (value, expected) in self.differences.row(row).iter().zip(predicted.row(row).iter())
            {
                if !value.is_nan() {
                    left[fold] += (value - expected).powi(2);
                    total[fold] += value.powi(2);
                }
            }
        }
        let share = |(left, total): (&f64, &f64)| {
            if *total > 0.0 { 100.0 * (1.0 - left / total) } else { 0.0 }
        };
        left.iter().zip(&total).map(share).collect()
    }
}

impl FoldTruth {
    fn new(rows: Vec<usize>, candidates: &[usize], truth: &Truth<'_>) -> Self {
        let pick = |matrix: &DMatrix<f64>| {
            let values =
                rows.iter().flat_map(|&row| candidates.iter().map(move |&c| matrix[(row, c)]));
            Matrix::new(candidates.len(), values.collect())
        };
        let (score, cost) = (pick(truth.score), pick(truth.cost));
        let of = |means: &[f64]| candidates.iter().map(|&c| means[c]).collect::<Vec<_>>();
        let predicted_cost = Matrix::repeat(rows.len(), &of(truth.mean_cost));
        let singles = cost.column_means();
        let range =
            singles.iter().fold((f64::INFINITY, 0.0), |(low, high), &c| (c.min(low), c.max(high)));
        let area = |quality: &Matrix, predicted_cost: &Matrix| {
            let points = metrics::dial_sweep(quality, predicted_cost, &score, &cost);
            metrics::aiq(&points, range.0, range.1)
        };
        let zero = area(&Matrix::repeat(rows.len(), &of(truth.mean_score)), &predicted_cost);
        let oracle = area(&score, &Matrix::repeat(rows.len(), &singles));
        Self { rows, score, cost, predicted_cost, range, zero, oracle }
    }

    fn gain(&self, candidates: &[usize], predict: impl Fn(usize, usize) -> f64) -> f64 {
        let predict = &predict;
        let values =
            self.rows.iter().flat_map(|&row| candidates.iter().map(move |&c| predict(row, c)));
        let quality = Matrix::new(candidates.len(), values.collect());
        let points = metrics::dial_sweep(&quality, &self.predicted_cost, &self.score, &self.cost);
        let area = metrics::aiq(&points, self.range.0, self.range.1);
        metrics::earned_share_pct(area, self.zero, self.oracle).unwrap_or(0.0)
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard error of the mean of paired differences `a - b`, over folds.
pub(crate) fn paired_error(a: &[f64], b: &[f64]) -> f64 {
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let centre = mean(&differences);
    let variance = differences.iter().map(|d| (d - centre).powi(2)).sum::<f64>()
        / (differences.len() as f64 - 1.0).max(1.0);
    (variance / differences.len() as f64).sqrt()
}
