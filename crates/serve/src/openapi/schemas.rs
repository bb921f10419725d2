//! Schemas of core's and model's types, for the description only; see the crate's `openapi` test.
#![expect(dead_code, reason = "these types describe bodies and are never made")]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::closed::{EXCLUSIONS, REASONS, exclusion_name, reason_row};
use crate::error::ErrorBody;
use crate::serving::ServingReport;

/// An OpenAI chat body or `{"prompt": "..."}`, and a `farthing` object. Exactly one of `prompt` and
/// `messages` is due; fields of the OpenAI protocol that are not listed are ignored.
#[derive(ToSchema)]
pub(crate) struct RouteBody {
    /// What is asked, as one user turn.
    prompt: Option<String>,
    /// What is asked, as a conversation.
    messages: Option<Vec<Message>>,
    /// `auto:POLICY` and `farthing/auto:POLICY` name a policy; `auto`, `farthing/auto` and nothing mean
    /// the default one. Any other name is what would have been called without a router, and is ignored.
    model: Option<String>,
    /// `farthing.candidates` as `OpenRouter` calls them: counts where those are absent and it is not empty.
    #[schema(max_items = 1024)]
    models: Option<Vec<String>>,
    /// Tools offered to the model: candidates that are known not to call any are excluded.
    tools: Option<Vec<Value>>,
    /// The older form of `tools`.
    functions: Option<Vec<Value>>,
    /// With the type `json_schema`, candidates that are known not to keep to one are excluded.
    response_format: Option<ResponseFormat>,
    /// Longest answer, in tokens: candidates that cannot give it, or whose context window does not hold it
    /// after the request, are excluded. The request's tokens are estimated for each candidate from the
    /// bytes of its text: as training saw it billed, else four bytes a token.
    max_tokens: Option<u64>,
    /// The newer name of `max_tokens`; where both are given, this one counts.
    max_completion_tokens: Option<u64>,
    /// What the client asks of the router.
    #[schema(required = false)]
    farthing: RouteOptions,
}

/// Which form the answer has to have.
#[derive(ToSchema)]
pub(crate) struct ResponseFormat {
    /// `text`, `json_object` or `json_schema`.
    #[schema(rename = "type")]
    kind: String,
}

/// One turn of a conversation.
#[derive(ToSchema)]
pub(crate) struct Message {
    /// `system`, `developer`, `user`, `assistant`, `tool` or `function`.
    role: String,
    /// A text, or a list of parts.
    content: Option<Content>,
}

/// A text, or a list of parts.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part of a message.
#[derive(ToSchema, Serialize)]
pub(crate) struct Part {
    /// With `image_url`, `input_image` or `image`, candidates that are known not to see are excluded.
    #[serde(rename = "type")]
    #[schema(required = false)]
    kind: String,
    /// Its text; a part without is not read.
    text: Option<String>,
}

/// Every field is optional; others are refused.
#[derive(ToSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteOptions {
    /// A policy by name instead of the default one.
    policy: Option<String>,
    /// One of the router's trained bars.
    bar: Option<f64>,
    /// Only these candidates may be chosen.
    #[schema(max_items = 1024)]
    candidates: Option<Vec<String>>,
    /// These candidates may not be chosen.
    #[schema(required = false, max_items = 1024)]
    exclude: Vec<String>,
    /// Candidates predicted to cost more are not chosen, in USD.
    #[schema(minimum = 0.0)]
    max_cost_usd: Option<f64>,
    /// Candidates that are expected to answer later than this are not chosen, in milliseconds. The gateway
    /// knows how long they take at present; elsewhere it excludes nobody.
    max_latency_ms: Option<f64>,
    /// Only candidates in one of these regions may be chosen; one of unknown region may not.
    #[schema(max_items = 1024)]
    regions: Option<Vec<String>>,
    /// Only candidates with all of these tags may be chosen.
    #[schema(required = false, max_items = 1024)]
    tags: Vec<String>,
    /// Categorical facts known before the call: up to 64, names of up to 256 bytes, values of up to 1,024.
    #[schema(required = false)]
    context: BTreeMap<String, String>,
    /// Keeps the turns of one conversation together: up to 256 bytes.
    #[schema(max_length = 256)]
    session_id: Option<String>,
    /// What the last answer of the session had in `x-farthing-pin`.
    pin: Option<String>,
    /// List every candidate in the decision, eligible or not.
    #[schema(required = false)]
    explain: bool,
}

/// Many requests.
#[derive(ToSchema)]
pub(crate) struct BatchBody {
    /// The requests.
    #[schema(max_items = 1024)]
    requests: Vec<RouteBody>,
}

/// One answer a request, in order.
#[derive(ToSchema)]
pub(crate) struct BatchAnswer {
    /// Always `list`.
    object: String,
    /// The answers.
    data: Vec<BatchEntry>,
}

/// A decision, or why there is none.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum BatchEntry {
    Decision(Decision),
    Error(ErrorBody),
}

/// One outcome or a list.
#[derive(ToSchema, Serialize)]
#[serde(untagged)]
pub(crate) enum OutcomesBody {
    One(OutcomeBody),
    /// At most 1,024.
    Many(Vec<OutcomeBody>),
}

/// How a candidate did on the request of a decision; at least one value is due, other fields are
/// refused.
#[derive(ToSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomeBody {
    /// The decision that led to it.
    decision_id: String,
    /// Who answered: the chosen candidate, or another that was asked too.
    #[schema(min_length = 1, max_length = 256)]
    model: String,
    /// Quality in [0, 1].
    #[schema(minimum = 0.0, maximum = 1.0)]
    score: Option<f64>,
    /// Billed cost in USD.
    #[schema(minimum = 0.0)]
    cost_usd: Option<f64>,
    /// Billed input tokens, cached ones included.
    input_tokens: Option<u64>,
    /// Those of them that came from a cache.
    cached_input_tokens: Option<u64>,
    /// Billed output tokens.
    output_tokens: Option<u64>,
    /// Time to the whole answer, in milliseconds.
    #[schema(minimum = 0.0)]
    latency_ms: Option<f64>,
    /// Where the score comes from; where several judged, people count before programs, programs before
    /// models, and what the user did next last.
    source: Option<ScoreSource>,
    /// Names the report, so that it can be sent again: up to 256 bytes.
    #[schema(min_length = 1, max_length = 256)]
    idempotency_key: Option<String>,
}

/// Where a score comes from.
#[derive(Serialize)]
pub(crate) struct ScoreSource;

impl PartialSchema for ScoreSource {
    fn schema() -> RefOr<Schema> {
        closed_set("Where a score comes from", farthing_core::ScoreSource::NAMES)
    }
}

impl ToSchema for ScoreSource {}

/// The choice with everything needed to explain and replay it.
#[derive(ToSchema, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
pub(crate) struct Decision {
    /// Always `routing.decision`.
    object: String,
    /// Unique, a `UUIDv7`; outcomes are joined by it.
    decision_id: String,
    /// The chosen candidate.
    model: String,
    /// Ranked fallback list, the choice first.
    models: Vec<String>,
    /// Name of the policy in force.
    policy: String,
    /// Why this candidate.
    reason: Reason,
    /// The bar in force.
    bar: f64,
    /// The least change of a prediction that would change the choice; null: nothing could.
    #[schema(required)]
    margin: Option<f64>,
    /// Probability with which the policy would choose what it chose.
    propensity: f64,
    /// Digest of the router.
    router: String,
    /// Whether the routed text was cut to the byte budget.
    truncated: bool,
    /// Microseconds from the parsed request to the choice.
    decision_us: f64,
    /// The arm of the configured experiment that it was made in.
    arm: Option<String>,
    /// The rules of the configuration that held.
    rules: Option<Vec<String>>,
    /// The eligible candidates, and the choice where nobody was; with `explain` every candidate.
    candidates: Vec<CandidateReport>,
}

/// What was expected of one candidate.
#[derive(ToSchema, Serialize)]
pub(crate) struct CandidateReport {
    /// Its name.
    model: String,
    /// Expected score.
    quality: f64,
    /// Calibrated probability of a score at or above the bar.
    p_above_bar: f64,
    /// Expected cost in USD; null only where unknown.
    #[schema(required)]
    cost_usd: Option<f64>,
    /// Expected output tokens; null where unknown.
    #[schema(required)]
    output_tokens: Option<f64>,
    /// Output tokens that nine answers in ten do not exceed; null where that was not learned.
    #[schema(required)]
    output_tokens_q90: Option<f64>,
    /// Whether it could be chosen.
    eligible: bool,
    /// Why it could not; absent where it could.
    #[schema(nullable = false)]
    excluded_by: Option<Exclusion>,
}

/// Why the choice was made: a closed set.
#[derive(Serialize)]
pub(crate) struct Reason;

impl PartialSchema for Reason {
    fn schema() -> RefOr<Schema> {
        closed_set("Why the choice was made", REASONS.map(|reason| reason_row(reason).1))
    }
}

impl ToSchema for Reason {}

/// Why a candidate could not be chosen: a closed set.
#[derive(Serialize)]
pub(crate) struct Exclusion;

impl PartialSchema for Exclusion {
    fn schema() -> RefOr<Schema> {
        closed_set("Why a candidate could not be chosen", EXCLUSIONS.map(exclusion_name))
    }
}

impl ToSchema for Exclusion {}

fn closed_set<const N: usize>(description: &str, names: [&'static str; N]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .description(Some(description))
        .into()
}

/// A manifest, and how its router came into service.
#[derive(ToSchema)]
pub(crate) struct RouterAnswer {
    #[serde(flatten)]
    manifest: Manifest,
    serving: ServingReport,
}

/// The manifest of a router directory. Its parts are described in the documentation of the directory.
#[derive(ToSchema)]
pub(crate) struct Manifest {
    /// Names the router.
    digest: String,
    /// Version of the directory's format.
    format_version: u32,
    /// The candidates as training saw them.
    candidates: Vec<BTreeMap<String, Value>>,
    /// The cheapest candidate that is not inferior to the one with the highest mean score.
    reference: String,
    /// That one, and what the reference loses against it, where they differ.
    stands_in: Option<BTreeMap<String, Value>>,
    /// Digest of the router that this one extends by a candidate; absent where it was trained.
    #[schema(nullable = false)]
    extended_from: Option<String>,
    /// The trained bars with thresholds, certificates and calibration.
    bars: Vec<BTreeMap<String, Value>>,
    /// Name of the policy used where a request names none.
    default_policy: String,
    /// The policies a request may name.
    policies: BTreeMap<String, Value>,
    /// How requests become features.
    features: BTreeMap<String, Value>,
    /// Digest of `features`.
    feature_digest: String,
    /// Components of each mixture.
    mixtures: Vec<u64>,
    /// How many clusters there are, and in how many dimensions.
    #[schema(nullable = false)]
    clusters: Option<BTreeMap<String, Value>>,
    /// What was blended, with weights.
    learners: Vec<BTreeMap<String, Value>>,
    /// How long a decision is estimated to take, its limit, and what was left out for it.
    #[schema(nullable = false)]
    decision_time: Option<BTreeMap<String, Value>>,
    /// What it was trained on.
    data: BTreeMap<String, Value>,
    /// Whether it earned its place.
    gate: BTreeMap<String, Value>,
    /// Digest of every other file, by name.
    files: BTreeMap<String, String>,
}
