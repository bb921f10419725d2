//! The one featurizer: trainer, evaluator and server call [`FeatureSchema::featurize`].
//!
//! A request becomes hashed word n-grams of its routing text (a sparse bag), a few surface features
//! (dense) and hashed context values. What is read of a request is decided in [`routing_text`]; what
//! the numbers are worth is learned elsewhere.

pub mod routing_text;
mod surface;
mod words;

use farthing_core::{Digest, Request};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use surface::SURFACE_FEATURES;

/// Changes whenever the same request would give other features.
const CODE_VERSION: u32 = 1;

/// Everything that determines the features of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureSchema {
    /// Version of the featurizer's code.
    pub code_version: u32,
    /// Hashed n-grams fall into `2^bucket_bits` buckets.
    pub bucket_bits: u32,
    /// Bytes kept from the start of the routing text.
    pub head_bytes: usize,
    /// Bytes kept from its end.
    pub tail_bytes: usize,
    /// Context columns, in order.
    pub context: Vec<String>,
}

/// A featurized request.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Bucket of every word and word pair, in order, with repetitions.
    pub buckets: Vec<u32>,
    /// Dense features, see [`SURFACE_FEATURES`].
    pub surface: [f32; SURFACE_FEATURES.len()],
    /// For each context column the hash of its value, or `None` where the request has none.
    pub context: Vec<Option<u64>>,
    /// Bytes of text in the whole request.
    pub text_bytes: usize,
    /// Whether the routing text was cut to the byte budget.
    pub truncated: bool,
}

impl FeatureSchema {
    /// The schema that new routers are trained with.
    pub fn new(context: Vec<String>) -> Self {
        Self {
            code_version: CODE_VERSION,
            bucket_bits: 18,
            head_bytes: 6144,
            tail_bytes: 2048,
            context,
        }
    }

    /// Number of buckets.
    pub fn buckets(&self) -> usize {
        1 << self.bucket_bits
    }

    /// Whether this build computes the features that the schema describes.
    pub fn is_supported(&self) -> bool {
        self.code_version == CODE_VERSION && (1..=24).contains(&self.bucket_bits)
    }

    /// Digest of the schema and of the names of the surface features.
    pub fn digest(&self) -> Digest {
        Digest::of(format!("{self:?} {SURFACE_FEATURES:?}").as_bytes())
    }

    /// The features of a request.
    pub fn featurize(&self, request: &Request) -> Features {
        let text = routing_text::build(request, self.head_bytes, self.tail_bytes);
        let mut buckets = Vec::with_capacity(text.text.len() / 2);
        let words = words::hash_ngrams(&text.text, self.bucket_bits, &mut buckets);
        let context = self.context.iter().map(|column| {
            request
                .context
                .get(column)
                .filter(|value| !value.is_empty())
                .map(|value| context_key(value))
        });
        Features {
            surface: surface::measure(&text.text, words, request),
            buckets,
            context: context.collect(),
            text_bytes: request.text_bytes(),
            truncated: text.truncated,
        }
    }
}

/// Hash of a context value: the router directory holds these, not the values.
pub fn context_key(value: &str) -> u64 {
    xxh3_64_with_seed(value.as_bytes(), 0xC0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(prompt: &str) -> Features {
        FeatureSchema::new(vec!["task".into()]).featurize(&Request::from_prompt(prompt).unwrap())
    }

    #[test]
    fn case_does_not_count_and_order_of_words_does() {
        assert_eq!(features("Solve THIS").buckets, features("solve this").buckets);
        assert_ne!(features("solve this").buckets, features("this solve").buckets);
        assert_eq!(features("a b c").buckets.len(), 5);
    }

    #[test]
    fn golden_buckets_pin_the_schema() {
        assert_eq!(features("Is 12 a prime?").buckets, GOLDEN);
    }

    const GOLDEN: [u32; 9] =
        [133_818, 154_603, 219_454, 236_312, 91_091, 255_026, 75_756, 142_792, 163_741];

    #[test]
    fn context_is_hashed_and_may_be_missing() {
        let schema = FeatureSchema::new(vec!["task".into(), "tenant".into()]);
        let context = [("task".to_owned(), "law".to_owned())].into();
        let request = Request::from_prompt("x").unwrap().with_context(context);
        assert_eq!(schema.featurize(&request).context, [Some(context_key("law")), None]);
    }

    #[test]
    fn a_long_prompt_costs_no_more_than_the_budget() {
        let features = features(&"word ".repeat(1_000_000));
        assert!(features.truncated);
        assert!(features.buckets.len() < 8192);
        assert_eq!(features.text_bytes, 5_000_000);
    }

    #[test]
    fn another_code_version_is_not_supported() {
        let mut schema = FeatureSchema::new(Vec::new());
        assert!(schema.is_supported());
        schema.code_version += 1;
        assert!(!schema.is_supported());
    }
}
