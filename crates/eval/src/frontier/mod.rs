//! The cost/quality plane, on requests that every priced candidate answered.
//!
//! Choices are made once, on the data; a resample weighs them. The single models' range of mean
//! costs is that of the resample, and so is the quality that a [`CostTarget`] asks for; which model
//! is the best single one is settled on the data.

mod plane;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::baselines::{Baseline, Fitting};

pub(crate) use plane::{Figures, Plane, Predicted};

/// Fewer complete requests than this say nothing.
pub(crate) const LEAST_REQUESTS: usize = 200;

/// The cost/quality plane.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Frontier {
    /// Requests answered, with score and cost, by every priced candidate.
    pub requests: u64,
    /// Groups of near-duplicate prompts among them.
    pub groups: u64,
    /// The priced candidates on these requests, in the router's order.
    pub singles: Vec<SingleModel>,
    /// The one of highest quality, ties to the cheaper.
    pub best_single: SingleModel,
    /// The cheapest candidate that really met the bar, for each request.
    pub oracle: OracleFigures,
    /// The single models that a mix of two others does not beat, by rising cost.
    pub hindsight_zero_hull: Vec<SingleModel>,
    /// Settings of the router's dial that a mix of two others does not beat, by rising cost.
    pub router_hull: Vec<DialPoint>,
    /// The same of the fitted zero router's.
    pub fitted_zero_hull: Vec<DialPoint>,
    /// Areas under the hulls.
    pub aiq: AiqFigures,
    /// What learning earned of what there was to earn: 0 is the fitted zero router, 100 the oracle
    /// sweep.
    pub earned_share_pct: Option<Estimate>,
    /// The same with each request given another request's predictions.
    pub shuffled_control: NullControl,
    /// The same learners fitted on shuffled labels. Costs are predicted as the router does, so this is
    /// what averages and knowing the cost of a request are worth; `null` where the router directory does not have it.
    pub null_control: Option<NullControl>,
    /// The default policy on these very requests; `null` where it chose a candidate that has no price.
    pub policy: Option<PolicyPoint>,
    /// What qualities cost.
    pub cost_targets: Vec<CostTarget>,
    /// Every setting of the router's dial, from quality whatever it costs to the cheapest.
    pub dial: Vec<DialSetting>,
    /// What the router is held against, on the same requests.
    pub baselines: Vec<Baseline>,
    /// What the baselines that learn were fitted on, or why there are none.
    pub fitting: Fitting,
}

/// What choices come to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PolicyPoint {
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
}

/// One setting of the router's dial, with what it is expected to come to.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DialSetting {
    /// What one USD is worth in quality.
    pub lambda: f64,
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
    /// Cost saved against the best single model, in percent of its cost; negative: it costs more.
    pub saving_pct: Option<Estimate>,
    /// Mean score less the best single model's.
    pub quality_difference: Estimate,
    /// Share of requests that each of [`Frontier::singles`] answers, in percent, in that order.
    pub mix_pct: Vec<f64>,
}

/// A single model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SingleModel {
    /// Its name.
    pub model: String,
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
}

/// The oracle at the bar.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OracleFigures {
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
    /// Share of requests where some candidate met the bar, in percent.
    pub attainment_pct: Estimate,
}

/// One setting of the router's dial.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DialPoint {
    /// What one USD is worth in quality.
    pub lambda: f64,
    /// Mean cost of a request in USD.
    pub cost_usd: f64,
    /// Mean score.
    pub quality: f64,
}

/// AIQ: mean height of a hull between the mean costs of the cheapest and the dearest single model.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AiqFigures {
    /// Mixing the single models, known in hindsight.
    pub hindsight_zero: Estimate,
    /// Mixing them by their training means: the floor.
    pub fitted_zero: Estimate,
    /// The router.
    pub router: Estimate,
    /// The dial sweep over true scores and mean costs: the ceiling.
    pub oracle_sweep: Estimate,
}

/// A router that learned nothing about requests.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NullControl {
    /// Its AIQ.
    pub aiq: Estimate,
    /// Its earned share; about 0, or below where predictions vary in vain.
    pub earned_share_pct: Option<Estimate>,
}

/// What a quality costs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CostTarget {
    /// `best_single_95_pct`, `best_single_minus_0.005` or `best_single_100_pct`.
    pub target: String,
    /// The mean score asked for.
    pub quality: f64,
    /// What the router costs there; `null` where it never gets there.
    pub cost_usd: Option<Estimate>,
    /// As a ratio to the best single model's cost.
    pub ratio_to_best_single: Option<Estimate>,
    /// What the fitted zero router costs there.
    pub fitted_zero_cost_usd: Option<Estimate>,
    /// What the router saves there against the best single model, in percent of its cost; 0 where it
    /// never gets there, for then the best single model is taken.
    pub saving_pct: Option<Estimate>,
    /// The same of the router fitted on shuffled labels.
    pub null_saving_pct: Option<Estimate>,
    /// The difference: what learning saves. `null` without that control.
    pub earned_saving_pct: Option<Estimate>,
}
