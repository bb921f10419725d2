//! Text -> task posterior, times shrunken task means.
//!
//! The task comes from the log's label columns and is an auxiliary target only: at request time the
//! posterior is computed from the text.

mod logistic;

use nalgebra::DMatrix;

use super::{Fitted, Heads, Learner, LearnerName};
use crate::problem::{Problem, request_effects};

/// The learner.
#[derive(Debug)]
pub(crate) struct TaskPosterior;

#[derive(Debug)]
struct Posterior {
    /// `(width + 1, tasks)`
    logits: DMatrix<f64>,
    /// `(tasks, candidates)`
    means: DMatrix<f64>,
}

impl Learner for TaskPosterior {
    fn name(&self) -> LearnerName {
        LearnerName::Task
    }

    fn setting_name(&self) -> &'static str {
        "penalty"
    }

    fn settings(&self, problem: &Problem) -> Vec<f64> {
        if problem.tasks.count == 0 { Vec::new() } else { vec![1.0, 0.1, 0.01] }
    }

    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let labelled: Vec<usize> =
            rows.iter().copied().filter(|&row| problem.tasks.of[row].is_some()).collect();
        let tasks: Vec<usize> = labelled.iter().filter_map(|&row| problem.tasks.of[row]).collect();
        let vectors = problem.vectors.select_rows(&labelled);
        let means = task_means(problem, &labelled, &tasks);
        // Each fit starts from the one before it.
        let mut logits = DMatrix::zeros(vectors.ncols() + 1, problem.tasks.count);
        let fit = |&penalty: &f64| -> Box<dyn Fitted> {
            logistic::fit(&vectors, &tasks, penalty, &mut logits);
            Box::new(Posterior { logits: logits.clone(), means: means.clone() })
        };
        settings.iter().map(fit).collect()
    }
}

impl Fitted for Posterior {
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
        logistic::posterior(&problem.vectors.select_rows(rows), &self.logits) * &self.means
    }

    fn add_to(&self, heads: &mut Heads, weight: f64) {
        heads.tasks.clone_from(&self.logits);
        heads.task_means = &self.means * weight;
    }
}

/// `(tasks, candidates)`: mean difference of each task, shrunk towards 0 by as many pseudo-answers as
/// the ratio of the variance within tasks to that between them (empirical Bayes).
fn task_means(problem: &Problem, rows: &[usize], tasks: &[usize]) -> DMatrix<f64> {
    let residual = problem.residual.select_rows(rows);
    let predicted = DMatrix::zeros(residual.nrows(), residual.ncols());
    let effects = request_effects(&residual, &predicted, &problem.difficulty.select_rows(rows));
    let mut means = DMatrix::zeros(problem.tasks.count, residual.ncols());
    for candidate in 0..residual.ncols() {
        let known = (0..rows.len()).filter(|&row| !residual[(row, candidate)].is_nan());
        let samples: Vec<(usize, f64)> =
            known.map(|row| (tasks[row], residual[(row, candidate)] - effects[row])).collect();
        let column = shrunken_means(&samples, problem.tasks.count);
        means.set_column(candidate, &nalgebra::DVector::from_vec(column));
    }
    means
}

/// Mean of each group, shrunk towards 0; `samples` are (group, value).
pub(super) fn shrunken_means(samples: &[(usize, f64)], groups: usize) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; groups], vec![0.0; groups]);
    for &(group, value) in samples {
        sums[group] += value;
        counts[group] += 1.0;
    }
    let raw = |group: usize| sums[group] / f64::max(counts[group], 1.0);
    let within: f64 = samples.iter().map(|&(group, value)| (value - raw(group)).powi(2)).sum();
    let occupied = counts.iter().filter(|&&count| count > 0.0).count() as f64;
    let within = within / (samples.len() as f64 - occupied).max(1.0);
    // Method of moments: what the groups' means vary by beyond their sampling noise.
    let noise: f64 = counts.iter().filter(|&&c| c > 0.0).map(|count| within / count).sum();
    let spread: f64 = (0..groups).map(|group| raw(group).powi(2)).sum();
    let between = ((spread - noise) / occupied.max(1.0)).max(0.0);
    (0..groups)
        .map(|g| if between > 0.0 { sums[g] / (counts[g] + within / between) } else { 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_differ_keep_their_means_and_noise_is_shrunk_away() {
        let clear: Vec<_> =
            (0..200).map(|i| (i % 2, if i % 2 == 0 { 0.5 } else { -0.5 })).collect();
        let means = shrunken_means(&clear, 2);
        assert!((means[0] - 0.5).abs() < 1e-6 && (means[1] + 0.5).abs() < 1e-6);
        let noise: Vec<_> = (0..200).map(|i| (i % 2, if i % 4 < 2 { 0.5 } else { -0.5 })).collect();
        assert!(shrunken_means(&noise, 2).iter().all(|mean| mean.abs() < 1e-6));
    }
}
