//! Choosing settings and weights by cross-fitting, the zero router among the choices.

use std::collections::BTreeMap;

use farthing_model::LearnerCard;
use nalgebra::DMatrix;
use rayon::prelude::*;

use crate::checkpoint::Checkpoint;
use crate::learners::{Fitted, Learner};
use crate::objective::{FOLDS, Objective, mean, paired_error};
use crate::problem::Problem;
use crate::progress::Steps;

/// One learner's part in a blend.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) learner: Box<dyn Learner>,
    pub(crate) setting: f64,
    /// What its predictions are multiplied by: what is noise in them moves no choice, but takes weight
    /// from what is not.
    pub(crate) scale: f64,
    pub(crate) weight: f64,
    /// `(n, candidates)` cross-fitted differences, scaled, before weighing.
    pub(crate) cross_fitted: DMatrix<f64>,
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
        let weight = self.weight * self.scale;
        let fitted = self.learner.fit(problem, &problem.rows(), &[self.setting]);
        fitted.into_iter().map(move |fitted| FittedPart { fitted, weight })
    }

    pub(crate) fn card(&self) -> LearnerCard {
        LearnerCard {
            learner: self.learner.name().as_str().to_owned(),
            weight: self.weight,
            settings: BTreeMap::from([
                (self.learner.setting_name().to_owned(), self.setting),
                ("scale".to_owned(), self.scale),
            ]),
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

/// What cross-fitting takes up from an earlier run, and how far it is.
pub(crate) struct Work<'w> {
    pub(crate) checkpoint: &'w Checkpoint,
    pub(crate) steps: &'w Steps<'w>,
    /// Position among the stages of the blend.
    pub(crate) stage: usize,
}

/// Chooses each learner's setting (the most shrunk one within a standard error of the best), then
/// the learners that share the weight. They are left out unless they add something to `so_far`, the
/// `(n, candidates)` differences that earlier stages predict, and all together beat the zero router by
/// more than a standard error.
pub(crate) fn choose(
    problem: &Problem,
    objective: &Objective,
    so_far: &DMatrix<f64>,
    learners: Vec<Box<dyn Learner>>,
    work: &Work<'_>,
) -> Blend {
    let none = DMatrix::zeros(so_far.nrows(), so_far.ncols());
    let tune = |learner| tune(problem, objective, so_far, learner, work);
    let tuned: Vec<_> = learners.into_iter().filter_map(tune).collect();
    let blend = |weights: &Vec<f64>| {
        tuned.iter().zip(weights).fold(none.clone(), |sum, (tuned, &weight)| {
            if weight > 0.0 { sum + &tuned.cross_fitted * weight } else { sum }
        })
    };
    let choices: Vec<Vec<f64>> = choices(tuned.len()).collect();
    let values: Vec<_> =
        choices.par_iter().map(|weights| objective.value(&(so_far + blend(weights)))).collect();
    let Some(chosen) = steadiest(&values) else {
        return Blend { parts: Vec::new(), cross_fitted: none };
    };
    let (weights, cross_fitted) = (choices[chosen].clone(), blend(&choices[chosen]));
    if !earns(objective, so_far, &cross_fitted) {
        return Blend { parts: Vec::new(), cross_fitted: none };
    }
    let part = |(tuned, weight): (Tuned, f64)| Part {
        learner: tuned.learner,
        setting: tuned.setting,
        scale: tuned.scale,
        weight,
        cross_fitted: tuned.cross_fitted,
    };
    let parts = tuned.into_iter().zip(weights).filter(|(_, weight)| *weight > 0.0).map(part);
    Blend { parts: parts.collect(), cross_fitted }
}

/// Whether cross-fitted differences add something to those so far, and all together beat the zero router
/// by more than a standard error.
pub(crate) fn earns(
    objective: &Objective,
    so_far: &DMatrix<f64>,
    differences: &DMatrix<f64>,
) -> bool {
    let none = DMatrix::zeros(so_far.nrows(), so_far.ncols());
    let (zero, before) = (objective.gains(&none), objective.gains(so_far));
    let after = objective.gains(&(so_far + differences));
    mean(&after) - mean(&zero) > paired_error(&after, &zero) && mean(&after) > mean(&before)
}

/// `(n, settings x candidates)` -> one `(n, candidates)` matrix a setting.
pub(crate) fn by_setting(side_by_side: &DMatrix<f64>, settings: usize) -> Vec<DMatrix<f64>> {
    let candidates = side_by_side.ncols() / settings.max(1);
    let of = |i: usize| side_by_side.columns(i * candidates, candidates).into_owned();
    (0..settings).map(of).collect()
}

/// The last, which is all learners together, unless the best is better by more than a standard error.
fn steadiest(values: &[Vec<f64>]) -> Option<usize> {
    let all = values.last()?;
    let best = (0..values.len()).max_by(|&a, &b| mean(&values[a]).total_cmp(&mean(&values[b])))?;
    let ahead = mean(&values[best]) - mean(all) > paired_error(&values[best], all);
    Some(if ahead { best } else { values.len() - 1 })
}

struct Tuned {
    learner: Box<dyn Learner>,
    setting: f64,
    scale: f64,
    cross_fitted: DMatrix<f64>,
}

fn tune(
    problem: &Problem,
    objective: &Objective,
    so_far: &DMatrix<f64>,
    learner: Box<dyn Learner>,
    work: &Work<'_>,
) -> Option<Tuned> {
    let settings = learner.settings(problem);
    let name = format!("learner-{}-{}", work.stage, learner.name().as_str());
    let side_by_side = work.checkpoint.step((&name, FOLDS), work.steps, || {
        cross_fit(problem, settings.len(), |outside, inside| {
            let fitted = learner.fit(problem, outside, &settings);
            let predicted = fitted.iter().map(|f| f.predict(problem, inside)).collect();
            work.steps.advance(1);
            predicted
        })
    });
    let mut predictions = by_setting(&side_by_side, settings.len());
    let scales: Vec<f64> = predictions.iter().map(|p| objective.scale(so_far, p)).collect();
    for (prediction, &scale) in predictions.iter_mut().zip(&scales) {
        *prediction *= scale;
    }
    let chosen = most_shrunk(objective, so_far, &predictions)?;
    let (setting, scale) = (settings[chosen], scales[chosen]);
    Some(Tuned { learner, setting, scale, cross_fitted: predictions.swap_remove(chosen) })
}

/// Of predictions by settings from most to least shrunk, the first within a standard error of the best, each
/// on top of `so_far`.
pub(crate) fn most_shrunk(
    objective: &Objective,
    so_far: &DMatrix<f64>,
    predictions: &[DMatrix<f64>],
) -> Option<usize> {
    let explained: Vec<_> =
        predictions.iter().map(|p| objective.explained(&(so_far + p))).collect();
    let best = explained.iter().max_by(|a, b| mean(a).total_cmp(&mean(b)))?;
    let within = |other: &Vec<f64>| mean(best) - mean(other) <= paired_error(best, other);
    explained.iter().position(within)
}

/// `(n, settings x candidates)` cross-fitted predictions, setting by setting; `predict(outside, inside)`
/// fits the rows outside a fold and predicts those inside, one `(inside, candidates)` matrix a setting.
pub(crate) fn cross_fit(
    problem: &Problem,
    settings: usize,
    predict: impl Fn(&[usize], &[usize]) -> Vec<DMatrix<f64>> + Sync,
) -> DMatrix<f64> {
    let (n, candidates) = problem.residual.shape();
    let by_fold: Vec<_> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            let (inside, outside): (Vec<usize>, Vec<usize>) =
                (0..n).partition(|&row| problem.folds[row] == fold);
            let predicted = predict(&outside, &inside);
            (inside, predicted)
        })
        .collect();
    let mut predictions = DMatrix::zeros(n, settings * candidates);
    for (inside, predicted) in by_fold {
        for (setting, predicted) in predicted.iter().enumerate() {
            let mut prediction = predictions.columns_mut(setting * candidates, candidates);
            for (i, &row) in inside.iter().enumerate() {
                prediction.set_row(row, &predicted.row(i));
            }
        }
    }
    predictions
}

/// Equal weights that add up to 1 for every set of `parts` but the empty one, all of them last.
fn choices(parts: usize) -> impl Iterator<Item = Vec<f64>> {
    let weigh = move |set: usize| {
        let weight = 1.0 / f64::from(set.count_ones());
        (0..parts).map(|i| if set >> i & 1 == 1 { weight } else { 0.0 }).collect()
    };
    (1_usize..1 << parts).map(weigh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Truth;

    #[test]
    fn every_set_of_learners_is_tried() {
        assert_eq!(choices(2).collect::<Vec<_>>(), [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]);
        assert_eq!(choices(0).count(), 0);
    }

    /// Two candidates, equal on average, that take turns at being right; in 250 requests.
    fn turns() -> (Objective, DMatrix<f64>) {
        let right = DMatrix::from_fn(250, 2, |row, c| if (row + c) % 2 == 0 { 0.5 } else { -0.5 });
        let folds: Vec<usize> = (0..250).map(|row| row / 50).collect();
        let objective = Objective::new(Truth {
            score: &right.map(|value| value + 0.5),
            cost: &DMatrix::from_fn(250, 2, |_, c| 1.0 + c as f64),
            mean_score: &[0.5, 0.5],
            mean_cost: &[1.0, 2.0],
            residual: right.clone(),
            folds: &folds,
        });
        (objective, right)
    }

    #[test]
    fn a_stage_must_add_to_those_before_it() {
        let (objective, right) = turns();
        let none = DMatrix::zeros(250, 2);
        assert!(earns(&objective, &none, &right));
        assert!(!earns(&objective, &none, &-&right), "worse than the zero router");
        // Choices stay as they are: still far above the zero router, and nothing is added.
        assert!(!earns(&objective, &right, &right), "the same once more");
    }

    #[test]
    fn all_together_unless_another_is_clearly_better() {
        let all = vec![1.0, 2.0, 3.0];
        assert_eq!(steadiest(&[vec![1.1, 2.6, 2.5], all.clone()]), Some(1));
        assert_eq!(steadiest(&[vec![1.5, 2.4, 3.6], all]), Some(0));
        assert_eq!(steadiest(&[]), None);
    }
}
