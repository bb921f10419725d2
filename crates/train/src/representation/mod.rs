//! From features to a dense vector per request: latent semantic analysis of the log's own n-grams
//! (Deerwester et al. 1990) beside the standardised surface features.
//!
//! The vector is linear in the features, so a linear head on it folds back into one row a bucket:
//! see [`Representation::fold`].

mod sparse;
mod svd;

use std::collections::BTreeMap;

use farthing_model::features::{Features, SURFACE_FEATURES};
use nalgebra::{DMatrix, DVector};

use sparse::Csr;

/// Widest latent space; more did not earn.
const MAX_RANK: usize = 256;
/// Requests that a latent dimension needs.
const REQUESTS_PER_DIMENSION: usize = 8;
/// A bucket that fewer requests hold teaches nothing.
const MIN_REQUESTS: usize = 2;

/// A linear map from features to vectors.
#[derive(Debug)]
pub(crate) struct Representation {
    /// Buckets with a weight, ascending.
    buckets: Vec<u32>,
    /// `(buckets, rank)`: inverse document frequency times latent direction.
    latent: DMatrix<f64>,
    /// Mean of the latent part over the requests it was learned from.
    latent_mean: DVector<f64>,
    surface_mean: Vec<f64>,
    surface_scale: Vec<f64>,
}

/// A linear head in terms of features, ready to be stored.
#[derive(Debug)]
pub(crate) struct Folded {
    /// Buckets that have a row, ascending.
    pub(crate) buckets: Vec<u32>,
    /// `(buckets, outputs)`
    pub(crate) rows: DMatrix<f64>,
    /// `(surface features, outputs)`
    pub(crate) surface: DMatrix<f64>,
    /// `(outputs)`
    pub(crate) bias: DVector<f64>,
}

impl Representation {
    /// Learns the map from the features of the fit split; labels are not looked at.
    pub(crate) fn learn(features: &[Features], seed: u64) -> Self {
        let counts: Vec<_> = features.iter().map(bag).collect();
        let mut holders = BTreeMap::<u32, usize>::new();
        for (bucket, _) in counts.iter().flatten() {
            *holders.entry(*bucket).or_default() += 1;
        }
        holders.retain(|_, &mut requests| requests >= MIN_REQUESTS);
        let buckets: Vec<u32> = holders.keys().copied().collect();
        let n = features.len() as f64;
        let idf: Vec<f64> = holders
            .values()
            .map(|&holding| ((1.0 + n) / (1.0 + holding as f64)).ln() + 1.0)
            .collect();
        let weigh = |counts: &Vec<(u32, f32)>| weighted(counts, &buckets, |i| idf[i]);
        let matrix = Csr::from_rows(&counts.iter().map(weigh).collect::<Vec<_>>(), buckets.len());
        let rank = MAX_RANK.min(features.len() / REQUESTS_PER_DIMENSION).max(1);
        let vectors = svd::right_singular_vectors(&matrix, rank, seed);
        let latent_mean = matrix.times(&vectors).row_mean().transpose();
        let mut latent = vectors;
        for (mut row, weight) in latent.row_iter_mut().zip(&idf) {
            row *= *weight;
        }
        let (surface_mean, surface_scale) = standardisation(features);
        Self { buckets, latent, latent_mean, surface_mean, surface_scale }
    }

    /// Width of the vectors.
    pub(crate) fn width(&self) -> usize {
        self.latent.ncols() + SURFACE_FEATURES.len()
    }

    /// `(n) features -> (n, width)` vectors, centred on the requests it was learned from.
    pub(crate) fn embed(&self, features: &[Features]) -> DMatrix<f64> {
        let rows: Vec<_> =
            features.iter().map(|f| weighted(&bag(f), &self.buckets, |_| 1.0)).collect();
        let mut latent = Csr::from_rows(&rows, self.buckets.len()).times(&self.latent);
        for mut row in latent.row_iter_mut() {
            row -= self.latent_mean.transpose();
        }
        let rank = self.latent.ncols();
        let surface = |row: usize, j: usize| {
            (f64::from(features[row].surface[j]) - self.surface_mean[j]) / self.surface_scale[j]
        };
        let mut vectors = latent.resize_horizontally(self.width(), 0.0);
        for row in 0..features.len() {
            for j in 0..SURFACE_FEATURES.len() {
                vectors[(row, rank + j)] = surface(row, j);
            }
        }
        vectors
    }

    /// Expresses `vector x head + bias` in terms of features: `head` is `(width, outputs)`.
    pub(crate) fn fold(&self, head: &DMatrix<f64>, bias: &DVector<f64>) -> Folded {
        let rank = self.latent.ncols();
        let latent_head = head.rows(0, rank);
        let mut surface = head.rows(rank, SURFACE_FEATURES.len()).into_owned();
        let mut bias = bias - latent_head.transpose() * &self.latent_mean;
        for (j, mut row) in surface.row_iter_mut().enumerate() {
            row /= self.surface_scale[j];
            bias -= row.transpose() * self.surface_mean[j];
        }
        Folded { buckets: self.buckets.clone(), rows: &self.latent * latent_head, surface, bias }
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

fn standardisation(features: &[Features]) -> (Vec<f64>, Vec<f64>) {
    let n = features.len().max(1) as f64;
    let moments = (0..SURFACE_FEATURES.len()).map(|j| {
        let values = || features.iter().map(|f| f64::from(f.surface[j]));
        let mean = values().sum::<f64>() / n;
        let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        // A constant feature stays 0 whatever it is divided by.
        (mean, if variance > 1e-12 { variance.sqrt() } else { 1.0 })
    });
    moments.unzip()
}
