//! What those who run a router say of it beside what it has learned: facts about its candidates, and rules
//! around its choices.

use std::collections::BTreeSet;

use farthing_core::rules::{ConditionalRule, Rules};
use farthing_core::{Bar, CandidateFacts, CandidateSettings};

use super::Router;

/// Names that stand in settings and not in the router.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the settings name candidates that the router does not have: {}; hint: it has {}",
    quoted(unknown),
    quoted(known)
)]
pub struct UnknownCandidates {
    /// Those that it does not have.
    pub unknown: Vec<String>,
    /// Those that it has.
    pub known: Vec<String>,
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Rules that ask of a router what it does not have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RulesError {
    /// Candidates.
    #[error(transparent)]
    Candidates(#[from] UnknownCandidates),
    /// A bar that it was not trained for.
    #[error("the rule `{rule}` sets the bar {bar}; hint: the router is trained for {trained}")]
    Bar {
        /// Name of the rule.
        rule: String,
        /// The bar.
        bar: Bar,
        /// Those that there are.
        trained: String,
    },
    /// A policy.
    #[error("the rule `{rule}` sets the policy `{policy}`; hint: the router has {known}")]
    Policy {
        /// Name of the rule.
        rule: String,
        /// The policy.
        policy: String,
        /// Those that there are.
        known: String,
    },
}

impl Router {
    /// The same router with what is said of its candidates, or the names in it that it does not have.
    pub fn with_candidate_settings(
        mut self,
        settings: &CandidateSettings,
    ) -> Result<Self, UnknownCandidates> {
        let CandidateSettings { facts, when_none_eligible } = settings;
        let mut unknown: Vec<String> = facts
            .keys()
            .chain(when_none_eligible)
            .filter(|n| !self.names.contains(n))
            .cloned()
            .collect();
        unknown.dedup();
        if !unknown.is_empty() {
            return Err(UnknownCandidates { unknown, known: self.names });
        }
        let known = |name: &String| facts.get(name).cloned().unwrap_or_default();
        self.facts = self.names.iter().map(known).collect();
        let named = |name: &String| self.names.iter().position(|known| known == name);
        self.when_none_eligible = when_none_eligible.as_ref().and_then(named);
        Ok(self)
    }

    /// The same router with rules around its choices, or what in them it does not have.
    pub fn with_rules(mut self, rules: &Rules) -> Result<Self, RulesError> {
        let unknown: BTreeSet<_> =
            rules.candidates().filter(|name| !self.names.contains(name)).cloned().collect();
        if !unknown.is_empty() {
            let (unknown, known) = (unknown.into_iter().collect(), self.names);
            return Err(UnknownCandidates { unknown, known }.into());
        }
        for ConditionalRule { name, then, .. } in &rules.list {
            let rule = name.to_string();
            if let Some(bar) = then.bar.filter(|bar| self.bar_index(*bar).is_none()) {
                let bars = self.manifest.bars.iter().map(|card| card.bar.to_string());
                let trained = bars.collect::<Vec<_>>().join(", ");
                return Err(RulesError::Bar { rule, bar, trained });
            }
            let policies = &self.manifest.policies;
            let is_unknown = |name: &&String| *name != "default" && !policies.contains_key(*name);
            if let Some(policy) = then.policy.as_ref().filter(is_unknown) {
                let known = quoted(&policies.keys().cloned().collect::<Vec<_>>());
                return Err(RulesError::Policy { rule, policy: policy.clone(), known });
            }
        }
        self.rules = rules.clone();
        Ok(self)
    }

    /// The rules around its choices.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What each candidate can do.
    pub(crate) fn facts(&self) -> &[CandidateFacts] {
        &self.facts
    }
}
