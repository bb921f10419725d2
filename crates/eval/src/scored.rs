//! The requests that are scored, and the cost/quality plane that they allow.

use farthing_core::Bar;
use farthing_data::Record;
use farthing_model::{CandidateCard, Router};

use crate::baselines::{self, Fit};
use crate::frontier::{LEAST_REQUESTS, Plane, Predicted};
use crate::metrics::{Arena, Truth, best_column};
use crate::rows::Rows;

/// The requests that are scored.
pub(crate) struct Scored<'a> {
    pub(crate) records: Vec<&'a Record>,
    pub(crate) rows: Rows,
    /// Candidates whose cost the router predicts, by position.
    pub(crate) priced: Vec<usize>,
    /// Requests that all of those answered, with score and cost.
    pub(crate) complete: Vec<usize>,
}

impl<'a> Scored<'a> {
    pub(crate) fn new(records: Vec<&'a Record>, rows: Rows) -> Self {
        let priced = |&i: &usize| rows.predicted_cost.iter().all(|row| !row[i].is_nan());
        let priced: Vec<usize> = (0..rows.predicted_cost.columns()).filter(priced).collect();
        let complete = rows.complete(&priced);
        Self { records, rows, priced, complete }
    }

    /// The cost/quality plane, or the reason why there is none.
    pub(crate) fn plane(
        &self,
        router: &Router,
        fit: &Fit<'_>,
        (bar, seed): (Bar, u64),
    ) -> Result<Plane, String> {
        let (priced, rows) = (&self.priced, &self.rows);
        if priced.len() < 2 {
            return Err(format!(
                "it needs 2 candidates whose cost the router can predict, this one has {}; hint: train with `--prices` or on a log with costs",
                priced.len()
            ));
        }
        if self.complete.len() < LEAST_REQUESTS {
            return Err(self.too_few(router.candidates()));
        }
        // Where no cost was learned, the mean of what is predicted stands for it.
        let predicted = rows.predicted_cost.reorder(&self.complete).column_means();
        let cards = &router.manifest().candidates;
        let fitted_cost =
            |(card, predicted): (&CandidateCard, f64)| card.cost.mean_cost_usd.unwrap_or(predicted);
        let fitted_score: Vec<f64> = cards.iter().map(|card| card.mean_score).collect();
        let fitted_cost: Vec<f64> = cards.iter().zip(predicted).map(fitted_cost).collect();
        let truth = Truth {
            score: |row, c| rows.score.at(row, c),
            cost_usd: |row, c| rows.cost.at(row, c),
            groups: &rows.groups,
            fitted_score: &fitted_score,
            fitted_cost: &fitted_cost,
        };
        let arena = Arena::new(priced.clone(), &truth);
        let names: Vec<String> = priced.iter().map(|&c| router.candidates()[c].clone()).collect();
        let mut contenders = baselines::unlearned(&arena, &names, bar);
        let (learned, fitting) =
            baselines::learned(&arena, (fit, &self.records), router.candidates(), bar);
        contenders.extend(learned);
        let predicted = Predicted { rows, bar, seed };
        Ok(Plane::new(arena, names, &predicted, (contenders, fitting)))
    }

    /// Says which candidate, with what missing, leaves too few complete requests.
    fn too_few(&self, names: &[String]) -> String {
        let answered = |candidate: &usize| self.rows.complete(&[*candidate]).len();
        let rarest = self.priced.iter().copied().min_by_key(answered).unwrap_or_default();
        let count =
            |known: &dyn Fn(usize) -> bool| (0..self.rows.len()).filter(|&i| known(i)).count();
        format!(
            "it needs {LEAST_REQUESTS} requests that all {} priced candidates answered, with score and cost, and there are {}; the rarest candidate is `{}`: {} requests with its score, {} with its cost",
            self.priced.len(),
            self.complete.len(),
            names[rarest],
            count(&|i| self.rows.score(i, rarest).is_some()),
            count(&|i| self.rows.cost(i, rarest).is_some()),
        )
    }
}

/// The candidate of the highest mean score over whatever requests it answered; `None` where none was
/// judged.
pub(crate) fn best_by_own_requests(names: &[String], rows: &Rows) -> Option<usize> {
    let mean = |candidate: usize| {
        let scores = (0..rows.len()).filter_map(|request| rows.score(request, candidate));
        let (sum, judged) = scores.fold((0.0, 0.0), |(sum, n), score| (sum + score, n + 1.0));
        sum / judged
    };
    let judged: Vec<(usize, f64)> =
        (0..names.len()).map(|c| (c, mean(c))).filter(|(_, mean)| !mean.is_nan()).collect();
    let means: Vec<f64> = judged.iter().map(|(_, mean)| *mean).collect();
    judged.get(best_column(&means, &vec![0.0; means.len()])).map(|(candidate, _)| *candidate)
}
