//! What was learned, in memory and in `model.safetensors`.

use std::collections::BTreeMap;

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::features::SURFACE_FEATURES;

/// How many outputs of each kind a network has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Buckets of the featurizer.
    pub buckets: usize,
    /// Candidates.
    pub candidates: usize,
    /// Components of each mixture.
    pub mixtures: Vec<usize>,
    /// Width of the latent vector that clusters see; 0 without clusters.
    pub latent: usize,
    /// Clusters; 0 for none.
    pub clusters: usize,
    /// Context columns.
    pub context: usize,
    /// Width of the encoder's vector; 0 without one.
    pub embedding: usize,
}

/// Sizes come from a manifest, so nothing is multiplied or added that could overflow: no weights are as many
/// as the greatest number.
impl Shape {
    /// Width of a row.
    pub fn width(&self) -> usize {
        let heads = self.candidates.saturating_mul(2);
        heads.saturating_add(self.components()).saturating_add(self.latent)
    }

    /// Components of all mixtures together.
    pub fn components(&self) -> usize {
        self.mixtures.iter().copied().fold(0, usize::saturating_add)
    }
}

/// What was learned, as it lies in `model.safetensors`. All matrices are row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Buckets that have a row, ascending.
    pub buckets: Vec<u32>,
    /// `(buckets, width)`
    pub rows: Vec<f32>,
    /// Tokens that have a row, ascending.
    pub tokens: Vec<u32>,
    /// `(tokens, width)`; there are tens of thousands, and half precision is far finer than what is
    /// known of them.
    pub token_rows: Vec<f16>,
    /// `(embedding, width)`
    pub embedding_rows: Vec<f32>,
    /// `(surface features, width)`
    pub surface: Vec<f32>,
    /// `(width)`
    pub bias: Vec<f32>,
    /// `(components, candidates)`: by how much each component changes the expected score.
    pub means: Vec<f32>,
    /// Clusters of the latent vector's direction.
    pub clusters: Option<ClusterTable>,
    /// One table a context column.
    pub context: Vec<ContextTable>,
}

/// Clusters of the latent vector's direction: a request belongs to each with probability
/// `softmax(unit(latent) x centres + bias)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterTable {
    /// `(latent, clusters)`
    pub centres: Vec<f32>,
    /// `(clusters)`
    pub bias: Vec<f32>,
    /// `(clusters, candidates)`: by how much each cluster changes the expected score.
    pub means: Vec<f32>,
}

/// Offsets of expected score by context value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ContextTable {
    /// Hashes of the values, ascending.
    pub keys: Vec<u64>,
    /// `(keys, candidates)`
    pub offsets: Vec<f32>,
}

/// Weights that do not fit together.
#[derive(Debug, thiserror::Error)]
#[error("`{tensor}` has {found} values where {expected} are due")]
pub struct ShapeError {
    tensor: String,
    found: usize,
    expected: usize,
}

impl Weights {
    /// That every matrix has its shape and every key list is ascending and in range.
    pub fn check(&self, shape: &Shape) -> Result<(), ShapeError> {
        let width = shape.width();
        let of = usize::saturating_mul;
        let mut due = vec![
            ("rows".to_owned(), self.rows.len(), of(self.buckets.len(), width)),
            ("token_rows".to_owned(), self.token_rows.len(), of(self.tokens.len(), width)),
            ("embedding_rows".to_owned(), self.embedding_rows.len(), of(shape.embedding, width)),
            ("surface".to_owned(), self.surface.len(), of(SURFACE_FEATURES.len(), width)),
            ("bias".to_owned(), self.bias.len(), width),
            ("means".to_owned(), self.means.len(), of(shape.components(), shape.candidates)),
            ("context".to_owned(), self.context.len(), shape.context),
        ];
        let clusters = self.clusters.as_ref();
        let sizes = |part: fn(&ClusterTable) -> usize| clusters.map_or(0, part);
        let due_clusters = [
            ("cluster.centres", sizes(|t| t.centres.len()), of(shape.latent, shape.clusters)),
            ("cluster.bias", sizes(|t| t.bias.len()), shape.clusters),
            ("cluster.means", sizes(|t| t.means.len()), of(shape.clusters, shape.candidates)),
        ];
        due.extend(due_clusters.map(|(name, found, expected)| (name.to_owned(), found, expected)));
        for (name, keys) in [("buckets", &self.buckets), ("tokens", &self.tokens)] {
            let descents = keys.windows(2).filter(|pair| pair[0] >= pair[1]).count();
            due.push((format!("{name} out of order"), descents, 0));
        }
        let beyond = self.buckets.iter().filter(|&&b| b as usize >= shape.buckets).count();
        due.push(("buckets out of range".to_owned(), beyond, 0));
        for (i, table) in self.context.iter().enumerate() {
            let name = format!("context.{i}.offsets");
            due.push((name, table.offsets.len(), of(table.keys.len(), shape.candidates)));
        }
        match due.into_iter().find(|(_, found, expected)| found != expected) {
            None => Ok(()),
            Some((tensor, found, expected)) => Err(ShapeError { tensor, found, expected }),
        }
    }
}

/// The weights as named tensors: `model.safetensors`.
pub(crate) fn to_safetensors(weights: &Weights, shape: &Shape) -> Result<Vec<u8>, SafeTensorError> {
    let tensors = named_bytes(weights, shape);
    let views = tensors.iter().map(|(name, (dtype, shape, bytes))| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views: Result<Vec<_>, _> = views.collect();
    safetensors::serialize(views?, None)
}

type NamedBytes = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn named_bytes(weights: &Weights, shape: &Shape) -> NamedBytes {
    use Dtype::{F16, F32, U32, U64};
    let width = shape.width();
    let f32_bytes =
        |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let u32_bytes =
        |values: &[u32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let u64_bytes =
        |values: &[u64]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors = NamedBytes::new();
    let mut insert =
        |name: &str, dtype, shape, bytes| tensors.insert(name.to_owned(), (dtype, shape, bytes));
    insert("buckets", U32, vec![weights.buckets.len()], u32_bytes(&weights.buckets));
    insert("rows", F32, vec![weights.buckets.len(), width], f32_bytes(&weights.rows));
    if !weights.tokens.is_empty() {
        let rows = weights.token_rows.iter().flat_map(|v| v.to_le_bytes()).collect();
        insert("tokens", U32, vec![weights.tokens.len()], u32_bytes(&weights.tokens));
        insert("token_rows", F16, vec![weights.tokens.len(), width], rows);
    }
    if shape.embedding > 0 {
        let rows = f32_bytes(&weights.embedding_rows);
        insert("embedding_rows", F32, vec![shape.embedding, width], rows);
    }
    insert("surface", F32, vec![SURFACE_FEATURES.len(), width], f32_bytes(&weights.surface));
    insert("bias", F32, vec![width], f32_bytes(&weights.bias));
    insert("means", F32, vec![shape.components(), shape.candidates], f32_bytes(&weights.means));
    if let Some(table) = &weights.clusters {
        let (latent, count) = (shape.latent, shape.clusters);
        insert("cluster.centres", F32, vec![latent, count], f32_bytes(&table.centres));
        insert("cluster.bias", F32, vec![count], f32_bytes(&table.bias));
        insert("cluster.means", F32, vec![count, shape.candidates], f32_bytes(&table.means));
    }
    for (i, table) in weights.context.iter().enumerate() {
        insert(&format!("context.{i}.keys"), U64, vec![table.keys.len()], u64_bytes(&table.keys));
        let shape = vec![table.keys.len(), shape.candidates];
        insert(&format!("context.{i}.offsets"), F32, shape, f32_bytes(&table.offsets));
    }
    tensors
}

/// Reads what [`to_safetensors`] wrote.
pub(crate) fn from_safetensors(bytes: &[u8], shape: &Shape) -> Result<Weights, SafeTensorError> {
    let tensors = SafeTensors::deserialize(bytes)?;
    let f32s = |name: &str| -> Result<Vec<f32>, SafeTensorError> {
        Ok(words(tensors.tensor(name)?.data()).map(f32::from_le_bytes).collect())
    };
    let u64s = |name: &str| -> Result<Vec<u64>, SafeTensorError> {
        Ok(words(tensors.tensor(name)?.data()).map(u64::from_le_bytes).collect())
    };
    let context = (0..shape.context).map(|i| {
        Ok(ContextTable {
            keys: u64s(&format!("context.{i}.keys"))?,
            offsets: f32s(&format!("context.{i}.offsets"))?,
        })
    });
    let clusters = || -> Result<ClusterTable, SafeTensorError> {
        Ok(ClusterTable {
            centres: f32s("cluster.centres")?,
            bias: f32s("cluster.bias")?,
            means: f32s("cluster.means")?,
        })
    };
    let u32s = |name: &str| -> Result<Vec<u32>, SafeTensorError> {
        Ok(words(tensors.tensor(name)?.data()).map(u32::from_le_bytes).collect())
    };
    // Routers of hashed words alone, such as all of those of earlier builds, have no tokens.
    let (tokens, token_rows) = if tensors.names().contains(&"tokens") {
        let rows = tensors.tensor("token_rows")?;
        (u32s("tokens")?, words(rows.data()).map(f16::from_le_bytes).collect())
    } else {
        (Vec::new(), Vec::new())
    };
    let embedding_rows = if shape.embedding > 0 { f32s("embedding_rows")? } else { Vec::new() };
    Ok(Weights {
        embedding_rows,
        clusters: (shape.clusters > 0).then(clusters).transpose()?,
        buckets: u32s("buckets")?,
        tokens,
        token_rows,
        rows: f32s("rows")?,
        surface: f32s("surface")?,
        bias: f32s("bias")?,
        means: f32s("means")?,
        context: context.collect::<Result<_, SafeTensorError>>()?,
    })
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}
