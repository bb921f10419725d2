//! The dial sweep, its weighing, and the oracle.

use farthing_eval::metrics::{
    Choices, Groups, Matrix, PairDial, Point, Sweep, dial_lambdas, dial_sweep, oracle_choices,
};
use proptest::prelude::*;

use crate::{CLOSE, close, outcomes, same};

proptest! {
    #[test]
    fn the_dial_goes_from_best_quality_to_least_cost([quality, cost, score, true_cost] in outcomes()) {
        let predicted = dial_sweep(&quality, &cost, &quality, &cost);
        for pair in predicted.windows(2) {
            prop_assert!(pair[1].cost_usd <= pair[0].cost_usd + CLOSE);
            prop_assert!(pair[1].quality <= pair[0].quality + CLOSE);
        }
        let best = |row: &[f64]| row.iter().copied().fold(0.0, f64::max);
        prop_assert!(close(predicted[0].quality, quality.iter().map(best).sum::<f64>() / 12.0));
        let points = dial_sweep(&quality, &cost, &score, &true_cost);
        prop_assert!(points.iter().all(|p| (0.0..=1.0 + CLOSE).contains(&p.quality)));
    }

    /// At every setting no choice has a greater utility than that of true scores and costs.
    #[test]
    fn nothing_beats_the_oracle_sweep_at_its_own_dial(
        [quality, cost, score, true_cost] in outcomes(),
    ) {
        let oracle = dial_sweep(&score, &true_cost, &score, &true_cost);
        let router = dial_sweep(&quality, &cost, &score, &true_cost);
        for ((lambda, oracle), router) in dial_lambdas().into_iter().zip(oracle).zip(router) {
            let utility = |point: Point| point.quality - lambda * point.cost_usd;
            let least = utility(router) - CLOSE * (1.0 + utility(router).abs());
            prop_assert!(utility(oracle) >= least);
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        [quality, cost, score, true_cost] in outcomes(),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
        keys in prop::collection::vec(0_u64..6, 12),
    ) {
        let run = |order: &[usize]| {
            let keys: Vec<u64> = order.iter().map(|&i| keys[i]).collect();
            let groups = Groups::by_key(&keys);
            let choices = Choices::of_dial(&quality.reorder(order), &cost.reorder(order));
            let (score, cost) = (score.reorder(order), true_cost.reorder(order));
            let counts: Vec<u32> = (0..).take(groups.len()).map(|i| i % 3 + 1).collect();
            let margin: Vec<f64> = order.iter().map(|&i| quality.at(i, 0) - quality.at(i, 1)).collect();
            let pair = score.iter().flat_map(|row| row[..2].to_vec()).collect();
            let figures = PairDial::new(&margin, &Matrix::new(2, pair), &groups).figures(&counts);
            (Sweep::new(&choices, &score, &cost, &groups).points(&counts), figures)
        };
        let straight: Vec<usize> = (0..12).collect();
        let (points, figures) = run(&straight);
        let (reordered, other) = run(&order);
        prop_assert!(same(&points, &reordered));
        prop_assert!(close(figures.apgr, other.apgr) || (figures.weak_quality - figures.strong_quality).abs() < CLOSE);
    }

    /// Weighing groups is the same as repeating their rows.
    #[test]
    fn counts_are_repetitions(
        [quality, cost, score, true_cost] in outcomes(),
        counts in prop::collection::vec(1_u32..4, 12),
    ) {
        let groups = Groups::each_alone(12);
        let sweep = Sweep::new(&Choices::of_dial(&quality, &cost), &score, &true_cost, &groups);
        let rows: Vec<usize> =
            (0..12).flat_map(|i| std::iter::repeat_n(i, counts[i] as usize)).collect();
        let [quality, cost, score, true_cost] =
            [&quality, &cost, &score, &true_cost].map(|matrix| matrix.reorder(&rows));
        prop_assert!(same(&sweep.points(&counts), &dial_sweep(&quality, &cost, &score, &true_cost)));
    }

    #[test]
    fn the_oracle_is_never_worse_at_the_bar([_, _, score, cost] in outcomes(), bar in 0.0..1.0) {
        for (request, chosen) in oracle_choices(&score, &cost, bar).into_iter().enumerate() {
            let (score, cost) = (score.row(request), cost.row(request));
            if score.iter().any(|&s| s >= bar) {
                prop_assert!(score[chosen] >= bar);
                prop_assert!((0..3).all(|i| score[i] < bar || cost[i] >= cost[chosen]));
            } else {
                prop_assert!(score.iter().all(|&s| s <= score[chosen]));
            }
        }
    }
}
