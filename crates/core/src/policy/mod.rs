//! From predictions to a choice.
//!
//! [`decide`] is a pure function of (policy, predictions, constraints, random number): no clock, no
//! state, no generator. Candidates are positions in the router's candidate order here; names belong
//! to [`crate::Decision`].

mod bar;
mod constraints;
mod rank;

use serde::{Deserialize, Serialize};

use crate::Prediction;
pub use constraints::{Constraints, Exclusion};
use rank::rank;

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
    /// the rule `fixed` on one of them, or a request or a configuration that names no others.
    pub explore_only: Vec<usize>,
    /// Chosen where nobody is eligible, unless the request excludes it by name or its data may not
    /// go there.
    pub when_none_eligible: Option<usize>,
}

impl Policy {
    /// The rule alone: no exploration, no candidate set aside, nobody where nobody is eligible.
    pub fn new(rule: Rule) -> Self {
        Self { rule, explore: 0.0, explore_only: Vec::new(), when_none_eligible: None }
    }

    /// Whether the rule passes over candidates whose evidence does not suffice: not where it names one, nor
    /// where request and configuration name no others.
    fn sets_aside(&self, excluded: &[Option<Exclusion>]) -> bool {
        let not_named = |exclusion: Option<Exclusion>| {
            matches!(exclusion, Some(Exclusion::NotInCandidates | Exclusion::Rule))
        };
        let others = |(i, exclusion): (usize, &Option<Exclusion>)| {
            !self.explore_only.contains(&i) && !not_named(*exclusion)
        };
        let fixed = matches!(self.rule, Rule::Fixed { .. });
        !fixed && excluded.iter().enumerate().any(others)
    }

    /// What is chosen where nobody is eligible. It stays listed as excluded: what stood against it
    /// has not gone away.
    fn without_eligible(
        &self,
        constraints: &Constraints,
        excluded: Vec<Option<Exclusion>>,
    ) -> Result<Choice, NoneEligible> {
        match self.when_none_eligible.filter(|&candidate| !constraints.forbid(candidate)) {
            Some(candidate) => Ok(Choice {
                ranked: vec![candidate],
                reason: Reason::NoneEligibleDefault,
                margin: f64::INFINITY,
                propensity: 1.0,
                excluded,
            }),
            None => Err(NoneEligible { excluded }),
        }
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
    /// Nobody was eligible, so the candidate that is configured for that case.
    NoneEligibleDefault,
    /// The client named it.
    Requested,
    /// The session it belongs to stays with it.
    Session,
    /// A rule of the configuration names it.
    Rule,
}

/// The outcome of [`decide`].
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Eligible candidates, best first; the first is the choice, the others are fallbacks. Where
    /// nobody was eligible, the configured candidate alone.
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
    "no candidate is eligible; hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured"
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
    let barred = predictions.iter().enumerate().map(|(i, p)| constraints.exclusion(rule, i, p));
    let mut excluded: Vec<_> = barred.collect();
    // Those that exploration may choose and the rule may not.
    let sets_aside = policy.sets_aside(&excluded);
    let aside: Vec<usize> = (0..predictions.len())
        .filter(|i| sets_aside && excluded[*i].is_none() && policy.explore_only.contains(i))
        .collect();
    for &i in &aside {
        excluded[i] = Some(Exclusion::ExploreOnly);
    }
    let mut ranked: Vec<usize> =
        (0..predictions.len()).filter(|&i| excluded[i].is_none()).collect();
    if ranked.is_empty() {
        return policy.without_eligible(constraints, excluded);
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

#[cfg(test)]
mod tests;
