//! `LLMRouterBench`'s gains (arXiv 2601.07206) and Avengers-Pro's score (arXiv 2508.12631,
//! `balance_cluster_router.py`).

use super::frontier::SAME_QUALITY;
use super::ranking::Ranking;
use super::{Groups, Point};

/// Means over requests of each data set, averaged over data sets (`AvgAcc`), of `K` systems, ready to
/// be weighed.
#[derive(Debug, Clone)]
pub struct DatasetMeans<const K: usize> {
    by_dataset: Ranking<K>,
}

impl<const K: usize> DatasetMeans<K> {
    /// `scores` are those of each system on each request, `datasets` the data set (or task) of each,
    /// `(requests)` both. A request with a score that is not finite is left out.
    pub fn new(scores: &[[f64; K]], datasets: &[usize], groups: &Groups) -> Self {
        // Any order that keeps data sets together will do.
        let rank: Vec<f64> = datasets.iter().map(|&dataset| dataset as f64).collect();
        Self { by_dataset: Ranking::new(&rank, groups, |i| scores[i]) }
    }

    /// Each system's mean over data sets with each group counted as often as `counts` says,
    /// `(groups)`. A data set of which no request is counted is left out; NaN without any.
    pub fn figures(&self, counts: &[u32]) -> [f64; K] {
        let datasets = self.by_dataset.blocks(counts);
        let mean = |system: usize| {
            let means = datasets.iter().map(|of| of.values[system] / of.requests);
            means.sum::<f64>() / datasets.len() as f64
        };
        std::array::from_fn(mean)
    }
}

/// A router's mean score among others'; a figure is NaN where what it is measured by is not above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gains {
    /// Gain@R: relative improvement over a random choice.
    pub at_random: f64,
    /// Gain@B: relative improvement over the best single model.
    pub at_best_single: f64,
    /// Gap@O: relative shortfall of the oracle.
    pub gap_at_oracle: f64,
}

impl Gains {
    /// Of four mean scores, each an `AvgAcc`.
    pub fn new(router: f64, random: f64, best_single: f64, oracle: f64) -> Self {
        let gain = |over: f64| if over > 0.0 { router / over - 1.0 } else { f64::NAN };
        Self {
            at_random: gain(random),
            at_best_single: gain(best_single),
            gap_at_oracle: -gain(oracle),
        }
    }
}

/// `PerfGain`: relative gain of the most accurate configuration over the best single model; negative
/// where there is none. `None` without finite points or where the best single model scores 0.
pub fn perf_gain(points: &[Point], best_single: Point) -> Option<f64> {
    let finite = points.iter().filter(|point| point.is_finite());
    let best = finite.map(|point| point.quality).reduce(f64::max)?;
    (best_single.quality > 0.0).then(|| best / best_single.quality - 1.0)
}

/// `CostSave`: greatest relative saving, against the best single model, of a configuration at least
/// as accurate; negative where all of those cost more. `None` where there is none, or the best single
/// model costs nothing.
pub fn cost_save(points: &[Point], best_single: Point) -> Option<f64> {
    let finite = points.iter().filter(|point| point.is_finite());
    let accurate = finite.filter(|point| point.quality >= best_single.quality - SAME_QUALITY);
    let least = accurate.map(|point| point.cost_usd).reduce(f64::min)?;
    (best_single.cost_usd > 0.0).then(|| 1.0 - least / best_single.cost_usd)
}

/// `ParetoDist` in this project's normalisation, for the published one is not known: cost and quality
/// are rescaled to [0, 1] over all compared points, the router's among them, and the figure is the
/// mean Euclidean distance of the router's points from the nearest point of the lines that join the
/// non-dominated ones. 0: all of them are on the front.
///
/// Points that are not finite are left out; `None` where the router has no other.
pub fn pareto_dist(points: &[Point], others: &[Point]) -> Option<f64> {
    let all: Vec<Point> = points.iter().chain(others).copied().filter(Point::is_finite).collect();
    let cost = unit_scale(&all, |point| point.cost_usd);
    let quality = unit_scale(&all, |point| point.quality);
    let place = |point: Point| (cost(point.cost_usd), quality(point.quality));
    let front: Vec<(f64, f64)> = pareto_front(all).into_iter().map(place).collect();
    let from_front = |point: Point| {
        let corners = front.iter().map(|&corner| distance(place(point), corner, corner));
        let lines = front.windows(2).map(|line| distance(place(point), line[0], line[1]));
        corners.chain(lines).fold(f64::INFINITY, f64::min)
    };
    let distances: Vec<f64> =
        points.iter().copied().filter(Point::is_finite).map(from_front).collect();
    (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / distances.len() as f64)
}

/// The points of higher quality than every one that costs no more, by rising cost.
fn pareto_front(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd).then(b.quality.total_cmp(&a.quality)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|point| {
        let better = point.quality > best;
        best = best.max(point.quality);
        better
    });
    points
}

/// The map that takes the least of the points' values to 0 and the greatest to 1; all to 0 where they
/// are equal.
fn unit_scale(points: &[Point], value: fn(&Point) -> f64) -> impl Fn(f64) -> f64 + use<> {
    let least = points.iter().map(value).fold(f64::INFINITY, f64::min);
    let range = points.iter().map(value).fold(f64::NEG_INFINITY, f64::max) - least;
    move |value| if range > 0.0 { (value - least) / range } else { 0.0 }
}

/// Distance of `p` from the segment from `a` to `b`.
fn distance(p: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 { ((p.0 - a.0) * dx + (p.1 - a.1) * dy) / square } else { 0.0 };
    let along = along.clamp(0.0, 1.0);
    (p.0 - a.0 - along * dx).hypot(p.1 - a.1 - along * dy)
}

/// Avengers-Pro's score of each candidate in one cluster of prompts, `(candidates)` all: its
/// accuracy rescaled to [0, 1] over the candidates (1 where they are equal) times one weight, plus
/// `1 - cost / greatest cost` (1 where none costs anything) times the other.
pub fn avengers_pro(
    accuracy: &[f64],
    cost: &[f64],
    accuracy_weight: f64,
    cost_weight: f64,
) -> Vec<f64> {
    let least = accuracy.iter().copied().fold(f64::INFINITY, f64::min);
    let range = accuracy.iter().copied().fold(f64::NEG_INFINITY, f64::max) - least;
    let dearest = cost.iter().copied().fold(0.0, f64::max);
    let score = |(accuracy, cost): (&f64, &f64)| {
        let p = if range > 0.0 { (accuracy - least) / range } else { 1.0 };
        let saved = if dearest > 0.0 { 1.0 - cost / dearest } else { 1.0 };
        accuracy_weight * p + cost_weight * saved
    };
    accuracy.iter().zip(cost).map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    #[test]
    fn dataset_means_by_hand() {
        // Data set 4 has one request, data set 1 three, one of unknown score.
        let scores = [[0.2, 1.0], [1.0, 0.0], [f64::NAN, 0.0], [0.6, 0.5]];
        let groups = Groups::by_key(&[1, 2, 1, 1]);
        let means = DatasetMeans::new(&scores, &[1, 4, 1, 1], &groups);
        let found = means.figures(&[1, 1]);
        close(found[0], f64::midpoint(f64::midpoint(0.2, 0.6), 1.0));
        close(found[1], f64::midpoint(0.75, 0.0));
        close(means.figures(&[3, 0])[0], 0.4);
        assert!(means.figures(&[0, 0])[0].is_nan());
        assert!(DatasetMeans::<1>::new(&[], &[], &groups).figures(&[1, 1])[0].is_nan());
    }

    #[test]
    fn gains_by_hand() {
        let gains = Gains::new(0.6, 0.4, 0.5, 0.8);
        close(gains.at_random, 0.5);
        close(gains.at_best_single, 0.2);
        close(gains.gap_at_oracle, 0.25);
        assert!(Gains::new(0.6, 0.0, 0.5, 0.8).at_random.is_nan());
    }

    #[test]
    fn configurations_against_the_best_single_model_by_hand() {
        let best_single = Point { cost_usd: 10.0, quality: 0.8 };
        let found = points(&[(2.0, 0.7), (6.0, 0.8), (9.0, 0.84)]);
        close(perf_gain(&found, best_single).unwrap(), 0.05);
        close(cost_save(&found, best_single).unwrap(), 0.4);
        assert_eq!(cost_save(&found[..1], best_single), None);
        close(perf_gain(&found[..1], best_single).unwrap(), -0.125);
        assert_eq!(perf_gain(&[], best_single), None);
        let unknown = points(&[(f64::NAN, 0.9), (1.0, f64::NAN)]);
        assert_eq!(
            (perf_gain(&unknown, best_single), cost_save(&unknown, best_single)),
            (None, None)
        );
        let free = Point { cost_usd: 0.0, quality: 0.0 };
        assert_eq!((perf_gain(&found, free), cost_save(&found, free)), (None, None));
    }

    #[test]
    fn distances_from_the_front_by_hand() {
        // Costs 1 to 5 and qualities 0.2 to 0.6, so the front goes from (0, 0) to (1, 1).
        let others = points(&[(1.0, 0.2), (5.0, 0.6), (3.0, 0.4)]);
        // (1/2, 1/4) is 1/4 below that line, sqrt(2)/8 from it; the other point is on it.
        let found = pareto_dist(&points(&[(3.0, 0.3), (5.0, 0.6)]), &others).unwrap();
        close(found, 2.0_f64.sqrt() / 8.0 / 2.0);
        // A front from (0, 0) to (0.75, 1): of (1, 0.5) the nearest point is (0.6, 0.8), 0.8 of the way.
        let right = pareto_dist(&points(&[(5.0, 0.4)]), &points(&[(4.0, 0.6), (1.0, 0.2)]));
        close(right.unwrap(), 0.4_f64.hypot(0.3));
        close(pareto_dist(&others[..1], &[]).unwrap(), 0.0);
        assert_eq!(pareto_dist(&[], &others), None);
        assert_eq!(pareto_dist(&points(&[(f64::NAN, 0.1)]), &others), None);
    }

    #[test]
    fn avengers_pro_by_hand() {
        let found = avengers_pro(&[0.5, 0.9, 0.6], &[1.0, 4.0, 2.0], 0.7, 0.3);
        for (found, expected) in found.into_iter().zip([0.225, 0.7, 0.7 * 0.25 + 0.15]) {
            close(found, expected);
        }
        close(avengers_pro(&[0.5], &[0.0], 0.7, 0.3)[0], 1.0);
        assert!(avengers_pro(&[], &[], 0.7, 0.3).is_empty());
    }
}
