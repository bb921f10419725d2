//! How long a decision takes, estimated from the sizes of a router.
//!
//! Training leaves out what would make decisions too slow. By a stopwatch the router would depend on the machine
//! that trained it, so this is a sum over operations, each at a price that was measured once:
//!
//! ```text
//! cargo bench -p farthing-model --bench decision_time -- decision_time
//! ```
//!
//! times featurizing and the forward pass of networks that differ in one size at a time, on prompts of 2,000
//! tokens and of one word; `-- encoder` times sentence encoders. Prices are the least times over all samples,
//! solved for what differs between two networks; see `docs/adr/0011-decision-time.md`.

use crate::encoder::EncoderCard;
use crate::features::FeatureSchema;
use crate::network::Shape;

/// English prose of 2,000 tokens, as the bench cuts it: bytes of text, and hashed words and pairs.
const BYTES: f64 = 7_400.0;
const NGRAMS: f64 = 3_800.0;
const TOKENS: f64 = 2_000.0;

/// What a decision costs however large the router is, in microseconds.
const FIXED_US: f64 = 5.0;
/// The soft-max and products of one mixture, or of the clusters, before their sizes count.
const SOFT_MAX_US: f64 = 1.5;

/// Hashing a byte of text, in nanoseconds.
const HASH_NS: f64 = 6.4;
/// Cutting a byte of text into tokens.
const TOKENISE_NS: f64 = 5.7;
/// Finding the row of an n-gram or a token.
const ROW_NS: f64 = 3.5;
/// Adding one value of a row.
const VALUE_NS: f64 = 0.13;
/// One multiplication in a product of matrices.
const PRODUCT_NS: f64 = 0.8;
/// One in a sentence encoder, whose matrices are large; what lies between its products is in the price.
const ENCODER_PRODUCT_NS: f64 = 0.055;

/// Estimated microseconds on one core for a decision on a prompt of 2,000 tokens, all of which have a row.
pub fn estimate_us(schema: &FeatureSchema, shape: &Shape) -> f64 {
    // The text is cut to this, whatever its length.
    let read = ((schema.head_bytes + schema.tail_bytes) as f64 / BYTES).min(1.0);
    let tokens = if schema.tokenizer.is_some() { TOKENS * read } else { 0.0 };
    let tokenise = if schema.tokenizer.is_some() { TOKENISE_NS } else { 0.0 };
    let featurize = BYTES * read * (HASH_NS + tokenise);
    let rows = NGRAMS * read + tokens;
    let gather = rows * (ROW_NS + VALUE_NS * shape.width() as f64);
    let products = shape.embedding * shape.width()
        + shape.components() * shape.candidates
        + shape.clusters * (shape.latent + shape.candidates);
    let encode = schema
        .encoder
        .as_ref()
        .map_or(0.0, |card| ENCODER_PRODUCT_NS * encoder_products(card, TOKENS * read));
    let soft_maxes = shape.mixtures.len() + usize::from(shape.clusters > 0);
    FIXED_US
        + SOFT_MAX_US * soft_maxes as f64
        + (featurize + gather + PRODUCT_NS * products as f64 + encode) / 1e3
}

/// Multiplications of an encoder's forward pass on a text of so many tokens, of which it reads its window.
fn encoder_products(card: &EncoderCard, tokens: f64) -> f64 {
    let &EncoderCard { layers, hidden, intermediate, window, .. } = card;
    let tokens = tokens.min(window as f64);
    let hidden = hidden as f64;
    // Queries, keys, values and what comes of them; in and out of the feed-forward part; scores and means.
    let each = 4.0 * hidden * hidden + 2.0 * hidden * intermediate as f64 + 2.0 * tokens * hidden;
    layers as f64 * tokens * each
}

#[cfg(test)]
mod tests {
    use farthing_core::Digest;

    use super::*;

    fn shape(candidates: usize, tasks: usize, clusters: usize) -> Shape {
        let mixtures = if tasks > 0 { vec![tasks] } else { Vec::new() };
        Shape {
            buckets: 1 << 18,
            candidates,
            mixtures,
            latent: clusters,
            clusters,
            context: 0,
            embedding: 0,
        }
    }

    /// The least times that the bench found, featurizing and the forward pass together, in microseconds.
    #[test]
    fn estimates_are_near_what_was_measured() {
        let schema = FeatureSchema::new(Vec::new());
        for ((candidates, tasks, clusters), measured) in [
            ((2, 0, 0), 64.7),
            ((26, 0, 0), 81.8),
            ((104, 0, 0), 146.0),
            ((26, 64, 0), 117.0),
            ((26, 0, 64), 123.1),
            ((26, 64, 64), 172.7),
        ] {
            let ratio = estimate_us(&schema, &shape(candidates, tasks, clusters)) / measured;
            assert!((0.85..1.25).contains(&ratio), "{candidates} {tasks} {clusters}: {ratio}");
        }
    }

    fn encoder(layers: usize, hidden: usize) -> EncoderCard {
        let digest = Digest::of(b"");
        EncoderCard { digest, layers, hidden, intermediate: 4 * hidden, window: 256 }
    }

    /// The least times that the bench found on one core, in milliseconds: of the shapes of BERT-tiny, half of
    /// `MiniLM`, `MiniLM` and BERT-base.
    #[test]
    fn estimates_of_encoders_are_near_what_was_measured() {
        for ((layers, hidden), measured) in
            [((2, 128), 8.6), ((3, 384), 79.1), ((6, 384), 168.5), ((12, 768), 1091.0)]
        {
            let encoder = Some(encoder(layers, hidden));
            let schema = FeatureSchema { encoder, ..FeatureSchema::new(Vec::new()) };
            let shape = Shape { embedding: hidden, ..shape(2, 0, 0) };
            let ratio = estimate_us(&schema, &shape) / (1e3 * measured);
            assert!((0.85..1.25).contains(&ratio), "{layers} {hidden}: {ratio}");
        }
    }

    #[test]
    fn all_that_is_read_counts() {
        let words = FeatureSchema::new(Vec::new());
        let tokens = FeatureSchema { tokenizer: Some(Digest::of(b"")), ..words.clone() };
        let short = FeatureSchema { head_bytes: 600, tail_bytes: 200, ..words.clone() };
        let estimate = |schema| estimate_us(schema, &shape(6, 8, 32));
        let whole = FeatureSchema { encoder: Some(encoder(6, 384)), ..words.clone() };
        let narrow = EncoderCard { window: 64, ..encoder(6, 384) };
        let narrow = FeatureSchema { encoder: Some(narrow), ..words.clone() };
        assert!(estimate(&whole) > 4.0 * estimate(&narrow));
        assert!(estimate(&tokens) > 1.5 * estimate(&words));
        assert!(estimate(&short) < 0.3 * estimate(&words));
    }
}
