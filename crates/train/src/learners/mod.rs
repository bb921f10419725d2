//! Learners of the difference between candidates, one folder each.
//!
//! A learner predicts, for each request, by how much each candidate does better or worse than its
//! mean says, apart from the request's difficulty, which is the same for all. Every fitted learner
//! is linear in the vectors up to a soft-max, so it folds into the network's rows. The mean alone is
//! not a learner: it is what a blend of weight 0 leaves.

mod context;
mod linear;
mod task;

use std::fmt::Debug;

use farthing_model::network::ContextTable;
use nalgebra::DMatrix;

pub(crate) use context::ContextMeans;
pub(crate) use linear::Linear;
pub(crate) use task::TaskPosterior;

use crate::problem::Problem;

/// A way of learning differences, with one hyperparameter.
pub(crate) trait Learner: Debug + Sync {
    /// Its name in manifests and tables.
    fn name(&self) -> &'static str;

    /// What its hyperparameter is called.
    fn setting_name(&self) -> &'static str;

    /// Values worth trying, from most to least shrunk; empty where the log lacks what it needs.
    fn settings(&self, problem: &Problem) -> Vec<f64>;

    /// Fits the given rows of the problem once for each setting.
    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>>;
}

/// A fitted learner.
pub(crate) trait Fitted: Debug {
    /// `(rows, candidates)` differences.
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64>;

    /// Adds `weight` times itself to what will be stored.
    fn add_to(&self, heads: &mut Heads, weight: f64);
}

/// The heads of the network in terms of vectors.
#[derive(Debug)]
pub(crate) struct Heads {
    /// `(width, candidates)`
    pub(crate) quality: DMatrix<f64>,
    /// `(width + 1, tasks)`: logits, the last row is the intercept.
    pub(crate) tasks: DMatrix<f64>,
    /// `(tasks, candidates)`
    pub(crate) task_means: DMatrix<f64>,
    /// One table a context column.
    pub(crate) context: Vec<ContextTable>,
}
