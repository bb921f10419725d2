//! The heavier tier: a BERT sentence encoder, frozen as a router stores and serves it.
//!
//! [`SentenceEncoder`] reads what its authors publish and gives one vector a text of pieces.
//! [`TextEncoder`] is what features are made of: the same, with weights rounded to sixteen bits, a
//! tokenizer and a window. Training embeds with what is stored, so nothing changes in between.

mod bert;
mod error;
mod files;
mod source;
#[cfg(test)]
mod tiny;

use std::fmt;
use std::path::Path;

use farthing_core::Digest;
use serde::{Deserialize, Serialize};

use crate::static_table::TextTokenizer;
pub use error::EncoderError;
pub(crate) use files::Files;
pub use source::SentenceEncoder;

/// Most tokens of a text that are read, `[CLS]` and `[SEP]` included: what `MiniLM` was trained on.
const WINDOW: usize = 256;
/// Of a longer text, one token in so many comes from its end.
const TAIL: usize = 4;

/// A sentence encoder that reads text.
pub struct TextEncoder {
    encoder: SentenceEncoder,
    tokenizer: TextTokenizer,
    card: EncoderCard,
}

/// What identifies an encoder, and what its cost depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderCard {
    /// Digest of its files in a router directory.
    pub digest: Digest,
    /// Layers of self-attention.
    pub layers: usize,
    /// Width of a token's vector, and of a text's.
    pub hidden: usize,
    /// Width inside the feed-forward part of a layer.
    pub intermediate: usize,
    /// Most tokens that it reads of a text.
    pub window: usize,
}

/// A text as the encoder sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// `(hidden)`, of length 1.
    pub vector: Vec<f32>,
    /// Whether the middle of the text was left out, because it is longer than the window.
    pub truncated: bool,
}

impl TextEncoder {
    /// The frozen form of the encoder in a sentence-transformer directory.
    pub fn load(dir: &Path) -> Result<Self, EncoderError> {
        let source = SentenceEncoder::load(dir)?;
        let window = WINDOW.min(source.config.max_position_embeddings);
        Self::from_files(dir, &Files::of(dir, &source, window)?)
    }

    /// What identifies it.
    pub fn card(&self) -> &EncoderCard {
        &self.card
    }

    /// The vector of a text. Of one that is longer than the window, the first three quarters of the
    /// window are read from its start and the last from its end. A text is a forward pass of its
    /// own, so its vector does not depend on what else is embedded.
    pub fn embed(&self, text: &str) -> candle_core::Result<Embedding> {
        let mut pieces = self.tokenizer.pieces(text);
        let room = self.card.window - 2;
        let truncated = pieces.len() > room;
        if truncated {
            let tail = room / TAIL;
            pieces.drain(room - tail..pieces.len() - tail);
        }
        let mut vector = self.encoder.encode(&[&pieces])?;
        let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
        // A vector without direction stays at the origin.
        let scale = if length.is_normal() { length.recip() } else { 0.0 };
        for value in &mut vector {
            *value *= scale;
        }
        Ok(Embedding { vector, truncated })
    }
}

impl PartialEq for TextEncoder {
    fn eq(&self, other: &Self) -> bool {
        self.card == other.card
    }
}

impl fmt::Debug for TextEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextEncoder").field("card", &self.card).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoder() -> TextEncoder {
        TextEncoder::load(tiny::directory().path()).unwrap()
    }

    #[test]
    fn a_vector_is_the_pooled_one_of_length_1() {
        let dir = tiny::directory();
        let source = SentenceEncoder::load(dir.path()).unwrap();
        // An unknown word has a place in the text, unlike in a table.
        let ids: Vec<u32> =
            ["w3", "[UNK]", "w5"].map(|token| source.vocabulary().id(token).unwrap()).to_vec();
        let expected = source.encode(&[&ids]).unwrap();
        let length = expected.iter().map(|v| v * v).sum::<f32>().sqrt();
        let found = encoder().embed("W3 unheard w5").unwrap();
        assert!(!found.truncated);
        for (value, expected) in found.vector.iter().zip(&expected) {
            // Weights are rounded to sixteen bits.
            assert!((value - expected / length).abs() < 5e-3, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn texts_of_one_length_are_the_same_together_and_alone() {
        let source = SentenceEncoder::load(tiny::directory().path()).unwrap();
        let texts: [&[u32]; 3] = [&[6, 7], &[8, 9], &[10, 6]];
        let alone: Vec<f32> =
            texts.iter().flat_map(|text| source.encode(&[text]).unwrap()).collect();
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&source.encode(&texts).unwrap()), bits(&alone));
    }

    #[test]
    fn of_a_long_text_start_and_end_are_read() {
        let encoder = encoder();
        let words = |ids: &mut dyn Iterator<Item = usize>| {
            ids.map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ")
        };
        let room = encoder.card().window - 2;
        let (head, tail) = (room - room / 4, room / 4);
        let whole = encoder.embed(&words(&mut (0..room))).unwrap();
        assert!(!whole.truncated);
        let middle = std::iter::repeat_n(39, 1_000);
        let long = words(&mut (0..head).chain(middle).chain(head..head + tail));
        let long = encoder.embed(&long).unwrap();
        assert!(long.truncated);
        assert_eq!(long.vector, whole.vector);
    }

    #[test]
    fn an_empty_text_has_a_vector() {
        let vector = encoder().embed("").unwrap().vector;
        assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5, "{vector:?}");
    }
}
