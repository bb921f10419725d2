//! Choosing settings and weights by cross-fitting, the zero router among the choices.

use std::collections::BTreeMap;

use farthing_model::LearnerCard;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::learners::{Fitted, Learner};
use crate::objective::{FOLDS, Objective, mean, paired_error};
use crate::problem::Problem;

/// Weights are multiples of a quarter that add up to 1 at most: what is missing to 1 shrinks.
const STEPS: usize = 4;

/// One learner's part in a blend.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) learner: Box<dyn Learner>,
    pub(crate) setting: f64,
    pub(crate) weight: f64,
}

/// A part fitted on every row.
#[derive(Debug)]
pub(crate) struct FittedPart {
    pub(crate) fitted: Box<dyn Fitted>,
    pub(crate) weight: f64,
}

impl Part {
    /// Fits the part on every row of a problem.
    pub(crate) fn fit(&self, problem: &Problem) -> impl Iterator<Item = FittedPart> {
        let rows: Vec<usize> = (0..problem.vectors.nrows()).collect();
        let weight = self.weight;
        let fitted = self.learner.fit(problem, &rows, &[self.setting]);
        fitted.into_iter().map(move |fitted| FittedPart { fitted, weight })
    }

    pub(crate) fn card(&self) -> LearnerCard {
        LearnerCard {
            learner: self.learner.name().as_str().to_owned(),
            weight: self.weight,
            settings: BTreeMap::from([(self.learner.setting_name().to_owned(), self.setting)]),
        }
    }
}

/// A chosen blend.
#[derive(Debug)]
pub(crate) struct Blend {
    /// Learners of weight above 0; none: the zero router.
    pub(crate) parts: Vec<Part>,
    /// `(n, candidates)` cross-fitted differences.
    pub(crate) cross_fitted: DMatrix<f64>,
}

/// Chooses each learner's setting (the most shrunk one within a standard error of the best), then
/// the weights, and the zero router unless the blend beats it by more than a standard error.
pub(crate) fn choose(
    problem: &Problem,
    objective: &Objective,
    base: &DMatrix<f64>,
    learners: Vec<Box<dyn Learner>>,
) -> Blend {
    let none = DMatrix::zeros(base.nrows(), base.ncols());
    let tuned: Vec<_> =
        learners.into_iter().filter_map(|learner| tune(problem, objective, learner)).collect();
    let mut best = (vec![0; tuned.len()], 0.0, none.clone());
    for quarters in simplex(tuned.len()).into_iter().skip(1) {
        let mut blended = none.clone();
        for (tuned, &quarters) in tuned.iter().zip(&quarters) {
            blended += &tuned.cross_fitted * (quarters as f64 / STEPS as f64);
        }
        let explained = mean(&objective.explained(&blended));
        if explained > best.1 {
            best = (quarters, explained, blended);
        }
    }
    let (quarters, _, cross_fitted) = best;
    let (zero, gains) = (objective.gains(base, &none), objective.gains(base, &cross_fitted));
    if mean(&gains) - mean(&zero) <= paired_error(&gains, &zero) {
        return Blend { parts: Vec::new(), cross_fitted: none };
    }
    let part = |(tuned, quarters): (Tuned, usize)| Part {
        learner: tuned.learner,
        setting: tuned.setting,
        weight: quarters as f64 / STEPS as f64,
    };
    let parts = tuned.into_iter().zip(quarters).filter(|(_, quarters)| *quarters > 0).map(part);
    Blend { parts: parts.collect(), cross_fitted }
}

struct Tuned {
    learner: Box<dyn Learner>,
    setting: f64,
    cross_fitted: DMatrix<f64>,
}

fn tune(problem: &Problem, objective: &Objective, learner: Box<dyn Learner>) -> Option<Tuned> {
    let settings = learner.settings(problem);
    let mut predictions = cross_fit(problem, objective.folds(), learner.as_ref(), &settings);
    let explained: Vec<_> = predictions.iter().map(|p| objective.explained(p)).collect();
    let best = explained.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let within = |other: &Vec<f64>| mean(best) - mean(other) <= paired_error(best, other);
    let chosen = explained.iter().position(within)?;
    let setting = settings[chosen];
    Some(Tuned { learner, setting, cross_fitted: predictions.swap_remove(chosen) })
}

/// Cross-fitted predictions of a learner, one `(n, candidates)` matrix a setting.
fn cross_fit(
    problem: &Problem,
    folds: &[usize],
    learner: &dyn Learner,
    settings: &[f64],
) -> Vec<DMatrix<f64>> {
    let (n, candidates) = problem.residual.shape();
    let by_fold: Vec<_> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                (0..n).partition(|&row| folds[row] == fold);
            let fitted = learner.fit(problem, &outside, settings);
            let predicted: Vec<_> = fitted.iter().map(|f| f.predict(problem, &inside)).collect();
            (inside, predicted)
        })
        .collect();
    let mut predictions = vec![DMatrix::zeros(n, candidates); settings.len()];
    for (inside, predicted) in by_fold {
        for (prediction, predicted) in predictions.iter_mut().zip(predicted) {
            for (i, &row) in inside.iter().enumerate() {
                prediction.set_row(row, &predicted.row(i));
            }
        }
    }
    predictions
}

/// Every way to give `parts` a number of quarters that add up to [`STEPS`] at most; all zeros first.
fn simplex(parts: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for _ in 0..parts {
        let extend = |head: &Vec<usize>| {
            let head = head.clone();
            let left = STEPS - head.iter().sum::<usize>();
            (0..=left).map(move |quarters| [head.as_slice(), &[quarters]].concat())
        };
        all = all.iter().flat_map(extend).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simplex_starts_at_zero_and_stays_below_one() {
        let all = simplex(2);
        assert_eq!(all[0], [0, 0]);
        assert_eq!(all.len(), 15);
        assert!(all.iter().all(|quarters| quarters.iter().sum::<usize>() <= STEPS));
    }
}
