//! `manifest.json`: everything about a router that a person or a program may want to read.

use std::collections::BTreeMap;
use std::fmt;

use farthing_core::{Bar, Digest, PriceTable};
use serde::{Deserialize, Serialize};

use super::calibration::{Calibration, CalibrationCard};
use crate::features::FeatureSchema;
use crate::network::Shape;

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
    /// The cheapest candidate that is not inferior to the one with the highest mean score in the fit
    /// split: what a downgrade is measured against, and what serves where no threshold passes.
    pub reference: String,
    /// What the reference stands in for, where it has not itself the highest mean score.
    #[serde(default)]
    pub stands_in: Option<StandIn>,
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
    /// Number of components of each mixture: tasks.
    pub mixtures: Vec<usize>,
    /// Clusters of the latent vector, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<ClusterShape>,
    /// What was blended, with weights; the mean is always in it.
    pub learners: Vec<LearnerCard>,
    /// How long a decision takes; `None` in routers of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_time: Option<DecisionTimeCard>,
    /// What it was trained on.
    pub data: DataCard,
    /// Whether it earned its place.
    pub gate: GateReport,
    /// Digest of every other file, by name.
    pub files: BTreeMap<String, Digest>,
}

impl Manifest {
    /// How many outputs of each kind the weights have.
    pub fn shape(&self) -> Shape {
        Shape {
            buckets: self.features.buckets(),
            candidates: self.candidates.len(),
            mixtures: self.mixtures.clone(),
            latent: self.clusters.map_or(0, |clusters| clusters.latent),
            clusters: self.clusters.map_or(0, |clusters| clusters.count),
            context: self.features.context.len(),
            embedding: self.features.embedding_width(),
        }
    }
}

/// How long a decision takes by [`crate::decision_time`], and what was given up for that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionTimeCard {
    /// Estimate at 2,000 tokens, in microseconds.
    pub estimate_us: f64,
    /// What it was held to.
    pub limit_us: f64,
    /// Learners of the blend that were left out for it, in that order.
    pub left_out: Vec<DroppedLearner>,
}

/// A learner that was left out of a blend to save time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DroppedLearner {
    /// Its name.
    pub learner: String,
    /// What leaving it out saves, in microseconds.
    pub saved_us: f64,
    /// What leaving it out costs: mean utility of the cross-fitted softened policy with it, less that without, in
    /// hundredths of a score.
    pub loss: f64,
    /// Standard error of the loss, over folds.
    pub loss_error: f64,
}

/// How many clusters there are, and in how many dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterShape {
    /// Width of the latent vector.
    pub latent: usize,
    /// Number of clusters.
    pub count: usize,
    /// Requests that the smallest of them averages; `None` in routers of earlier builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smallest: Option<u64>,
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
pub(super) fn length_multiple(length: f64) -> f64 {
    const LEAST: f64 = 0.1;
    const GREATEST: f64 = 10.0;
    length.clamp(LEAST, GREATEST)
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
    pub calibration: Vec<Calibration>,
    /// How the kind of calibration was chosen; `None` in routers of earlier builds.
    #[serde(default)]
    pub calibrated: Option<CalibrationCard>,
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
    /// Where the reference stands in for a dearer candidate: the same bounds for every request that
    /// is served by a candidate cheaper than that one, the reference included. Not selected on.
    #[serde(default)]
    pub against_best: Option<Bounds>,
    /// The same bounds by slice of the traffic. Each holds with probability `1 - delta` on its own,
    /// not all of them together; the threshold was not selected on them.
    #[serde(default)]
    pub slices: Vec<SliceBounds>,
}

/// Bounds on how often downgraded requests go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Downgraded requests.
    pub downgraded: u64,
    /// Those where the choice missed the bar and the other candidate met it.
    pub excess_misses: u64,
    /// Upper bound on their rate; `None`: too few with both outcomes to show `alpha` even without a miss.
    pub excess_bound: Option<f64>,
    /// Those where the choice missed the bar.
    pub misses: u64,
    /// Upper bound on their rate; `None`: too few.
    pub miss_bound: Option<f64>,
}

/// [`Bounds`] of the requests that have one value in a label or context column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceBounds {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: String,
    /// Requests of the certificate split that have it.
    pub requests: u64,
    /// What happened to them.
    pub bounds: Bounds,
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
    /// A mean cost in USD a request, solved into the least `lambda` of `utility` that keeps it.
    Budget(Budget),
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

/// A budget as it was solved on the certificate split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Greatest mean cost of a request.
    pub budget_usd: f64,
    /// Quality that one USD is worth; 0 where the budget does not bind.
    pub lambda: f64,
    /// Mean predicted cost of what it chooses there.
    pub predicted_usd: f64,
    /// Mean logged cost of what it chooses there, as far as the log knows it.
    pub realised_usd: Option<f64>,
    /// Its two-sided 95 % interval.
    pub realised_interval_usd: Option<[f64; 2]>,
    /// Requests it was solved on.
    pub requests: u64,
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

/// As a person reads it: `task, weight 0.33 (penalty 0.003, scale 1)`.
impl fmt::Display for LearnerCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<String> = self
            .settings
            .iter()
            .map(|(name, value)| format!("{name} {}", (value * 1e4).round() / 1e4))
            .collect();
        write!(f, "{}, weight {:.2} ({})", self.learner, self.weight, settings.join(", "))
    }
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

    #[test]
    fn policies_read_as_written() {
        let json = serde_json::to_string(&PolicySpec::Utility { lambda: 2.0 }).unwrap();
        assert_eq!(json, r#"{"rule":"utility","lambda":2.0}"#);
        let budget = PolicySpec::Budget(Budget {
            budget_usd: 0.001,
            lambda: 3.0,
            predicted_usd: 0.0009,
            realised_usd: None,
            realised_interval_usd: None,
            requests: 10,
        });
        let json = serde_json::to_string(&budget).unwrap();
        assert!(json.starts_with(r#"{"rule":"budget","budget_usd":0.001,"lambda":3.0,"#), "{json}");
        assert_eq!(serde_json::from_str::<PolicySpec>(&json).unwrap(), budget);
    }
}
