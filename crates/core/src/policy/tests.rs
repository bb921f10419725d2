//! Rules and constraints on three candidates, and what holds for all of them.

use proptest::prelude::*;

use super::*;

const DEAR: usize = 2;

/// Three candidates: cheap, middle, dear.
fn predictions(p: [f64; 3]) -> Vec<Prediction> {
    let costs = [0.001, 0.002, 0.01];
    let of = |i: usize| Prediction {
        quality: p[i],
        p_above_bar: p[i],
        cost_usd: Some(costs[i]),
        output_tokens: None,
        output_tokens_q90: None,
    };
    (0..3).map(of).collect()
}

fn check(rule: Rule, p: [f64; 3]) -> (Vec<usize>, Reason, f64) {
    let policy = Policy::new(rule);
    let choice = decide(&policy, &predictions(p), &Constraints::default(), 0.0).unwrap();
    (choice.ranked, choice.reason, (choice.margin * 1e6).round() / 1e6)
}

#[test]
fn the_bar_rule_never_buys_up() {
    let rule = |fallback| Rule::CheapestAboveBar { threshold: 0.8, fallback };
    let cheap = check(rule(0), [0.7, 0.85, 0.95]);
    assert_eq!(cheap, (vec![0, 2, 1], Reason::FallbackReference, f64::INFINITY));
    assert_eq!(check(rule(1), [0.7, 0.75, 0.95]).0, [1, 2, 0]);
    assert_eq!(check(rule(1), [0.8, 0.75, 0.95]).0, [0, 1, 2]);
    // Without its fallback the rule is the cheapest that passes.
    let policy = Policy::new(rule(0));
    let constraints = Constraints { exclude: vec![0], ..Constraints::default() };
    let choice = decide(&policy, &predictions([0.7, 0.85, 0.95]), &constraints, 0.0).unwrap();
    assert_eq!((choice.ranked, choice.reason), (vec![1, 2], Reason::CheapestAboveBar));
}

fn bar(threshold: f64) -> Rule {
    Rule::CheapestAboveBar { threshold, fallback: DEAR }
}

#[test]
fn the_bar_rule_takes_the_cheapest_that_passes() {
    assert_eq!(check(bar(0.8), [0.7, 0.85, 0.95]), (vec![1, 2, 0], Reason::CheapestAboveBar, 0.05));
    assert_eq!(check(bar(0.8), [0.9, 0.85, 0.95]), (vec![0, 1, 2], Reason::CheapestAboveBar, 0.1));
    assert_eq!(
        check(bar(0.99), [0.7, 0.98, 0.95]),
        (vec![2, 1, 0], Reason::FallbackReference, 0.01)
    );
}

#[test]
fn the_other_rules() {
    assert_eq!(check(Rule::Utility { lambda: 0.0 }, [0.7, 0.9, 0.95]).0, [2, 1, 0]);
    assert_eq!(check(Rule::Utility { lambda: 1e4 }, [0.7, 0.9, 0.95]).0, [0, 1, 2]);
    assert_eq!(
        check(Rule::BestQuality, [0.7, 0.9, 0.9]),
        (vec![1, 2, 0], Reason::BestQuality, 0.0)
    );
    assert_eq!(check(Rule::Cheapest, [0.7, 0.9, 0.95]), (vec![0, 1, 2], Reason::Cheapest, 0.001));
    assert_eq!(check(Rule::Fixed { candidate: 1 }, [0.7, 0.9, 0.95]).0, [1]);
}

#[test]
fn constraints_name_what_excluded() {
    let mut predictions = predictions([0.9, 0.9, 0.9]);
    predictions[0].cost_usd = None;
    let constraints =
        Constraints { exclude: vec![1], max_cost_usd: Some(0.005), ..Constraints::default() };
    let policy = Policy::new(bar(0.5));
    let error = decide(&policy, &predictions, &constraints, 0.0).unwrap_err();
    let expected = [Exclusion::Unpriced, Exclusion::Excluded, Exclusion::MaxCost];
    assert_eq!(error.excluded, expected.map(Some));
}

#[test]
fn an_unpriced_candidate_may_win_on_quality_alone() {
    let mut predictions = predictions([0.9, 0.8, 0.7]);
    predictions[0].cost_usd = None;
    let choose = |rule| {
        let policy = Policy::new(rule);
        decide(&policy, &predictions, &Constraints::default(), 0.0).unwrap().ranked[0]
    };
    assert_eq!(choose(Rule::BestQuality), 0);
    assert_eq!(choose(bar(0.5)), 1);
}

#[test]
fn exploration_is_uniform_and_its_propensities_are_true() {
    let policy = Policy { explore: 0.3, ..Policy::new(bar(0.8)) };
    let predictions = predictions([0.9, 0.9, 0.9]);
    let mut chosen = [0_u32; 3];
    let mut propensity = [0.0; 3];
    for i in 0..1000 {
        let draw = f64::from(i) / 1000.0;
        let choice = decide(&policy, &predictions, &Constraints::default(), draw).unwrap();
        chosen[choice.ranked[0]] += 1;
        propensity[choice.ranked[0]] = choice.propensity;
    }
    assert_eq!(chosen, [800, 100, 100]);
    assert!(propensity.iter().zip([0.8, 0.1, 0.1]).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn an_explore_only_candidate_is_chosen_by_exploration_alone() {
    let policy = Policy { explore: 0.3, explore_only: vec![0], ..Policy::new(bar(0.8)) };
    let predictions = predictions([0.9, 0.9, 0.9]);
    let mut chosen = [0_u32; 3];
    for i in 0..1000 {
        let draw = f64::from(i) / 1000.0;
        let choice = decide(&policy, &predictions, &Constraints::default(), draw).unwrap();
        chosen[choice.ranked[0]] += 1;
        let explored = choice.ranked[0] == 0;
        assert_eq!(choice.excluded[0], (!explored).then_some(Exclusion::ExploreOnly));
        assert!((choice.propensity - [0.1, 0.8, 0.1][choice.ranked[0]]).abs() < 1e-12);
    }
    assert_eq!(chosen, [100, 800, 100]);
}

#[test]
fn an_explore_only_candidate_serves_where_nothing_else_is_asked_for() {
    let first = |rule, candidates: Option<Vec<usize>>| {
        let policy = Policy { explore_only: vec![0], ..Policy::new(rule) };
        let constraints = Constraints { candidates, ..Constraints::default() };
        decide(&policy, &predictions([0.9, 0.5, 0.4]), &constraints, 0.0).unwrap().ranked[0]
    };
    assert_eq!(first(Rule::BestQuality, None), 1);
    assert_eq!(first(Rule::BestQuality, Some(vec![0, 2])), 2);
    assert_eq!(first(Rule::BestQuality, Some(vec![0])), 0);
    assert_eq!(first(Rule::Fixed { candidate: 0 }, None), 0);
    // Setting the others aside does not promote it.
    let policy = Policy { explore_only: vec![0], ..Policy::new(Rule::Cheapest) };
    let constraints = Constraints { exclude: vec![1, 2], ..Constraints::default() };
    let none = decide(&policy, &predictions([0.9; 3]), &constraints, 0.0).unwrap_err();
    assert_eq!(none.excluded[0], Some(Exclusion::ExploreOnly));
}

fn rules() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (0.0..1.0, 0_usize..3)
            .prop_map(|(threshold, fallback)| Rule::CheapestAboveBar { threshold, fallback }),
        (0.0..1e4).prop_map(|lambda| Rule::Utility { lambda }),
        Just(Rule::BestQuality),
        Just(Rule::Cheapest),
        (0_usize..3).prop_map(|candidate| Rule::Fixed { candidate }),
    ]
}

fn constraints() -> impl Strategy<Value = Constraints> {
    use proptest::collection::vec;
    let needs = prop_oneof![
        Just(Exclusion::ContextWindow),
        Just(Exclusion::Tools),
        Just(Exclusion::Region),
        Just(Exclusion::Tag),
    ];
    let some = || vec(0_usize..3, 0..2);
    (
        proptest::option::of(vec(0_usize..3, 0..4)),
        some(),
        proptest::option::of(0.0..0.02),
        vec((0_usize..3, needs), 0..2),
        some(),
    )
        .prop_map(|(candidates, exclude, max_cost_usd, unmet, unhealthy)| Constraints {
            candidates,
            exclude,
            max_cost_usd,
            unmet,
            unhealthy,
        })
}

proptest! {
    /// A change smaller than the margin never changes the choice.
    #[test]
    fn the_margin_is_a_promise(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), which in 0_usize..3, up: bool,
    ) {
        let policy = Policy::new(rule);
        let mut changed = predictions(p);
        let choice = decide(&policy, &changed, &Constraints::default(), 0.0).unwrap();
        let step = 0.999 * choice.margin.min(1.0) * if up { 1.0 } else { -1.0 };
        if matches!(policy.rule, Rule::Cheapest) {
            changed[which].cost_usd = changed[which].cost_usd.map(|c| c + step);
        } else {
            changed[which].quality += step;
            changed[which].p_above_bar += step;
        }
        let after = decide(&policy, &changed, &Constraints::default(), 0.0).unwrap();
        // The fallback's rival is chosen by quality, which the bar rule's margin does not cover.
        if choice.reason != Reason::FallbackBestQuality {
            prop_assert_eq!(after.ranked[0], choice.ranked[0]);
        }
    }

    /// Each choice is as frequent as its propensity says, and the propensities add up to 1.
    #[test]
    fn propensities_are_a_distribution(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), explore in 0.0..=1.0,
        explore_only in proptest::collection::vec(0_usize..3, 0..2), cap in 0.0..0.02,
    ) {
        let policy = Policy { explore, explore_only, ..Policy::new(rule) };
        let constraints = Constraints { max_cost_usd: Some(cap), ..Constraints::default() };
        let (mut share, mut propensity) = ([0.0; 3], [0.0; 3]);
        for i in 0..1000 {
            let draw = (f64::from(i) + 0.5) / 1000.0;
            let Ok(choice) = decide(&policy, &predictions(p), &constraints, draw) else {
                return Ok(());
            };
            share[choice.ranked[0]] += 0.001;
            propensity[choice.ranked[0]] = choice.propensity;
        }
        for (share, propensity) in share.iter().zip(propensity) {
            prop_assert!((share - propensity).abs() < 0.0021, "{share} {propensity}");
        }
        // A candidate explored with less than 1 in 1,000 may never come up.
        let sum: f64 = propensity.iter().sum();
        prop_assert!((sum - 1.0).abs() < 0.0031, "{sum}");
    }

    /// Every candidate is either ranked or excluded, never both.
    #[test]
    fn ranked_and_excluded_partition_the_candidates(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), draw in 0.0..1.0,
        explore_only in proptest::collection::vec(0_usize..3, 0..3), constraints in constraints(),
    ) {
        let policy = Policy { explore: 0.5, explore_only, ..Policy::new(rule) };
        match decide(&policy, &predictions(p), &constraints, draw) {
            Ok(choice) => for i in 0..3 {
                prop_assert_eq!(choice.ranked.contains(&i), choice.excluded[i].is_none());
            },
            Err(none) => prop_assert!(none.excluded.iter().all(Option::is_some)),
        }
    }

    /// Neither a rule nor exploration ranks a candidate that a constraint stands against.
    #[test]
    fn no_choice_violates_a_constraint(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), draw in 0.0..1.0,
        constraints in constraints(),
    ) {
        let policy = Policy { explore: 0.5, ..Policy::new(rule) };
        let predictions = predictions(p);
        let Ok(choice) = decide(&policy, &predictions, &constraints, draw) else { return Ok(()) };
        for i in choice.ranked {
            prop_assert!(constraints.candidates.as_ref().is_none_or(|only| only.contains(&i)));
            prop_assert!(!constraints.exclude.contains(&i));
            prop_assert!(!constraints.unhealthy.contains(&i));
            prop_assert!(constraints.unmet.iter().all(|(unmet, _)| *unmet != i));
            let cost = predictions[i].cost_usd;
            prop_assert!(constraints.max_cost_usd.is_none_or(|cap| cost.is_some_and(|c| c <= cap)));
        }
    }

    /// Who is eligible is the intersection of who is under each constraint alone.
    #[test]
    fn the_order_of_constraints_does_not_matter(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), constraints in constraints(),
    ) {
        let policy = Policy::new(rule);
        let Constraints { candidates, exclude, max_cost_usd, unmet, unhealthy } = constraints.clone();
        let each = [
            Constraints { candidates, ..Constraints::default() },
            Constraints { exclude, ..Constraints::default() },
            Constraints { max_cost_usd, ..Constraints::default() },
            Constraints { unmet, ..Constraints::default() },
            Constraints { unhealthy, ..Constraints::default() },
        ];
        let eligible = |constraints: &Constraints| {
            let excluded = match decide(&policy, &predictions(p), constraints, 0.0) {
                Ok(choice) => choice.excluded,
                Err(none) => none.excluded,
            };
            (0..3).filter(|&i| excluded[i].is_none()).collect::<Vec<_>>()
        };
        let mut both: Vec<usize> = (0..3).collect();
        for constraints in &each {
            let eligible = eligible(constraints);
            both.retain(|i| eligible.contains(i));
        }
        prop_assert_eq!(eligible(&constraints), both);
    }

    /// Where nobody is eligible the configured candidate is chosen, unless it must not be reached.
    #[test]
    fn a_default_stands_in_only_for_nobody(
        rule in rules(), p in proptest::array::uniform3(0.0..1.0), constraints in constraints(),
        default in 0_usize..3,
    ) {
        let without = Policy::new(rule);
        let policy = Policy { when_none_eligible: Some(default), ..without.clone() };
        let choice = decide(&policy, &predictions(p), &constraints, 0.0);
        let Err(none) = decide(&without, &predictions(p), &constraints, 0.0) else {
            prop_assert_ne!(choice.unwrap().reason, Reason::NoneEligibleDefault);
            return Ok(());
        };
        let elsewhere = |&(i, need): &(usize, Exclusion)| {
            i == default && [Exclusion::Region, Exclusion::Tag].contains(&need)
        };
        if constraints.exclude.contains(&default) || constraints.unmet.iter().any(elsewhere) {
            prop_assert_eq!(choice, Err(none));
        } else {
            let choice = choice.unwrap();
            prop_assert_eq!(choice.ranked, [default]);
            prop_assert_eq!(choice.reason, Reason::NoneEligibleDefault);
            prop_assert_eq!(choice.excluded, none.excluded);
        }
    }
}
