//! Clusters of requests, times shrunken cluster means.
//!
//! A request belongs to the clusters near its direction in the latent space, softly: a nearest
//! neighbour estimate with the neighbours averaged in advance, so that it costs the same however
//! long the log is.

mod kmeans;

use farthing_model::network::Shape;
use nalgebra::{DMatrix, DVector};

use super::shrink::soft_means;
use super::{Fitted, Heads, Learner, LearnerName, soft_max};
use crate::problem::Problem;

/// How fast membership falls with the squared distance of directions.
const SHARPNESS: f64 = 30.0;
/// Requests that a cluster needs on average.
const REQUESTS_PER_CLUSTER: usize = 20;

/// The learner.
#[derive(Debug)]
pub(crate) struct ClusterMeans;

/// Clusters in the latent space and what they are worth.
#[derive(Debug, Clone)]
pub(crate) struct Clusters {
    /// `(latent, clusters)`
    pub(crate) centres: DMatrix<f64>,
    /// `(clusters)`
    pub(crate) bias: DVector<f64>,
    /// `(clusters, candidates)`
    pub(crate) means: DMatrix<f64>,
    /// Requests that the smallest cluster averages: those nearer to its centre than to any other.
    pub(crate) smallest: usize,
}

impl Clusters {
    /// `(n, latent)` directions -> `(n, clusters)` memberships.
    fn assign(&self, directions: &DMatrix<f64>) -> DMatrix<f64> {
        let mut logits = directions * &self.centres;
        for (mut column, bias) in logits.column_iter_mut().zip(self.bias.iter()) {
            column.add_scalar_mut(*bias);
        }
        soft_max(logits)
    }
}

/// Rows of the cluster that fewest of them belong to most, of `(rows, clusters)` memberships.
fn smallest(memberships: &DMatrix<f64>) -> usize {
    let mut sizes = vec![0; memberships.ncols()];
    for row in memberships.row_iter() {
        sizes[row.transpose().imax()] += 1;
    }
    sizes.into_iter().min().unwrap_or_default()
}

impl Learner for ClusterMeans {
    fn name(&self) -> LearnerName {
        LearnerName::Cluster
    }

    fn setting_name(&self) -> &'static str {
        "clusters"
    }

    fn settings(&self, problem: &Problem) -> Vec<f64> {
        let most = problem.directions.nrows() / REQUESTS_PER_CLUSTER;
        [32_usize, 64].into_iter().filter(|&k| k <= most).map(|k| k as f64).collect()
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    fn widen(&self, problem: &Problem, clusters: f64, shape: &mut Shape) {
        shape.latent = problem.directions.ncols();
        shape.clusters = clusters as usize;
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts")]
    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let directions = problem.directions.select_rows(rows);
        let fit = |&count: &f64| -> Box<dyn Fitted> {
            let centres = kmeans::centres(&directions, count as usize, problem.seed);
            // -|u - c|^2 / 2 without |u|^2, which is the same for every cluster.
            let bias = DVector::from_iterator(
                centres.ncols(),
                centres.column_iter().map(|c| -0.5 * c.norm_squared()),
            );
            let mut clusters = Clusters {
                centres: centres * SHARPNESS,
                bias: bias * SHARPNESS,
                means: DMatrix::zeros(0, 0),
                smallest: 0,
            };
            let memberships = clusters.assign(&directions);
            clusters.means = soft_means(problem, rows, &memberships);
            clusters.smallest = smallest(&memberships);
            Box::new(clusters)
        };
        settings.iter().map(fit).collect()
    }
}

impl Fitted for Clusters {
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
        self.assign(&problem.directions.select_rows(rows)) * &self.means
    }

    fn add_to(&self, heads: &mut Heads, weight: f64) {
        heads.clusters = Some(Self { means: &self.means * weight, ..self.clone() });
    }
}
