//! The feature matrix and the targets that learners see.

use std::collections::BTreeMap;

use farthing_data::Record;
use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::representation::Csr;

/// What learners are fitted on: one row a request of the fit split, one column a candidate.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    /// `(n, width)` vectors.
    pub(crate) vectors: DMatrix<f64>,
    /// `(n, buckets)`: words as the network pools them.
    pub(crate) words: Csr,
    /// `(n, latent)`: directions of the vectors' principal components, each row of length 1.
    pub(crate) directions: DMatrix<f64>,
    /// `(n, candidates)`: score minus the candidate's mean and what earlier stages explain; NaN
    /// where unknown.
    pub(crate) residual: DMatrix<f64>,
    /// `(n)`: what the vectors say of the request's difficulty, the same for every candidate.
    pub(crate) difficulty: DVector<f64>,
    /// `(n)`: the task of each request, where its label is known.
    pub(crate) tasks: Tasks,
    /// `(context columns, n)`: hashed values.
    pub(crate) context: Vec<Vec<Option<u64>>>,
    /// `(n)`: fold of the cross-fitting; near-duplicates share one.
    pub(crate) folds: Vec<usize>,
    /// Of every draw.
    pub(crate) seed: u64,
}

impl Problem {
    /// Every row.
    pub(crate) fn rows(&self) -> Vec<usize> {
        (0..self.residual.nrows()).collect()
    }

    /// The same problem with whole requests' outcomes shuffled: nothing can be learned from it.
    pub(crate) fn shuffled(&self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.residual.nrows()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        Self { residual: self.residual.select_rows(&order), ..self.clone() }
    }
}

/// The task of each request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    /// Number of tasks.
    pub(crate) count: usize,
    /// Task of each request; `None` where the label is missing or too rare.
    pub(crate) of: Vec<Option<usize>>,
}

/// A label that fewer requests have is no task.
const MIN_REQUESTS_PER_TASK: usize = 20;
/// More tasks than this cost more per decision than they have been seen to earn.
const MAX_TASKS: usize = 64;

impl Tasks {
    /// Tasks are the distinct combinations of label values that enough records have.
    pub(crate) fn of(records: &[&Record]) -> Self {
        let mut sizes = BTreeMap::<Vec<&str>, usize>::new();
        let label =
            |record: &&Record| -> Option<Vec<String>> { record.labels.iter().cloned().collect() };
        let labels: Vec<_> =
            records.iter().map(label).map(|l| l.filter(|l| !l.is_empty())).collect();
        for label in labels.iter().flatten() {
            *sizes.entry(label.iter().map(String::as_str).collect()).or_default() += 1;
        }
        let mut frequent: Vec<_> =
            sizes.into_iter().filter(|(_, size)| *size >= MIN_REQUESTS_PER_TASK).collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        frequent.truncate(MAX_TASKS);
        let task_of = |label: &Option<Vec<String>>| {
            let label = label.as_ref()?;
            frequent.iter().position(|(task, _)| task == label)
        };
        // One task tells nothing apart.
        if frequent.len() < 2 {
            return Self { count: 0, of: vec![None; records.len()] };
        }
        Self { count: frequent.len(), of: labels.iter().map(task_of).collect() }
    }
}

/// `(n, candidates)` of one field of the cells; NaN where unknown.
pub(crate) fn matrix(
    records: &[&Record],
    candidates: usize,
    field: impl Fn(&farthing_data::Cell) -> Option<f64>,
) -> DMatrix<f64> {
    let mut matrix = DMatrix::from_element(records.len(), candidates, f64::NAN);
    for (row, record) in records.iter().enumerate() {
        for cell in &record.cells {
            matrix[(row, cell.candidate)] = field(cell).unwrap_or(f64::NAN);
        }
    }
    matrix
}

/// The mean of each column over what is known; NaN for an empty one.
pub(crate) fn column_means(matrix: &DMatrix<f64>) -> Vec<f64> {
    let mean = |known: Vec<f64>| known.iter().sum::<f64>() / known.len() as f64;
    matrix
        .column_iter()
        .map(|c| mean(c.iter().copied().filter(|v| !v.is_nan()).collect()))
        .collect()
}

/// The effect of each request on all candidates alike, given what a learner predicts of the
/// differences: the mean of what is left over the candidates that answered, shrunk towards the
/// predicted difficulty by one pseudo-answer. Taking it out is what makes a learner one of paired
/// differences; where a request has one answer only, half of its surprise counts as difficulty.
pub(crate) fn request_effects(
    residual: &DMatrix<f64>,
    predicted: &DMatrix<f64>,
    difficulty: &DVector<f64>,
) -> DVector<f64> {
    DVector::from_fn(residual.nrows(), |row, _| {
        let prior = difficulty[row];
        let (mut sum, mut answers) = (0.0, 1.0);
        for (value, expected) in residual.row(row).iter().zip(predicted.row(row).iter()) {
            if !value.is_nan() {
                sum += value - expected - prior;
                answers += 1.0;
            }
        }
        prior + sum / answers
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_shrunk_means_of_what_is_left() {
        let residual = DMatrix::from_row_slice(2, 2, &[0.6, 0.2, 0.5, f64::NAN]);
        let predicted = DMatrix::from_row_slice(2, 2, &[0.2, -0.2, 0.0, 0.0]);
        let effects = request_effects(&residual, &predicted, &DVector::from_vec(vec![0.1, 0.1]));
        assert!((effects[0] - (0.1 + 0.6 / 3.0)).abs() < 1e-12);
        assert!((effects[1] - 0.3).abs() < 1e-12);
    }

    #[test]
    fn means_are_over_what_is_known() {
        let matrix = DMatrix::from_row_slice(2, 2, &[0.6, f64::NAN, 0.2, f64::NAN]);
        let means = column_means(&matrix);
        assert!((means[0] - 0.4).abs() < 1e-12 && means[1].is_nan());
    }
}
