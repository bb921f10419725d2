//! The forward pass in candle, an operation a line: what [`super::Frozen`] is held to.

use candle_core::{D, Device, Result, Tensor};
use candle_nn::ops::softmax;

use super::{Outputs, Shape, Weights};
use crate::features::{Features, SURFACE_FEATURES};

/// Weights as tensors.
#[derive(Debug)]
pub struct Reference {
    shape: Shape,
    weights: Weights,
    /// `(buckets, width)`
    rows: Tensor,
    /// `(tokens, width)`
    token_rows: Tensor,
    /// `(embedding, width)`
    embedding: Tensor,
    /// `(surface features, width)`
    surface: Tensor,
    /// `(width)`
    bias: Tensor,
    /// `(components, candidates)` of all mixtures.
    means: Tensor,
}

impl Reference {
    /// The forward pass of checked weights (see [`Weights::check`]).
    pub fn new(weights: Weights, shape: Shape) -> Result<Self> {
        let width = shape.width();
        let token_rows: Vec<f32> = weights.token_rows.iter().copied().map(f32::from).collect();
        Ok(Self {
            rows: matrix(&weights.rows, width)?,
            token_rows: matrix(&token_rows, width)?,
            embedding: matrix(&weights.embedding_rows, width)?,
            surface: matrix(&weights.surface, width)?,
            bias: Tensor::new(&*weights.bias, &Device::Cpu)?,
            means: matrix(&weights.means, shape.candidates)?,
            weights,
            shape,
        })
    }

    /// The outputs for one request.
    pub fn forward(&self, features: &Features) -> Result<Outputs> {
        let candidates = self.shape.candidates;
        let pooled = self.pool(features)?;
        let mut quality = pooled.narrow(D::Minus1, 0, candidates)?;
        let length = pooled.narrow(D::Minus1, candidates, candidates)?;
        let (mut column, mut component) = (2 * candidates, 0);
        for &size in &self.shape.mixtures {
            let logits = pooled.narrow(D::Minus1, column, size)?;
            let means = self.means.narrow(0, component, size)?;
            quality = (quality + softmax(&logits, D::Minus1)?.matmul(&means)?)?;
            (column, component) = (column + size, component + size);
        }
        if self.shape.clusters > 0 {
            let latent = pooled.narrow(D::Minus1, column, self.shape.latent)?;
            quality = (quality + self.cluster(&latent)?)?;
        }
        for (column, key) in features.context.iter().enumerate() {
            quality = (quality + self.offsets(column, *key)?)?;
        }
        Ok(Outputs {
            quality: quality.flatten_all()?.to_vec1()?,
            length: length.flatten_all()?.to_vec1()?,
        })
    }

    /// `(1, width)`
    fn pool(&self, features: &Features) -> Result<Tensor> {
        let words = mean_of_rows(&self.rows, &self.weights.buckets, &features.buckets)?;
        let tokens = mean_of_rows(&self.token_rows, &self.weights.tokens, &features.tokens)?;
        let embedding = Tensor::new(&*features.embedding, &Device::Cpu)?.unsqueeze(0)?;
        let surface = Tensor::new(&features.surface, &Device::Cpu)?;
        let surface = surface.reshape((1, SURFACE_FEATURES.len()))?;
        let mut pooled = (words + tokens)?;
        if self.shape.embedding > 0 {
            pooled = (pooled + embedding.matmul(&self.embedding)?)?;
        }
        (pooled + surface.matmul(&self.surface)?)?.broadcast_add(&self.bias)
    }

    /// `(1, latent) -> (1, candidates)`
    fn cluster(&self, latent: &Tensor) -> Result<Tensor> {
        let Some(table) = &self.weights.clusters else {
            return Tensor::new(&[[0_f32]], &Device::Cpu);
        };
        // A request without any known feature has no direction; it is not divided by 0.
        let length = latent.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.clamp(1e-6_f32, f32::MAX)?;
        let centres = matrix(&table.centres, self.shape.clusters)?;
        let bias = Tensor::new(&*table.bias, &Device::Cpu)?;
        let logits = latent.broadcast_div(&length)?.matmul(&centres)?.broadcast_add(&bias)?;
        softmax(&logits, D::Minus1)?.matmul(&matrix(&table.means, self.shape.candidates)?)
    }

    /// `(1, candidates)`: the offsets of a context value; zeros where it is missing or unknown.
    fn offsets(&self, column: usize, key: Option<u64>) -> Result<Tensor> {
        let (candidates, table) = (self.shape.candidates, &self.weights.context[column]);
        let Some(row) = key.and_then(|key| table.keys.binary_search(&key).ok()) else {
            return Tensor::zeros((1, candidates), candle_core::DType::F32, &Device::Cpu);
        };
        matrix(&table.offsets[row * candidates..][..candidates], candidates)
    }
}

/// `(rows, columns)`
fn matrix(values: &[f32], columns: usize) -> Result<Tensor> {
    Tensor::from_slice(values, (values.len() / columns.max(1), columns), &Device::Cpu)
}

/// `(1, width)`: the sum of the entries' rows over the square root of their number; entries without a
/// row count, too.
fn mean_of_rows(rows: &Tensor, known: &[u32], entries: &[u32]) -> Result<Tensor> {
    let found = entries.iter().filter_map(|entry| known.binary_search(entry).ok());
    let found: Vec<u32> = found.filter_map(|row| u32::try_from(row).ok()).collect();
    if found.is_empty() {
        return Tensor::zeros((1, rows.dim(1)?), candle_core::DType::F32, &Device::Cpu);
    }
    let sum = rows.index_select(&Tensor::new(found, &Device::Cpu)?, 0)?.sum_keepdim(0)?;
    sum / (entries.len() as f64).sqrt()
}
