//! The report: everything that `farthing eval` says, as `--json` writes it.
//!
//! Field names are an interface. Costs are mean USD a request, shares are percent, qualities and
//! scores lie in [0, 1]. What cannot be said is `null`, with the reason beside it.

use farthing_core::{Bar, Digest};
use farthing_model::Certificate;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    CalibrationFigures, CandidateFigures, Frontier, OtherDecisions, PairReport, PolicyReport,
    PublishedMetric, Robustness, Slice, WorstRequest,
};

/// Version of the report; additive changes keep it.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// A router on requests that it was not trained on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "farthing eval --json")]
pub struct Report {
    /// Version of this shape.
    pub format_version: u32,
    /// Digest of the router.
    #[schemars(with = "String", regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub router: Digest,
    /// How it was made.
    pub settings: Settings,
    /// What it was made from.
    pub data: DataCounts,
    /// Each candidate of the router on its own, in the router's order.
    pub candidates: Vec<CandidateFigures>,
    /// Whether the probabilities are to be believed.
    pub calibration: CalibrationFigures,
    /// What the router promises at this bar; `null`: nothing could be certified. These are the figures
    /// of its training, not of this log.
    #[schemars(with = "Option<crate::schema::Certificate>")]
    pub certificate: Option<Certificate>,
    /// The cost/quality plane, on the complete requests only.
    pub frontier: Option<Frontier>,
    /// Why there is none.
    pub frontier_withheld: Option<String>,
    /// The default policy, as it would serve.
    pub policy: PolicyReport,
    /// `RouteLLM`'s figures, for a router of two candidates.
    pub pair: Option<PairReport>,
    /// Why there are none.
    pub pair_withheld: Option<String>,
    /// The default policy on parts of the log.
    pub slices: Vec<Slice>,
    /// Other routers' decisions on the same requests, in the order given.
    pub decisions: Vec<OtherDecisions>,
    /// Published metrics, each with its source variant.
    pub published: Vec<PublishedMetric>,
    /// Whether the default policy's choices depend on what they should.
    pub robustness: Robustness,
    /// Where the default policy loses most; `null` unless prompts may be shown.
    pub worst: Option<Vec<WorstRequest>>,
}

/// How a report was made; the same settings and data give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Settings {
    /// Seed of the bootstrap and of the null control.
    pub seed: u64,
    /// Resamples of the bootstrap, drawn by group of near-duplicate prompts.
    pub resamples: u32,
    /// Level of the intervals.
    pub interval_pct: f64,
    /// The score that is good enough.
    pub bar: Bar,
}

/// What a report was made from.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DataCounts {
    /// Requests in the log.
    pub log_requests: u64,
    /// Those skipped because their prompt was used to fit or certify the router.
    pub seen_requests: u64,
    /// Those left: `log_requests - seen_requests`.
    pub scored_requests: u64,
    /// Groups of near-duplicate prompts among those left.
    pub scored_groups: u64,
    /// Those of them answered, with score and cost, by every priced candidate.
    pub complete_requests: u64,
    /// Digest of the requests that are left and of the scores and costs known of them.
    #[schemars(with = "String", regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub scored_digest: Digest,
    /// Candidates of the router without any outcome in the log, by name.
    pub absent_candidates: Vec<String>,
    /// Candidates of the router whose cost it cannot predict, by name.
    pub unpriced_candidates: Vec<String>,
    /// Candidates of the log that the router does not have.
    pub ignored_candidates: Vec<IgnoredCandidate>,
}

/// A model that the router does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IgnoredCandidate {
    /// Its name.
    pub model: String,
    /// Requests of the log that it answered, or that were decided for it.
    pub requests: u64,
}
