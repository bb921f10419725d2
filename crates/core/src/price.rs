//! What tokens cost. Prices change without retraining, so they stand apart from the predictions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Usage;

/// List price of one candidate, in USD per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Input tokens.
    pub usd_per_1m_input: f64,
    /// Output tokens.
    pub usd_per_1m_output: f64,
    /// Input tokens read from the provider's cache; `None`: billed as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_1m_cached_input: Option<f64>,
    /// Input tokens written to the provider's cache; `None`: billed as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd_per_1m_cache_write: Option<f64>,
}

/// A price that cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "{field} of `{model}` is not a number of at least 0: {value}; hint: leave an unpriced model out, 0 means free"
)]
pub struct PriceError {
    /// The candidate.
    pub model: String,
    /// Which of its prices.
    pub field: &'static str,
    /// The value as given.
    pub value: f64,
}

impl Price {
    /// A price of input and output, whether cached or not.
    pub fn new(usd_per_1m_input: f64, usd_per_1m_output: f64) -> Self {
        Self {
            usd_per_1m_input,
            usd_per_1m_output,
            usd_per_1m_cached_input: None,
            usd_per_1m_cache_write: None,
        }
    }

    /// Cost in USD of `input_tokens` (of which `cached_input_tokens` came from a cache) and
    /// `output_tokens`.
    pub fn cost_usd(&self, input_tokens: f64, cached_input_tokens: f64, output_tokens: f64) -> f64 {
        let cached_price = self.usd_per_1m_cached_input.unwrap_or(self.usd_per_1m_input);
        ((input_tokens - cached_input_tokens) * self.usd_per_1m_input
            + cached_input_tokens * cached_price
            + output_tokens * self.usd_per_1m_output)
            / 1e6
    }

    /// Cost in USD of what was used; `None` where input or output is unknown.
    pub fn settle(&self, usage: &Usage) -> Option<f64> {
        let at = |tokens: Option<u64>, price: Option<f64>| {
            tokens.unwrap_or(0) as f64 * price.unwrap_or(self.usd_per_1m_input)
        };
        let input = usage.input_tokens? as f64 * self.usd_per_1m_input
            + at(usage.cached_input_tokens, self.usd_per_1m_cached_input)
            + at(usage.cache_write_tokens, self.usd_per_1m_cache_write);
        let output = usage.output_tokens? as f64 * self.usd_per_1m_output;
        Some((input + output) / 1e6)
    }
}

/// Prices by candidate name. A candidate that is not in it has an unknown price, not a price of 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Price>", into = "BTreeMap<String, Price>")]
pub struct PriceTable(BTreeMap<String, Price>);

impl PriceTable {
    /// The price of a candidate, if it is known.
    pub fn get(&self, model: &str) -> Option<&Price> {
        self.0.get(model)
    }

    /// Whether no price is known at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every known price, by candidate name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Price)> {
        self.0.iter().map(|(model, price)| (model.as_str(), price))
    }

    /// Only the prices of these candidates.
    #[must_use]
    pub fn of(&self, models: &[String]) -> Self {
        let keep = |model: &String| self.0.get(model).map(|price| (model.clone(), *price));
        Self(models.iter().filter_map(keep).collect())
    }
}

impl TryFrom<BTreeMap<String, Price>> for PriceTable {
    type Error = PriceError;

    fn try_from(prices: BTreeMap<String, Price>) -> Result<Self, PriceError> {
        for (model, price) in &prices {
            let fields = [
                ("usd_per_1m_input", price.usd_per_1m_input),
                ("usd_per_1m_output", price.usd_per_1m_output),
                ("usd_per_1m_cached_input", price.usd_per_1m_cached_input.unwrap_or(0.0)),
                ("usd_per_1m_cache_write", price.usd_per_1m_cache_write.unwrap_or(0.0)),
            ];
            for (field, value) in fields {
                if !(value.is_finite() && value >= 0.0) {
                    return Err(PriceError { model: model.clone(), field, value });
                }
            }
        }
        Ok(Self(prices))
    }
}

impl From<PriceTable> for BTreeMap<String, Price> {
    fn from(table: PriceTable) -> Self {
        table.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cost_counts_cached_tokens_once() {
        let mut price = Price::new(2.0, 10.0);
        assert!((price.cost_usd(1000.0, 400.0, 100.0) - 0.003).abs() < 1e-12);
        price.usd_per_1m_cached_input = Some(0.5);
        assert!((price.cost_usd(1000.0, 400.0, 100.0) - 0.0024).abs() < 1e-12);
    }

    #[test]
    fn usage_is_settled_by_bucket_where_it_is_known() {
        let mut price = Price::new(2.0, 10.0);
        let mut usage = Usage {
            input_tokens: Some(1000),
            cached_input_tokens: Some(400),
            cache_write_tokens: Some(100),
            output_tokens: Some(100),
        };
        let cost = |price: &Price, usage: &Usage| price.settle(usage).unwrap();
        assert!((cost(&price, &usage) - 0.004).abs() < 1e-12);
        (price.usd_per_1m_cached_input, price.usd_per_1m_cache_write) = (Some(0.5), Some(2.5));
        assert!((cost(&price, &usage) - 0.003_45).abs() < 1e-12);
        (usage.cached_input_tokens, usage.cache_write_tokens) = (None, None);
        assert!((cost(&price, &usage) - 0.003).abs() < 1e-12);
        usage.output_tokens = None;
        assert_eq!(price.settle(&usage), None);
    }

    #[test]
    fn a_negative_price_is_refused_by_name() {
        let error = serde_json::from_str::<PriceTable>(
            r#"{"m": {"usd_per_1m_input": 1, "usd_per_1m_output": -1}}"#,
        );
        let message = error.unwrap_err().to_string();
        assert!(
            message.starts_with("usd_per_1m_output of `m` is not a number of at least 0: -1"),
            "{message}"
        );
    }
}
