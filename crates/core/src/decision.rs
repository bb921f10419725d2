//! The choice with everything needed to explain and replay it, as clients and logs see it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::policy::{Exclusion, Reason};
use crate::{Bar, Digest};

/// A decision: the answer of `POST /v1/route` and of `farthing route --json`. Names are borrowed
/// from the router that decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision<'a> {
    /// Always `routing.decision`.
    pub object: Cow<'a, str>,
    /// Unique; outcomes are joined by it.
    pub decision_id: Cow<'a, str>,
    /// The chosen candidate.
    pub model: Cow<'a, str>,
    /// Ranked fallback list, the choice first.
    pub models: Vec<Cow<'a, str>>,
    /// Name of the policy in force.
    pub policy: Cow<'a, str>,
    /// Why this candidate.
    pub reason: Reason,
    /// The bar in force.
    pub bar: Bar,
    /// The least change of a prediction that would change the choice; `null`: nothing could.
    pub margin: Option<f64>,
    /// Probability with which the policy would choose what it chose.
    pub propensity: f64,
    /// Digest of the router.
    pub router: Cow<'a, Digest>,
    /// Whether the routed text was cut to the byte budget.
    pub truncated: bool,
    /// Microseconds from the parsed request to the choice.
    pub decision_us: f64,
    /// The arm of the configured experiment that it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Cow<'a, str>>,
    /// The rules of the configuration that held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Cow<'a, str>>,
    /// The eligible candidates, and the choice where nobody was; every candidate when asked to explain.
    pub candidates: Vec<CandidateReport<'a>>,
}

/// What was expected of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CandidateReport<'a> {
    /// Its name.
    pub model: Cow<'a, str>,
    /// Expected score.
    pub quality: f64,
    /// Calibrated probability of a score at or above the bar.
    pub p_above_bar: f64,
    /// Expected cost in USD; `null` only where unknown.
    pub cost_usd: Option<f64>,
    /// Expected output tokens; `null` where unknown.
    pub output_tokens: Option<f64>,
    /// Output tokens that nine answers in ten do not exceed; `null` where that was not learned.
    #[serde(default)]
    pub output_tokens_q90: Option<f64>,
    /// Whether it could be chosen.
    pub eligible: bool,
    /// Why it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded_by: Option<Exclusion>,
}
