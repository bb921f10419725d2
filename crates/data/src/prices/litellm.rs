//! Entries of LiteLLM's `model_prices_and_context_window.json`: USD a token, beside much that is of
//! no interest here. Prices for long contexts, for batches or for priority are not read.

use farthing_core::Price;

use super::entries::{Entry, Field, Problem};

const INPUT: &str = "input_cost_per_token";
const OUTPUT: &str = "output_cost_per_token";
const CACHED: &str = "cache_read_input_token_cost";
const CACHE_WRITE: &str = "cache_creation_input_token_cost";

/// Keys of the file that are not models: its documentation, and rules for names that it lacks.
pub(super) const NOT_MODELS: [&str; 2] = ["sample_spec", "fallback_generalizations"];

/// Kinds of models that turn text into text; an entry need not say its kind.
const MODES: [&str; 3] = ["chat", "completion", "responses"];

/// The price of an entry, or `None` where it has none by the token.
pub(super) fn price(entry: &Entry) -> Result<Option<Price>, Problem> {
    if let Entry::Other(found) = entry {
        return Err(Problem(format!(
            "it is not an object of prices: `{found}`; hint: give LiteLLM's file as it is, or `{INPUT}` and `{OUTPUT}` under the model's name"
        )));
    }
    if !is_text(entry) {
        return Ok(None);
    }
    let (input, output) = (entry.number(INPUT)?, entry.number(OUTPUT)?);
    let (cached, write) = (entry.number(CACHED)?, entry.number(CACHE_WRITE)?);
    let (Some(input), Some(output)) = (input, output) else { return Ok(None) };
    // Billed by the image or the second, such a model is not free.
    if input + output <= 0.0 && is_billed_otherwise(entry) {
        return Ok(None);
    }
    Ok(Some(Price {
        usd_per_1m_input: per_1m(input),
        usd_per_1m_output: per_1m(output),
        usd_per_1m_cached_input: cached.map(per_1m),
        usd_per_1m_cache_write: write.map(per_1m),
    }))
}

fn is_text(entry: &Entry) -> bool {
    let mode = entry.fields().iter().find(|(key, _)| key == "mode").map(|(_, mode)| mode);
    match mode {
        None | Some(Field::Null) => true,
        Some(Field::Text(mode)) => MODES.contains(&mode.as_str()),
        Some(Field::Number(_) | Field::Other(_)) => false,
    }
}

fn is_billed_otherwise(entry: &Entry) -> bool {
    let mut costs = entry.fields().iter().filter(|(key, _)| key.contains("_cost_per_"));
    costs.any(|(_, value)| matches!(value, Field::Number(cost) if *cost > 0.0))
}

/// Rounded to 1e-12 USD: 1.5e-7 a token is 0.15, not 0.15000000000000002.
fn per_1m(usd_per_token: f64) -> f64 {
    (usd_per_token * 1e18).round() / 1e12
}
