//! The one featurizer: trainer, evaluator and server call [`Featurizer::featurize`].
//!
//! A request becomes hashed word n-grams of its routing text (a sparse bag), the tokens of that text
//! (another one), the vector of a sentence encoder where there is one, a few surface features (dense) and
//! hashed context values. What is read of a request is decided in [`routing_text`]; what the numbers are
//! worth is learned elsewhere.

pub mod routing_text;
mod surface;
mod words;

use std::sync::Arc;

use farthing_core::{Digest, Request};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::encoder::{EncoderCard, TextEncoder};
use crate::reading::Reading;
use crate::static_table::{TextTokenizer, TokenScratch};
pub use surface::SURFACE_FEATURES;

/// Changes whenever the same request would give other features; earlier ones stay served.
const CODE_VERSION: u32 = 2;
/// From this version on, an n-gram or token counts once, however often a request repeats it.
const DISTINCT_SINCE: u32 = 2;

/// No routing text is longer at either end: each thread keeps memory for one.
const MOST_BUDGET_BYTES: usize = 1 << 20;

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
    /// Digest of the tokenizer; none where only hashed words are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<Digest>,
    /// The sentence encoder; none where text is only counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderCard>,
}

/// A schema with all that it needs to be applied.
#[derive(Debug, Clone)]
pub struct Featurizer {
    schema: FeatureSchema,
    tokenizer: Option<Arc<TextTokenizer>>,
    encoder: Option<Arc<TextEncoder>>,
}

/// A featurized request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    /// Bucket of every word and word pair, in order.
    pub buckets: Vec<u32>,
    /// Id of every token that the tokenizer knows, in order; empty without one.
    pub tokens: Vec<u32>,
    /// The encoder's vector, of length 1; empty without one.
    pub embedding: Vec<f32>,
    /// Dense features, see [`SURFACE_FEATURES`].
    pub surface: [f32; SURFACE_FEATURES.len()],
    /// For each context column the hash of its value, or `None` where the request has none.
    pub context: Vec<Option<u64>>,
    /// Bytes of text in the whole request.
    pub text_bytes: usize,
    /// Whether the routing text was cut to the byte budget, or to the window of the encoder.
    pub truncated: bool,
}

impl FeatureSchema {
    /// The schema that new routers are trained with, before a tokenizer or an encoder is added.
    pub fn new(context: Vec<String>) -> Self {
        Self {
            code_version: CODE_VERSION,
            bucket_bits: 18,
            head_bytes: 6144,
            tail_bytes: 2048,
            context,
            tokenizer: None,
            encoder: None,
        }
    }

    /// Width of the encoder's vector; 0 without one.
    pub fn embedding_width(&self) -> usize {
        self.encoder.as_ref().map_or(0, |encoder| encoder.hidden)
    }

    /// Number of buckets.
    pub fn buckets(&self) -> usize {
        1 << self.bucket_bits
    }

    /// Whether this build computes the features that the schema describes.
    pub fn is_supported(&self) -> bool {
        let budgets = [self.head_bytes, self.tail_bytes];
        (1..=CODE_VERSION).contains(&self.code_version)
            && (1..=24).contains(&self.bucket_bits)
            && budgets.iter().all(|budget| *budget <= MOST_BUDGET_BYTES)
    }

    /// Digest of the schema and of the names of the surface features.
    pub fn digest(&self) -> Digest {
        let Self { code_version, bucket_bits, head_bytes, tail_bytes, context, tokenizer, encoder } =
            self;
        // Spelled out, so that a schema without tokenizer or encoder keeps the digest it had before
        // there were any.
        let tokenizer =
            tokenizer.as_ref().map_or_else(String::new, |digest| format!(", tokenizer: {digest}"));
        let encoder =
            encoder.as_ref().map_or_else(String::new, |card| format!(", encoder: {card:?}"));
        let text = format!(
            "FeatureSchema {{ code_version: {code_version}, bucket_bits: {bucket_bits}, head_bytes: \
             {head_bytes}, tail_bytes: {tail_bytes}, context: {context:?}{tokenizer}{encoder} }} {SURFACE_FEATURES:?}"
        );
        Digest::of(text.as_bytes())
    }
}

impl Featurizer {
    /// The featurizer of new routers.
    pub fn new(context: Vec<String>, tokenizer: Option<Arc<TextTokenizer>>) -> Self {
        let digest = tokenizer.as_ref().map(|tokenizer| tokenizer.digest().clone());
        Self {
            schema: FeatureSchema { tokenizer: digest, ..FeatureSchema::new(context) },
            tokenizer,
            encoder: None,
        }
    }

    /// The same with the vector of a sentence encoder.
    #[must_use]
    pub fn with_encoder(mut self, encoder: Option<Arc<TextEncoder>>) -> Self {
        self.schema.encoder = encoder.as_ref().map(|encoder| encoder.card().clone());
        self.encoder = encoder;
        self
    }

    /// The featurizer of a schema; none where tokenizer and encoder are not those that it names.
    pub fn of(
        schema: FeatureSchema,
        tokenizer: Option<Arc<TextTokenizer>>,
        encoder: Option<Arc<TextEncoder>>,
    ) -> Option<Self> {
        let digest = tokenizer.as_ref().map(|tokenizer| tokenizer.digest());
        let card = encoder.as_ref().map(|encoder| encoder.card());
        let named = digest == schema.tokenizer.as_ref() && card == schema.encoder.as_ref();
        named.then_some(Self { schema, tokenizer, encoder })
    }

    /// What it computes.
    pub fn schema(&self) -> &FeatureSchema {
        &self.schema
    }

    /// What cuts text into tokens.
    pub fn tokenizer(&self) -> Option<&Arc<TextTokenizer>> {
        self.tokenizer.as_ref()
    }

    /// What embeds text.
    pub fn encoder(&self) -> Option<&Arc<TextEncoder>> {
        self.encoder.as_ref()
    }

    /// The features of a request; only the forward pass of an encoder can fail.
    pub fn featurize(&self, request: &Request) -> candle_core::Result<Features> {
        let mut features = Features::default();
        self.featurize_into(request, &mut Scratch::default(), &mut features)?;
        Ok(features)
    }

    /// The same in memory that was used before, so that nothing is allocated for a prompt of the usual kind.
    pub fn featurize_into(
        &self,
        request: &Request,
        scratch: &mut Scratch,
        features: &mut Features,
    ) -> candle_core::Result<()> {
        let schema = &self.schema;
        let routing = routing_text::build(request, schema.head_bytes, schema.tail_bytes);
        let text = &*routing.text;
        let Features { buckets, tokens, embedding, surface, context, .. } = features;
        let once = schema.code_version >= DISTINCT_SINCE;
        buckets.clear();
        tokens.clear();
        let Scratch { reading, tokens: cutting, seen } = scratch;
        reading.read(text);
        let bits = schema.bucket_bits;
        let words = if once {
            seen.grow(schema.buckets());
            words::hash_ngrams(text, reading, bits, |bucket| seen.push(bucket, buckets))
        } else {
            words::hash_ngrams(text, reading, bits, |bucket| buckets.push(bucket))
        };
        if let Some(tokenizer) = &self.tokenizer {
            tokenizer.append_token_ids(text, reading, once, cutting, tokens);
        }
        if once {
            seen.forget(buckets);
            seen.grow(self.tokenizer.as_ref().map_or(0, |tokenizer| tokenizer.entries()));
            seen.keep_first(tokens);
        }
        *surface = surface::measure(text, reading, words, request);
        context.clear();
        context.extend(schema.context.iter().map(|column| {
            let value = request.context.get(column).filter(|value| !value.is_empty());
            value.map(|value| context_key(value))
        }));
        features.text_bytes = request.text_bytes();
        features.truncated = routing.truncated;
        embedding.clear();
        if let Some(encoder) = &self.encoder {
            let embedded = encoder.embed(text)?;
            embedding.extend(embedded.vector);
            features.truncated |= embedded.truncated;
        }
        Ok(())
    }
}

/// Memory that featurizing works in; it grows to the byte budget of the routing text and no further.
#[derive(Debug, Default)]
pub struct Scratch {
    reading: Reading,
    tokens: TokenScratch,
    seen: Seen,
}

/// Which entries were met.
#[derive(Debug, Default)]
struct Seen {
    /// One bit an entry; all zero between uses.
    bits: Vec<u64>,
}

impl Seen {
    /// Makes room for entries below `space`.
    fn grow(&mut self, space: usize) {
        if self.bits.len() < space.div_ceil(64) {
            self.bits.resize(space.div_ceil(64), 0);
        }
    }

    /// Whether an entry is met for the first time.
    fn is_new(&mut self, entry: u32) -> bool {
        let (word, bit) = (&mut self.bits[entry as usize / 64], 1 << (entry % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Appends an entry that is met for the first time. Without a branch: which n-grams repeat is not for a
    /// processor to guess.
    fn push(&mut self, entry: u32, entries: &mut Vec<u32>) {
        let kept = entries.len() + usize::from(self.is_new(entry));
        entries.push(entry);
        entries.truncate(kept);
    }

    /// Drops every entry that stands further ahead already.
    fn keep_first(&mut self, entries: &mut Vec<u32>) {
        let mut kept = 0;
        for at in 0..entries.len() {
            let entry = entries[at];
            entries[kept] = entry;
            kept += usize::from(self.is_new(entry));
        }
        entries.truncate(kept);
        self.forget(entries);
    }

    /// As before these entries were met, which are all.
    fn forget(&mut self, entries: &[u32]) {
        for &entry in entries {
            self.bits[entry as usize / 64] = 0;
        }
    }
}

/// Hash of a context value: the router directory holds these, not the values.
pub fn context_key(value: &str) -> u64 {
    xxh3_64_with_seed(value.as_bytes(), 0xC0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::static_table::Vocabulary;

    fn features(prompt: &str) -> Features {
        let featurizer = Featurizer::new(vec!["task".into()], None);
        featurizer.featurize(&Request::from_prompt(prompt).unwrap()).unwrap()
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
        let featurizer = Featurizer::new(vec!["task".into(), "tenant".into()], None);
        let context = [("task".to_owned(), "law".to_owned())].into();
        let request = Request::from_prompt("x").unwrap().with_context(context);
        assert_eq!(
            featurizer.featurize(&request).unwrap().context,
            [Some(context_key("law")), None]
        );
    }

    #[test]
    fn a_long_prompt_costs_no_more_than_the_budget() {
        let features = features(&"word ".repeat(1_000_000));
        assert!(features.truncated);
        assert!(features.buckets.len() < 8192);
        assert_eq!(features.text_bytes, 5_000_000);
    }

    fn tokenizer() -> Arc<TextTokenizer> {
        let path = Path::new("vocab.txt");
        let vocabulary = Vocabulary::from_lines(path, "[UNK]\nword\n##s\n", true).unwrap();
        Arc::new(TextTokenizer::from_json(path, &vocabulary.to_json()).unwrap())
    }

    #[test]
    fn known_tokens_of_the_cut_text_are_read() {
        let featurizer = Featurizer::new(Vec::new(), Some(tokenizer()));
        let features =
            featurizer.featurize(&Request::from_prompt("Words, a word").unwrap()).unwrap();
        assert_eq!(features.tokens, [1, 2]);
        let long = Request::from_prompt("word ".repeat(100_000)).unwrap();
        assert!(featurizer.featurize(&long).unwrap().tokens.len() < 2_000);
    }

    #[test]
    fn a_schema_and_its_tokenizer_belong_together() {
        let with = Featurizer::new(Vec::new(), Some(tokenizer()));
        let (schema, without) = (with.schema().clone(), FeatureSchema::new(Vec::new()));
        assert_ne!(schema.digest(), without.digest());
        assert!(Featurizer::of(schema.clone(), Some(tokenizer()), None).is_some());
        assert!(Featurizer::of(schema, None, None).is_none());
        assert!(Featurizer::of(without.clone(), Some(tokenizer()), None).is_none());
        assert!(Featurizer::of(without, None, None).is_some());
    }

    fn encoder() -> Arc<TextEncoder> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder");
        Arc::new(TextEncoder::load(&dir).unwrap())
    }

    #[test]
    fn an_encoder_embeds_the_routing_text() {
        let featurizer = Featurizer::new(Vec::new(), None).with_encoder(Some(encoder()));
        let features =
            |prompt: String| featurizer.featurize(&Request::from_prompt(prompt).unwrap()).unwrap();
        let short = features("explain the code".to_owned());
        assert_eq!(short.embedding, encoder().embed("explain the code").unwrap().vector);
        assert_eq!(short.embedding.len(), featurizer.schema().embedding_width());
        assert!(!short.truncated);
        assert!(features("the code ".repeat(20)).truncated, "40 tokens with the two of the frame");
    }

    #[test]
    fn a_schema_and_its_encoder_belong_together() {
        let with = Featurizer::new(Vec::new(), None).with_encoder(Some(encoder()));
        let schema = with.schema().clone();
        assert_ne!(schema.digest(), FeatureSchema::new(Vec::new()).digest());
        assert!(Featurizer::of(schema.clone(), None, Some(encoder())).is_some());
        assert!(Featurizer::of(schema, None, None).is_none());
        assert!(Featurizer::of(FeatureSchema::new(Vec::new()), None, Some(encoder())).is_none());
    }

    #[test]
    fn a_schema_of_an_earlier_build_keeps_its_digest() {
        // As `derive(Debug)` wrote it before schemas had a tokenizer.
        let text = r#"FeatureSchema { code_version: 1, bucket_bits: 18, head_bytes: 6144, tail_bytes: 2048, context: ["a\"b", "c"] }"#;
        let digest = Digest::of(format!("{text} {SURFACE_FEATURES:?}").as_bytes());
        let columns = vec!["a\"b".into(), "c".into()];
        let schema = FeatureSchema { code_version: 1, ..FeatureSchema::new(columns) };
        assert_eq!(schema.digest(), digest);
    }

    #[test]
    fn repetitions_count_for_routers_of_an_earlier_version_only() {
        let request = Request::from_prompt("so so so it goes so").unwrap();
        let buckets = |code_version| {
            let schema = FeatureSchema { code_version, ..FeatureSchema::new(Vec::new()) };
            Featurizer::of(schema, None, None).unwrap().featurize(&request).unwrap().buckets
        };
        let all = buckets(1);
        assert_eq!(all.len(), 11, "six words and five pairs");
        let firsts = [0, 2, 5, 6, 7, 8, 10].map(|position: usize| all[position]);
        assert_eq!(buckets(2), firsts);
    }

    #[test]
    fn another_code_version_is_not_supported() {
        let mut schema = FeatureSchema::new(Vec::new());
        assert!(schema.is_supported());
        schema.code_version += 1;
        assert!(!schema.is_supported());
    }
}
