//! Exchange rates of quality for cost at which candidates compete, and a softened policy at each.

use farthing_eval::metrics::{self, Point};

/// `(candidates)`: what is known of a request beyond what is common to its candidates, 0 where nothing
/// is: the mean is shrunk by one pseudo-answer, and what is known stands for what is not.
pub(super) fn surprise(residual: &[f64]) -> Vec<f64> {
    let known = || residual.iter().filter(|value| !value.is_nan());
    let (count, all) = (known().count() as f64, residual.len() as f64);
    let common = known().sum::<f64>() / (count + 1.0);
    let stands_for = all / count.max(1.0);
    residual.iter().map(|r| if r.is_nan() { 0.0 } else { (r - common) * stands_for }).collect()
}

/// Learned differences between candidates are about as large as this, in units of score.
const TYPICAL_DIFFERENCE: f64 = 0.025;
/// Utilities closer than this share a request.
const SOFTNESS: f64 = 0.01;

/// One edge of the zero router's hull.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Its share of the range of costs.
    stretch: f64,
    /// `(candidates)`: mean score less cost at this edge's rate; negative infinity where the cost is
    /// unknown.
    utility: Vec<f64>,
}

impl Exchange {
    /// The stretch times the utility of the softened choice.
    pub(super) fn value(&self, predicted: &[f64], surprise: &[f64]) -> f64 {
        let utility = || self.utility.iter().zip(predicted).map(|(u, p)| u + p);
        let best = utility().fold(f64::NEG_INFINITY, f64::max);
        let (mut total, mut value) = (0.0, 0.0);
        for ((soft, base), surprise) in utility().zip(&self.utility).zip(surprise) {
            let share = ((soft - best) / SOFTNESS).exp();
            if share > 0.0 {
                total += share;
                value += share * (base + surprise);
            }
        }
        self.stretch * value / total
    }
}

/// How much each candidate competes for a place on the frontier: along the edges, candidates within a
/// typical difference of the best share the stretch of cost. `(candidates)`, adding up to 1.
pub(super) fn contenders(edges: &[Exchange]) -> Vec<f64> {
    let mut weights = vec![0.0; edges.first().map_or(0, |edge| edge.utility.len())];
    for edge in edges {
        let best = edge.utility.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let close = edge.utility.iter().map(|u| ((u - best) / TYPICAL_DIFFERENCE).exp());
        let all: f64 = close.clone().sum();
        for (weight, close) in weights.iter_mut().zip(close) {
            *weight += edge.stretch * close / all;
        }
    }
    weights
}

/// The edges of the zero router's hull, and the flat end up to the dearest candidate; where no cost
/// varies, quality alone counts.
pub(super) fn exchange(mean_score: &[f64], mean_cost: &[f64]) -> Vec<Exchange> {
    let priced: Vec<Point> = mean_score
        .iter()
        .zip(mean_cost)
        .filter(|(quality, cost)| !quality.is_nan() && !cost.is_nan())
        .map(|(&quality, &cost_usd)| Point { cost_usd, quality })
        .collect();
    let hull = metrics::hull(&priced);
    let dearest = priced.iter().map(|point| point.cost_usd).fold(0.0, f64::max);
    // (stretch of cost, exchange rate)
    let mut edges: Vec<(f64, f64)> = hull
        .windows(2)
        .map(|pair| (pair[1].cost_usd - pair[0].cost_usd, pair[1].quality - pair[0].quality))
        .map(|(cost, quality)| (cost, quality / cost))
        .collect();
    edges.push((hull.last().map_or(0.0, |last| dearest - last.cost_usd), 0.0));
    let range: f64 = edges.iter().map(|(stretch, _)| stretch).sum();
    if range <= 0.0 {
        edges = vec![(1.0, 0.0)];
    }
    let utility = |rate: f64| {
        let of = |(&score, &cost): (&f64, &f64)| {
            let utility = if rate > 0.0 { score - rate * cost } else { score };
            if utility.is_nan() { f64::NEG_INFINITY } else { utility }
        };
        mean_score.iter().zip(mean_cost).map(of).collect()
    };
    let share = |stretch: f64| if range > 0.0 { stretch / range } else { 1.0 };
    edges
        .into_iter()
        .map(|(stretch, rate)| Exchange { stretch: share(stretch), utility: utility(rate) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_the_hull_and_the_flat_end() {
        // A cheap one, the best one, and a dearer one that is no better.
        let edges = exchange(&[0.6, 0.8, 0.7], &[1.0, 5.0, 11.0]);
        assert_eq!(edges.iter().map(|e| e.stretch).collect::<Vec<_>>(), [0.4, 0.6]);
        // At the rate of the edge between the first two they are worth the same.
        assert!((edges[0].utility[0] - edges[0].utility[1]).abs() < 1e-12);
        assert_eq!(edges[1].utility, [0.6, 0.8, 0.7]);
    }

    #[test]
    fn without_costs_quality_alone_counts() {
        let edges = exchange(&[0.6, 0.8, f64::NAN], &[f64::NAN; 3]);
        assert_eq!(edges.len(), 1);
        assert_eq!(edges[0].utility, [0.6, 0.8, f64::NEG_INFINITY]);
    }

    #[test]
    fn contenders_are_those_near_the_frontier() {
        // A cheap one, a dear one, its near rival, and one dominated by far.
        let weights = contenders(&exchange(&[0.6, 0.8, 0.79, 0.3], &[1.0, 10.0, 9.0, 9.0]));
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(weights[1] > 0.2 && weights[2] > 0.2 && weights[0] > 0.1, "{weights:?}");
        assert!(weights[3] < 1e-3, "{weights:?}");
    }
}
