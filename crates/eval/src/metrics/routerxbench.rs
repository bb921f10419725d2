//! `RouterXBench`'s figures for a small and a large model (arXiv 2602.11877, `src/metric.py`).
//!
//! Prompts go to the large model by rising router score. The curve has 101 points: of n prompts the
//! first `floor(r n)` are answered by the large model, r = 0, 0.01, .. 1. Prompts of equal score share
//! their places, which is the mean over all orders of them.

use super::frontier::SAME_QUALITY;
use super::ranking::{Block, Ranking, cumulated, total};
use super::{Groups, Matrix};

/// Points of the curve after the first.
const STEPS: u32 = 100;
/// Last point of the low-call part.
const LOW_END: usize = 10;
/// Parts of the gap between the models at which the recovery band begins and ends.
const BAND: (f64, f64) = (0.7, 0.9);

/// The figures; all NaN without requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct XBenchFigures {
    /// Mean score of the small model.
    pub small_quality: f64,
    /// Mean score of the large model.
    pub large_quality: f64,
    /// Area under the ROC of the router's score against whether the small model suffices; 0.5, as in
    /// the code, where it always or never does.
    pub auroc: f64,
    /// Low-call performance: mean height of the curve over r in [0, 0.1].
    pub lpm: f64,
    /// Height of the curve at r = 0.1, where that part ends.
    pub lpm_end: f64,
    /// High-call rate: 1 less the mean r of the points that recover 70 to 90 % of the gap between the
    /// models; 0 where none does.
    pub hcr: f64,
    /// Middle performance: mean height of the points above `lpm_end` and below the recovery band; 0
    /// where there is none.
    pub mpm: f64,
}

/// Prompts by rising router score, ready to be weighed.
#[derive(Debug, Clone)]
pub struct XBenchOrder {
    /// Scores of the small and of the large model, and whether the small one suffices.
    large_first: Ranking<3>,
}

impl XBenchOrder {
    /// `router_score`, `(requests)`: how far the small model is trusted; `true_score`, `(requests,
    /// 2)`: small, large. The small model suffices where its score is 1; if any score is graded
    /// (neither 0 nor 1), where it is no worse than the large one. Requests without a router score or
    /// one of the two are left out.
    pub fn new(router_score: &[f64], true_score: &Matrix, groups: &Groups) -> Self {
        let grade = |score: &f64| *score > 0.0 && *score < 1.0;
        let graded = true_score.iter().flatten().any(grade);
        let values = |i: usize| {
            let (small, large) = (true_score.at(i, 0), true_score.at(i, 1));
            let suffices = if graded { small >= large } else { small >= 1.0 };
            [small, large, f64::from(u8::from(suffices))]
        };
        Self { large_first: Ranking::new(router_score, groups, values) }
    }

    /// The figures with each group counted as often as `counts` says, `(groups)`.
    pub fn figures(&self, counts: &[u32]) -> XBenchFigures {
        let blocks = self.large_first.blocks(counts);
        let all = total(&blocks);
        let (small, large) = (all.values[0] / all.requests, all.values[1] / all.requests);
        let curve = curve(&blocks, &all);
        let lpm_end = curve[LOW_END];
        let band = (small + BAND.0 * (large - small), small + BAND.1 * (large - small));
        let shares = (0..=STEPS).map(|step| f64::from(step) / f64::from(STEPS));
        let within =
            |height: f64| band.0 - SAME_QUALITY <= height && height <= band.1 + SAME_QUALITY;
        let recovering = shares.zip(&curve).filter(|(_, height)| within(**height));
        let between =
            |height: &&f64| lpm_end + SAME_QUALITY < **height && **height < band.0 - SAME_QUALITY;
        let or_nan = |value: f64| if all.requests > 0.0 { value } else { f64::NAN };
        XBenchFigures {
            small_quality: small,
            large_quality: large,
            auroc: or_nan(auroc(&blocks, &all)),
            lpm: or_nan(mean(curve[..=LOW_END].iter().copied()).unwrap_or_default()),
            lpm_end,
            hcr: or_nan(mean(recovering.map(|(share, _)| share)).map_or(0.0, |mean| 1.0 - mean)),
            mpm: or_nan(mean(curve.iter().filter(between).copied()).unwrap_or_default()),
        }
    }
}

/// Mean score at each of the 101 shares of calls to the large model.
fn curve(blocks: &[Block<3>], all: &Block<3>) -> Vec<f64> {
    let gained = cumulated(blocks, |block| block.values[1] - block.values[0]);
    let calls = |step: u32| (f64::from(step) * all.requests / f64::from(STEPS)).floor();
    let height = |step: u32| (all.values[0] + gained.at(calls(step))) / all.requests;
    (0..=STEPS).map(height).collect()
}

/// Share of pairs of a sufficient and an insufficient prompt that stand in the right order, equal
/// scores half.
fn auroc(blocks: &[Block<3>], all: &Block<3>) -> f64 {
    let (mut insufficient, mut right) = (0.0, 0.0);
    for block in blocks {
        let positive = block.values[2];
        let negative = block.requests - positive;
        right += positive * (insufficient + 0.5 * negative);
        insufficient += negative;
    }
    let pairs = all.values[2] * insufficient;
    if pairs > 0.0 { right / pairs } else { 0.5 }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(router_score: &[f64], pairs: &[f64], counts: &[u32]) -> XBenchFigures {
        let groups = Groups::each_alone(router_score.len());
        XBenchOrder::new(router_score, &Matrix::new(2, pairs.to_vec()), &groups).figures(counts)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    /// Ten prompts by rising router score; the large model always right, the small one at the third
    /// and from the seventh on.
    fn ten() -> (Vec<f64>, Vec<f64>) {
        let small = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
        ((0..10).map(f64::from).collect(), small.into_iter().flat_map(|s| [s, 1.0]).collect())
    }

    #[test]
    fn a_curve_by_hand() {
        let (router_score, pairs) = ten();
        let found = figures(&router_score, &pairs, &[1; 10]);
        close(found.small_quality, 0.5);
        close(found.large_quality, 1.0);
        // Of 5 x 5 pairs the third prompt is wrong with the three insufficient ones after it.
        close(found.auroc, 22.0 / 25.0);
        // Heights 0.5 for r < 0.1, 0.6 for r < 0.2, 0.7 for r < 0.4, 0.8, then 0.9 from 0.5, 1 from
        // 0.6 on.
        close(found.lpm, (10.0 * 0.5 + 0.6) / 11.0);
        close(found.lpm_end, 0.6);
        // The band is 0.85 to 0.95: r = 0.50, .. 0.59.
        close(found.hcr, 1.0 - 0.545);
        // Above 0.6 and below 0.85: 20 points at 0.7 and 10 at 0.8.
        close(found.mpm, (20.0 * 0.7 + 10.0 * 0.8) / 30.0);
    }

    #[test]
    fn graded_scores_compare_the_two_models() {
        // The small model is no worse at the first and the last.
        let found = figures(&[0.1, 0.2, 0.2], &[0.5, 0.5, 0.2, 0.9, 0.4, 0.3], &[1; 3]);
        // Pairs (second, first): wrong; (second, last): equal scores.
        close(found.auroc, 0.25);
        // The two tied prompts share their places: with 2 of 3 calls, half of both gains.
        let half = (1.1 + 0.5 * (0.7 - 0.1)) / 3.0;
        let halfway = figures(&[0.1, 0.2, 0.2], &[0.5, 0.5, 0.2, 0.9, 0.4, 0.3], &[1; 3]);
        assert!(halfway.mpm > 0.0 && (halfway.mpm - half).abs() < 1e-12, "{halfway:?}");
    }

    #[test]
    fn degenerate_orders() {
        let none = figures(&[], &[], &[]);
        assert!(none.auroc.is_nan() && none.hcr.is_nan() && none.lpm_end.is_nan());
        let equal = figures(&[0.5], &[1.0, 1.0], &[1]);
        close(equal.auroc, 0.5);
        // Every point of a flat curve lies in a band without width.
        close(equal.hcr, 0.5);
        close(equal.mpm, 0.0);
        let worse = figures(&[0.1, 0.2], &[1.0, 0.0, 1.0, 0.0], &[1; 2]);
        close(worse.hcr, 0.0);
    }
}
