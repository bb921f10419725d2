//! RouteLLM's APGR and CPT for two candidates (arXiv 2406.18665, the variant of its code).
//!
//! Thresholds are the edges of 10 equally filled bins of the router's score (duplicates dropped); at
//! each the strong model answers the requests at or above it, at the last one those above it. A
//! threshold's point is (share of strong calls, mean score), both ends included. In a resample the
//! thresholds stay. The paper's variant is in `routellm_paper`.

use super::line::Line;
use super::{Choices, GroupSums, Groups, Matrix, Sweep, quantile};

const BINS: u32 = 10;

/// Figures of one dial between a weak and a strong model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairFigures {
    /// Mean score of the weak model alone.
    pub weak_quality: f64,
    /// Mean score of the strong model alone.
    pub strong_quality: f64,
    /// Average performance gap recovered: area of the router's curve over the weak model's line, as a
    /// share of that of the strong model's; 0.5 is what a coin earns. NaN where both models are equal.
    pub apgr: f64,
    /// Least share of strong calls, in percent, that recovers 20 % of the gap.
    pub cpt20_pct: f64,
    /// Least share of strong calls, in percent, that recovers 50 % of the gap.
    pub cpt50_pct: f64,
    /// Least share of strong calls, in percent, that recovers 80 % of the gap.
    pub cpt80_pct: f64,
}

/// A dial between a weak and a strong model, ready to be weighed.
#[derive(Debug, Clone)]
pub struct PairDial {
    /// `cost_usd` of its points is the share of strong calls.
    dial: Sweep,
    singles: GroupSums,
}

impl PairDial {
    /// `router_score`, `(requests)`: how much the strong model is called for; `true_score`,
    /// `(requests, 2)`: weak, strong.
    pub fn new(router_score: &[f64], true_score: &Matrix, groups: &Groups) -> Self {
        let edge = |i: u32| quantile(router_score, f64::from(i) / f64::from(BINS));
        let mut thresholds: Vec<f64> = (0..=BINS).filter_map(edge).collect();
        thresholds.dedup();
        let last = thresholds.len().saturating_sub(1);
        let strong = |request: usize, setting: usize| {
            let (score, threshold) = (router_score[request], thresholds[setting]);
            usize::from(if setting < last { score >= threshold } else { score > threshold })
        };
        let choices = Choices::new(router_score.len(), thresholds.len(), strong);
        let strong_calls = Matrix::repeat(router_score.len(), &[0.0, 1.0]);
        Self {
            dial: Sweep::new(&choices, true_score, &strong_calls, groups),
            singles: GroupSums::new(true_score, groups),
        }
    }

    /// The figures with each group counted as often as `counts` says, `(groups)`.
    pub fn figures(&self, counts: &[u32]) -> PairFigures {
        let singles = self.singles.means(counts);
        let (weak, strong) = (singles[0], singles[1]);
        let points = self.dial.points(counts);
        let line = Line::new(points.iter().map(|point| (point.cost_usd, point.quality)));
        // Where a single threshold is left the curve is one point and recovers nothing.
        let (from, to) = line.start().zip(line.end()).unwrap_or_default();
        let recovered = line.area(from, to) - weak * (to - from);
        let cpt_pct =
            |part: f64| 100.0 * line.first_reach(weak + part * (strong - weak)).unwrap_or(1.0);
        PairFigures {
            weak_quality: weak,
            strong_quality: strong,
            apgr: recovered / ((strong - weak) * (to - from)),
            cpt20_pct: cpt_pct(0.2),
            cpt50_pct: cpt_pct(0.5),
            cpt80_pct: cpt_pct(0.8),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eleven requests, router scores 0 to 10: every threshold hits one of them.
    fn figures(weak: [f64; 11], strong: [f64; 11]) -> PairFigures {
        let router_score: Vec<f64> = (0..11).map(f64::from).collect();
        let score = weak.iter().zip(strong).flat_map(|(w, s)| [*w, s]).collect();
        let groups = Groups::each_alone(11);
        PairDial::new(&router_score, &Matrix::new(2, score), &groups).figures(&groups.once())
    }

    #[test]
    fn a_perfect_order_by_hand() {
        // Only the five highest need the strong model. Thresholds 0..=10 send the requests at or
        // above them, 11, 10, ..., 2, and at the last one none: shares 0, 2/11, 3/11, ..., 1.
        let mut weak = [1.0; 11];
        weak[6..].fill(0.0);
        let found = figures(weak, [1.0; 11]);
        // Mean scores 6/11, 8/11, 9/11, 10/11, then 1.
        let area = (2.0 * 7.0 + 8.5 + 9.5 + 10.5 + 6.0 * 11.0) / 121.0;
        assert!((found.weak_quality - 6.0 / 11.0).abs() < 1e-12);
        assert!((found.apgr - (area - 6.0 / 11.0) / (5.0 / 11.0)).abs() < 1e-12);
        // 20 % of the gap is 7/11: half of the way to two strong calls.
        assert!((found.cpt20_pct - 100.0 * 1.0 / 11.0).abs() < 1e-9);
        assert!((found.cpt50_pct - 100.0 * 2.5 / 11.0).abs() < 1e-9);
        assert!((found.cpt80_pct - 100.0 * 4.0 / 11.0).abs() < 1e-9);
    }

    #[test]
    fn a_flat_router_score_has_no_apgr() {
        let groups = Groups::each_alone(3);
        let score = Matrix::new(2, vec![0.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
        let dial = PairDial::new(&[0.5; 3], &score, &groups);
        let found = dial.figures(&groups.once());
        assert!(found.apgr.is_nan());
        assert!((found.strong_quality - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_models_have_no_gap() {
        assert!(figures([1.0; 11], [1.0; 11]).apgr.is_nan());
    }
}
