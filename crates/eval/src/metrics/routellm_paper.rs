//! `RouteLLM`'s PGR, APGR and CPT as its paper defines them (arXiv 2406.18665).
//!
//! Every distinct router score is a threshold, and requests of equal score go together. Between two
//! thresholds the curve is a step: with so many strong calls allowed, the router can do what its
//! last threshold within them does, so a coin earns an APGR of a little less than 0.5 and a router
//! that scores all requests alike earns 0. The code's variant is [`PairDial`](super::PairDial).

use super::frontier::SAME_QUALITY;
use super::ranking::{Ranking, total};
use super::{Groups, Matrix};

/// Performance gap recovered: where a mean score lies between the weak model's (0) and the strong
/// model's (1); it may lie outside. NaN where both are equal.
pub fn pgr(quality: f64, weak: f64, strong: f64) -> f64 {
    let gap = strong - weak;
    if gap.abs() > SAME_QUALITY { (quality - weak) / gap } else { f64::NAN }
}

/// Figures of one order of requests; all NaN where both models are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PaperPairFigures {
    /// Integral of the PGR over the share of strong calls in [0, 1].
    pub apgr: f64,
    /// Least share of strong calls, in percent, with a PGR of at least 20 %.
    pub cpt20_pct: f64,
    /// The same for 50 %.
    pub cpt50_pct: f64,
    /// The same for 80 %.
    pub cpt80_pct: f64,
}

/// Requests in the order in which they are sent to the strong model, ready to be weighed.
#[derive(Debug, Clone)]
pub struct PairOrder {
    /// Scores of the weak and of the strong model.
    strong_first: Ranking<2>,
}

impl PairOrder {
    /// `router_score`, `(requests)`: how much the strong model is called for; `true_score`,
    /// `(requests, 2)`: weak, strong. Requests without a router score or one of the two are left out.
    pub fn new(router_score: &[f64], true_score: &Matrix, groups: &Groups) -> Self {
        let falling: Vec<f64> = router_score.iter().map(|score| -score).collect();
        let values = |i: usize| [true_score.at(i, 0), true_score.at(i, 1)];
        Self { strong_first: Ranking::new(&falling, groups, values) }
    }

    /// The figures with each group counted as often as `counts` says, `(groups)`.
    pub fn figures(&self, counts: &[u32]) -> PaperPairFigures {
        let blocks = self.strong_first.blocks(counts);
        let requests = total(&blocks).requests;
        let gain = |values: [f64; 2]| values[1] - values[0];
        // Summed in the order of the curve, so that its last point recovers 1 exactly.
        let gap: f64 = blocks.iter().map(|block| gain(block.values)).sum();
        let mut apgr = 0.0;
        let mut curve = vec![(0.0, 0.0)];
        let (mut calls, mut gained) = (0.0, 0.0);
        for block in &blocks {
            apgr += pgr(gained, 0.0, gap) * block.requests / requests;
            calls += block.requests;
            gained += gain(block.values);
            curve.push((calls / requests, pgr(gained, 0.0, gap)));
        }
        let cpt_pct = |part: f64| {
            let reached = curve.iter().find(|(_, recovered)| *recovered >= part - SAME_QUALITY);
            reached.map_or(f64::NAN, |(share, _)| 100.0 * share)
        };
        PaperPairFigures {
            apgr: if blocks.is_empty() { f64::NAN } else { apgr },
            cpt20_pct: cpt_pct(0.2),
            cpt50_pct: cpt_pct(0.5),
            cpt80_pct: cpt_pct(0.8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(router_score: &[f64], pairs: &[f64], counts: &[u32]) -> PaperPairFigures {
        let groups = Groups::each_alone(router_score.len());
        PairOrder::new(router_score, &Matrix::new(2, pairs.to_vec()), &groups).figures(counts)
    }

    #[test]
    fn a_step_curve_by_hand() {
        // By falling router score: gains of 1, 0, 1 (two tied requests: 1 and 0), -1, so the gap is
        // 1 of 5 requests: weak 2/5, strong 3/5.
        let router_score = [0.9, 0.7, 0.4, 0.4, 0.1];
        let pairs = [0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        let found = figures(&router_score, &pairs, &[1; 5]);
        // PGR 0 up to 1/5 of strong calls, then 1, 1, and after both tied requests at 4/5, 2.
        let apgr = (0.0 + 1.0 + 1.0 * 2.0 + 2.0) / 5.0;
        assert!((found.apgr - apgr).abs() < 1e-12, "{found:?}");
        for cpt in [found.cpt20_pct, found.cpt50_pct, found.cpt80_pct] {
            assert!((cpt - 20.0).abs() < 1e-9, "{found:?}");
        }
        // Without the first request the tied pair brings the first gain, with 3 of 4 calls, and the
        // gap is 0.
        assert!(figures(&router_score, &pairs, &[0, 1, 1, 1, 1]).apgr.is_nan());
        // Without the last one too: gains 0, 1 (tied): 3 requests, PGR 0, 0, and 1 at the end.
        let found = figures(&router_score, &pairs, &[0, 1, 1, 1, 0]);
        assert!(found.apgr.abs() < 1e-12 && (found.cpt20_pct - 100.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn gaps_recovered_by_hand() {
        assert!((pgr(0.6, 0.5, 0.9) - 0.25).abs() < 1e-12);
        assert!((pgr(0.4, 0.5, 0.9) + 0.25).abs() < 1e-12);
        assert!(pgr(0.5, 0.5, 0.5).is_nan());
    }

    #[test]
    fn degenerate_orders() {
        // One score for all: nothing before everything is sent to the strong model.
        let flat = figures(&[0.5; 3], &[0.0, 1.0, 0.0, 1.0, 1.0, 1.0], &[1; 3]);
        assert!(flat.apgr.abs() < 1e-12 && (flat.cpt50_pct - 100.0).abs() < 1e-9);
        assert!(figures(&[], &[], &[]).apgr.is_nan());
        let unknown = figures(&[f64::NAN], &[0.0, 1.0], &[1]);
        assert!(unknown.apgr.is_nan() && unknown.cpt80_pct.is_nan());
        let equal = figures(&[0.1, 0.9], &[0.5; 4], &[1; 2]);
        assert!(equal.apgr.is_nan() && equal.cpt20_pct.is_nan());
    }
}
