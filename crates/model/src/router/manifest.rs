//! `manifest.json`: everything about a router that a person or a program may want to read.

use std::collections::BTreeMap;

use farthing_core::{Bar, Digest};
use serde::{Deserialize, Serialize};

use crate::features::FeatureSchema;

/// Version that this build writes.
pub(super) const FORMAT_VERSION: u32 = 1;
/// Oldest version that this build reads.
pub(super) const OLDEST_READABLE: u32 = 1;

/// The manifest of a router directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Digest of this file, its own digits read as zeros; names the router.
    pub digest: String,
    /// Version of the directory's format.
    pub format_version: u32,
    /// The candidates, by name, in the order of every matrix.
    pub candidates: Vec<CandidateCard>,
    /// The candidate with the highest mean score in the fit split.
    pub reference: String,
    /// The trained bars.
    pub bars: Vec<BarCard>,
    /// Digest of the router that this one extends by a candidate; absent where it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_from: Option<Digest>,
    /// Name of the policy used where a request names none.
    pub default_policy: String,
    /// The policies a request may name.
    pub policies: BTreeMap<String, PolicySpec>,
    /// How requests become features.
    pub features: FeatureSchema,
    /// Digest of `features` as the featurizer that trained the router computed it.
    pub feature_digest: Digest,
    /// Number of components of each mixture: tasks or clusters.
    pub mixtures: Vec<usize>,
    /// What was blended, with weights; the mean is always in it.
    pub learners: Vec<LearnerCard>,
    /// What it was trained on.
    pub data: DataCard,
    /// Whether it earned its place.
    pub gate: GateReport,
    /// Digest of every other file, by name.
    pub files: BTreeMap<String, Digest>,
}

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
}

/// One trained bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarCard {
    /// The score that is good enough.
    pub bar: Bar,
    /// Least calibrated probability at which `cheapest_above_bar` chooses a candidate; `None`: no
    /// threshold could be certified, so the reference always serves.
    pub threshold: Option<f64>,
    /// What is promised at that threshold; `None` with a threshold: the promise was for fewer
    /// candidates, see [`Manifest::extended_from`].
    pub certificate: Option<Certificate>,
    /// Calibration of each candidate.
    pub calibration: Vec<Platt>,
}

/// `P(score >= bar) = 1 / (1 + exp(-(slope * quality + intercept)))` (Platt 1999).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Never negative, so that ranking by quality and by probability agree for one candidate.
    pub slope: f64,
    /// Log-odds at quality 0.
    pub intercept: f64,
}

impl Platt {
    /// The calibrated probability.
    pub fn apply(self, quality: f64) -> f64 {
        1.0 / (1.0 + (-(self.slope * quality + self.intercept)).exp())
    }
}

/// A finite-sample bound on how often a downgraded request goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The bad event that `alpha` bounds.
    pub guarantee: Guarantee,
    /// Greatest rate that was accepted.
    pub alpha: f64,
    /// The bounds hold with probability `1 - delta`.
    pub delta: f64,
    /// Requests of the certificate split.
    pub requests: u64,
    /// Requests of it that were downgraded.
    pub downgraded: u64,
    /// Downgraded requests where the choice missed the bar and the reference met it.
    pub excess_misses: u64,
    /// Upper bound on their rate.
    pub excess_bound: f64,
    /// Downgraded requests where the choice missed the bar.
    pub misses: u64,
    /// Upper bound on their rate.
    pub miss_bound: f64,
}

/// Which bad event a certificate bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// The choice misses the bar and the reference meets it.
    Excess,
    /// The choice misses the bar.
    Absolute,
}

/// A policy by the names of its candidates; thresholds stand with their bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicySpec {
    /// The cheapest candidate above the bar, else the reference.
    CheapestAboveBar,
    /// The greatest `quality - lambda * cost_usd`.
    Utility {
        /// Quality that one USD is worth.
        lambda: f64,
    },
    /// The greatest expected quality.
    BestQuality,
    /// The least expected cost.
    Cheapest,
    /// Always this candidate.
    Fixed {
        /// Its name.
        model: String,
    },
}

/// A learner's part in the blend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearnerCard {
    /// Its name.
    pub learner: String,
    /// Its weight.
    pub weight: f64,
    /// Its hyperparameters, by name.
    pub settings: BTreeMap<String, f64>,
}

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
}

/// The deployment gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateReport {
    /// Whether every check that applies passed.
    pub passed: bool,
    /// Whether the router was written despite a refusal.
    pub forced: bool,
    /// Each check.
    pub checks: Vec<GateCheck>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platt_is_a_logistic() {
        let platt = Platt { slope: 2.0, intercept: -1.0 };
        assert!((platt.apply(0.5) - 0.5).abs() < 1e-12);
        assert!((platt.apply(1.0) - 0.731_058_578).abs() < 1e-8);
    }

    #[test]
    fn policies_read_as_written() {
        let json = serde_json::to_string(&PolicySpec::Utility { lambda: 2.0 }).unwrap();
        assert_eq!(json, r#"{"rule":"utility","lambda":2.0}"#);
    }
}
