//! Text -> task posterior, times shrunken task means.
//!
//! The task comes from the log's label columns and is an auxiliary target only: at request time the
//! posterior is computed from the text.

mod logistic;

use nalgebra::DMatrix;

use super::shrink::group_means;
use super::{Fitted, Learner, LearnerName, Mixture};
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
        if problem.tasks.count == 0 { Vec::new() } else { vec![1.0, 0.1, 0.01] }
    }

    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let labelled: Vec<usize> =
            rows.iter().copied().filter(|&row| problem.tasks.of[row].is_some()).collect();
        let tasks: Vec<usize> = labelled.iter().filter_map(|&row| problem.tasks.of[row]).collect();
        let vectors = problem.vectors.select_rows(&labelled);
        let means = group_means(problem, &labelled, &tasks, problem.tasks.count);
        // Each fit starts from the one before it.
        let mut logits = DMatrix::zeros(vectors.ncols() + 1, problem.tasks.count);
        let fit = |&penalty: &f64| -> Box<dyn Fitted> {
            logistic::fit(&vectors, &tasks, penalty, &mut logits);
            Box::new(Mixture { logits: logits.clone(), means: means.clone() })
        };
        settings.iter().map(fit).collect()
    }
}
