//! `manifest.json`: everything about a router that a person or a program may want to read.

mod bars;
mod candidates;
mod training;

use std::collections::BTreeMap;
use std::fmt;

use farthing_core::Digest;
use serde::{Deserialize, Serialize};

use crate::features::FeatureSchema;
use crate::network::Shape;
pub use bars::{BarCard, Bounds, Budget, Certificate, Guarantee, PolicySpec, SliceBounds};
pub(super) use candidates::length_multiple;
pub use candidates::{AddedCard, CandidateCard, CostModel, IntervalCard, StandIn, TokenModel};
pub use training::{DataCard, EarnedShare, GateCheck, GateReport, LeftOutCard, TimeSplitCard};

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
