//! `RouterArena`'s score, robustness and optimality (arXiv 2510.00202,
//! `router_evaluation/compute_scores.py`).

use super::decided::{Answers, Decided, RatioColumn, counted};
use super::oracle::oracle_choice;

/// Range of costs in USD per 1,000 queries that the score tells apart.
const COST_RANGE: (f64, f64) = (0.0044, 200.0);
/// The smaller it is, the more accuracy weighs against cost.
const BETA: f64 = 0.1;
/// A model is right from this score on.
const RIGHT: f64 = 1.0;

/// The score S of an accuracy in [0, 1] and a cost in USD per 1,000 queries: `C` is the cost's place
/// between 200 (0) and 0.0044 USD (1) on a logarithmic axis, clamped, and
/// `S = (1 + 0.1) A C / (0.1 A + C)`. 0 where both are 0.
pub fn router_arena_score(accuracy: f64, usd_per_1k: f64) -> f64 {
    let (least, most) = COST_RANGE;
    let saved = (most.log2() - usd_per_1k.clamp(least, most).log2()) / (most.log2() - least.log2());
    let below = BETA * accuracy + saved;
    // Not `below > 0.0`, which would hide a NaN.
    if below <= 0.0 { 0.0 } else { (1.0 + BETA) * accuracy * saved / below }
}

/// Whether each prompt's choice is the same after it was perturbed; its mean is the robustness. Pairs
/// with a choice missing take no part. `(requests)` both.
pub fn robustness(original: &[Option<usize>], perturbed: &[Option<usize>]) -> RatioColumn {
    let same = |(a, b): (&Option<usize>, &Option<usize>)| Some(counted((*a)? == (*b)?));
    original.iter().zip(perturbed).map(same).collect()
}

/// Which queries count for the optimality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptimalityReading {
    /// All that some model gets right, as the published values must have been computed. (What no
    /// model gets right has no optimal choice.)
    Published,
    /// Only those that the router gets right too, as the code has it: the accuracy is then always 1.
    Code,
}

/// How near choices come to the cheapest model that is right, as ratios of sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimality {
    /// Opt.Sel: share of queries with the optimal choice.
    pub selection: RatioColumn,
    /// Opt.Cost: cost of the optimal choices over cost of the router's.
    pub cost: RatioColumn,
    /// Opt.Acc: accuracy of the router's choices over that of the optimal ones.
    pub accuracy: RatioColumn,
}

/// Optimality over the decided requests with every score and cost known. The optimal choice is the
/// cheapest model with a score of 1; at equal cost the first.
pub fn optimality(decided: &Decided<'_>, reading: OptimalityReading) -> Optimality {
    let column = |adds: fn(Answers<'_>, usize) -> (f64, f64)| {
        decided.complete(|request| {
            let optimal = oracle_choice(request.score, request.cost, RIGHT);
            let counts = match reading {
                OptimalityReading::Published => request.score[optimal] >= RIGHT,
                OptimalityReading::Code => request.chosen_score()? >= RIGHT,
            };
            counts.then(|| adds(request, optimal))
        })
    };
    Optimality {
        selection: column(|request, optimal| counted(request.chosen == optimal)),
        cost: column(|request, optimal| (request.cost[optimal], request.chosen_cost())),
        accuracy: column(|request, optimal| {
            (request.score[request.chosen], request.score[optimal])
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Matrix, ratio};

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    #[test]
    fn scores_by_hand() {
        // The cost in the middle of the logarithmic range: C = 0.5.
        let middle = (200.0_f64 * 0.0044).sqrt();
        close(router_arena_score(0.8, middle), 1.1 * 0.8 * 0.5 / (0.08 + 0.5));
        close(router_arena_score(0.7, 0.0), 1.1 * 0.7 / 1.07);
        close(router_arena_score(0.7, 900.0), 0.0);
        close(router_arena_score(0.0, 900.0), 0.0);
        assert!(router_arena_score(f64::NAN, 1.0).is_nan());
    }

    #[test]
    fn robustness_by_hand() {
        let original = [Some(1), Some(2), None, Some(0), Some(1)];
        let perturbed = [Some(1), Some(0), Some(1), Some(0), None];
        let found = robustness(&original, &perturbed);
        assert_eq!(found.iter().flatten().count(), 3);
        close(ratio(&found), 2.0 / 3.0);
    }

    #[test]
    fn both_readings_by_hand() {
        let cost = Matrix::repeat(5, &[1.0, 2.0, 5.0]);
        let score = Matrix::new(
            3,
            vec![
                0.0,
                1.0,
                1.0, // chosen: the optimal one
                1.0,
                1.0,
                1.0, // chosen: right, dearer than need be
                0.0,
                0.0,
                1.0, // chosen: wrong, cheaper than the right one
                0.0,
                0.5,
                0.0, // nobody is right
                1.0,
                f64::NAN,
                1.0, // not known of all
            ],
        );
        let choices = [Some(1), Some(2), Some(0), Some(1), Some(0)];
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let published = optimality(&decided, OptimalityReading::Published);
        close(ratio(&published.selection), 1.0 / 3.0);
        close(ratio(&published.cost), (2.0 + 1.0 + 5.0) / (2.0 + 5.0 + 1.0));
        close(ratio(&published.accuracy), 2.0 / 3.0);
        let code = optimality(&decided, OptimalityReading::Code);
        close(ratio(&code.selection), 1.0 / 2.0);
        close(ratio(&code.cost), (2.0 + 1.0) / (2.0 + 5.0));
        close(ratio(&code.accuracy), 1.0);
    }
}
