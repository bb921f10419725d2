//! How one candidate did on one request.

use serde::{Deserialize, Serialize};

/// One outcome; what is unknown is `None`, never zero. Construct it with [`Outcome::check`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Outcome {
    /// Quality in [0, 1]; `None` is "not judged".
    pub score: Option<f64>,
    /// Billed cost in USD.
    pub cost_usd: Option<f64>,
    /// Billed input tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// Input tokens read from the provider's cache.
    pub cached_input_tokens: Option<u64>,
    /// Billed output tokens.
    pub output_tokens: Option<u64>,
    /// Time to the whole answer, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Probability in (0, 1] with which this candidate was chosen for this request.
    pub propensity: Option<f64>,
}

/// Why an outcome is not usable.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OutcomeError {
    /// The score is outside [0, 1] or not a number.
    #[error("score is not in [0, 1]: {0}")]
    Score(f64),
    /// The cost is negative or not a number.
    #[error("cost_usd is not a number of at least 0: {0}")]
    Cost(f64),
    /// The latency is negative or not a number.
    #[error("latency_ms is not a number of at least 0: {0}")]
    Latency(f64),
    /// The propensity is outside (0, 1] or not a number.
    #[error("propensity is not in (0, 1]: {0}")]
    Propensity(f64),
    /// More cached tokens than tokens.
    #[error("cached_input_tokens is more than input_tokens: {0}")]
    Cached(u64),
}

impl Outcome {
    /// The outcome itself when every value is in its range.
    pub fn check(self) -> Result<Self, OutcomeError> {
        let within = |value: Option<f64>, low: f64, high: f64| {
            value.filter(|v| !(v.is_finite() && (low..=high).contains(v)))
        };
        if let Some(score) = within(self.score, 0.0, 1.0) {
            return Err(OutcomeError::Score(score));
        }
        if let Some(cost) = within(self.cost_usd, 0.0, f64::MAX) {
            return Err(OutcomeError::Cost(cost));
        }
        if let Some(latency) = within(self.latency_ms, 0.0, f64::MAX) {
            return Err(OutcomeError::Latency(latency));
        }
        if let Some(propensity) = within(self.propensity, f64::MIN_POSITIVE, 1.0) {
            return Err(OutcomeError::Propensity(propensity));
        }
        match (self.cached_input_tokens, self.input_tokens) {
            (Some(cached), Some(input)) if cached > input => Err(OutcomeError::Cached(cached)),
            _ => Ok(self),
        }
    }
}

/// Where a score comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// A person judged the answer.
    Human,
    /// A model judged the answer.
    Judge,
    /// A program checked the answer.
    Verifier,
    /// Derived from what the user did next.
    Implicit,
}

impl ScoreSource {
    /// Every source, as written in a log.
    pub const NAMES: [&'static str; 4] = ["human", "judge", "verifier", "implicit"];

    /// Its name, as written in a log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Judge => "judge",
            Self::Verifier => "verifier",
            Self::Implicit => "implicit",
        }
    }

    /// How far a score is to be trusted where several sources judged one answer: people before
    /// programs, programs before models, and what the user did next last.
    pub fn trust(self) -> u8 {
        match self {
            Self::Human => 3,
            Self::Verifier => 2,
            Self::Judge => 1,
            Self::Implicit => 0,
        }
    }

    /// The source of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "human" => Some(Self::Human),
            "judge" => Some(Self::Judge),
            "verifier" => Some(Self::Verifier),
            "implicit" => Some(Self::Implicit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Outcome)) -> Option<String> {
        let mut outcome = Outcome::default();
        change(&mut outcome);
        outcome.check().err().map(|e| e.to_string())
    }

    #[test]
    fn ranges() {
        assert_eq!(check(|_| {}), None);
        assert_eq!(check(|o| o.score = Some(1.0)), None);
        assert_eq!(check(|o| o.score = Some(1.7)).unwrap(), "score is not in [0, 1]: 1.7");
        assert_eq!(check(|o| o.score = Some(f64::NAN)).unwrap(), "score is not in [0, 1]: NaN");
        assert!(check(|o| o.cost_usd = Some(-0.1)).unwrap().ends_with("at least 0: -0.1"));
        assert!(check(|o| o.cost_usd = Some(f64::INFINITY)).is_some());
        assert!(check(|o| o.propensity = Some(0.0)).is_some());
        assert!(check(|o| (o.input_tokens, o.cached_input_tokens) = (Some(1), Some(2))).is_some());
    }
}
