//! What a router was trained on, and how it was judged.

use farthing_core::Digest;
use serde::{Deserialize, Serialize};

/// What a router was trained on; no prompt text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataCard {
    /// Digest of the dataset, independent of row order.
    pub fingerprint: Digest,
    /// Requests in it.
    pub requests: u64,
    /// Outcomes in it.
    pub outcomes: u64,
    /// Requests that the learners were fitted on.
    pub fit: u64,
    /// Requests that thresholds were certified on.
    pub certificate: u64,
    /// Requests that the gate was judged on and that `eval` may score.
    pub sealed: u64,
    /// Seed of the splits and of every draw.
    pub seed: u64,
    /// Label columns that were auxiliary targets.
    pub labels: Vec<String>,
    /// The column whose equal values were kept on one side of every split, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What a cap on requests left out of the log; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOutCard>,
    /// The split, where it was by time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_time: Option<TimeSplitCard>,
}

/// Requests that the log has and training did not see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOutCard {
    /// The cap on requests.
    pub max_requests: u64,
    /// Requests left out; from a million on an estimate, to about 0.1 %.
    pub requests: u64,
    /// Their rows.
    pub rows: u64,
}

/// A split by time; times are in milliseconds since 1970, UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeSplitCard {
    /// Certificate requests are not older, and requests of the fit not newer.
    pub certificate_from_ms: i64,
    /// Sealed requests are not older, and all others not newer.
    pub sealed_from_ms: i64,
    /// Older requests of a held-out group, which were not used at all.
    pub unused: u64,
}

/// The deployment gate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateReport {
    /// Whether every check that applies passed.
    pub passed: bool,
    /// Whether the router was written despite a refusal.
    pub forced: bool,
    /// Each check.
    pub checks: Vec<GateCheck>,
    /// What learning earned on the sealed requests; `None` where it cannot be said.
    #[serde(default)]
    pub earned_share: Option<EarnedShare>,
    /// What a router without the sentence encoder earned there; absent where this one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_encoder: Option<EarnedShare>,
}

/// How much of the way from the fitted zero router to the oracle the router goes, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarnedShare {
    /// On the sealed requests.
    pub pct: f64,
    /// Its two-sided 95 % bootstrap interval.
    pub interval_pct: [f64; 2],
    /// Sealed requests that every priced candidate answered.
    pub requests: u64,
}

/// One check of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateCheck {
    /// What must hold.
    pub check: String,
    /// Whether it does; `None`: not applicable.
    pub passed: Option<bool>,
    /// The figures behind it.
    pub detail: String,
}
