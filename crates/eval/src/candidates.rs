//! Each candidate on its own, over whatever requests it answered.

use farthing_core::Bar;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::{RatioColumn, mean_column};
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

/// Ratios of one candidate, see [`columns`].
const COLUMNS: usize = 3;

/// For each candidate its mean score, mean cost and attainment in percent.
pub(crate) fn columns(rows: &Rows, bar: Bar) -> Vec<RatioColumn> {
    let of_candidate = |candidate: usize| {
        let score = move || (0..rows.len()).map(move |request| rows.score(request, candidate));
        let cost = (0..rows.len()).map(move |request| rows.cost(request, candidate));
        let met = move |score: f64| if score >= bar { 100.0 } else { 0.0 };
        [
            mean_column(score()),
            mean_column(cost),
            mean_column(score().map(move |score| score.map(met))),
        ]
    };
    (0..rows.score.columns()).flat_map(of_candidate).collect()
}

/// The figures of [`columns`] and their estimates.
pub(crate) fn figures(
    names: &[String],
    columns: &[RatioColumn],
    estimates: &[Option<Estimate>],
) -> Vec<CandidateFigures> {
    let each = columns.chunks_exact(COLUMNS).zip(estimates.chunks_exact(COLUMNS));
    let known = |column: &RatioColumn| column.iter().flatten().count() as u64;
    let of_candidate =
        |(model, (columns, estimates)): (&String, (&[RatioColumn], &[Option<Estimate>]))| {
            CandidateFigures {
                model: model.clone(),
                judged_requests: known(&columns[0]),
                costed_requests: known(&columns[1]),
                mean_score: estimates[0],
                cost_usd: estimates[1],
                attainment_pct: estimates[2],
            }
        };
    names.iter().zip(each).map(of_candidate).collect()
}
