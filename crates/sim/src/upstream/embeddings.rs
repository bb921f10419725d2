//! `/v1/embeddings`: unit vectors that follow from model and input alone, as numbers or in base64.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::Body;
use super::said::{fingerprint, tokens, usage};
use super::scenario::Scenario;
use super::usage::with_usage;

const DIMENSIONS: usize = 8;
const MOST_DIMENSIONS: usize = 4096;

/// Every shape of `input`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Input<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Texts(#[serde(borrow)] Vec<Cow<'a, str>>),
    Tokens(Vec<u32>),
    ManyTokens(Vec<Vec<u32>>),
}

/// # Errors
///
/// What is wrong with the request.
pub(super) fn whole(body: &Body<'_>, scenario: &Scenario) -> Result<Vec<u8>, String> {
    let dimensions = body.dimensions.unwrap_or(DIMENSIONS);
    if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
        return Err(format!("`dimensions` must be from 1 to {MOST_DIMENSIONS}: {dimensions}"));
    }
    let (inputs, tokens) = body.input::<Input<'_>>()?.texts();
    let is_base64 = body.encoding_format.as_deref() == Some("base64");
    let embed = |(index, text): (usize, &Cow<'_, str>)| {
        let vector = vector(fingerprint(&body.model, text), dimensions);
        let vector = if is_base64 { base64(&vector) } else { json!(vector) };
        json!({ "object": "embedding", "index": index, "embedding": vector })
    };
    let data: Vec<_> = inputs.iter().enumerate().map(embed).collect();
    let answer = json!({ "object": "list", "data": data, "model": body.model });
    Ok(with_usage(answer, usage(scenario, tokens, 0).embeddings()).to_string().into_bytes())
}

impl<'a> Input<'a> {
    /// Each input as a text of some kind, and the tokens of all.
    fn texts(self) -> (Vec<Cow<'a, str>>, u64) {
        let counted = |texts: Vec<Cow<'a, str>>| {
            let count = texts.iter().map(|text| tokens(text.len())).sum();
            (texts, count)
        };
        match self {
            Self::Text(text) => counted(vec![text]),
            Self::Texts(texts) => counted(texts),
            Self::Tokens(tokens) => Self::ManyTokens(vec![tokens]).texts(),
            Self::ManyTokens(many) => {
                let count = many.iter().map(|tokens| tokens.len() as u64).sum();
                (many.into_iter().map(|tokens| format!("{tokens:?}").into()).collect(), count)
            }
        }
    }
}

/// A point on the unit sphere.
fn vector(seed: u64, dimensions: usize) -> Vec<f32> {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let vector: Vec<f32> = (0..dimensions).map(|_| dice.random_range(-1.0..1.0)).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / length).collect()
}

/// Single precision, little end first, as clients ask for by default.
fn base64(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    STANDARD.encode(bytes).into()
}
