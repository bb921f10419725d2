//! Learners of the difference between candidates, one folder each.
//!
//! A learner predicts, for each request, by how much each candidate does better or worse than its
//! mean says, apart from the request's difficulty, which is the same for all. Every fitted learner
//! is linear in the vectors up to a soft-max, so it folds into the network's rows. The mean alone is
//! not a learner: it is what a blend of weight 0 leaves.

mod cluster;
pub(crate) mod context;
mod linear;
pub(crate) mod nearest;
mod shrink;
mod task;

use std::fmt::Debug;
use std::sync::Arc;

use farthing_model::network::{ContextTable, Shape};
use nalgebra::DMatrix;

use cluster::{ClusterMeans, Clusters};
use context::ContextMeans;
use linear::Linear;
use task::TaskPosterior;

use crate::problem::Problem;

/// The learners by name, in the order in which they explain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LearnerName {
    /// Shrunken means by context value.
    Context,
    /// Ridge regression on the vectors.
    Linear,
    /// Text -> task posterior, times task means.
    Task,
    /// Soft clusters of requests, times cluster means.
    Cluster,
}

impl LearnerName {
    /// Every learner.
    pub const ALL: [Self; 4] = [Self::Context, Self::Linear, Self::Task, Self::Cluster];

    /// The name in manifests and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Context => "context",
            Self::Linear => "linear",
            Self::Task => "task",
            Self::Cluster => "cluster",
        }
    }
}

/// The stages of a blend: what one stage leaves unexplained, the next one learns. Context comes
/// first, because where it is known it says more than text.
pub(crate) fn stages(names: &[LearnerName], context_columns: usize) -> Vec<Vec<Box<dyn Learner>>> {
    let mut stages: Vec<Vec<Box<dyn Learner>>> = Vec::new();
    if names.contains(&LearnerName::Context) {
        stages
            .extend((0..context_columns).map(|column| -> Vec<Box<dyn Learner>> {
                vec![Box::new(ContextMeans { column })]
            }));
    }
    let text = names.iter().filter_map(|name| -> Option<Box<dyn Learner>> {
        match name {
            LearnerName::Context => None,
            LearnerName::Linear => Some(Box::new(Linear)),
            LearnerName::Task => Some(Box::new(TaskPosterior)),
            LearnerName::Cluster => Some(Box::new(ClusterMeans)),
        }
    });
    stages.push(text.collect());
    stages
}

/// A way of learning differences, with one hyperparameter.
pub(crate) trait Learner: Debug + Sync {
    /// Which learner it is.
    fn name(&self) -> LearnerName;

    /// What its hyperparameter is called.
    fn setting_name(&self) -> &'static str;

    /// Values worth trying, from most to least shrunk; empty where the log lacks what it needs.
    fn settings(&self, problem: &Problem) -> Vec<f64>;

    /// Adds to the shape of a router what storing this learner at a setting takes, beyond what every router
    /// has.
    fn widen(&self, _: &Problem, _setting: f64, _: &mut Shape) {}

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
    pub(crate) mixtures: Vec<Mixture>,
    pub(crate) clusters: Option<Clusters>,
    /// One table a context column.
    pub(crate) context: Vec<ContextTable>,
}

/// Soft assignment of requests to components, times what each component is worth.
#[derive(Debug, Clone)]
pub(crate) struct Mixture {
    /// `(width + 1, components)`, the last row is the intercept.
    pub(crate) logits: DMatrix<f64>,
    /// What single words add to the logits.
    pub(crate) words: Option<WordLogits>,
    /// `(components, candidates)`
    pub(crate) means: DMatrix<f64>,
}

/// Logits by word, of low rank.
#[derive(Debug, Clone)]
pub(crate) struct WordLogits {
    /// `(buckets, k)`
    pub(crate) scores: Arc<DMatrix<f64>>,
    /// `(k, components)`
    pub(crate) coefficients: DMatrix<f64>,
}

impl WordLogits {
    /// `(buckets, components)`
    pub(crate) fn by_bucket(&self) -> DMatrix<f64> {
        &*self.scores * &self.coefficients
    }
}

impl Fitted for Mixture {
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
        let mut logits = with_intercept(&problem.vectors.select_rows(rows)) * &self.logits;
        if let Some(words) = &self.words {
            logits += problem.words.select(rows).times(&words.scores) * &words.coefficients;
        }
        soft_max(logits) * &self.means
    }

    fn add_to(&self, heads: &mut Heads, weight: f64) {
        heads.mixtures.push(Self { means: &self.means * weight, ..self.clone() });
    }
}

/// The vectors and a column of ones.
pub(crate) fn with_intercept(vectors: &DMatrix<f64>) -> DMatrix<f64> {
    vectors.clone().insert_column(vectors.ncols(), 1.0)
}

/// Row by row.
pub(crate) fn soft_max(mut logits: DMatrix<f64>) -> DMatrix<f64> {
    for mut row in logits.row_iter_mut() {
        let top = row.max();
        row.apply(|value| *value = (*value - top).exp());
        let sum = row.sum();
        row /= sum;
    }
    logits
}
