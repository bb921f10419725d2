//! Decisions of other routers, as they stand in a file, on the requests that this one is scored on.
//!
//! They are weighed like the default policy's own choices, in the same resamples. How a file is read
//! is the data crate's business.

use std::collections::{BTreeMap, BTreeSet};

use farthing_data::{Decisions, Record};
use schemars::JsonSchema;
use serde::Serialize;

use crate::estimate::{Column, Estimates, Ratios};
use crate::policy::{self, Against, Decided, is_even};
use crate::report::IgnoredCandidate;
use crate::worst::request_name;
use crate::{ChoiceShare, Comparison, Estimate, EvalError};

/// What another router decided, under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRouter {
    /// What the report calls it.
    pub name: String,
    /// Its decisions.
    pub decisions: Decisions,
}

/// Another router on the scored requests that its file decides.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct OtherDecisions {
    /// Its name.
    pub name: String,
    /// Requests that its file decides.
    pub rows: u64,
    /// Of those, requests of the log that are not scored: this router was fitted or certified on them.
    pub seen_rows: u64,
    /// Of those, requests that the log does not have.
    pub unmatched_rows: u64,
    /// Scored requests that it decides. Rows of the log with one id and different prompts are several
    /// requests.
    pub matched_requests: u64,
    /// Decisions on them for models that this router does not have; nothing is known of those, and they
    /// count as undecided.
    pub unknown_models: Vec<IgnoredCandidate>,
    /// What its decisions come to on the matched requests.
    pub figures: DecisionFigures,
    /// This router's default policy beside it.
    pub paired: PairedDecisions,
}

/// What another router's decisions come to, where the log knows the candidate that it chose.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct DecisionFigures {
    /// Matched requests that it decided for a candidate of this router.
    pub decided_requests: u64,
    /// What it chose on those, in this router's order.
    pub choices: Vec<ChoiceShare>,
    /// Decisions whose candidate's score is known.
    pub judged_requests: u64,
    /// Mean score.
    pub quality: Option<Estimate>,
    /// Share with a score at or above the bar, in percent.
    pub attainment_pct: Option<Estimate>,
    /// Decisions whose candidate's cost is known.
    pub costed_requests: u64,
    /// Mean cost of a request in USD.
    pub cost_usd: Option<Estimate>,
    /// Against sending everything to the best single model.
    pub against_best_single: Option<Comparison>,
}

/// The default policy against another router, on the requests that both decided. As in [`Comparison`], a
/// difference is `null` where the log knows far less of the choices that differ than of the others.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PairedDecisions {
    /// Requests that both decided.
    pub requests: u64,
    /// Share of them for which both chose the same candidate, in percent.
    pub same_choice_pct: Option<Estimate>,
    /// Those where both costs are known.
    pub costed_requests: u64,
    /// Cost that the default policy saves, in percent of the other's cost; negative: it costs more.
    pub saving_pct: Option<Estimate>,
    /// Those where both scores are known.
    pub judged_requests: u64,
    /// Mean score of the default policy less that of the other.
    pub quality_difference: Option<Estimate>,
}

/// Another router's decisions, matched to the scored requests.
pub(crate) struct Other {
    name: String,
    rows: u64,
    seen_rows: u64,
    unmatched_rows: u64,
    /// Positions of the requests that it decides.
    requests: Vec<usize>,
    /// Its candidate for every scored request; `None`: undecided, or one that the router lacks.
    choices: Vec<Option<usize>>,
    unknown_models: BTreeMap<String, u64>,
}

/// The ratios of another router.
pub(crate) struct Columns {
    score: Column,
    attainment: Column,
    cost: Column,
    best_single: Option<Against>,
    same: Column,
    costs: Column,
    costs_even: bool,
    scores: Column,
    scores_even: bool,
}

impl Other {
    /// Matches by name: the router's candidates `names`, the scored requests and those `used` in
    /// training. A file that says nothing of the scored requests is refused.
    pub(crate) fn new(
        other: &OtherRouter,
        names: &[String],
        scored: &[&Record],
        used: &[&Record],
    ) -> Result<Self, EvalError> {
        let decided = &other.decisions.models;
        let mut found = Self {
            name: other.name.clone(),
            rows: decided.len() as u64,
            seen_rows: 0,
            unmatched_rows: 0,
            requests: Vec::new(),
            choices: vec![None; scored.len()],
            unknown_models: BTreeMap::new(),
        };
        let mut matched = BTreeSet::new();
        for (i, record) in scored.iter().enumerate() {
            let id = request_name(record);
            let Some(model) = decided.get(&id) else { continue };
            found.requests.push(i);
            found.choices[i] = names.iter().position(|name| name == model);
            if found.choices[i].is_none() {
                *found.unknown_models.entry(model.clone()).or_default() += 1;
            }
            matched.insert(id);
        }
        let seen: BTreeSet<String> = used.iter().map(|record| request_name(record)).collect();
        let seen = seen.iter().filter(|id| !matched.contains(*id) && decided.contains_key(*id));
        found.seen_rows = seen.count() as u64;
        found.unmatched_rows = found.rows - matched.len() as u64 - found.seen_rows;
        if matched.is_empty() {
            let example = |id: Option<String>| id.unwrap_or_default();
            return Err(EvalError::NothingDecided {
                name: other.name.clone(),
                rows: found.rows,
                seen: found.seen_rows,
                theirs: example(decided.keys().next().cloned()),
                ours: example(scored.first().map(|record| request_name(record))),
            });
        }
        Ok(found)
    }

    /// `policy` is the default policy on all scored requests.
    pub(crate) fn columns(&self, policy: &Decided<'_>, ratios: &mut Ratios<'_>) -> Columns {
        let own = self.decided(policy);
        let rows = policy.rows;
        let both = || {
            let pair = |&i: &usize| Some((i, policy.choices[i]?, self.choices[i]?));
            self.requests.iter().filter_map(pair)
        };
        let same = |(i, a, b): (usize, usize, usize)| (i, policy::percent(a == b));
        let costs = |(i, a, b)| Some((i, rows.cost(i, a).zip(rows.cost(i, b))?));
        let scores = |(i, a, b)| Some((i, rows.score(i, a)? - rows.score(i, b)?));
        Columns {
            score: own.score(ratios),
            attainment: own.attainment(ratios),
            cost: own.cost(ratios),
            best_single: own.against.best_single.map(|model| own.against(model, ratios)),
            same: ratios.mean(both().map(same)),
            costs: ratios.ratio(both().filter_map(costs)),
            costs_even: is_even(both().map(|p| (p.0, (p.1 == p.2, costs(p).is_some())))),
            scores: ratios.mean(both().filter_map(scores)),
            scores_even: is_even(both().map(|p| (p.0, (p.1 == p.2, scores(p).is_some())))),
        }
    }

    /// The report of [`Other::columns`] and what was estimated of them.
    pub(crate) fn report(
        &self,
        policy: &Decided<'_>,
        columns: &Columns,
        estimates: &Estimates,
    ) -> OtherDecisions {
        let unknown = |(model, requests): (&String, &u64)| IgnoredCandidate {
            model: model.clone(),
            requests: *requests,
        };
        OtherDecisions {
            rows: self.rows,
            seen_rows: self.seen_rows,
            unmatched_rows: self.unmatched_rows,
            matched_requests: self.requests.len() as u64,
            figures: self.figures(policy, columns, estimates),
            paired: PairedDecisions {
                requests: estimates.known(columns.same),
                same_choice_pct: estimates.of(columns.same),
                costed_requests: estimates.known(columns.costs),
                saving_pct: estimates
                    .of(columns.costs)
                    .filter(|_| columns.costs_even)
                    .map(|ratio| ratio.affine(-100.0, 100.0)),
                judged_requests: estimates.known(columns.scores),
                quality_difference: estimates.of(columns.scores).filter(|_| columns.scores_even),
            },
            name: self.name.clone(),
            unknown_models: self.unknown_models.iter().map(unknown).collect(),
        }
    }

    fn figures(
        &self,
        policy: &Decided<'_>,
        columns: &Columns,
        estimates: &Estimates,
    ) -> DecisionFigures {
        let own = self.decided(policy);
        let decided = self.choices.iter().flatten().count();
        let best_single = columns.best_single.as_ref();
        DecisionFigures {
            decided_requests: decided as u64,
            choices: own.choice_shares(decided),
            judged_requests: estimates.known(columns.score),
            quality: estimates.of(columns.score),
            attainment_pct: estimates.of(columns.attainment),
            costed_requests: estimates.known(columns.cost),
            cost_usd: estimates.of(columns.cost),
            against_best_single: best_single
                .map(|against| against.report(own.against.names, estimates)),
        }
    }

    fn decided<'a>(&'a self, policy: &Decided<'a>) -> Decided<'a> {
        Decided { requests: &self.requests, choices: &self.choices, ..*policy }
    }
}

#[cfg(test)]
mod tests;
