//! Where the default policy loses: the requests with the greatest regret.

use std::cmp::Ordering;

use farthing_core::Bar;
use farthing_data::Record;
use schemars::JsonSchema;
use serde::Serialize;

use crate::metrics::{Matrix, oracle_choices};
use crate::rows::Rows;

/// Requests that are shown.
const MOST: usize = 50;
/// Characters of a prompt that are shown.
const CHARS: usize = 600;

/// A request on which another candidate would have done better.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct WorstRequest {
    /// The log's own id of the request, or else the digest of what was asked.
    pub request: String,
    /// The beginning of what was asked.
    pub prompt: String,
    /// Whom the policy chose.
    pub chosen: String,
    /// Its score.
    pub chosen_score: f64,
    /// Its cost in USD, where known.
    pub chosen_cost_usd: Option<f64>,
    /// Whom the oracle at the bar would have chosen among those who answered.
    pub oracle: String,
    /// Its score.
    pub oracle_score: f64,
    /// Its cost in USD, where known.
    pub oracle_cost_usd: Option<f64>,
    /// The oracle's score less the chosen one's.
    pub quality_regret: f64,
    /// The chosen one's cost less the oracle's, in USD, where both are known.
    pub cost_regret_usd: Option<f64>,
}

/// The requests that missed the bar with the greatest quality regret, of equal ones those of greatest
/// cost regret, then by key.
pub(crate) fn worst(
    names: &[String],
    records: &[&Record],
    rows: &Rows,
    bar: Bar,
) -> Vec<WorstRequest> {
    let all = records.iter().enumerate();
    let mut lost: Vec<WorstRequest> = all
        .filter_map(|(i, record)| regret(names, (i, record), rows, bar))
        .filter(|lost| lost.quality_regret > 0.0)
        .collect();
    lost.sort_by(by_regret);
    lost.truncate(MOST);
    lost
}

/// The log's own id of a request, or else the digest of what was asked.
pub(crate) fn request_name(record: &Record) -> String {
    record.request_id.clone().unwrap_or_else(|| record.key.to_string())
}

fn by_regret(a: &WorstRequest, b: &WorstRequest) -> Ordering {
    let cost = |lost: &WorstRequest| lost.cost_regret_usd.unwrap_or(f64::NEG_INFINITY);
    b.quality_regret.total_cmp(&a.quality_regret).then(cost(b).total_cmp(&cost(a)))
}

fn regret(
    names: &[String],
    (i, record): (usize, &Record),
    rows: &Rows,
    bar: Bar,
) -> Option<WorstRequest> {
    let chosen = rows.choices[i]?;
    let chosen_score = rows.score(i, chosen).filter(|score| *score < bar)?;
    let answered: Vec<usize> = (0..names.len()).filter(|&c| rows.score(i, c).is_some()).collect();
    let known =
        |of: &Matrix| Matrix::new(answered.len(), answered.iter().map(|&c| of.at(i, c)).collect());
    // A cost that is not known sorts as the greatest.
    let best = oracle_choices(&known(&rows.score), &known(&rows.cost), bar);
    let oracle = answered[*best.first()?];
    let oracle_score = rows.score(i, oracle)?;
    let text = record.request.full_text();
    Some(WorstRequest {
        request: request_name(record),
        prompt: text.chars().take(CHARS).collect(),
        chosen: names[chosen].clone(),
        chosen_score,
        chosen_cost_usd: rows.cost(i, chosen),
        oracle: names[oracle].clone(),
        oracle_score,
        oracle_cost_usd: rows.cost(i, oracle),
        quality_regret: oracle_score - chosen_score,
        cost_regret_usd: rows.cost(i, chosen).zip(rows.cost(i, oracle)).map(|(a, b)| a - b),
    })
}
