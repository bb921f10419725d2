//! `RouteLLM`'s figures for a router of two candidates, over all requests that both answered.

use serde::Serialize;

use crate::Estimate;
use crate::metrics::{Bootstrap, Groups, Matrix, PairDial, PairFigures, best_column};
use crate::rows::Rows;

/// APGR and CPT as `RouteLLM`'s code computes them; costs are not needed. The router's score is the
/// difference of predicted qualities, strong less weak.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairReport {
    /// The model with the lower mean score.
    pub weak: String,
    /// The model with the higher mean score.
    pub strong: String,
    /// Requests with both scores.
    pub requests: u64,
    /// Mean score of the weak model.
    pub weak_quality: Estimate,
    /// Mean score of the strong model.
    pub strong_quality: Estimate,
    /// Average performance gap recovered; 0.5 is what a coin earns.
    pub apgr: Estimate,
    /// Least share of strong calls that recovers 50 % of the gap, in percent.
    pub cpt50_pct: Option<Estimate>,
    /// Least share of strong calls that recovers 80 % of the gap, in percent.
    pub cpt80_pct: Option<Estimate>,
}

/// The figures, or the reason why there are none.
pub(crate) fn pair_report(
    names: &[String],
    rows: &Rows,
    bootstrap: Bootstrap,
) -> Result<PairReport, String> {
    if names.len() != 2 {
        return Err(format!("it needs a router of 2 candidates, this one has {}", names.len()));
    }
    let both: Vec<usize> =
        (0..rows.len()).filter(|&i| rows.score.row(i).iter().all(|s| !s.is_nan())).collect();
    let score = rows.score.reorder(&both);
    let means = score.column_means();
    let strong = best_column(&means, &[0.0, 0.0]);
    let weak = 1 - strong;
    let gap = means[strong] - means[weak];
    if gap.is_nan() || gap <= 0.0 {
        return Err(format!(
            "there is no gap to recover between the two models on the {} requests that both answered",
            both.len()
        ));
    }
    let router_score: Vec<f64> = both
        .iter()
        .map(|&i| rows.predicted_quality.at(i, strong) - rows.predicted_quality.at(i, weak))
        .collect();
    let pairs = score.iter().flat_map(|row| [row[weak], row[strong]]).collect();
    let groups: Vec<u64> = both.iter().map(|&i| rows.groups[i]).collect();
    let groups = Groups::by_key(&groups);
    let dial = PairDial::new(&router_score, &Matrix::new(2, pairs), &groups);
    let found = dial.figures(&groups.once());
    let draws = bootstrap.resample(&groups, |counts| dial.figures(counts));
    let estimate = |of: fn(&PairFigures) -> f64| {
        Estimate::new(of(&found), &draws.iter().map(of).collect::<Vec<_>>())
    };
    let flat = || "the router's score is the same for every request".to_owned();
    Ok(PairReport {
        weak: names[weak].clone(),
        strong: names[strong].clone(),
        requests: both.len() as u64,
        weak_quality: estimate(|f| f.weak_quality).ok_or_else(flat)?,
        strong_quality: estimate(|f| f.strong_quality).ok_or_else(flat)?,
        apgr: estimate(|f| f.apgr).ok_or_else(flat)?,
        cpt50_pct: estimate(|f| f.cpt50_pct),
        cpt80_pct: estimate(|f| f.cpt80_pct),
    })
}
