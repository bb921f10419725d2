//! The earned share of cross-fitted predictions, fold by fold.

use farthing_eval::metrics::{self, Matrix};
use nalgebra::DMatrix;

use super::{FOLDS, Truth};

/// A fold with fewer complete requests gives no usable area.
const MIN_COMPLETE_PER_FOLD: usize = 40;
/// A candidate that answered less than this share would leave too few complete requests.
const MIN_COVERAGE: f64 = 0.9;

/// What areas are computed from.
#[derive(Debug)]
pub(super) struct Frontier {
    /// Candidates that are compared.
    candidates: Vec<usize>,
    /// Of every candidate.
    mean_score: Vec<f64>,
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

impl Frontier {
    /// `None` where too few requests were answered by every candidate that is compared.
    pub(super) fn new(truth: &Truth<'_>) -> Option<Self> {
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
        enough.then(|| Self {
            folds: rows.into_iter().map(|rows| FoldTruth::new(rows, &candidates, truth)).collect(),
            candidates,
            mean_score: truth.mean_score.to_vec(),
        })
    }

    /// Gain over the zero router in percent, one value a fold, of `(n, candidates)` predicted
    /// differences. How hard a request is for all candidates alike changes no choice.
    pub(super) fn gains(&self, differences: &DMatrix<f64>) -> Vec<f64> {
        let predict = |row: usize, c: usize| self.mean_score[c] + differences[(row, c)];
        self.folds.iter().map(|fold| fold.gain(&self.candidates, predict)).collect()
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
