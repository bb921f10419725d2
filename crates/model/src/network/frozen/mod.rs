//! The forward pass that serves: the same function as [`super::Reference`], packed for speed.
//!
//! Nothing is allocated, no thread pool asked, no operation dispatched. Training calibrates and evaluates
//! on it too, so what is promised holds for what serves; a property test holds it to the reference.

mod rows;

use super::{ContextTable, Outputs, Shape, Weights};
use crate::features::Features;
use rows::PackedRows;

/// Weights packed for the forward pass.
#[derive(Debug)]
pub struct Frozen {
    shape: Shape,
    words: PackedRows,
    tokens: PackedRows,
    /// `(embedding, width)`
    embedding: Matrix,
    /// `(surface features, width)`
    surface: Matrix,
    bias: Vec<f32>,
    /// `(components, candidates)` of each mixture.
    means: Vec<Matrix>,
    clusters: Option<Clusters>,
    context: Vec<ContextTable>,
}

/// Soft assignment of the direction of the latent vector to cluster centres.
#[derive(Debug)]
struct Clusters {
    /// `(latent, clusters)`
    centres: Matrix,
    bias: Vec<f32>,
    /// `(clusters, candidates)`
    means: Matrix,
}

/// Memory that the forward pass works in.
#[derive(Debug, Default)]
pub struct Scratch {
    positions: Vec<u32>,
    pooled: Vec<f32>,
    logits: Vec<f32>,
}

impl Frozen {
    /// Packs checked weights (see [`Weights::check`]).
    pub fn new(weights: &Weights, shape: Shape) -> Self {
        let width = shape.width();
        let mut rows = weights.rows.clone();
        let mut token_rows: Vec<f32> = weights.token_rows.iter().copied().map(f32::from).collect();
        spare_a_logit(&shape, &mut rows);
        spare_a_logit(&shape, &mut token_rows);
        let matrix = |values: &[f32], columns| Matrix { values: values.to_vec(), columns };
        let mut components = &*weights.means;
        let mut mixture = |size: &usize| {
            let (own, rest) = components.split_at(size * shape.candidates);
            components = rest;
            matrix(own, shape.candidates)
        };
        let means = shape.mixtures.iter().map(&mut mixture).collect();
        Self {
            words: PackedRows::pack(&weights.buckets, &rows, width),
            tokens: PackedRows::pack(&weights.tokens, &token_rows, width),
            embedding: matrix(&weights.embedding_rows, width),
            surface: matrix(&weights.surface, width),
            bias: weights.bias.clone(),
            means,
            clusters: weights.clusters.as_ref().map(|table| Clusters {
                centres: matrix(&table.centres, table.bias.len()),
                bias: table.bias.clone(),
                means: matrix(&table.means, shape.candidates),
            }),
            context: weights.context.clone(),
            shape,
        }
    }

    /// The outputs for one request.
    pub fn forward(&self, features: &Features) -> Outputs {
        let mut outputs = Outputs::default();
        self.forward_into(features, &mut Scratch::default(), &mut outputs);
        outputs
    }

    /// The same in memory that was used before.
    pub fn forward_into(&self, features: &Features, scratch: &mut Scratch, outputs: &mut Outputs) {
        let Scratch { positions, pooled, logits } = scratch;
        pooled.clear();
        pooled.extend_from_slice(&self.bias);
        self.words.add(&features.buckets, positions, pooled);
        self.tokens.add(&features.tokens, positions, pooled);
        self.embedding.add(&features.embedding, pooled);
        self.surface.add(&features.surface, pooled);

        let (heads, rest) = pooled.split_at_mut(2 * self.shape.candidates);
        let (quality, length) = heads.split_at(self.shape.candidates);
        outputs.quality.clear();
        outputs.quality.extend_from_slice(quality);
        outputs.length.clear();
        outputs.length.extend_from_slice(length);
        let mut rest = rest;
        for (means, &size) in self.means.iter().zip(&self.shape.mixtures) {
            let (mixture, others) = rest.split_at_mut(size);
            soft_max(mixture);
            means.add(mixture, &mut outputs.quality);
            rest = others;
        }
        if let Some(clusters) = &self.clusters {
            clusters.add(rest, logits, &mut outputs.quality);
        }
        self.add_context(features, &mut outputs.quality);
    }

    fn add_context(&self, features: &Features, quality: &mut [f32]) {
        for (table, key) in self.context.iter().zip(&features.context) {
            let Some(row) = key.and_then(|key| table.keys.binary_search(&key).ok()) else {
                continue;
            };
            add_scaled(1.0, &table.offsets[row * quality.len()..], quality);
        }
    }
}

impl Clusters {
    /// Adds to `quality`, `(candidates)`, what the clusters of `latent`, `(latent)`, expect.
    fn add(&self, latent: &mut [f32], logits: &mut Vec<f32>, quality: &mut [f32]) {
        // A request without any known feature has no direction; it is not divided by 0.
        let length = latent.iter().map(|value| value * value).sum::<f32>().sqrt().max(1e-6);
        for value in &mut *latent {
            *value /= length;
        }
        logits.clear();
        logits.extend_from_slice(&self.bias);
        self.centres.add(latent, logits);
        soft_max(logits);
        self.means.add(logits, quality);
    }
}

/// Takes the first logit of each mixture from the others in every row: a soft-max does not change by it,
/// and a column of zeros is not packed.
fn spare_a_logit(shape: &Shape, rows: &mut [f32]) {
    for row in rows.chunks_exact_mut(shape.width()) {
        let mut rest = &mut row[2 * shape.candidates..];
        for &size in &shape.mixtures {
            let (logits, others) = rest.split_at_mut(size);
            if let Some(&first) = logits.first() {
                for logit in logits {
                    *logit -= first;
                }
            }
            rest = others;
        }
    }
}

/// A row-major matrix.
#[derive(Debug)]
struct Matrix {
    values: Vec<f32>,
    columns: usize,
}

impl Matrix {
    /// Adds to `sum`, `(columns)`, the product of `left`, `(rows)`, and this matrix.
    fn add(&self, left: &[f32], sum: &mut [f32]) {
        for (factor, row) in left.iter().zip(self.values.chunks_exact(self.columns.max(1))) {
            add_scaled(*factor, row, sum);
        }
    }
}

fn add_scaled(factor: f32, values: &[f32], sum: &mut [f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn soft_max(logits: &mut [f32]) {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - largest).exp();
        total += *logit;
    }
    for logit in logits {
        *logit /= total;
    }
}
