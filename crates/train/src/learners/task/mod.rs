//! Text -> task posterior, times shrunken task means.
//!
//! The task comes from the log's label columns and is an auxiliary target only: at request time the
//! posterior is computed from the text.

mod bayes;
mod logistic;

use std::sync::Arc;

use farthing_model::network::Shape;
use nalgebra::{DMatrix, RowDVector};

use super::shrink::group_means;
use super::{Fitted, Learner, LearnerName, Mixture, WordLogits};
use crate::problem::Problem;

/// The learner.
#[derive(Debug)]
pub(crate) struct TaskPosterior;

impl Learner for TaskPosterior {
    fn name(&self) -> LearnerName {
        LearnerName::Task
    }

    fn setting_name(&self) -> &'static str {
        "penalty"
    }

    fn settings(&self, problem: &Problem) -> Vec<f64> {
        if problem.tasks.count == 0 { Vec::new() } else { vec![0.003, 0.001] }
    }

    fn widen(&self, problem: &Problem, _setting: f64, shape: &mut Shape) {
        shape.mixtures.push(problem.tasks.count);
    }

    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let labelled: Vec<usize> =
            rows.iter().copied().filter(|&row| problem.tasks.of[row].is_some()).collect();
        let tasks: Vec<usize> = labelled.iter().filter_map(|&row| problem.tasks.of[row]).collect();
        let means = group_means(problem, &labelled, &tasks, problem.tasks.count);
        let odds = Arc::new(bayes::log_odds(problem, &labelled, &tasks));
        let scores = Standardised::of(bayes::cross_fitted(problem, &labelled, &tasks));
        let vectors = problem.vectors.select_rows(&labelled);
        let width = vectors.ncols();
        let design = beside(&vectors, &scores.values);
        // Each fit starts from the one before it.
        let mut all = DMatrix::zeros(design.ncols() + 1, problem.tasks.count);
        let fit = |&penalty: &f64| -> Box<dyn Fitted> {
            logistic::fit(&design, &tasks, penalty, &mut all);
            let coefficients = all.rows(width, scores.values.ncols()) * scores.scale;
            let mut logits = all.clone().remove_rows(width, scores.values.ncols());
            let mut intercept = logits.row_mut(width);
            intercept -= &scores.mean * &coefficients;
            let words = Some(WordLogits { scores: Arc::clone(&odds), coefficients });
            Box::new(Mixture { logits, words, means: means.clone() })
        };
        settings.iter().map(fit).collect()
    }
}

/// Scores centred by column and scaled alike.
struct Standardised {
    /// `(n, k)`
    values: DMatrix<f64>,
    /// `(1, k)`
    mean: RowDVector<f64>,
    scale: f64,
}

impl Standardised {
    /// Every column has a variance of a quarter: together they weigh about as much as the vectors.
    fn of(mut values: DMatrix<f64>) -> Self {
        let mean = values.row_mean();
        for (mut column, mean) in values.column_iter_mut().zip(mean.iter()) {
            column.add_scalar_mut(-mean);
        }
        let variance = values.norm_squared() / values.len().max(1) as f64;
        let scale = if variance > 0.0 { 0.5 / variance.sqrt() } else { 0.0 };
        Self { values: values * scale, mean, scale }
    }
}

/// Two matrices of as many rows, side by side.
fn beside(left: &DMatrix<f64>, right: &DMatrix<f64>) -> DMatrix<f64> {
    let mut both = left.clone().resize_horizontally(left.ncols() + right.ncols(), 0.0);
    both.columns_mut(left.ncols(), right.ncols()).copy_from(right);
    both
}
