//! Latent semantic analysis of the log's own n-grams (Deerwester et al. 1990).

use std::collections::BTreeMap;

use farthing_model::features::Features;
use nalgebra::DMatrix;

use super::sparse::Csr;
use super::{LeftVectors, inverse_frequency};

/// Widest latent space; more did not earn.
const MAX_RANK: usize = 256;
/// Requests that a latent dimension needs.
const REQUESTS_PER_DIMENSION: usize = 8;
/// A bucket that fewer requests hold teaches nothing.
const MIN_REQUESTS: usize = 2;
/// Nor does one that fewer than one in so many hold: a router would grow with its log and earn no more.
const REQUESTS_PER_HOLDER: usize = 2_000;

/// Latent directions of hashed words and word pairs.
#[derive(Debug)]
pub(super) struct Words {
    /// Buckets with a weight, ascending.
    buckets: Vec<u32>,
    /// `(buckets, rank)`: inverse document frequency times latent direction.
    latent: DMatrix<f64>,
}

impl Words {
    /// `left` gives the left singular vectors of the weighted words, at most so many of them, as
    /// [`super::left_singular_vectors`] does.
    pub(super) fn learn(features: &[Features], left: &LeftVectors<'_>) -> Self {
        let counts: Vec<_> = features.iter().map(bag).collect();
        let mut holders = BTreeMap::<u32, usize>::new();
        for (bucket, _) in counts.iter().flatten() {
            *holders.entry(*bucket).or_default() += 1;
        }
        let least = MIN_REQUESTS.max(features.len() / REQUESTS_PER_HOLDER);
        holders.retain(|_, &mut requests| requests >= least);
        let buckets: Vec<u32> = holders.keys().copied().collect();
        let idf: Vec<f64> =
            holders.values().map(|&holding| inverse_frequency(features.len(), holding)).collect();
        let weigh = |counts: &Vec<(u32, f32)>| weighted(counts, &buckets, |i| idf[i]);
        let matrix = Csr::from_rows(&counts.iter().map(weigh).collect::<Vec<_>>(), buckets.len());
        let rank = MAX_RANK.min(features.len() / REQUESTS_PER_DIMENSION).max(1);
        let mut latent = matrix.transpose().times(&left(&matrix, rank));
        for (mut row, weight) in latent.row_iter_mut().zip(&idf) {
            row *= *weight;
        }
        Self { buckets, latent }
    }

    /// `(n) features -> (n, buckets)` as the network pools them.
    pub(super) fn bags(&self, features: &[Features]) -> Csr {
        let rows: Vec<_> =
            features.iter().map(|f| weighted(&bag(f), &self.buckets, |_| 1.0)).collect();
        Csr::from_rows(&rows, self.buckets.len())
    }

    /// `(n) features -> (n, rank)`
    pub(super) fn embed(&self, features: &[Features]) -> DMatrix<f64> {
        self.bags(features).times(&self.latent)
    }

    /// Buckets, ascending, and their rows: `(rank, outputs) -> (buckets, outputs)`.
    pub(super) fn fold(&self, head: &DMatrix<f64>) -> (Vec<u32>, DMatrix<f64>) {
        (self.buckets.clone(), &self.latent * head)
    }
}

/// (bucket, count / sqrt(number of n-grams)) of a request, buckets ascending.
fn bag(features: &Features) -> Vec<(u32, f32)> {
    let mut buckets = features.buckets.clone();
    buckets.sort_unstable();
    let scale = 1.0 / (buckets.len().max(1) as f32).sqrt();
    buckets.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as f32 * scale)).collect()
}

/// The entries of a bag whose bucket has a weight, by position of that bucket.
#[expect(clippy::cast_possible_truncation, reason = "there are at most 2^24 buckets")]
fn weighted(bag: &[(u32, f32)], buckets: &[u32], weight: impl Fn(usize) -> f64) -> Vec<(u32, f32)> {
    let known = |&(bucket, value): &(u32, f32)| {
        let position = buckets.binary_search(&bucket).ok()?;
        Some((position as u32, value * weight(position) as f32))
    };
    bag.iter().filter_map(known).collect()
}
