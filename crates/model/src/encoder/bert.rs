//! The forward pass of a BERT encoder, for texts of one length.
//!
//! Texts of one length need no padding and so no attention mask. Names of tensors are those of the
//! file.

use candle_core::{Result, Tensor};
use candle_nn::{
    Embedding, LayerNorm, Linear, Module as _, VarBuilder, embedding, layer_norm, linear, ops,
};
use serde::{Deserialize, Serialize};

/// The parts of a BERT `config.json` that the forward pass needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct BertConfig {
    pub(super) model_type: String,
    pub(super) hidden_act: String,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) layer_norm_eps: f64,
    pub(super) max_position_embeddings: usize,
    pub(super) num_attention_heads: usize,
    pub(super) num_hidden_layers: usize,
    #[serde(default = "absolute")]
    pub(super) position_embedding_type: String,
    pub(super) type_vocab_size: usize,
    pub(super) vocab_size: usize,
}

fn absolute() -> String {
    "absolute".to_owned()
}

/// A BERT encoder without its pooler.
pub(super) struct Bert {
    words: Embedding,
    positions: Embedding,
    types: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

/// Self-attention and a feed-forward part, each followed by a residual and a normalisation.
struct Layer {
    heads: usize,
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attended_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    norm: LayerNorm,
}

impl Bert {
    pub(super) fn new(config: &BertConfig, weights: &VarBuilder<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let at = weights.pp("embeddings");
        let layers = weights.pp("encoder.layer");
        Ok(Self {
            words: embedding(config.vocab_size, hidden, at.pp("word_embeddings"))?,
            positions: embedding(
                config.max_position_embeddings,
                hidden,
                at.pp("position_embeddings"),
            )?,
            types: embedding(config.type_vocab_size, hidden, at.pp("token_type_embeddings"))?,
            norm: layer_norm(hidden, config.layer_norm_eps, at.pp("LayerNorm"))?,
            layers: (0..config.num_hidden_layers)
                .map(|i| Layer::new(config, &layers.pp(i)))
                .collect::<Result<_>>()?,
        })
    }

    /// `(batch, length) ids -> (batch, length, hidden)`.
    pub(super) fn forward(&self, ids: &Tensor) -> Result<Tensor> {
        let (_, length) = ids.dims2()?;
        let places = Tensor::arange(0_u32, u32::try_from(length)?, ids.device())?;
        let types = places.zeros_like()?;
        let embedded = self
            .words
            .forward(ids)?
            .broadcast_add(&self.types.forward(&types)?)?
            .broadcast_add(&self.positions.forward(&places)?)?;
        let start = self.norm.forward(&embedded)?;
        self.layers.iter().try_fold(start, |hidden, layer| layer.forward(&hidden))
    }
}

impl Layer {
    fn new(config: &BertConfig, weights: &VarBuilder<'_>) -> Result<Self> {
        let (hidden, wide) = (config.hidden_size, config.intermediate_size);
        let norm = |name: &str| layer_norm(hidden, config.layer_norm_eps, weights.pp(name));
        let square = |name: &str| linear(hidden, hidden, weights.pp(name));
        Ok(Self {
            heads: config.num_attention_heads,
            query: square("attention.self.query")?,
            key: square("attention.self.key")?,
            value: square("attention.self.value")?,
            attended: square("attention.output.dense")?,
            attended_norm: norm("attention.output.LayerNorm")?,
            widen: linear(hidden, wide, weights.pp("intermediate.dense"))?,
            narrow: linear(wide, hidden, weights.pp("output.dense"))?,
            norm: norm("output.LayerNorm")?,
        })
    }

    /// `(batch, length, hidden) -> (batch, length, hidden)`.
    fn forward(&self, hidden: &Tensor) -> Result<Tensor> {
        let attended = self.attended.forward(&self.attend(hidden)?)?;
        let hidden = self.attended_norm.forward(&(attended + hidden)?)?;
        let wide = self.widen.forward(&hidden)?.gelu_erf()?;
        self.norm.forward(&(self.narrow.forward(&wide)? + &hidden)?)
    }

    /// `(batch, length, hidden) -> (batch, length, hidden)`: each head's weighted mean of values.
    fn attend(&self, hidden: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = hidden.dims3()?;
        let head = width / self.heads;
        // (batch, length, hidden) -> (batch, heads, length, hidden / heads)
        let split = |part: &Linear| {
            let by_head = part.forward(hidden)?.reshape((batch, length, self.heads, head))?;
            by_head.transpose(1, 2)?.contiguous()
        };
        let (query, key, value) = (split(&self.query)?, split(&self.key)?, split(&self.value)?);
        let scores = (query.matmul(&key.t()?)? / (head as f64).sqrt())?;
        let mixed = ops::softmax_last_dim(&scores)?.matmul(&value)?;
        mixed.transpose(1, 2)?.reshape((batch, length, width))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::super::tiny;
    use super::*;

    #[test]
    fn a_layer_agrees_with_its_definition() {
        let tensors = tiny::tensors();
        let weights = tiny::weights(&tensors);
        let config = tiny::config();
        let bert = Bert::new(&config, &weights).unwrap();
        let ids = [2_u32, 7, 3, 2, 11, 3];
        let ids_tensor = Tensor::from_slice(&ids, (2, 3), &Device::Cpu).unwrap();
        let hidden = bert.forward(&ids_tensor).unwrap();
        for (text, ids) in ids.chunks_exact(3).enumerate() {
            let found: Vec<Vec<f32>> = hidden.get(text).unwrap().to_vec2().unwrap();
            let expected = tiny::forward(&tensors, ids);
            for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} is not {expected}");
            }
        }
    }
}
