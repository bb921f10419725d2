//! The earned share of cross-fitted predictions, fold by fold.

use farthing_eval::metrics::{self, Arena, Groups, Marks};
use nalgebra::DMatrix;

use super::{FOLDS, Truth};

/// A fold with fewer complete requests gives no usable area.
const MIN_COMPLETE_PER_FOLD: usize = 40;
/// A candidate that answered less than this share would leave too few complete requests.
const MIN_COVERAGE: f64 = 0.9;

/// What areas are computed from.
#[derive(Debug)]
pub(super) struct Frontier {
    mean_score: Vec<f64>,
    mean_cost: Vec<f64>,
    folds: Vec<Fold>,
}

#[derive(Debug)]
struct Fold {
    rows: Vec<usize>,
    arena: Arena,
    marks: Marks,
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
        if candidates.len() < 2 {
            return None;
        }
        let folds: Vec<Fold> =
            (0..FOLDS).map(|fold| Fold::new(fold, candidates.clone(), truth)).collect();
        let enough = folds.iter().all(|fold| fold.arena.requests() >= MIN_COMPLETE_PER_FOLD);
        enough.then(|| Self {
            mean_score: truth.mean_score.to_vec(),
            mean_cost: truth.mean_cost.to_vec(),
            folds,
        })
    }

    /// Gain over the zero router in percent, one value a fold, of `(n, candidates)` predicted
    /// differences. How hard a request is for all candidates alike changes no choice.
    pub(super) fn gains(&self, differences: &DMatrix<f64>) -> Vec<f64> {
        let gain = |Fold { rows, arena, marks }: &Fold| {
            let quality = |row: usize, c: usize| self.mean_score[c] + differences[(rows[row], c)];
            let points = arena.points(quality, |_, c| self.mean_cost[c]);
            marks.earned_share_pct(&points).unwrap_or(0.0)
        };
        self.folds.iter().map(gain).collect()
    }
}

impl Fold {
    fn new(fold: usize, candidates: Vec<usize>, truth: &Truth<'_>) -> Self {
        let rows: Vec<usize> =
            (0..truth.folds.len()).filter(|&row| truth.folds[row] == fold).collect();
        // Nothing is resampled, so each request is a group of its own.
        let groups = Groups::each_alone(rows.len());
        let arena = Arena::new(
            candidates,
            &metrics::Truth {
                score: |row: usize, c| truth.score[(rows[row], c)],
                cost_usd: |row: usize, c| truth.cost[(rows[row], c)],
                groups: &groups,
                fitted_score: truth.mean_score,
                fitted_cost: truth.mean_cost,
            },
        );
        let marks = arena.marks(&arena.groups().once());
        Self { rows, arena, marks }
    }
}
