//! `RouteLLM`'s figures for a router of two candidates, over all requests that both answered.

use serde::Serialize;

use crate::Estimate;
use crate::estimate::Drawn;
use crate::metrics::{
    GroupSums, Matrix, PairDial, PairFigures, PairOrder, PaperPairFigures, XBenchFigures,
    XBenchOrder, best_column, pgr,
};
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
    /// Least share of strong calls that recovers 20 % of the gap, in percent.
    pub cpt20_pct: Option<Estimate>,
    /// Least share of strong calls that recovers 50 % of the gap, in percent.
    pub cpt50_pct: Option<Estimate>,
    /// Least share of strong calls that recovers 80 % of the gap, in percent.
    pub cpt80_pct: Option<Estimate>,
}

/// The two candidates' requests, ready to be weighed.
pub(crate) struct Pair {
    weak: String,
    strong: String,
    requests: u64,
    dial: PairDial,
    order: PairOrder,
    /// By how far the weak model is trusted.
    trusted: XBenchOrder,
    /// Score of the default policy where it decides.
    policy: GroupSums,
}

impl Pair {
    /// Of a router's candidates, or the reason why there are no figures.
    pub(crate) fn new(names: &[String], rows: &Rows) -> Result<Self, String> {
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
        let called_for =
            |&i: &usize| rows.predicted_quality.at(i, strong) - rows.predicted_quality.at(i, weak);
        let router_score: Vec<f64> = both.iter().map(called_for).collect();
        if router_score.iter().all(|score| score.total_cmp(&router_score[0]).is_eq()) {
            return Err("the router's score is the same for every request".to_owned());
        }
        let pairs = score.iter().flat_map(|row| [row[weak], row[strong]]).collect();
        let groups = rows.groups.of(&both);
        let score = Matrix::new(2, pairs);
        let trust: Vec<f64> = router_score.iter().map(|score| -score).collect();
        let decided = both.iter().filter_map(|&i| Some((i, rows.score(i, rows.choices[i]?)?)));
        let (decided, scores): (Vec<usize>, Vec<f64>) = decided.unzip();
        Ok(Self {
            weak: names[weak].clone(),
            strong: names[strong].clone(),
            requests: both.len() as u64,
            dial: PairDial::new(&router_score, &score, &groups),
            order: PairOrder::new(&router_score, &score, &groups),
            trusted: XBenchOrder::new(&trust, &score, &groups),
            policy: GroupSums::new(&Matrix::new(1, scores), &rows.groups.of(&decided)),
        })
    }

    /// Requests that both candidates answered.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn figures(&self, counts: &[u32]) -> PairFigures {
        self.dial.figures(counts)
    }

    /// `RouteLLM`'s figures as its paper has them.
    pub(crate) fn paper(&self, counts: &[u32]) -> PaperPairFigures {
        self.order.figures(counts)
    }

    /// `RouterXBench`'s figures, the weak model being the small one.
    pub(crate) fn xbench(&self, counts: &[u32]) -> XBenchFigures {
        self.trusted.figures(counts)
    }

    /// What the default policy recovers of the gap.
    pub(crate) fn policy_pgr(&self, counts: &[u32], code: &PairFigures) -> f64 {
        pgr(self.policy.means(counts)[0], code.weak_quality, code.strong_quality)
    }

    /// `None` where a figure is not a number.
    pub(crate) fn report(&self, drawn: &Drawn<&PairFigures>) -> Option<PairReport> {
        Some(PairReport {
            weak: self.weak.clone(),
            strong: self.strong.clone(),
            requests: self.requests,
            weak_quality: drawn.estimate(|f| f.weak_quality)?,
            strong_quality: drawn.estimate(|f| f.strong_quality)?,
            apgr: drawn.estimate(|f| f.apgr)?,
            cpt20_pct: drawn.estimate(|f| f.cpt20_pct),
            cpt50_pct: drawn.estimate(|f| f.cpt50_pct),
            cpt80_pct: drawn.estimate(|f| f.cpt80_pct),
        })
    }
}
