//! A policy as it would serve: every scored request is decided on; quality and cost are read where
//! the log knows the chosen candidate's.

use farthing_core::Reason;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::{Column, Estimates, Ratios};
use crate::rows::{Rows, known};

/// How well decisions for other models must be known, compared with those for the same one.
const LEAST_EVENNESS: f64 = 0.9;

/// A policy as it would serve.
///
/// In a log where not every candidate answered, the figures rest on the requests whose logged
/// candidate is the chosen one; they are unbiased only where candidates were logged at random.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PolicyReport {
    /// Its name.
    pub policy: String,
    /// Requests on which it decided.
    pub decided_requests: u64,
    /// Requests for which no candidate was eligible.
    pub undecided_requests: u64,
    /// What it chose, in the router's order.
    pub choices: Vec<ChoiceShare>,
    /// Why it chose as it did, in the order of the first of each.
    pub reasons: Vec<ReasonShare>,
    /// Share of decisions for which no candidate was expected to be good enough, so that the fallback
    /// serves, in percent.
    pub abstained_pct: Option<Estimate>,
    /// Share of decisions for a candidate predicted to be cheaper than the reference, in percent.
    pub downgraded_pct: Option<Estimate>,
    /// Decisions whose candidate's score is known.
    pub judged_requests: u64,
    /// Mean score.
    pub quality: Option<Estimate>,
    /// Share with a score at or above the bar, in percent.
    pub attainment_pct: Option<Estimate>,
    /// Share of downgraded requests that miss the bar, in percent.
    pub downgraded_miss_pct: Option<Estimate>,
    /// Share of downgraded requests that miss the bar where the reference meets it, in percent.
    pub downgraded_excess_miss_pct: Option<Estimate>,
    /// Decisions whose candidate's cost is known.
    pub costed_requests: u64,
    /// Mean cost of a request in USD.
    pub cost_usd: Option<Estimate>,
    /// Against sending everything to the best single model.
    pub against_best_single: Option<Comparison>,
    /// Against sending everything to the reference candidate.
    pub against_reference: Comparison,
}

/// How often a candidate was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChoiceShare {
    /// Its name.
    pub model: String,
    /// Decisions for it.
    pub requests: u64,
    /// Their share, in percent.
    pub share_pct: f64,
}

/// How often a choice had a reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReasonShare {
    /// The reason.
    #[schemars(with = "String")]
    pub reason: Reason,
    /// Decisions with it.
    pub requests: u64,
    /// Their share, in percent.
    pub share_pct: f64,
}

/// A policy against one model, over the requests where both are known.
///
/// Where the policy chose that very model one outcome is enough, else the log must know two. A log that
/// knows the latter far more rarely would make every difference 0: a figure is `null` where it knows
/// less than nine tenths as large a share of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// The model.
    pub model: String,
    /// Requests where both costs are known.
    pub costed_requests: u64,
    /// Cost saved, in percent of the model's cost; negative: the policy costs more.
    pub saving_pct: Option<Estimate>,
    /// Requests where both scores are known.
    pub judged_requests: u64,
    /// Mean score of the policy less that of the model.
    pub quality_difference: Option<Estimate>,
}

/// What a policy is judged against.
pub(crate) struct Yardsticks<'a> {
    pub(crate) names: &'a [String],
    pub(crate) reference: usize,
    pub(crate) best_single: Option<usize>,
    pub(crate) bar: f64,
}

/// What a policy does on some of the scored requests.
#[derive(Clone, Copy)]
pub(crate) struct Decided<'a> {
    pub(crate) rows: &'a Rows,
    /// Positions of the requests looked at.
    pub(crate) requests: &'a [usize],
    /// The candidate of every scored request; `None` where none was eligible.
    pub(crate) choices: &'a [Option<usize>],
    pub(crate) against: &'a Yardsticks<'a>,
}

/// A policy's ratios.
#[derive(Debug)]
pub(crate) struct Columns {
    abstained: Column,
    downgraded: Column,
    score: Column,
    attainment: Column,
    miss: Column,
    excess_miss: Column,
    cost: Column,
    best_single: Option<Against>,
    reference: Against,
}

/// Ratios of a policy to one model.
#[derive(Debug)]
pub(crate) struct Against {
    model: usize,
    costs: Column,
    /// Whether costs are known of decisions for other models as well as of those for this one.
    costs_even: bool,
    scores: Column,
    scores_even: bool,
}

impl Against {
    /// Over requests where both are known.
    pub(crate) fn report(&self, names: &[String], estimates: &Estimates) -> Comparison {
        Comparison {
            model: names[self.model].clone(),
            costed_requests: estimates.known(self.costs),
            saving_pct: estimates
                .of(self.costs)
                .filter(|_| self.costs_even)
                .map(|ratio| ratio.affine(-100.0, 100.0)),
            judged_requests: estimates.known(self.scores),
            quality_difference: estimates.of(self.scores).filter(|_| self.scores_even),
        }
    }
}

impl Decided<'_> {
    pub(crate) fn columns(&self, ratios: &mut Ratios<'_>) -> Columns {
        let against = self.against;
        let miss = |i, chosen| Some(percent(!self.met(i, chosen)?));
        let excess = |i, chosen| {
            let (met, reference) = self.met(i, chosen).zip(self.met(i, against.reference))?;
            Some(percent(!met && reference))
        };
        let downgraded = |i, chosen| self.is_downgraded(i, chosen);
        let abstained = |i: usize, _| self.rows.reasons[i].map(|why| percent(is_fallback(why)));
        Columns {
            abstained: ratios.mean(self.each(abstained)),
            downgraded: ratios.mean(self.each(|i, c| Some(percent(downgraded(i, c))))),
            score: self.score(ratios),
            attainment: self.attainment(ratios),
            miss: ratios.mean(self.each(|i, c| miss(i, c).filter(|_| downgraded(i, c)))),
            excess_miss: ratios.mean(self.each(|i, c| excess(i, c).filter(|_| downgraded(i, c)))),
            cost: self.cost(ratios),
            best_single: against.best_single.map(|model| self.against(model, ratios)),
            reference: self.against(against.reference, ratios),
        }
    }

    /// Its mean score.
    pub(crate) fn score(&self, ratios: &mut Ratios<'_>) -> Column {
        ratios.mean(self.each(|i, chosen| self.rows.score(i, chosen)))
    }

    /// How often it meets the bar, in percent.
    pub(crate) fn attainment(&self, ratios: &mut Ratios<'_>) -> Column {
        ratios.mean(self.each(|i, chosen| self.met(i, chosen).map(percent)))
    }

    /// Its mean cost in USD.
    pub(crate) fn cost(&self, ratios: &mut Ratios<'_>) -> Column {
        ratios.mean(self.each(|i, chosen| self.rows.cost(i, chosen)))
    }

    /// It beside one model for all requests.
    pub(crate) fn against(&self, model: usize, ratios: &mut Ratios<'_>) -> Against {
        let rows = self.rows;
        let costs = |i, chosen| rows.cost(i, chosen).zip(rows.cost(i, model));
        let scores = |i, chosen| Some(rows.score(i, chosen)? - rows.score(i, model)?);
        Against {
            model,
            costs: ratios.ratio(self.each(costs)),
            costs_even: is_even(self.each(|i, c| Some((c == model, costs(i, c).is_some())))),
            scores: ratios.mean(self.each(scores)),
            scores_even: is_even(self.each(|i, c| Some((c == model, scores(i, c).is_some())))),
        }
    }

    /// The report of [`Decided::columns`] and what was estimated of them.
    pub(crate) fn report(
        &self,
        policy: &str,
        columns: &Columns,
        estimates: &Estimates,
    ) -> PolicyReport {
        let names = self.against.names;
        let decided = self.each(|_, _| Some(())).count();
        PolicyReport {
            policy: policy.to_owned(),
            decided_requests: decided as u64,
            undecided_requests: (self.requests.len() - decided) as u64,
            choices: self.choice_shares(decided),
            reasons: self.reasons(decided),
            abstained_pct: estimates.of(columns.abstained),
            downgraded_pct: estimates.of(columns.downgraded),
            judged_requests: estimates.known(columns.score),
            quality: estimates.of(columns.score),
            attainment_pct: estimates.of(columns.attainment),
            downgraded_miss_pct: estimates.of(columns.miss),
            downgraded_excess_miss_pct: estimates.of(columns.excess_miss),
            costed_requests: estimates.known(columns.cost),
            cost_usd: estimates.of(columns.cost),
            against_best_single: columns
                .best_single
                .as_ref()
                .map(|against| against.report(names, estimates)),
            against_reference: columns.reference.report(names, estimates),
        }
    }

    /// How often each candidate was chosen in so many decisions.
    pub(crate) fn choice_shares(&self, decided: usize) -> Vec<ChoiceShare> {
        let share = |(candidate, name): (usize, &String)| {
            let taken = self.each(|_, chosen| (chosen == candidate).then_some(()));
            let requests = taken.count();
            let share_pct = 100.0 * requests as f64 / decided.max(1) as f64;
            ChoiceShare { model: name.clone(), requests: requests as u64, share_pct }
        };
        self.against.names.iter().enumerate().map(share).collect()
    }

    fn reasons(&self, decided: usize) -> Vec<ReasonShare> {
        let mut shares: Vec<ReasonShare> = Vec::new();
        for (_, reason) in self.each(|i, _| self.rows.reasons[i]) {
            match shares.iter_mut().find(|share| share.reason == reason) {
                Some(share) => share.requests += 1,
                None => shares.push(ReasonShare { reason, requests: 1, share_pct: 0.0 }),
            }
        }
        for share in &mut shares {
            share.share_pct = 100.0 * share.requests as f64 / decided.max(1) as f64;
        }
        shares
    }

    /// `value(request, chosen candidate)` of each request that was decided, where it is known.
    fn each<T>(
        &self,
        value: impl Fn(usize, usize) -> Option<T>,
    ) -> impl Iterator<Item = (usize, T)> {
        self.requests.iter().filter_map(move |&i| Some((i, value(i, self.choices[i]?)?)))
    }

    /// Whether a candidate is predicted to be cheaper than the reference.
    fn is_downgraded(&self, request: usize, chosen: usize) -> bool {
        let cost = |candidate| known(self.rows.predicted_cost.at(request, candidate));
        cost(chosen).zip(cost(self.against.reference)).is_some_and(|(a, b)| a < b)
    }

    fn met(&self, request: usize, candidate: usize) -> Option<bool> {
        self.rows.score(request, candidate).map(|score| score >= self.against.bar)
    }
}

/// Of pairs of choices (whether they are the same, whether what it takes to compare them is known):
/// whether those that differ are about as often known as those that do not. Where they are not,
/// the differences that are 0 by construction would outweigh the others.
pub(crate) fn is_even(pairs: impl Iterator<Item = (usize, (bool, bool))>) -> bool {
    // Known ones and all, of those that differ and of those that do not.
    let mut counts = [[0.0_f64; 2]; 2];
    for (_, (same, known)) in pairs {
        let [knowns, all] = &mut counts[usize::from(same)];
        *all += 1.0;
        *knowns += if known { 1.0 } else { 0.0 };
    }
    let [differ, same] = counts.map(|[known, all]| known / all);
    // Not a number: there are no choices of that kind.
    same.is_nan() || differ.is_nan() || differ >= LEAST_EVENNESS * same
}

/// Whether no candidate passed the bar.
fn is_fallback(reason: Reason) -> bool {
    match reason {
        Reason::FallbackReference | Reason::FallbackBestQuality => true,
        Reason::CheapestAboveBar
        | Reason::Utility
        | Reason::BestQuality
        | Reason::Cheapest
        | Reason::Fixed
        | Reason::Explored
        | Reason::NoneEligibleDefault
        | Reason::Requested
        | Reason::Session
        | Reason::Rule => false,
    }
}

/// 100 or 0: the mean of these is a share in percent.
pub(crate) fn percent(yes: bool) -> f64 {
    if yes { 100.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::Drawn;
    use crate::metrics::{Bootstrap, Groups, Matrix};

    #[test]
    fn a_report_by_hand() {
        const NONE: f64 = f64::NAN;
        let names = ["dear".to_owned(), "cheap".to_owned()];
        let rows = Rows {
            groups: Groups::each_alone(5),
            null_quality: None,
            predicted_quality: Matrix::repeat(5, &[0.9, 0.5]),
            predicted_p: Matrix::repeat(5, &[0.9, 0.5]),
            predicted_cost: Matrix::repeat(5, &[0.01, 0.001]),
            score: Matrix::new(2, vec![1.0, 1.0, 1.0, 0.0, 0.4, 0.2, 1.0, NONE, NONE, 1.0]),
            cost: Matrix::new(2, vec![10.0, 1.0, 20.0, 2.0, 30.0, NONE, 40.0, NONE, NONE, 5.0]),
            choices: vec![Some(1), Some(1), Some(1), Some(0), None],
            reasons: [
                [Some(Reason::CheapestAboveBar); 3].as_slice(),
                &[Some(Reason::FallbackReference), None],
            ]
            .concat(),
        };
        let against = Yardsticks { names: &names, reference: 0, best_single: Some(0), bar: 0.5 };
        let all: Vec<usize> = (0..5).collect();
        let decided =
            Decided { rows: &rows, requests: &all, choices: &rows.choices, against: &against };
        let mut ratios = Ratios::new(&rows.groups);
        let columns = decided.columns(&mut ratios);
        let sums = ratios.sums();
        let bootstrap = Bootstrap { seed: 0, resamples: 10 };
        let drawn = Drawn::new(bootstrap, &rows.groups, |counts| sums.ratios(counts));
        let found = decided.report("p", &columns, &sums.estimates(&drawn.map(Vec::as_slice)));

        let is = |estimate: Option<Estimate>, expected: f64| {
            let value = estimate.unwrap().value;
            assert!((value - expected).abs() < 1e-9, "{value}, expected {expected}");
        };
        assert_eq!((found.decided_requests, found.undecided_requests), (4, 1));
        assert_eq!((found.choices[0].requests, found.choices[1].requests), (1, 3));
        is(found.downgraded_pct, 75.0);
        is(found.abstained_pct, 25.0);
        let reasons: Vec<_> = found.reasons.iter().map(|r| (r.reason, r.requests)).collect();
        assert_eq!(reasons, [(Reason::CheapestAboveBar, 3), (Reason::FallbackReference, 1)]);
        is(found.quality, (1.0 + 0.0 + 0.2 + 1.0) / 4.0);
        is(found.attainment_pct, 50.0);
        // Of three downgraded requests two miss; of those the reference meets one.
        is(found.downgraded_miss_pct, 100.0 * 2.0 / 3.0);
        is(found.downgraded_excess_miss_pct, 100.0 / 3.0);
        is(found.cost_usd, (1.0 + 2.0 + 40.0) / 3.0);
        let reference = found.against_reference;
        assert_eq!((reference.costed_requests, reference.judged_requests), (3, 4));
        is(reference.quality_difference, (2.2 - 3.4) / 4.0);
        // Of three decisions for the other candidate the log knows two costs, of one for it one.
        assert_eq!(reference.saving_pct, None);
    }

    #[test]
    fn differing_choices_must_be_known_nine_tenths_as_often() {
        // Ten equal choices, all known; ten that differ, of which the first are.
        let even = |known: usize| {
            let same = (0..10).map(|i| (i, (true, true)));
            is_even(same.chain((0..10).map(|i| (i, (false, i < known)))))
        };
        assert!(even(9) && !even(8));
        assert!(is_even([(0, (false, false))].into_iter()), "nothing equal to lean on");
        assert!(is_even([(0, (true, true))].into_iter()), "nothing differs");
    }
}
