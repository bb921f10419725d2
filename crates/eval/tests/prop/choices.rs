//! Metrics of choices: ratios of what each request adds.

use farthing_eval::metrics::{
    BarColumns, Decided, Matrix, OptimalityReading, RatioColumn, Step, TwinColumns,
    choice_entropies, optimality, oracle_choices, oracle_mix, ratio, robustness, selected_scores,
};
use proptest::prelude::*;

use crate::{CLOSE, close, outcomes};

/// Choices of 12 requests among 3 candidates.
fn choices() -> impl Strategy<Value = Vec<Option<usize>>> {
    prop::collection::vec(prop::option::weighted(0.9, 0_usize..3), 12)
}

fn is_share(column: &RatioColumn) -> bool {
    let share = ratio(column);
    share.is_nan() || (0.0..=1.0).contains(&share)
}

/// Values in another order.
fn reorder<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
    order.iter().map(|&i| values[i]).collect()
}

proptest! {
    #[test]
    fn bar_metrics_are_shares_and_the_oracle_has_no_regret(
        [_, _, score, cost] in outcomes(), choices in choices(), bar in 0.0..1.0, fallback in 0_usize..3,
    ) {
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let found = BarColumns::new(&decided, bar, fallback);
        for column in
            [&found.attainment, &found.violation, &found.underpowered, &found.overprovisioned]
        {
            prop_assert!(is_share(column), "{column:?}");
        }
        // Underpowered requests miss the bar.
        for (attained, under) in found.attainment.iter().flatten().zip(found.underpowered.iter().flatten()) {
            prop_assert!(attained.0 + under.0 <= 1.0);
        }
        let stricter = BarColumns::new(&decided, bar + 0.2, fallback);
        prop_assert!(choices.iter().all(Option::is_none)
            || ratio(&stricter.attainment) <= ratio(&found.attainment));

        let oracle: Vec<_> = oracle_choices(&score, &cost, bar).into_iter().map(Some).collect();
        let found = BarColumns::new(&Decided { choices: &oracle, ..decided }, bar, fallback);
        let columns = [
            found.underpowered, found.cost_regret, found.quality_regret,
        ];
        prop_assert!(columns.iter().all(|column| close(ratio(column), 0.0)));
        prop_assert!(close(ratio(&found.overprovisioned), 0.0));
    }

    #[test]
    fn columns_move_with_their_rows(
        [_, _, score, cost] in outcomes(),
        choices in choices(),
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let columns = |choices: &[Option<usize>], score: &Matrix, cost: &Matrix| {
            let decided = Decided { choices, score, cost };
            let bar = BarColumns::new(&decided, 0.5, 0);
            let optimal = optimality(&decided, OptimalityReading::Published);
            [
                bar.attainment, bar.violation, bar.underpowered, bar.overprovisioned,
                bar.cost_regret, bar.quality_regret, optimal.selection, optimal.cost,
                optimal.accuracy, selected_scores(&decided), oracle_mix(score, 0.3),
                choice_entropies(score),
            ]
        };
        let straight = columns(&choices, &score, &cost);
        let moved = columns(&reorder(&choices, &order), &score.reorder(&order), &cost.reorder(&order));
        for (straight, moved) in straight.iter().zip(&moved) {
            prop_assert_eq!(&reorder(straight, &order), moved);
        }
    }

    #[test]
    fn optimality_is_a_share_and_the_optimal_choice_has_it_all(
        [_, _, score, cost] in outcomes(), choices in choices(),
    ) {
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let published = optimality(&decided, OptimalityReading::Published);
        let code = optimality(&decided, OptimalityReading::Code);
        prop_assert!(is_share(&published.selection) && is_share(&published.accuracy));
        prop_assert!(is_share(&code.selection) && is_share(&code.cost));
        prop_assert!(ratio(&code.accuracy).is_nan() || close(ratio(&code.accuracy), 1.0));
        // The code looks at fewer requests, with as many hits.
        prop_assert!(ratio(&code.selection).is_nan() || ratio(&code.selection) >= ratio(&published.selection));

        let oracle: Vec<_> = oracle_choices(&score, &cost, 1.0).into_iter().map(Some).collect();
        let best = optimality(&Decided { choices: &oracle, ..decided }, OptimalityReading::Published);
        for column in [best.selection, best.cost, best.accuracy] {
            prop_assert!(ratio(&column).is_nan() || close(ratio(&column), 1.0));
        }
    }

    #[test]
    fn perturbed_choices_agree_with_themselves(choices in choices(), other in choices()) {
        prop_assert!(is_share(&robustness(&choices, &other)));
        let itself = ratio(&robustness(&choices, &choices));
        prop_assert!(itself.is_nan() || close(itself, 1.0));
        prop_assert_eq!(robustness(&choices, &other), robustness(&other, &choices));
    }

    #[test]
    fn entropies_lie_between_0_and_all_candidates(
        scores in prop::collection::vec(-30.0..30.0, 36), shift in -500.0..500.0,
    ) {
        let of = |scores: Vec<f64>| choice_entropies(&Matrix::new(3, scores));
        let shifted = of(scores.iter().map(|score| score + shift).collect());
        for (entropy, shifted) in of(scores).into_iter().zip(shifted) {
            let entropy = entropy.unwrap().0;
            prop_assert!((0.0..=3.0_f64.log2() + CLOSE).contains(&entropy));
            prop_assert!(close(entropy, shifted.unwrap().0));
        }
    }

    #[test]
    fn mixing_in_the_oracle_never_harms([_, _, score, _] in outcomes(), p in 0.0..1.0) {
        let of = |p: f64| ratio(&oracle_mix(&score, p));
        prop_assert!(of(0.0) <= of(p) + CLOSE && of(p) <= of(1.0) + CLOSE);
        prop_assert!(close(of(p), p * of(1.0) + (1.0 - p) * of(0.0)));
    }

    #[test]
    fn steps_pass_at_least_as_often_as_runs_and_matches(
        steps in prop::collection::vec((0_u64..4, 0_usize..3, 0_usize..3, 0.0..1.0), 1..20),
    ) {
        let steps: Vec<Step> = steps
            .into_iter()
            .map(|(run, tier, gold_tier, cost_usd)| Step {
                run, tier, gold_tier, cost_usd, top_cost_usd: 1.0,
            })
            .collect();
        let found = TwinColumns::new(&steps);
        for column in
            [&found.case_pass, &found.exact_match, &found.trajectory_pass, &found.cost_saving]
        {
            let share = ratio(column);
            prop_assert!((-CLOSE..=1.0 + CLOSE).contains(&share));
        }
        prop_assert!(ratio(&found.exact_match) <= ratio(&found.case_pass));
        let mut reversed = steps.clone();
        reversed.reverse();
        prop_assert!(close(TwinColumns::new(&reversed).combined(), found.combined()));
        let top: Vec<Step> = steps.iter().map(|step| Step { tier: 2, ..*step }).collect();
        prop_assert!(close(ratio(&TwinColumns::new(&top).trajectory_pass), 1.0));
    }
}
