//! From features to a dense vector per request, in blocks: latent semantic analysis of the log's own
//! n-grams, the static token table and the vector of a sentence encoder where there are such, and
//! surface features.
//!
//! Each block is centred and scaled to a given mean squared length, so that a penalty means the same
//! for all of them. The vector is linear in the features, so a linear head on it folds back into one
//! row a bucket and one a token: see [`Representation::fold`].

mod embedding;
mod sparse;
mod surface;
mod svd;
#[cfg(test)]
mod tests;
mod tokens;
mod words;

use farthing_model::features::Features;
use nalgebra::{DMatrix, DVector};

pub(crate) use sparse::Csr;
use surface::Surface;
pub(crate) use svd::left_singular_vectors;
use tokens::Tokens;
use words::Words;

use crate::config::Encoder;

/// Mean squared length of the latent block, of the tokens' one and of the encoder's.
const TEXT_POWER: f64 = 1.0;
/// That of the surface features: they are few, and say less.
const SURFACE_POWER: f64 = 0.25;

/// `((n, width), rank) -> (n, at most rank)` left singular vectors over their singular values: the costly
/// part of learning a map, which a caller may have already.
pub(crate) type LeftVectors<'l> = dyn Fn(&Csr, usize) -> DMatrix<f64> + 'l;

/// A linear map from features to vectors.
#[derive(Debug)]
pub(crate) struct Representation {
    words: (Words, Frame),
    tokens: Option<(Tokens, Frame)>,
    embedding: Option<Frame>,
    surface: (Surface, Frame),
}

/// A linear head in terms of features, ready to be stored.
#[derive(Debug)]
pub(crate) struct Folded {
    /// Buckets that have a row, ascending.
    pub(crate) buckets: Vec<u32>,
    /// `(buckets, outputs)`
    pub(crate) rows: DMatrix<f64>,
    /// Tokens that have a row, ascending.
    pub(crate) tokens: Vec<u32>,
    /// `(outputs, tokens)`: transposed, because it is long.
    pub(crate) token_rows: DMatrix<f64>,
    /// `(embedding, outputs)`
    pub(crate) embedding_rows: DMatrix<f64>,
    /// `(surface features, outputs)`
    pub(crate) surface: DMatrix<f64>,
    /// `(outputs)`
    pub(crate) bias: DVector<f64>,
}

impl Representation {
    /// Learns the map from the features of the fit split, as read with the encoder; labels are not
    /// looked at.
    pub(crate) fn learn(features: &[Features], encoder: &Encoder, seed: u64) -> Self {
        Self::learn_from(features, encoder, &|words, rank| left_singular_vectors(words, rank, seed))
    }

    /// [`Self::learn`] by a caller who computes the left singular vectors, or has them.
    pub(crate) fn learn_from(
        features: &[Features],
        encoder: &Encoder,
        left: &LeftVectors<'_>,
    ) -> Self {
        let words = Words::learn(features, left);
        let words_frame = Frame::of(&words.embed(features), TEXT_POWER);
        let tokens = encoder.table().map(|table| {
            let tokens = Tokens::learn(features, table);
            let frame = Frame::of(&tokens.embed(features), TEXT_POWER);
            (tokens, frame)
        });
        let embedding =
            encoder.sentence().map(|_| Frame::of(&embedding::embed(features), TEXT_POWER));
        let surface = Surface::learn(features);
        let surface_frame = Frame::of(&surface.embed(features), SURFACE_POWER);
        Self { words: (words, words_frame), tokens, embedding, surface: (surface, surface_frame) }
    }

    /// `(n) features -> (n, width)` vectors, centred on the requests it was learned from.
    pub(crate) fn embed(&self, features: &[Features]) -> DMatrix<f64> {
        let (words, words_frame) = &self.words;
        let (surface, surface_frame) = &self.surface;
        let mut blocks = vec![words_frame.apply(words.embed(features))];
        let tokens = self.tokens.iter();
        blocks.extend(tokens.map(|(tokens, frame)| frame.apply(tokens.embed(features))));
        let embedding = self.embedding.iter();
        blocks.extend(embedding.map(|frame| frame.apply(embedding::embed(features))));
        blocks.push(surface_frame.apply(surface.embed(features)));
        let width = blocks.iter().map(DMatrix::ncols).sum();
        let mut vectors = DMatrix::zeros(features.len(), width);
        let mut first = 0;
        for block in blocks {
            vectors.columns_mut(first, block.ncols()).copy_from(&block);
            first += block.ncols();
        }
        vectors
    }

    /// `(n) features -> (n, buckets)` words as the network pools them, in the order of
    /// [`Folded::buckets`].
    pub(crate) fn words(&self, features: &[Features]) -> Csr {
        self.words.0.bags(features)
    }

    /// Expresses `vector x head + bias` in terms of features: `head` is `(width, outputs)`.
    pub(crate) fn fold(&self, head: &DMatrix<f64>, bias: &DVector<f64>) -> Folded {
        let mut bias = bias.clone();
        let mut first = 0;
        // The part of the head on the next block, as if that were neither centred nor scaled.
        let mut next = |frame: &Frame| {
            let part = head.rows(first, frame.mean.len()) * frame.scale;
            first += frame.mean.len();
            bias -= part.tr_mul(&frame.mean);
            part
        };
        let (words, frame) = &self.words;
        let (buckets, rows) = words.fold(&next(frame));
        let none = || (Vec::new(), DMatrix::zeros(head.ncols(), 0));
        let folded = self.tokens.as_ref().map(|(tokens, frame)| tokens.fold(&next(frame)));
        let (tokens, token_rows) = folded.unwrap_or_else(none);
        let embedding = self.embedding.as_ref().map(&mut next);
        let embedding_rows = embedding.unwrap_or_else(|| DMatrix::zeros(0, head.ncols()));
        let (surface, frame) = &self.surface;
        let surface = surface.fold(next(frame));
        Folded { buckets, rows, tokens, token_rows, embedding_rows, surface, bias }
    }
}

/// Where a block lies and how long its vectors are.
#[derive(Debug)]
struct Frame {
    /// `(width of the block)`
    mean: DVector<f64>,
    scale: f64,
}

impl Frame {
    /// The frame that centres `(n, width)` vectors and gives them a mean squared length of `power`;
    /// where they are all the same, one that makes them 0.
    fn of(vectors: &DMatrix<f64>, power: f64) -> Self {
        let n = vectors.nrows().max(1) as f64;
        let mean = vectors.row_sum().transpose() / n;
        let deviations = vectors.column_iter().zip(mean.iter());
        let spread = deviations.map(|(v, &mean)| v.add_scalar(-mean).norm_squared()).sum::<f64>();
        let scale = if spread / n > 1e-12 { (power * n / spread).sqrt() } else { 0.0 };
        Self { mean, scale }
    }

    fn apply(&self, mut vectors: DMatrix<f64>) -> DMatrix<f64> {
        for (mut column, &mean) in vectors.column_iter_mut().zip(self.mean.iter()) {
            column.add_scalar_mut(-mean);
            column *= self.scale;
        }
        vectors
    }
}

/// How much a word that so many of n requests hold says of a request.
fn inverse_frequency(n: usize, holding: usize) -> f64 {
    ((1.0 + n as f64) / (1.0 + holding as f64)).ln() + 1.0
}
