//! What may be chosen for one request, and why a candidate may not be.
//!
//! Applied before a rule ranks; whether a candidate meets what a request needs is told by
//! [`crate::CandidateFacts`], not here.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::Prediction;

/// What may be chosen for one request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Constraints {
    /// Only these candidates, if given.
    pub candidates: Option<Vec<usize>>,
    /// Never these.
    pub exclude: Vec<usize>,
    /// No candidate predicted to cost more, in USD.
    pub max_cost_usd: Option<f64>,
    /// Candidates that do not meet what the request needs (see [`crate::CandidateFacts::unmet`]) or that
    /// stand aside for another reason, each with what it fails.
    pub unmet: Vec<(usize, Exclusion)>,
    /// Candidates that do not answer at present.
    pub unhealthy: Vec<usize>,
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
    /// The request and the answer it allows do not fit its context window.
    ContextWindow,
    /// The request allows a longer answer than it can give.
    MaxOutputTokens,
    /// The request offers tools and it cannot call any.
    Tools,
    /// The request shows images and it cannot see.
    Vision,
    /// The request asks for an answer of a JSON schema and it cannot keep to one.
    JsonSchema,
    /// It is in none of the regions that the request asks for, or its region is unknown.
    Region,
    /// It lacks a tag that the request asks for.
    Tag,
    /// It does not answer at present.
    Unhealthy,
    /// No upstream is configured that serves it to requests of this kind.
    NoUpstream,
    /// A rule of the configuration passes over it.
    Rule,
    /// It is expected to answer later than the request's `max_latency_ms`.
    MaxLatency,
}

impl Constraints {
    /// Why a candidate cannot be chosen by a rule, if anything stands against it.
    pub(super) fn exclusion(
        &self,
        rule: &Rule,
        candidate: usize,
        prediction: &Prediction,
    ) -> Option<Exclusion> {
        if self.candidates.as_ref().is_some_and(|only| !only.contains(&candidate)) {
            return Some(Exclusion::NotInCandidates);
        }
        if self.exclude.contains(&candidate) {
            return Some(Exclusion::Excluded);
        }
        if matches!(rule, Rule::Fixed { candidate: fixed } if *fixed != candidate) {
            return Some(Exclusion::NotFixed);
        }
        if let Some(need) = self.unmet_by(candidate) {
            return Some(need);
        }
        if self.unhealthy.contains(&candidate) {
            return Some(Exclusion::Unhealthy);
        }
        match (prediction.cost_usd, self.max_cost_usd) {
            (None, cap) => (cap.is_some() || rule.needs_cost()).then_some(Exclusion::Unpriced),
            (Some(cost), Some(cap)) if cost > cap => Some(Exclusion::MaxCost),
            (Some(_), _) => None,
        }
    }

    /// Whether the request cannot or must not reach a candidate, whatever the alternative: it excludes it
    /// by name, says where its data may go, a rule forbids it, or there is no way to it.
    pub(super) fn forbid(&self, candidate: usize) -> bool {
        let unmet = self.unmet_by(candidate);
        self.exclude.contains(&candidate)
            || matches!(
                unmet,
                Some(Exclusion::Region | Exclusion::Tag | Exclusion::NoUpstream | Exclusion::Rule)
            )
    }

    fn unmet_by(&self, candidate: usize) -> Option<Exclusion> {
        self.unmet.iter().find(|(position, _)| *position == candidate).map(|(_, need)| *need)
    }
}
