//! A policy as it would serve: every scored request is decided on; quality and cost are read where
//! the log knows the chosen candidate's.

use serde::Serialize;

use crate::Estimate;
use crate::estimate::{RatioColumn, mean_column};
use crate::rows::{Rows, known};

/// A policy as it would serve.
///
/// In a log where not every candidate answered, the figures rest on the requests whose logged
/// candidate is the chosen one; they are unbiased only where candidates were logged at random.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyReport {
    /// Its name.
    pub policy: String,
    /// Requests on which it decided.
    pub decided_requests: u64,
    /// Requests for which no candidate was eligible.
    pub undecided_requests: u64,
    /// What it chose, in the router's order.
    pub choices: Vec<ChoiceShare>,
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
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChoiceShare {
    /// Its name.
    pub model: String,
    /// Decisions for it.
    pub requests: u64,
    /// Their share, in percent.
    pub share_pct: f64,
}

/// A policy against one model, over the requests where both are known.
#[derive(Debug, Clone, PartialEq, Serialize)]
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

/// The ratios of a report, in the order in which [`report`] reads them.
pub(crate) fn columns(rows: &Rows, against: &Yardsticks<'_>) -> Vec<RatioColumn> {
    let view = Decided { rows, against };
    let best_single = against.best_single.unwrap_or(against.reference);
    vec![
        mean_column(view.each(|_, _, downgraded| Some(percent(downgraded)))),
        mean_column(view.each(|i, chosen, _| rows.score(i, chosen))),
        mean_column(view.each(|i, chosen, _| view.met(i, chosen).map(percent))),
        mean_column(view.each(|i, chosen, downgraded| {
            view.met(i, chosen).filter(|_| downgraded).map(|met| percent(!met))
        })),
        mean_column(view.each(|i, chosen, downgraded| {
            let (met, reference) = view.met(i, chosen).zip(view.met(i, against.reference))?;
            downgraded.then(|| percent(!met && reference))
        })),
        mean_column(view.each(|i, chosen, _| rows.cost(i, chosen))),
        view.costs_against(best_single),
        view.scores_against(best_single),
        view.costs_against(against.reference),
        view.scores_against(against.reference),
    ]
}

/// The report of [`columns`] and their estimates.
pub(crate) fn report(
    policy: &str,
    rows: &Rows,
    against: &Yardsticks<'_>,
    columns: &[RatioColumn],
    estimates: &[Option<Estimate>],
) -> PolicyReport {
    let decided = rows.choices.iter().flatten().count();
    let requests = |column: usize| columns[column].iter().flatten().count() as u64;
    let comparison = |model: usize, column: usize| Comparison {
        model: against.names[model].clone(),
        costed_requests: requests(column),
        saving_pct: estimates[column].map(|ratio| ratio.affine(-100.0, 100.0)),
        judged_requests: requests(column + 1),
        quality_difference: estimates[column + 1],
    };
    PolicyReport {
        policy: policy.to_owned(),
        decided_requests: decided as u64,
        undecided_requests: (rows.len() - decided) as u64,
        choices: choice_shares(rows, against.names, decided),
        downgraded_pct: estimates[0],
        judged_requests: requests(1),
        quality: estimates[1],
        attainment_pct: estimates[2],
        downgraded_miss_pct: estimates[3],
        downgraded_excess_miss_pct: estimates[4],
        costed_requests: requests(5),
        cost_usd: estimates[5],
        against_best_single: against.best_single.map(|model| comparison(model, 6)),
        against_reference: comparison(against.reference, 8),
    }
}

fn percent(yes: bool) -> f64 {
    if yes { 100.0 } else { 0.0 }
}

fn choice_shares(rows: &Rows, names: &[String], decided: usize) -> Vec<ChoiceShare> {
    let share = |(candidate, name): (usize, &String)| {
        let requests = rows.choices.iter().filter(|choice| **choice == Some(candidate)).count();
        let share_pct = 100.0 * requests as f64 / decided.max(1) as f64;
        ChoiceShare { model: name.clone(), requests: requests as u64, share_pct }
    };
    names.iter().enumerate().map(share).collect()
}

/// The decided requests.
struct Decided<'a> {
    rows: &'a Rows,
    against: &'a Yardsticks<'a>,
}

impl Decided<'_> {
    /// `value(request, chosen candidate, whether downgraded)` of each request that was decided.
    fn each(
        &self,
        value: impl Fn(usize, usize, bool) -> Option<f64>,
    ) -> impl Iterator<Item = Option<f64>> {
        let choices = self.rows.choices.iter().enumerate();
        choices.map(move |(i, chosen)| {
            chosen.and_then(|chosen| value(i, chosen, self.downgraded(i, chosen)))
        })
    }

    /// Whether a candidate is predicted to be cheaper than the reference.
    fn downgraded(&self, request: usize, chosen: usize) -> bool {
        let cost = |candidate| known(self.rows.predicted_cost.at(request, candidate));
        cost(chosen).zip(cost(self.against.reference)).is_some_and(|(a, b)| a < b)
    }

    fn met(&self, request: usize, candidate: usize) -> Option<bool> {
        self.rows.score(request, candidate).map(|score| score >= self.against.bar)
    }

    /// Cost of the policy over cost of the model.
    fn costs_against(&self, model: usize) -> RatioColumn {
        let pair = |i: usize, chosen| self.rows.cost(i, chosen).zip(self.rows.cost(i, model));
        let choices = self.rows.choices.iter().enumerate();
        choices.map(|(i, chosen)| chosen.and_then(|chosen| pair(i, chosen))).collect()
    }

    /// Mean difference of score.
    fn scores_against(&self, model: usize) -> RatioColumn {
        mean_column(
            self.each(|i, chosen, _| {
                Some(self.rows.score(i, chosen)? - self.rows.score(i, model)?)
            }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::ratios;
    use crate::metrics::{Bootstrap, Groups, Matrix};

    #[test]
    fn a_report_by_hand() {
        const NONE: f64 = f64::NAN;
        let names = ["dear".to_owned(), "cheap".to_owned()];
        let rows = Rows {
            groups: (0..5).collect(),
            predicted_quality: Matrix::repeat(5, &[0.9, 0.5]),
            predicted_p: Matrix::repeat(5, &[0.9, 0.5]),
            predicted_cost: Matrix::repeat(5, &[0.01, 0.001]),
            score: Matrix::new(2, vec![1.0, 1.0, 1.0, 0.0, 0.4, 0.2, 1.0, NONE, NONE, 1.0]),
            cost: Matrix::new(2, vec![10.0, 1.0, 20.0, 2.0, 30.0, NONE, 40.0, NONE, NONE, 5.0]),
            choices: vec![Some(1), Some(1), Some(1), Some(0), None],
        };
        let against = Yardsticks { names: &names, reference: 0, best_single: Some(0), bar: 0.5 };
        let columns = columns(&rows, &against);
        let bootstrap = Bootstrap { seed: 0, resamples: 10 };
        let estimates = ratios(&columns, &Groups::by_key(&rows.groups), bootstrap);
        let found = report("p", &rows, &against, &columns, &estimates);

        let is = |estimate: Option<Estimate>, expected: f64| {
            let value = estimate.unwrap().value;
            assert!((value - expected).abs() < 1e-9, "{value}, expected {expected}");
        };
        assert_eq!((found.decided_requests, found.undecided_requests), (4, 1));
        assert_eq!((found.choices[0].requests, found.choices[1].requests), (1, 3));
        is(found.downgraded_pct, 75.0);
        is(found.quality, (1.0 + 0.0 + 0.2 + 1.0) / 4.0);
        is(found.attainment_pct, 50.0);
        // Of three downgraded requests two miss; of those the reference meets one.
        is(found.downgraded_miss_pct, 100.0 * 2.0 / 3.0);
        is(found.downgraded_excess_miss_pct, 100.0 / 3.0);
        is(found.cost_usd, (1.0 + 2.0 + 40.0) / 3.0);
        let reference = found.against_reference;
        assert_eq!((reference.costed_requests, reference.judged_requests), (3, 4));
        is(reference.saving_pct, 100.0 * (1.0 - 43.0 / 70.0));
        is(reference.quality_difference, (2.2 - 3.4) / 4.0);
    }
}
