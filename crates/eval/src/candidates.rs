//! Each candidate on its own, over whatever requests it answered.

use serde::Serialize;

use crate::Estimate;
use crate::estimate::{mean_column, ratios};
use crate::metrics::{Bootstrap, Groups};
use crate::rows::Rows;

/// One candidate over the scored requests that it answered. Where candidates answered different
/// requests these figures do not compare; the frontier's do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateFigures {
    /// Its name.
    pub model: String,
    /// Scored requests with its score.
    pub judged_requests: u64,
    /// Scored requests with its cost.
    pub costed_requests: u64,
    /// Mean score.
    pub mean_score: Option<Estimate>,
    /// Mean cost of a request in USD.
    pub cost_usd: Option<Estimate>,
    /// Share of its judged requests with a score at or above the bar, in percent.
    pub attainment_pct: Option<Estimate>,
}

pub(crate) fn candidate_figures(
    names: &[String],
    rows: &Rows,
    bar: f64,
    groups: &Groups,
    bootstrap: Bootstrap,
) -> Vec<CandidateFigures> {
    let of_candidate = |(candidate, name): (usize, &String)| {
        let score = || (0..rows.len()).map(|request| rows.score(request, candidate));
        let cost = || (0..rows.len()).map(|request| rows.cost(request, candidate));
        let met = |score: f64| if score >= bar { 100.0 } else { 0.0 };
        // One candidate at a time: its columns stay in the cache through all resamples.
        let columns = [
            mean_column(score()),
            mean_column(cost()),
            mean_column(score().map(|score| score.map(met))),
        ];
        let estimates = ratios(&columns, groups, bootstrap);
        CandidateFigures {
            model: name.clone(),
            judged_requests: score().flatten().count() as u64,
            costed_requests: cost().flatten().count() as u64,
            mean_score: estimates[0],
            cost_usd: estimates[1],
            attainment_pct: estimates[2],
        }
    };
    names.iter().enumerate().map(of_candidate).collect()
}
