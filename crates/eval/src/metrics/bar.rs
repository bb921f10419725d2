//! Metrics of choices at a quality bar, as per-request ratios (names as in vLLM's semantic router).

use super::decided::{Answers, Decided, RatioColumn, counted};
use super::oracle::oracle_choice;

/// What choices come to at a bar.
#[derive(Debug, Clone, PartialEq)]
pub struct BarColumns {
    /// Attainment: share of requests whose chosen score is at or above the bar.
    pub attainment: RatioColumn,
    /// Violation: of the requests that did not go to the fallback, the share below the bar.
    pub violation: RatioColumn,
    /// Underpowered: share of requests below the bar though some candidate met it.
    pub underpowered: RatioColumn,
    /// Overprovisioned: share of requests of which a truly cheaper candidate met the bar.
    pub overprovisioned: RatioColumn,
    /// Mean cost of the choices in USD less that of the oracle's.
    pub cost_regret: RatioColumn,
    /// Mean score of the oracle's choices less that of the policy's; negative where the policy buys
    /// more than the bar asks for.
    pub quality_regret: RatioColumn,
}

impl BarColumns {
    /// The first two are over all decided requests with the chosen score known; the others need every
    /// score and cost of a request. The oracle's choices are those of
    /// [`oracle_choices`](super::oracle_choices).
    pub fn new(decided: &Decided<'_>, bar: f64, fallback: usize) -> Self {
        let met = move |score: f64| score >= bar;
        let regret = |of: fn(Answers<'_>, usize) -> f64| {
            decided.complete(move |request| {
                let oracle = oracle_choice(request.score, request.cost, bar);
                Some((of(request, oracle), 1.0))
            })
        };
        Self {
            attainment: decided.column(|request| Some(counted(met(request.chosen_score()?)))),
            violation: decided.column(|request| {
                let score = request.chosen_score()?;
                (request.chosen != fallback).then(|| counted(!met(score)))
            }),
            underpowered: decided.complete(|request| {
                let some = request.score.iter().any(|&score| met(score));
                Some(counted(some && !met(request.chosen_score()?)))
            }),
            overprovisioned: decided.complete(|request| {
                let mut outcomes = request.score.iter().zip(request.cost);
                let cheaper = |cost: f64| cost < request.chosen_cost();
                Some(counted(outcomes.any(|(&score, &cost)| met(score) && cheaper(cost))))
            }),
            cost_regret: regret(|request, oracle| request.chosen_cost() - request.cost[oracle]),
            quality_regret: regret(|request, oracle| {
                request.score[oracle] - request.score[request.chosen]
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Matrix, ratio};

    #[test]
    fn choices_by_hand() {
        let cost = Matrix::repeat(5, &[1.0, 2.0, 5.0]);
        let score = Matrix::new(
            3,
            vec![
                0.2,
                0.9,
                1.0, // the oracle's choice
                0.7,
                0.9,
                1.0, // dearer than need be, and better
                0.2,
                0.3,
                0.6, // too weak
                0.1,
                0.3,
                0.4, // nobody meets the bar
                0.9,
                f64::NAN,
                0.8, // the fallback; not known of all
            ],
        );
        let choices = [Some(1), Some(2), Some(0), Some(0), Some(2)];
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let found = BarColumns::new(&decided, 0.5, 2);
        let expected = [
            (&found.attainment, 3.0 / 5.0),
            // Of the three that did not go to the last candidate.
            (&found.violation, 2.0 / 3.0),
            (&found.underpowered, 1.0 / 4.0),
            (&found.overprovisioned, 1.0 / 4.0),
            // 0; 5 - 1; 1 - 5; 1 - 5.
            (&found.cost_regret, (0.0 + 4.0 - 4.0 - 4.0) / 4.0),
            // 0; 0.7 - 1; 0.6 - 0.2; 0.4 - 0.1.
            (&found.quality_regret, (0.0 - 0.3 + 0.4 + 0.3) / 4.0),
        ];
        for (i, (column, expected)) in expected.into_iter().enumerate() {
            assert!((ratio(column) - expected).abs() < 1e-12, "{i}: {column:?}");
        }
    }

    #[test]
    fn nothing_decided() {
        let empty = Matrix::new(2, vec![]);
        let found = BarColumns::new(&Decided { choices: &[], score: &empty, cost: &empty }, 0.5, 0);
        assert!(ratio(&found.attainment).is_nan() && ratio(&found.cost_regret).is_nan());
    }
}
