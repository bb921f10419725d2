//! From predictions to a choice.
//!
//! [`decide`] is a pure function of (policy, predictions, constraints, random number): no clock, no
//! state, no generator. Candidates are positions in the router's candidate order here; names belong
//! to [`crate::Decision`].

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::Prediction;

/// The score a user calls good enough.
pub type Bar = f64;

/// A rule, and how often to depart from it in order to learn.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What is chosen.
    pub rule: Rule,
    /// Probability in [0, 1] of choosing uniformly among the eligible candidates, the explore-only
    /// ones included, instead.
    pub explore: f64,
    /// Candidates whose evidence does not suffice for the rule: only exploration chooses them, or
    /// the rule `fixed` on one of them, or a request whose `candidates` names no others.
    pub explore_only: Vec<usize>,
}

impl Policy {
    /// The rule alone: no exploration, no candidate set aside.
    pub fn new(rule: Rule) -> Self {
        Self { rule, explore: 0.0, explore_only: Vec::new() }
    }

    /// Whether the rule passes over a candidate.
    fn sets_aside(&self, candidate: usize, constraints: &Constraints) -> bool {
        let named_alone = constraints
            .candidates
            .as_ref()
            .is_some_and(|only| only.iter().all(|named| self.explore_only.contains(named)));
        let fixed = matches!(self.rule, Rule::Fixed { .. });
        self.explore_only.contains(&candidate) && !named_alone && !fixed
    }
}

/// The rule from predictions to a choice.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The cheapest candidate whose P(score >= bar) is at least the threshold, else the fallback;
    /// never one dearer than an eligible fallback.
    CheapestAboveBar {
        /// Least calibrated probability that counts as good enough.
        threshold: f64,
        /// Chosen when no candidate passes: the reference candidate.
        fallback: usize,
    },
    /// The candidate with the greatest `quality - lambda * cost_usd`.
    Utility {
        /// Quality that one USD is worth.
        lambda: f64,
    },
    /// The candidate with the greatest expected quality; of equals the cheaper.
    BestQuality,
    /// The candidate with the least expected cost.
    Cheapest,
    /// One candidate, always.
    Fixed {
        /// Its position.
        candidate: usize,
    },
}

impl Rule {
    /// Whether the rule compares costs, so that a candidate of unknown price cannot take part.
    fn needs_cost(&self) -> bool {
        match self {
            Self::CheapestAboveBar { .. } | Self::Utility { .. } | Self::Cheapest => true,
            Self::BestQuality | Self::Fixed { .. } => false,
        }
    }
}

/// What may be chosen for one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraints {
    /// Only these candidates, if given.
    pub candidates: Option<Vec<usize>>,
    /// Never these.
    pub exclude: Vec<usize>,
    /// No candidate predicted to cost more, in USD.
    pub max_cost_usd: Option<f64>,
}

/// Why a candidate could not be chosen: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// The request's `candidates` does not list it.
    NotInCandidates,
    /// The request's `exclude` lists it.
    Excluded,
    /// Its price is unknown and the policy compares costs, or the request caps the cost.
    Unpriced,
    /// Its predicted cost is above the request's `max_cost_usd`.
    MaxCost,
    /// The policy is `fixed` on another candidate.
    NotFixed,
    /// Its evidence does not suffice yet, so only exploration chooses it.
    ExploreOnly,
}

/// Why the chosen candidate was chosen: a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The cheapest of those that pass the bar.
    CheapestAboveBar,
    /// None passed the bar, so the reference candidate.
    FallbackReference,
    /// None passed the bar and the reference is not eligible, so the best expected quality.
    FallbackBestQuality,
    /// The greatest utility.
    Utility,
    /// The greatest expected quality.
    BestQuality,
    /// The least expected cost.
    Cheapest,
    /// The policy names it.
    Fixed,
    /// Drawn at random, to learn how it does.
    Explored,
}

/// The outcome of [`decide`].
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Eligible candidates, best first; the first is the choice, the others are fallbacks.
    pub ranked: Vec<usize>,
    /// Why the first one.
    pub reason: Reason,
    /// The least change in one prediction (probability, quality, utility or, for `cheapest`, USD)
    /// that would change the choice; infinite where nothing could.
    pub margin: f64,
    /// Probability with which the policy would choose the first one.
    pub propensity: f64,
    /// For each candidate why it could not be chosen, or `None` if it could.
    pub excluded: Vec<Option<Exclusion>>,
}

/// No candidate satisfies the constraints.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "no candidate is eligible; hint: widen `candidates`, `exclude` or `max_cost_usd`, or price the candidates"
)]
pub struct NoneEligible {
    /// For each candidate why it could not be chosen.
    pub excluded: Vec<Option<Exclusion>>,
}

/// Chooses a candidate. `predictions` has one entry a candidate, in the router's order, with
/// `p_above_bar` at the bar in force; `draw` is uniform in [0, 1) and decides on exploration.
pub fn decide(
    policy: &Policy,
    predictions: &[Prediction],
    constraints: &Constraints,
    draw: f64,
) -> Result<Choice, NoneEligible> {
    let rule = &policy.rule;
    let barred = predictions.iter().enumerate().map(|(i, p)| exclusion(rule, i, p, constraints));
    let mut excluded: Vec<_> = barred.collect();
    // Those that exploration may choose and the rule may not.
    let aside: Vec<usize> = (0..predictions.len())
        .filter(|&i| excluded[i].is_none() && policy.sets_aside(i, constraints))
        .collect();
    for &i in &aside {
        excluded[i] = Some(Exclusion::ExploreOnly);
    }
    let mut ranked: Vec<usize> =
        (0..predictions.len()).filter(|&i| excluded[i].is_none()).collect();
    if ranked.is_empty() {
        return Err(NoneEligible { excluded });
    }
    let (mut reason, margin) = rank(rule, predictions, &mut ranked);
    let explorable = ranked.len() + aside.len();
    let uniform = policy.explore / explorable as f64;
    let mut propensity = 1.0 - policy.explore + uniform;
    if draw < policy.explore {
        // Within [0, explore) the draw is uniform again, so it also picks the candidate.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in [0, len]")]
        let position = ((draw / uniform) as usize).min(explorable - 1);
        if position > 0 {
            let explored = match position.checked_sub(ranked.len()) {
                None => ranked.remove(position),
                Some(position) => aside[position],
            };
            ranked.insert(0, explored);
            excluded[explored] = None;
            (reason, propensity) = (Reason::Explored, uniform);
        }
    }
    Ok(Choice { ranked, reason, margin, propensity, excluded })
}

/// Orders the eligible candidates best first; returns the reason for the first and its margin.
fn rank(rule: &Rule, predictions: &[Prediction], ranked: &mut [usize]) -> (Reason, f64) {
    let quality = |i: usize| predictions[i].quality;
    // Only unpriced candidates of policies that do not compare costs reach the default.
    let cost = |i: usize| predictions[i].cost_usd.unwrap_or(f64::INFINITY);
    match *rule {
        Rule::CheapestAboveBar { threshold, fallback } => {
            let bar = BarRule::new(predictions, ranked, threshold, fallback);
            ranked.sort_by(|&a, &b| bar.order(a, b));
            bar.outcome(ranked)
        }
        Rule::Utility { lambda } => {
            let utility = |i: usize| quality(i) - lambda * cost(i);
            sort_by_key(ranked, |i| -utility(i), cost);
            (Reason::Utility, lead(ranked, utility))
        }
        Rule::BestQuality => {
            sort_by_key(ranked, |i| -quality(i), cost);
            (Reason::BestQuality, lead(ranked, quality))
        }
        Rule::Cheapest => {
            sort_by_key(ranked, cost, |i| -quality(i));
            (Reason::Cheapest, lead(ranked, |i| -cost(i)))
        }
        Rule::Fixed { .. } => (Reason::Fixed, f64::INFINITY),
    }
}

fn exclusion(
    rule: &Rule,
    candidate: usize,
    prediction: &Prediction,
    constraints: &Constraints,
) -> Option<Exclusion> {
    if constraints.candidates.as_ref().is_some_and(|only| !only.contains(&candidate)) {
        return Some(Exclusion::NotInCandidates);
    }
    if constraints.exclude.contains(&candidate) {
        return Some(Exclusion::Excluded);
    }
    if matches!(rule, Rule::Fixed { candidate: fixed } if *fixed != candidate) {
        return Some(Exclusion::NotFixed);
    }
    match (prediction.cost_usd, constraints.max_cost_usd) {
        (None, cap) => (cap.is_some() || rule.needs_cost()).then_some(Exclusion::Unpriced),
        (Some(cost), Some(cap)) if cost > cap => Some(Exclusion::MaxCost),
        (Some(_), _) => None,
    }
}

/// Stable: equal keys stay in candidate order.
fn sort_by_key(ranked: &mut [usize], key: impl Fn(usize) -> f64, then: impl Fn(usize) -> f64) {
    ranked.sort_by(|&a, &b| match key(a).total_cmp(&key(b)) {
        Ordering::Equal => then(a).total_cmp(&then(b)),
        order @ (Ordering::Less | Ordering::Greater) => order,
    });
}

/// By how much the first of the ranking leads the second.
fn lead(ranked: &[usize], value: impl Fn(usize) -> f64) -> f64 {
    ranked.get(1).map_or(f64::INFINITY, |&second| value(ranked[0]) - value(second))
}

/// The bar rule on one request.
struct BarRule<'a> {
    predictions: &'a [Prediction],
    threshold: f64,
    fallback: usize,
    /// Only cheaper candidates can pass: the rule saves, it never buys up. Infinite where the
    /// fallback itself is not eligible.
    limit_usd: f64,
}

impl<'a> BarRule<'a> {
    fn new(
        predictions: &'a [Prediction],
        eligible: &[usize],
        threshold: f64,
        fallback: usize,
    ) -> Self {
        let limit = predictions.get(fallback).filter(|_| eligible.contains(&fallback));
        let limit_usd = limit.and_then(|p| p.cost_usd).unwrap_or(f64::INFINITY);
        Self { predictions, threshold, fallback, limit_usd }
    }

    fn p(&self, i: usize) -> f64 {
        self.predictions[i].p_above_bar
    }

    fn cost(&self, i: usize) -> f64 {
        self.predictions[i].cost_usd.unwrap_or(f64::INFINITY)
    }

    fn may_pass(&self, i: usize) -> bool {
        i == self.fallback || self.cost(i) < self.limit_usd
    }

    fn passes(&self, i: usize) -> bool {
        self.may_pass(i) && self.p(i) >= self.threshold
    }

    /// Those that pass by rising cost, then the fallback, then the others by falling quality.
    fn order(&self, a: usize, b: usize) -> Ordering {
        let quality = |i: usize| self.predictions[i].quality;
        let (pass_a, pass_b) = (self.passes(a), self.passes(b));
        pass_b.cmp(&pass_a).then_with(|| {
            if pass_a {
                self.cost(a).total_cmp(&self.cost(b)).then(self.p(b).total_cmp(&self.p(a)))
            } else {
                (b == self.fallback)
                    .cmp(&(a == self.fallback))
                    .then(quality(b).total_cmp(&quality(a)))
            }
        })
    }

    /// Reason and margin: how far the choice is from failing, or a candidate that would then be
    /// preferred from passing.
    fn outcome(&self, ranked: &[usize]) -> (Reason, f64) {
        let first = ranked[0];
        let passes = self.passes(first);
        let rival = |&i: &usize| {
            i != first
                && self.may_pass(i)
                && self.p(i) < self.threshold
                && (!passes || self.cost(i) < self.cost(first))
        };
        let nearest_rival = ranked
            .iter()
            .copied()
            .filter(rival)
            .map(|i| self.threshold - self.p(i))
            .fold(f64::INFINITY, f64::min);
        if passes {
            // The fallback stays where it is when it fails.
            let alone = ranked.len() == 1 || first == self.fallback;
            let own = if alone { f64::INFINITY } else { self.p(first) - self.threshold };
            (Reason::CheapestAboveBar, nearest_rival.min(own))
        } else if first == self.fallback {
            (Reason::FallbackReference, nearest_rival)
        } else {
            (Reason::FallbackBestQuality, nearest_rival)
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            check(bar(0.8), [0.7, 0.85, 0.95]),
            (vec![1, 2, 0], Reason::CheapestAboveBar, 0.05)
        );
        assert_eq!(
            check(bar(0.8), [0.9, 0.85, 0.95]),
            (vec![0, 1, 2], Reason::CheapestAboveBar, 0.1)
        );
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
        assert_eq!(
            check(Rule::Cheapest, [0.7, 0.9, 0.95]),
            (vec![0, 1, 2], Reason::Cheapest, 0.001)
        );
        assert_eq!(check(Rule::Fixed { candidate: 1 }, [0.7, 0.9, 0.95]).0, [1]);
    }

    #[test]
    fn constraints_name_what_excluded() {
        let mut predictions = predictions([0.9, 0.9, 0.9]);
        predictions[0].cost_usd = None;
        let constraints =
            Constraints { candidates: None, exclude: vec![1], max_cost_usd: Some(0.005) };
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
        ]
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
            let policy = Policy { rule, explore, explore_only };
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
            rule in rules(), p in proptest::array::uniform3(0.0..1.0), cap in 0.0..0.02, draw in 0.0..1.0,
            explore_only in proptest::collection::vec(0_usize..3, 0..3),
        ) {
            let policy = Policy { rule, explore: 0.5, explore_only };
            let constraints = Constraints { max_cost_usd: Some(cap), ..Constraints::default() };
            match decide(&policy, &predictions(p), &constraints, draw) {
                Ok(choice) => for i in 0..3 {
                    prop_assert_eq!(choice.ranked.contains(&i), choice.excluded[i].is_none());
                },
                Err(none) => prop_assert!(none.excluded.iter().all(Option::is_some)),
            }
        }
    }
}
