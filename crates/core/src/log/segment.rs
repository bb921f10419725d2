//! The lines of a segment, which is what a server writes: one JSON object a line.
//!
//! Every line starts with its `type` and `schema_version`. A segment starts with a `segment` line, a
//! `router` line names the candidates of a router before its first decision, and the arrays of a
//! decision follow that order: names are not repeated. A segment can be read alone, and so can any
//! number of them one after the other.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exact;
use crate::policy::{Exclusion, Reason};
use crate::{Bar, Message, OutcomeBody, Role};

/// Version of the lines; additive changes keep it. Version 1 repeated the names in every row.
pub const SCHEMA_VERSION: u32 = 2;
/// The oldest version that [`super::read`] takes.
pub const OLDEST_READABLE: u32 = 2;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineType {
    /// [`SegmentHeader`].
    Segment,
    /// [`RouterNames`].
    Router,
    /// [`DecisionRow`].
    Decision,
    /// [`OutcomeEvent`].
    Outcome,
}

/// The first line of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentHeader<'a> {
    /// Id of the server run that wrote it.
    #[serde(borrow)]
    pub run: Cow<'a, str>,
    /// When that run began: RFC 3339, UTC.
    #[serde(borrow)]
    pub began: Cow<'a, str>,
    /// Every decision of the run with a smaller `seq` is in an earlier segment or in none.
    pub first_seq: u64,
}

/// The candidates of a router, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterNames<'a> {
    /// Its digest.
    #[serde(borrow)]
    pub router: Cow<'a, str>,
    /// Their names.
    pub candidates: Cow<'a, [String]>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRow<'a> {
    /// Id of the server run.
    #[serde(borrow)]
    pub run: Cow<'a, str>,
    /// Number of the decision in its run; those that were not logged have one too.
    pub seq: u64,
    /// When it was made: RFC 3339, UTC.
    #[serde(borrow)]
    pub timestamp: Cow<'a, str>,
    /// Unique; outcomes are joined by it.
    #[serde(borrow)]
    pub decision_id: Cow<'a, str>,
    /// Digest of the router.
    #[serde(borrow)]
    pub router: Cow<'a, str>,
    /// Name of the policy in force.
    #[serde(borrow)]
    pub policy: Cow<'a, str>,
    /// Digest of that policy and its parameters.
    #[serde(borrow)]
    pub policy_digest: Cow<'a, str>,
    /// The bar in force.
    #[serde(deserialize_with = "exact::number")]
    pub bar: Bar,
    /// Why the choice.
    pub reason: Reason,
    /// The choice.
    #[serde(borrow)]
    pub model: Cow<'a, str>,
    /// Probability with which the policy would choose what it chose.
    #[serde(deserialize_with = "exact::number")]
    pub propensity: f64,
    /// The least change of a prediction that would change the choice; `null`: nothing could.
    #[serde(deserialize_with = "exact::option")]
    pub margin: Option<f64>,
    /// Whether the routed text was cut to the byte budget.
    pub truncated: bool,
    /// Microseconds from the parsed request to the choice.
    #[serde(deserialize_with = "exact::number")]
    pub decision_us: f64,
    /// The request's context, as given.
    pub context: Cow<'a, BTreeMap<String, String>>,
    /// Digest of the request's `session_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Cow<'a, str>>,
    /// The arm of the configured experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<Cow<'a, str>>,
    /// The rules of the configuration that held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Cow<'a, str>>,
    /// What was asked.
    #[serde(borrow, default, skip_serializing_if = "Stored::is_nothing")]
    pub asked: Stored<'a>,
    /// What was expected of every candidate, in the order of the router's names.
    pub predicted: Predicted<'a>,
}

/// What is kept of a request, as configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Stored<'a> {
    /// All turns.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<Vec<StoredMessage<'a>>>,
    /// [`Request::digest`](crate::Request::digest).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Cow<'a, str>>,
    /// What the router's featurizer made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features: Option<StoredFeatures<'a>>,
}

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredMessage<'a> {
    /// Who speaks, as the OpenAI protocol names it.
    #[serde(borrow)]
    pub role: Cow<'a, str>,
    /// What is said.
    #[serde(borrow)]
    pub content: Cow<'a, str>,
}

/// Features of the routed text; what they mean is said by the router's feature schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredFeatures<'a> {
    /// Buckets of hashed words and word pairs.
    pub buckets: Cow<'a, [u32]>,
    /// Dense features, in the schema's order.
    #[serde(deserialize_with = "exact::singles")]
    pub surface: Cow<'a, [f32]>,
    /// Bytes of text in the whole request.
    pub text_bytes: usize,
}

/// Predictions of every candidate, in single precision; see [`Prediction`](crate::Prediction).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Predicted<'a> {
    /// Expected scores.
    #[serde(deserialize_with = "exact::singles")]
    pub quality: Cow<'a, [f32]>,
    /// Calibrated probabilities of a score at or above the bar.
    #[serde(deserialize_with = "exact::singles")]
    pub p_above_bar: Cow<'a, [f32]>,
    /// Expected costs in USD; `null` where unknown.
    #[serde(deserialize_with = "exact::single_options")]
    pub cost_usd: Cow<'a, [Option<f32>]>,
    /// Expected output tokens; `null` where unknown.
    #[serde(deserialize_with = "exact::single_options")]
    pub output_tokens: Cow<'a, [Option<f32>]>,
    /// Why each could not be chosen; `null` where it could. Left out where every candidate could.
    #[serde(default, skip_serializing_if = "none_excluded")]
    pub excluded_by: Cow<'a, [Option<Exclusion>]>,
}

/// One reported outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeEvent<'a> {
    /// When the report came: RFC 3339, UTC.
    #[serde(borrow)]
    pub received: Cow<'a, str>,
    /// What it says.
    pub outcome: Cow<'a, OutcomeBody>,
}

impl Stored<'_> {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> From<&'a Message> for StoredMessage<'a> {
    fn from(message: &'a Message) -> Self {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        };
        Self { role: role.into(), content: message.text.as_str().into() }
    }
}

#[expect(clippy::ptr_arg, reason = "the signature that serde asks for")]
fn none_excluded(excluded_by: &Cow<'_, [Option<Exclusion>]>) -> bool {
    excluded_by.iter().all(Option::is_none)
}

/// Appends a line: the type, the version, and the members of `body`, which is one of the types above.
pub fn write_line(kind: LineType, body: &impl Serialize, out: &mut Vec<u8>) {
    let prefix: &[u8] = match kind {
        LineType::Segment => br#"{"type":"segment","schema_version":2"#,
        LineType::Router => br#"{"type":"router","schema_version":2"#,
        LineType::Decision => br#"{"type":"decision","schema_version":2"#,
        LineType::Outcome => br#"{"type":"outcome","schema_version":2"#,
    };
    out.extend_from_slice(prefix);
    let brace = out.len();
    // Neither a Vec nor these types' keys, all of them strings, can refuse.
    serde_json::to_writer(&mut *out, body).unwrap_or_default();
    if let Some(brace) = out.get_mut(brace) {
        *brace = b',';
    }
    out.push(b'\n');
}
