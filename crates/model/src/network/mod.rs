//! The forward pass, in candle: features -> expected score and length of every candidate.
//!
//! ```text
//! pooled  = sum of rows[bucket] / sqrt(number of buckets)
//!         + sum of token_rows[token] / sqrt(number of tokens) + embedding x E + surface x W + bias
//!         = [quality (n_candidates) | length (n_candidates) | logits of each mixture | latent]
//! quality = pooled.quality + softmax(logits) x means of each mixture
//!         + softmax(unit(latent) x centres + bias) x means of the clusters + context offsets
//! length  = pooled.length            (as a multiple of the candidate's mean)
//! ```
//!
//! A mixture's components are tasks. Everything up to the soft-max of a mixture, and up to the latent
//! vector that the clusters see, is linear, so it folds into one row a bucket
//! and one a token.

use candle_core::{D, Device, Result, Tensor};

use crate::features::{Features, SURFACE_FEATURES};

mod weights;

pub use weights::{ClusterTable, ContextTable, Shape, ShapeError, Weights};
pub(crate) use weights::{from_safetensors, to_safetensors};

/// Marks a bucket that training did not see, or saw too rarely to learn from.
const NO_ROW: u32 = u32::MAX;

/// Raw outputs for one request, one value a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs {
    /// Expected score, not clamped.
    pub quality: Vec<f32>,
    /// Expected length as a multiple of the candidate's mean, not clamped.
    pub length: Vec<f32>,
}

/// Weights ready for the forward pass.
#[derive(Debug)]
pub struct Network {
    shape: Shape,
    /// Row of each bucket, or [`NO_ROW`].
    row_of: Vec<u32>,
    /// `(buckets with a row, width)`
    rows: Vec<f32>,
    /// Row of each token up to the last that has one, or [`NO_ROW`].
    row_of_token: Vec<u32>,
    /// `(tokens with a row, width)`
    token_rows: Vec<f32>,
    /// `(embedding, width)`, where there is an encoder.
    embedding: Option<Table>,
    /// `(surface features, width)`
    surface: Table,
    bias: Tensor,
    /// `(components, candidates)` of each mixture.
    means: Vec<Table>,
    clusters: Option<Clusters>,
    context: Vec<ContextTable>,
}

/// Soft assignment of the direction of the latent vector to cluster centres.
#[derive(Debug)]
struct Clusters {
    /// `(latent, clusters)`
    centres: Table,
    /// `(clusters)`
    bias: Tensor,
    /// `(clusters, candidates)`
    means: Table,
}

impl Clusters {
    /// `(batch, latent) -> (batch, candidates)`
    fn forward(&self, latent: &Tensor) -> Result<Tensor> {
        // A request without any known feature has no direction; it is not divided by 0.
        let length = latent.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.clamp(1e-6_f32, f32::MAX)?;
        let logits = self.centres.times(&latent.broadcast_div(&length)?)?;
        self.means.times(&soft_max(&logits.broadcast_add(&self.bias)?)?)
    }
}

impl Network {
    /// Prepares checked weights (see [`Weights::check`]).
    pub fn new(weights: Weights, shape: Shape) -> Result<Self> {
        let device = &Device::Cpu;
        let width = shape.width();
        let mut row_of = vec![NO_ROW; shape.buckets];
        for (row, &bucket) in (0_u32..).zip(&weights.buckets) {
            row_of[bucket as usize] = row;
        }
        let mut row_of_token = vec![NO_ROW; weights.tokens.last().map_or(0, |&t| t as usize + 1)];
        for (row, &token) in (0_u32..).zip(&weights.tokens) {
            row_of_token[token as usize] = row;
        }
        let token_rows: Vec<f32> = weights.token_rows.into_iter().map(f32::from).collect();
        let matrix = |values: Vec<f32>, columns: usize| Table { values, columns };
        let mut components = weights.means.chunks(shape.candidates.max(1));
        let mut mixture = |size: &usize| {
            let rows: Vec<f32> = components.by_ref().take(*size).flatten().copied().collect();
            matrix(rows, shape.candidates)
        };
        let means = shape.mixtures.iter().map(&mut mixture).collect();
        let clusters = weights.clusters.map(|table| -> Result<_> {
            let count = table.bias.len();
            Ok(Clusters {
                centres: matrix(table.centres, count),
                bias: Tensor::from_vec(table.bias, count, device)?,
                means: matrix(table.means, shape.candidates),
            })
        });
        Ok(Self {
            row_of,
            rows: weights.rows,
            row_of_token,
            token_rows,
            embedding: (shape.embedding > 0).then(|| matrix(weights.embedding_rows, width)),
            surface: matrix(weights.surface, width),
            bias: Tensor::from_vec(weights.bias, width, device)?,
            means,
            clusters: clusters.transpose()?,
            context: weights.context,
            shape,
        })
    }

    /// The forward pass for a batch: `(batch) features -> (batch) outputs`.
    pub fn forward(&self, batch: &[Features]) -> Result<Vec<Outputs>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let candidates = self.shape.candidates;
        let pooled = self.pool(batch)?;
        let mut quality = pooled.narrow(D::Minus1, 0, candidates)?;
        let length = pooled.narrow(D::Minus1, candidates, candidates)?;
        let mut first = 2 * candidates;
        for means in &self.means {
            let size = means.rows();
            let logits = pooled.narrow(D::Minus1, first, size)?.contiguous()?;
            quality = (quality + means.times(&soft_max(&logits)?)?)?;
            first += size;
        }
        if let Some(clusters) = &self.clusters {
            let latent = pooled.narrow(D::Minus1, first, self.shape.latent)?.contiguous()?;
            quality = (quality + clusters.forward(&latent)?)?;
        }
        let quality = quality.to_vec2::<f32>()?;
        let length = length.to_vec2::<f32>()?;
        let outputs =
            batch.iter().zip(quality).zip(length).map(|((features, mut quality), length)| {
                self.add_context(features, &mut quality);
                Outputs { quality, length }
            });
        Ok(outputs.collect())
    }

    /// `(batch) features -> (batch, width)`
    fn pool(&self, batch: &[Features]) -> Result<Tensor> {
        let width = self.shape.width();
        let mut bags = vec![0.0; batch.len() * width];
        for (features, pooled) in batch.iter().zip(bags.chunks_exact_mut(width)) {
            add_bag(&features.buckets, &self.row_of, &self.rows, pooled);
            add_bag(&features.tokens, &self.row_of_token, &self.token_rows, pooled);
        }
        let mut bags = Tensor::from_vec(bags, (batch.len(), width), &Device::Cpu)?;
        if let Some(rows) = &self.embedding {
            let values: Vec<f32> = batch.iter().flat_map(|f| f.embedding.iter().copied()).collect();
            let values = Tensor::from_vec(values, (batch.len(), rows.rows()), &Device::Cpu)?;
            bags = (bags + rows.times(&values)?)?;
        }
        let surface: Vec<f32> = batch.iter().flat_map(|f| f.surface).collect();
        let surface =
            Tensor::from_vec(surface, (batch.len(), SURFACE_FEATURES.len()), &Device::Cpu)?;
        (bags + self.surface.times(&surface)?)?.broadcast_add(&self.bias)
    }

    fn add_context(&self, features: &Features, quality: &mut [f32]) {
        for (table, key) in self.context.iter().zip(&features.context) {
            let Some(row) = key.and_then(|key| table.keys.binary_search(&key).ok()) else {
                continue;
            };
            let offsets = &table.offsets[row * quality.len()..][..quality.len()];
            for (value, offset) in quality.iter_mut().zip(offsets) {
                *value += offset;
            }
        }
    }
}

/// A row-major matrix to multiply small ones with.
#[derive(Debug)]
struct Table {
    values: Vec<f32>,
    columns: usize,
}

impl Table {
    fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// `(batch, rows) -> (batch, columns)`: the product with this matrix. Candle's `matmul` asks the operating
    /// system how many processors there are, every time, which takes longer than the product.
    fn times(&self, left: &Tensor) -> Result<Tensor> {
        let batch = left.dim(0)?;
        let mut product = vec![0.0; batch * self.columns];
        let left = left.flatten_all()?.to_vec1::<f32>()?;
        for (left, sum) in
            left.chunks_exact(self.rows().max(1)).zip(product.chunks_exact_mut(self.columns.max(1)))
        {
            for (factor, row) in left.iter().zip(self.values.chunks_exact(self.columns.max(1))) {
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += factor * value;
                }
            }
        }
        Tensor::from_vec(product, (batch, self.columns), &Device::Cpu)
    }
}

/// Row by row. Candle's fused one hands every call to a thread pool, which takes longer than the sums.
fn soft_max(logits: &Tensor) -> Result<Tensor> {
    candle_nn::ops::softmax(logits, D::Minus1)
}

/// Adds to `pooled`, `(width)`, the sum of the entries' rows over the square root of their number.
///
/// By hand: gathering thousands of rows into a tensor and summing that takes candle ten times as long. Four
/// rows at a time, so that their loads from memory overlap.
#[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
fn add_bag(entries: &[u32], row_of: &[u32], rows: &[f32], pooled: &mut [f32]) {
    let width = pooled.len();
    let row = |&entry: &u32| row_of.get(entry as usize).copied().filter(|&row| row != NO_ROW);
    let known: Vec<u32> = entries.iter().filter_map(row).collect();
    let row = |row: u32| &rows[row as usize * width..][..width];
    let mut sum = vec![0.0; width];
    let (fours, rest) = known.as_chunks();
    for four in fours {
        let [a, b, c, d] = four.map(row);
        for (i, sum) in sum.iter_mut().enumerate() {
            *sum += (a[i] + b[i]) + (c[i] + d[i]);
        }
    }
    for &last in rest {
        for (sum, value) in sum.iter_mut().zip(row(last)) {
            *sum += value;
        }
    }
    let scale = 1.0 / (entries.len().max(1) as f64).sqrt();
    for (pooled, sum) in pooled.iter_mut().zip(&sum) {
        *pooled += sum * scale as f32;
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn shape() -> Shape {
        Shape {
            buckets: 4,
            candidates: 2,
            mixtures: vec![2],
            latent: 1,
            clusters: 2,
            context: 1,
            embedding: 0,
        }
    }

    fn weights() -> Weights {
        Weights {
            buckets: vec![1, 3],
            rows: vec![
                1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, //
                10.0, 20.0, 0.0, 0.0, 0.0, 40.0, -3.0,
            ],
            tokens: vec![2, 5],
            token_rows: [
                [4.0, 8.0, 0.5, 0.0, 0.0, 0.0, 0.0], //
                [0.0, 1.0, 0.0, 0.0, 40.0, 0.0, 2.0],
            ]
            .concat()
            .into_iter()
            .map(f16::from_f32)
            .collect(),
            embedding_rows: Vec::new(),
            surface: vec![0.0; SURFACE_FEATURES.len() * 7],
            bias: vec![0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 0.0],
            means: vec![0.1, 0.2, -0.1, -0.2],
            clusters: Some(ClusterTable {
                centres: vec![50.0, -50.0],
                bias: vec![0.0, 0.0],
                means: vec![7.0, 7.0, 3.0, -3.0],
            }),
            context: vec![ContextTable { keys: vec![7], offsets: vec![100.0, 200.0] }],
        }
    }

    fn features(buckets: &[u32], context: Option<u64>) -> Features {
        Features {
            buckets: buckets.to_vec(),
            tokens: Vec::new(),
            embedding: Vec::new(),
            surface: [0.0; SURFACE_FEATURES.len()],
            context: vec![context],
            text_bytes: 0,
            truncated: false,
        }
    }

    #[test]
    fn forward_by_hand() {
        let network = Network::new(weights(), shape()).unwrap();
        let batch = [
            features(&[], None),
            features(&[1, 1, 0, 2], Some(7)), // buckets 0 and 2 have no row but count
            features(&[3], Some(8)),          // component 1 for certain
        ];
        let outputs = network.forward(&batch).unwrap();
        // Without a direction both clusters weigh the same.
        assert_eq!(outputs[0].quality, [0.5 + 5.0, 0.5 + 2.0]);
        assert_eq!(outputs[0].length, [1.0, 1.0]);
        assert_eq!(outputs[1].quality, [0.5 + 1.0 + 5.0 + 100.0, 0.5 + 2.0 + 2.0 + 200.0]);
        // The latent direction of bucket 3 is -1: the second cluster for certain.
        assert_eq!(outputs[2].quality, [0.5 + 10.0 - 0.1 + 3.0, 0.5 + 20.0 - 0.2 - 3.0]);
    }

    #[test]
    fn tokens_by_hand() {
        let network = Network::new(weights(), shape()).unwrap();
        let with = |buckets: &[u32], tokens: &[u32]| Features {
            tokens: tokens.to_vec(),
            ..features(buckets, None)
        };
        // Tokens 0 and 9 have no row but count; each bag has a divisor of its own.
        let batch = [with(&[], &[2, 0, 2, 9]), with(&[1], &[5])];
        let outputs = network.forward(&batch).unwrap();
        assert_eq!(outputs[0].quality, [0.5 + 8.0 / 2.0 + 5.0, 0.5 + 16.0 / 2.0 + 2.0]);
        assert_eq!(outputs[0].length, [1.0 + 1.0 / 2.0, 1.0]);
        assert_eq!(outputs[1].quality, [0.5 + 1.0 + 0.1 + 7.0, 0.5 + 2.0 + 1.0 + 0.2 + 7.0]);
    }

    #[test]
    fn embeddings_by_hand() {
        let shape = Shape { embedding: 2, ..shape() };
        let rows = [[1.0, 2.0, 0.5, 0.0, 0.0, 0.0, 0.0], [0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 3.0]];
        let weights = Weights { embedding_rows: rows.concat(), ..weights() };
        weights.check(&shape).unwrap();
        let bytes = to_safetensors(&weights, &shape).unwrap();
        assert_eq!(from_safetensors(&bytes, &shape).unwrap(), weights);
        let network = Network::new(weights, shape).unwrap();
        let with = |embedding: Vec<f32>| Features { embedding, ..features(&[1], None) };
        let outputs = network.forward(&[with(vec![2.0, 0.0]), with(vec![0.0, 0.5])]).unwrap();
        assert_eq!(outputs[0].quality, [0.5 + 1.0 + 2.0 + 5.0, 0.5 + 2.0 + 4.0 + 2.0]);
        assert_eq!(outputs[0].length, [1.0 + 1.0, 1.0]);
        // The latent direction is 1: the first cluster for certain.
        assert_eq!(outputs[1].quality, [0.5 + 1.0 + 7.0, 0.5 + 2.0 + 4.0 + 7.0]);
        // Features of another featurizer are refused.
        network.forward(&[features(&[1], None)]).unwrap_err();
    }

    #[test]
    fn weights_without_tokens_are_as_before_there_were_any() {
        let without = Weights { tokens: Vec::new(), token_rows: Vec::new(), ..weights() };
        let bytes = to_safetensors(&without, &shape()).unwrap();
        let names = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert!(!names.names().iter().any(|name| name.contains("token")));
        assert_eq!(from_safetensors(&bytes, &shape()).unwrap(), without);
        let network = Network::new(without, shape()).unwrap();
        let tokens = Features { tokens: vec![2], ..features(&[1], None) };
        let outputs = network.forward(&[tokens, features(&[1], None)]).unwrap();
        assert_eq!(outputs[0], outputs[1]);
    }

    #[test]
    fn a_batch_is_the_same_as_one_by_one() {
        let network = Network::new(weights(), shape()).unwrap();
        let batch = [features(&[1, 3, 3], None), features(&[3, 1], Some(7))];
        let together = network.forward(&batch).unwrap();
        for (one, expected) in batch.iter().zip(together) {
            assert_eq!(network.forward(std::slice::from_ref(one)).unwrap(), [expected]);
        }
    }

    #[test]
    fn weights_survive_the_file_and_wrong_shapes_are_named() {
        let bytes = to_safetensors(&weights(), &shape()).unwrap();
        let mut read = from_safetensors(&bytes, &shape()).unwrap();
        assert_eq!(read, weights());
        read.check(&shape()).unwrap();
        read.tokens = vec![5, 2];
        let message = read.check(&shape()).unwrap_err().to_string();
        assert_eq!(message, "`tokens out of order` has 1 values where 0 are due");
        read.tokens = vec![2];
        let message = read.check(&shape()).unwrap_err().to_string();
        assert_eq!(message, "`token_rows` has 14 values where 7 are due");
        read.tokens = vec![2, 5];
        read.bias.pop();
        let message = read.check(&shape()).unwrap_err().to_string();
        assert_eq!(message, "`bias` has 6 values where 7 are due");
    }
}
