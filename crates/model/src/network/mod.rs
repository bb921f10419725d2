//! The forward pass: features -> expected score and length of every candidate.
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
//!
//! [`Reference`] says what it is, in candle; [`Frozen`] is what serves, and what training calibrates and
//! evaluates on.

mod frozen;
mod reference;
mod weights;

pub use frozen::{Frozen, Scratch};
pub use reference::Reference;
pub use weights::{ClusterTable, ContextTable, Shape, ShapeError, Weights};
pub(crate) use weights::{from_safetensors, to_safetensors};

/// Raw outputs for one request, one value a candidate.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    /// Expected score, not clamped.
    pub quality: Vec<f32>,
    /// Expected length as a multiple of the candidate's mean, not clamped.
    pub length: Vec<f32>,
}

#[cfg(test)]
mod tests;
