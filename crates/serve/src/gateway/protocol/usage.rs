//! Tokens as upstreams report them, turned into four buckets that do not overlap.
//!
//! What is not a whole number of at least 0 is unknown, never zero. OpenAI counts cached tokens within
//! the input tokens, Anthropic beside them; `DeepSeek` names hits and misses. `xAI` and Gemini's OpenAI
//! endpoint leave reasoning out of `completion_tokens` while `total_tokens` has it.

use farthing_core::Usage;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Shape;
use crate::gateway::account::Bill;

/// A `usage` object.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RawUsage<'a> {
    #[serde(borrow)]
    prompt_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    completion_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    total_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    output_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    prompt_tokens_details: Option<Details<'a>>,
    #[serde(borrow)]
    input_tokens_details: Option<Details<'a>>,
    #[serde(borrow)]
    prompt_cache_hit_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_read_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_creation_input_tokens: Option<&'a RawValue>,
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
}

#[derive(Debug, Clone, Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    cached_tokens: Option<&'a RawValue>,
}

impl RawUsage<'_> {
    /// What it says of an answer's price.
    pub(super) fn bill(&self, shape: Shape) -> Bill {
        let usage = match shape {
            Shape::Messages => self.anthropic(),
            Shape::Chat | Shape::Responses | Shape::Embeddings => self.openai(shape),
        };
        Bill { usage: Some(usage), billed_usd: self.cost.and_then(usd) }
    }

    /// Cached tokens are beside the input tokens.
    fn anthropic(&self) -> Usage {
        Usage {
            input_tokens: self.input_tokens.and_then(count),
            cached_input_tokens: self.cache_read_input_tokens.and_then(count),
            cache_write_tokens: self.cache_creation_input_tokens.and_then(count),
            output_tokens: self.output_tokens.and_then(count),
        }
    }

    /// Cached tokens are within the input tokens.
    fn openai(&self, shape: Shape) -> Usage {
        let input = self.prompt_tokens.or(self.input_tokens).and_then(count);
        let details = self.prompt_tokens_details.as_ref().or(self.input_tokens_details.as_ref());
        let cached = details.and_then(|details| details.cached_tokens);
        let cached = cached.or(self.prompt_cache_hit_tokens).and_then(count);
        // Gateways in front of Anthropic's models say how much was written, within the input tokens.
        let written = self.cache_creation_input_tokens.and_then(count);
        let inside = cached.unwrap_or(0).saturating_add(written.unwrap_or(0));
        let said = self.completion_tokens.or(self.output_tokens).and_then(count);
        let total = self.total_tokens.and_then(count);
        let output = match (said, total.zip(input)) {
            // The total has tokens that the output lacks: those of reasoning, which are billed.
            (Some(said), Some((total, input))) => Some(said.max(total.saturating_sub(input))),
            (None, _) if shape == Shape::Embeddings => Some(0),
            (said, _) => said,
        };
        Usage {
            // More cached tokens than tokens make no sense, so what is at the full price is unknown.
            input_tokens: input.and_then(|input| input.checked_sub(inside)),
            cached_input_tokens: cached,
            cache_write_tokens: written,
            output_tokens: output,
        }
    }
}

/// A number of tokens.
fn count(value: &RawValue) -> Option<u64> {
    serde_json::from_str(value.get()).ok()
}

/// An amount of USD.
fn usd(value: &RawValue) -> Option<f64> {
    let usd: f64 = serde_json::from_str(value.get()).ok()?;
    (usd.is_finite() && usd >= 0.0).then_some(usd)
}
