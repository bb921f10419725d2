//! What `farthing compare --json` prints. Field names are an interface.

use farthing_train::{Compared, Comparison};
use schemars::JsonSchema;
use serde::Serialize;

/// Every learner and baseline on the same folds.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "farthing compare --json")]
pub(crate) struct ComparisonJson<'a> {
    /// Candidates that were compared: priced, and with enough coverage.
    candidates: &'a [String],
    /// Requests that all of them answered, over all folds.
    requests: u64,
    /// From the fitted zero router to the oracle.
    rows: Vec<RowJson<'a>>,
    /// What serving clusters in place of exact neighbours gains; `null` where one of them is absent.
    cluster_less_exact_neighbours: Option<DifferenceJson>,
}

/// How one way of choosing did on requests it was not fitted on.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Row")]
struct RowJson<'a> {
    /// A learner's name, `blend`, or a baseline.
    name: &'a str,
    /// Mean earned share over folds, in percent.
    earned_share_pct: f64,
    /// Standard error of that mean, in percent.
    standard_error_pct: f64,
    /// Earned share of each fold, in percent.
    folds_pct: &'a [f64],
    /// Cost at 95 % of the best single model's quality as a share of its cost, mean over folds; `null`
    /// where a fold never gets there.
    cost_ratio_at_95_pct_quality: Option<f64>,
    /// The same of each fold.
    folds_cost_ratio: &'a [Option<f64>],
    /// Estimated time of a decision on a prompt of 2,000 tokens in microseconds; `null` for what no
    /// router can serve.
    decision_us: Option<f64>,
}

/// A difference of two rows.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Difference")]
struct DifferenceJson {
    /// Of mean earned shares, in percent.
    earned_share_pct: f64,
    /// Its standard error, paired by fold, in percent.
    standard_error_pct: f64,
}

impl<'a> From<&'a Comparison> for ComparisonJson<'a> {
    fn from(comparison: &'a Comparison) -> Self {
        let difference = |(earned_share_pct, standard_error_pct)| DifferenceJson {
            earned_share_pct,
            standard_error_pct,
        };
        Self {
            candidates: &comparison.candidates,
            requests: comparison.requests,
            rows: comparison.entries.iter().map(RowJson::from).collect(),
            cluster_less_exact_neighbours: comparison.distillation_pct().map(difference),
        }
    }
}

impl<'a> From<&'a Compared> for RowJson<'a> {
    fn from(entry: &'a Compared) -> Self {
        Self {
            name: &entry.name,
            earned_share_pct: entry.mean_pct(),
            standard_error_pct: entry.standard_error_pct(),
            folds_pct: &entry.folds_pct,
            cost_ratio_at_95_pct_quality: entry.cost_ratio(),
            folds_cost_ratio: &entry.cost_ratios,
            decision_us: entry.decision_us,
        }
    }
}
