//! A router's predictions beside what a log says, request by request, in the router's candidate
//! order.

use farthing_core::{Constraints, Policy, Prediction, Reason, decide};
use farthing_data::{Cell, Dataset, Record};
use farthing_model::{RouteError, Router};
use rayon::prelude::*;

use crate::EvalError;
use crate::metrics::{Groups, Matrix};

/// Requests predicted at once: the forward pass is a matrix product.
const BATCH: usize = 64;
/// Requests between two reports of progress.
const STRIDE: usize = 64 * BATCH;

/// Scored requests. Matrices are `(requests, candidates)`, NaN where unknown.
#[derive(Debug)]
pub(crate) struct Rows {
    /// Near-duplicate prompts.
    pub(crate) groups: Groups,
    pub(crate) predicted_quality: Matrix,
    /// P(score >= bar) at the bar in force.
    pub(crate) predicted_p: Matrix,
    pub(crate) predicted_cost: Matrix,
    /// The quality that the same learners predict after shuffled labels.
    pub(crate) null_quality: Option<Matrix>,
    pub(crate) score: Matrix,
    pub(crate) cost: Matrix,
    /// What the policy chooses; `None` where no candidate is eligible.
    pub(crate) choices: Vec<Option<usize>>,
    /// Why.
    pub(crate) reasons: Vec<Option<Reason>>,
}

/// A value that is known.
pub(crate) fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

impl Rows {
    /// Predicts and decides every record, in order. `null` is the router of shuffled labels. `progress`
    /// is given the number of requests done.
    pub(crate) fn new(
        (router, null): (&Router, Option<&Router>),
        (policy, bar_index): (&Policy, usize),
        dataset: &Dataset,
        records: &[&Record],
        progress: &dyn Fn(u64),
    ) -> Result<Self, EvalError> {
        let mut predictions: Vec<Vec<Prediction>> = Vec::with_capacity(records.len());
        let mut null_quality = Vec::new();
        for stride in records.chunks(STRIDE) {
            let batches: Result<Vec<_>, EvalError> = stride
                .par_chunks(BATCH)
                .map(|batch| predict((router, null), batch, bar_index))
                .collect();
            for (of_router, of_null) in batches? {
                predictions.extend(of_router);
                null_quality.extend(of_null.iter().flatten().map(|p| p.quality));
            }
            progress(predictions.len() as u64);
        }
        let decide = |predictions: &Vec<Prediction>| {
            let choice = decide(policy, predictions, &Constraints::default(), 0.0).ok()?;
            Some((*choice.ranked.first()?, choice.reason))
        };
        let decided: Vec<Option<(usize, Reason)>> = predictions.iter().map(decide).collect();
        let columns = router.candidates().len();
        let predicted = |of: fn(&Prediction) -> f64| {
            Matrix::new(columns, predictions.iter().flatten().map(of).collect())
        };
        let keys: Vec<u64> = records.iter().map(|record| record.group).collect();
        Ok(Self {
            groups: Groups::by_key(&keys),
            predicted_quality: predicted(|p| p.quality),
            predicted_p: predicted(|p| p.p_above_bar),
            predicted_cost: predicted(|p| p.cost_usd.unwrap_or(f64::NAN)),
            null_quality: null.map(|_| Matrix::new(columns, null_quality)),
            score: logged(router, dataset, records, |cell| cell.score),
            cost: logged(router, dataset, records, |cell| cell.cost_usd),
            choices: decided.iter().map(|decided| Some(decided.as_ref()?.0)).collect(),
            reasons: decided.iter().map(|decided| Some(decided.as_ref()?.1)).collect(),
        })
    }

    /// Number of requests.
    pub(crate) fn len(&self) -> usize {
        self.choices.len()
    }

    /// Logged score of a candidate.
    pub(crate) fn score(&self, request: usize, candidate: usize) -> Option<f64> {
        known(self.score.at(request, candidate))
    }

    /// Logged cost of a candidate.
    pub(crate) fn cost(&self, request: usize, candidate: usize) -> Option<f64> {
        known(self.cost.at(request, candidate))
    }

    /// Requests for which score and cost of all these candidates are known; of no candidates none.
    pub(crate) fn complete(&self, candidates: &[usize]) -> Vec<usize> {
        let answered = |request: usize, candidate: usize| {
            self.score(request, candidate).is_some() && self.cost(request, candidate).is_some()
        };
        if candidates.is_empty() {
            return Vec::new();
        }
        (0..self.len()).filter(|&i| candidates.iter().all(|&c| answered(i, c))).collect()
    }
}

/// Position in the router of each of the log's candidates, by name.
pub(crate) fn positions(router: &Router, dataset: &Dataset) -> Vec<Option<usize>> {
    let position = |name: &String| router.candidates().iter().position(|known| known == name);
    dataset.candidates.iter().map(position).collect()
}

/// What a batch's requests are predicted to come to, by the router and by that of shuffled labels.
type Predicted = (Vec<Vec<Prediction>>, Vec<Vec<Prediction>>);

fn predict(
    (router, null): (&Router, Option<&Router>),
    batch: &[&Record],
    bar_index: usize,
) -> Result<Predicted, EvalError> {
    let forward = |source| EvalError::Predict(RouteError::Forward(source));
    let features: Result<Vec<_>, _> =
        batch.iter().map(|record| router.featurize(&record.request)).collect();
    let features = features.map_err(forward)?;
    let of = |router: &Router| features.iter().map(|f| router.predict(f, bar_index)).collect();
    Ok((of(router), null.map(of).unwrap_or_default()))
}

/// A value of each outcome, `(records, the router's candidates)`, NaN where unknown.
pub(crate) fn logged(
    router: &Router,
    dataset: &Dataset,
    records: &[&Record],
    value: fn(&Cell) -> Option<f64>,
) -> Matrix {
    let (position, columns) = (positions(router, dataset), router.candidates().len());
    let mut values = vec![f64::NAN; records.len() * columns];
    for (row, record) in records.iter().enumerate() {
        for cell in &record.cells {
            if let (Some(column), Some(value)) = (position[cell.candidate], value(cell)) {
                values[row * columns + column] = value;
            }
        }
    }
    Matrix::new(columns, values)
}
