//! What is known of each candidate.

use std::collections::BTreeMap;

use farthing_core::{Digest, PriceTable};
use serde::{Deserialize, Serialize};

/// One candidate as training saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CandidateCard {
    /// Its name.
    pub model: String,
    /// Judged outcomes in the fit split.
    pub outcomes: u64,
    /// Their mean score.
    pub mean_score: f64,
    /// How its cost is predicted.
    pub cost: CostModel,
    /// How it came in, where it was added to a finished router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<AddedCard>,
}

impl CandidateCard {
    /// What its evidence lacks, while only exploration may choose it.
    pub fn explore_only(&self) -> Option<&str> {
        self.added.as_ref()?.explore_only.as_deref()
    }
}

/// How sure a candidate is that was added from few outcomes, the others not refitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddedCard {
    /// Digest of the log it was learned from, independent of row order.
    pub fingerprint: Digest,
    /// Outcomes of it on requests that the reference was judged on, too.
    pub paired: u64,
    /// Mean score.
    pub quality: IntervalCard,
    /// Mean score less that of the reference.
    pub difference: IntervalCard,
    /// What its column was learned with: penalties by name; an absent one is "not at all".
    pub settings: BTreeMap<String, f64>,
    /// What its evidence lacks, for a person to read: only exploration, `fixed` or a request that
    /// asks for nothing else chooses it. Absent: it takes part in decisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explore_only: Option<String>,
}

/// An estimate with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntervalCard {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl CandidateCard {
    /// Whether its cost can be predicted at these prices: a price needs tokens to multiply, and
    /// without one the cost must have been learned from the log.
    pub fn is_priced(&self, prices: &PriceTable) -> bool {
        let by_tokens = self.cost.tokens.is_some() && prices.get(&self.model).is_some();
        by_tokens || self.cost.mean_cost_usd.is_some()
    }
}

/// A reference that ties with the candidate of the highest mean score, and is cheaper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandIn {
    /// The candidate with the highest mean score in the fit split.
    pub best: String,
    /// Mean of its score less the reference's over the requests of the fit split that both answered.
    pub mean_loss: f64,
    /// Upper bound on that mean, at one-sided 95 % confidence.
    pub loss_bound: f64,
    /// Those requests.
    pub requests: u64,
}

/// How a candidate's cost is predicted; the length head multiplies the mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostModel {
    /// Tokens, where the log had them; priced with `prices.json`.
    pub tokens: Option<TokenModel>,
    /// Mean logged cost in USD, where the log had it; used where there is no price.
    pub mean_cost_usd: Option<f64>,
}

/// Tokens of a candidate by length of the request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenModel {
    /// Input tokens of an empty request: what the harness around it adds.
    pub input_base: f64,
    /// Input tokens a byte of text.
    pub input_per_byte: f64,
    /// Mean output tokens.
    pub mean_output: f64,
    /// Nine answers in ten are no longer than this multiple of what was predicted for them; `None`
    /// in routers written before it was learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q90_ratio: Option<f64>,
}

impl TokenModel {
    /// Input tokens of a request of so many bytes of text.
    pub fn input_tokens(&self, text_bytes: usize) -> f64 {
        self.input_base + self.input_per_byte * text_bytes as f64
    }

    /// Expected output tokens where the length head says so.
    pub fn output_tokens(&self, length: f64) -> f64 {
        self.mean_output * length_multiple(length)
    }

    /// The 0.9 quantile of output tokens where the length head says so.
    pub fn output_tokens_q90(&self, length: f64) -> Option<f64> {
        self.q90_ratio.map(|ratio| ratio * self.output_tokens(length))
    }
}

/// What the length head says, within bounds: a linear head may leave the sensible range on prompts
/// unlike any it was fitted on.
pub(in crate::router) fn length_multiple(length: f64) -> f64 {
    const LEAST: f64 = 0.1;
    const GREATEST: f64 = 10.0;
    length.clamp(LEAST, GREATEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_model_of_an_earlier_build_has_no_quantile() {
        let json = r#"{"input_base":10.0,"input_per_byte":0.25,"mean_output":100.0}"#;
        let mut model: TokenModel = serde_json::from_str(json).unwrap();
        assert_eq!(model.output_tokens_q90(1.0), None);
        assert_eq!(serde_json::to_string(&model).unwrap(), json);
        model.q90_ratio = Some(1.5);
        assert_eq!(model.output_tokens_q90(2.0), Some(300.0));
        assert_eq!(model.output_tokens_q90(-1.0), Some(15.0), "the head is kept within bounds");
        let read: TokenModel =
            serde_json::from_str(&serde_json::to_string(&model).unwrap()).unwrap();
        assert_eq!(read, model);
    }
}
