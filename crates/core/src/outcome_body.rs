//! The JSON with which clients report outcomes, in `POST /v1/outcomes` and in outcome segments.

use serde::{Deserialize, Serialize};

use crate::log::exact;
use crate::{Outcome, OutcomeError, ScoreSource};

/// Longest `model` and `idempotency_key`, in bytes.
const LONGEST_NAME: usize = 256;

/// One report of how a candidate did on the request of a decision; at least one value is due.
///
/// Reports on one (decision, model) add up: one may say what the answer cost and a later one how good
/// it was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an outcome: an object with `decision_id` and `model`")]
pub struct OutcomeBody {
    /// The decision that led to it.
    pub decision_id: String,
    /// Who answered: the chosen candidate, or another that was asked too.
    pub model: String,
    /// Quality in [0, 1].
    #[serde(default, deserialize_with = "exact::option", skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Billed cost in USD.
    #[serde(default, deserialize_with = "exact::option", skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Billed input tokens, cached ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Those of them that came from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input_tokens: Option<u64>,
    /// Billed output tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// Time to the whole answer, in milliseconds.
    #[serde(default, deserialize_with = "exact::option", skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Where the score comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ScoreSource>,
    /// Names the report: another one of the same (decision, model, source) with this key is this one
    /// again, however late it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Why a report cannot be taken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OutcomeBodyError {
    /// The decision id is none that a server gave out.
    #[error(
        "`decision_id` is not the id of a decision: `{0}`; hint: send it as the decision has it"
    )]
    DecisionId(String),
    /// A name is empty or too long.
    #[error("`{field}` is empty or longer than {LONGEST_NAME} bytes")]
    Name {
        /// Which one.
        field: &'static str,
    },
    /// Nothing is reported.
    #[error(
        "the outcome says nothing; hint: give `score`, `cost_usd`, `latency_ms` or a number of tokens"
    )]
    Nothing,
    /// A value is out of its range.
    #[error(transparent)]
    Value(#[from] OutcomeError),
}

impl OutcomeBodyError {
    /// The field it is about; `None`: the report as a whole.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::DecisionId(_) => Some("decision_id"),
            Self::Name { field } => Some(field),
            Self::Nothing => None,
            Self::Value(OutcomeError::Score(_)) => Some("score"),
            Self::Value(OutcomeError::Cost(_)) => Some("cost_usd"),
            Self::Value(OutcomeError::Latency(_)) => Some("latency_ms"),
            Self::Value(OutcomeError::Propensity(_)) => Some("propensity"),
            Self::Value(OutcomeError::Cached(_)) => Some("cached_input_tokens"),
        }
    }
}

impl OutcomeBody {
    /// What is reported, once everything is in its range.
    pub fn check(&self) -> Result<Outcome, OutcomeBodyError> {
        if !is_uuid(&self.decision_id) {
            let shown = self.decision_id.chars().take(40).collect();
            return Err(OutcomeBodyError::DecisionId(shown));
        }
        let names =
            [("model", Some(&self.model)), ("idempotency_key", self.idempotency_key.as_ref())];
        for (field, name) in names {
            if name.is_some_and(|name| name.is_empty() || name.len() > LONGEST_NAME) {
                return Err(OutcomeBodyError::Name { field });
            }
        }
        let outcome = self.outcome();
        if outcome == Outcome::default() {
            return Err(OutcomeBodyError::Nothing);
        }
        Ok(outcome.check()?)
    }

    /// What is reported, unchecked.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            score: self.score,
            cost_usd: self.cost_usd,
            input_tokens: self.input_tokens,
            cached_input_tokens: self.cached_input_tokens,
            output_tokens: self.output_tokens,
            latency_ms: self.latency_ms,
            propensity: None,
        }
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, in lower case: as decisions have it.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0198a2b4-7c11-7def-8123-456789abcdef";

    fn check(rest: &str) -> Result<Outcome, OutcomeBodyError> {
        let body = format!(r#"{{"decision_id": "{ID}", "model": "m1", {rest}}}"#);
        serde_json::from_str::<OutcomeBody>(&body).unwrap().check()
    }

    #[test]
    fn refusals_name_the_field() {
        let field = |rest: &str| check(rest).unwrap_err().field();
        assert_eq!(field(r#""score": 1.5"#), Some("score"));
        assert_eq!(field(r#""cost_usd": -1"#), Some("cost_usd"));
        assert_eq!(
            field(r#""input_tokens": 1, "cached_input_tokens": 2"#),
            Some("cached_input_tokens")
        );
        assert_eq!(field(r#""score": 1, "idempotency_key": """#), Some("idempotency_key"));
        assert_eq!(field(r#""source": "human""#), None);
        let body = OutcomeBody { decision_id: ID.to_uppercase(), ..OutcomeBody::default() };
        assert_eq!(body.check().unwrap_err().field(), Some("decision_id"));
    }

    #[test]
    fn numbers_are_read_exactly() {
        for number in [0.1 + 0.2, 1.0 / 3.0, 0.1 + 0.7, f64::MIN_POSITIVE] {
            assert_eq!(
                check(&format!(r#""latency_ms": {number:?}"#)).unwrap().latency_ms,
                Some(number)
            );
        }
        let wrong = serde_json::from_str::<OutcomeBody>(
            r#"{"decision_id": "a", "model": "b", "score": "1"}"#,
        );
        assert!(wrong.unwrap_err().to_string().starts_with("not a number"));
    }
}
