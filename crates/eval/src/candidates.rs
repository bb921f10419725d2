//! Each candidate on its own, over whatever requests it answered.

use farthing_core::Bar;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::{Column, Estimates, Ratios};
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

/// One candidate's ratios.
#[derive(Debug)]
pub(crate) struct Columns {
    score: Column,
    cost: Column,
    attainment: Column,
}

pub(crate) fn columns(rows: &Rows, bar: Bar, ratios: &mut Ratios<'_>) -> Vec<Columns> {
    let of_candidate = |candidate: usize| {
        let known = |value: fn(&Rows, usize, usize) -> Option<f64>| {
            (0..rows.len()).filter_map(move |i| Some((i, value(rows, i, candidate)?)))
        };
        let met = |(i, score): (usize, f64)| (i, if score >= bar { 100.0 } else { 0.0 });
        Columns {
            score: ratios.mean(known(Rows::score)),
            cost: ratios.mean(known(Rows::cost)),
            attainment: ratios.mean(known(Rows::score).map(met)),
        }
    };
    (0..rows.score.columns()).map(of_candidate).collect()
}

pub(crate) fn figures(
    names: &[String],
    columns: &[Columns],
    estimates: &Estimates,
) -> Vec<CandidateFigures> {
    let of_candidate = |(model, columns): (&String, &Columns)| CandidateFigures {
        model: model.clone(),
        judged_requests: estimates.known(columns.score),
        costed_requests: estimates.known(columns.cost),
        mean_score: estimates.of(columns.score),
        cost_usd: estimates.of(columns.cost),
        attainment_pct: estimates.of(columns.attainment),
    };
    names.iter().zip(columns).map(of_candidate).collect()
}
