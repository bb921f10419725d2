//! The policies that a request may name, and the budget that is solved into one of them.

use std::collections::BTreeMap;

use farthing_core::{Constraints, Policy, Prediction, Rule, decide};
use farthing_data::Record;
use farthing_eval::metrics::{Bootstrap, GroupSums, Groups, Interval, Matrix, dial_lambdas};
use farthing_model::{Budget, PolicySpec};

use crate::{TrainConfig, TrainError};

const HALVINGS: u32 = 30;
const RESAMPLES: u32 = 2000;
/// Where the dial ends a millionth of a USD is worth the whole scale; candidates may be cheaper.
const BEYOND_THE_DIAL: [f64; 4] = [1e7, 1e8, 1e10, 1e12];

/// The policies a request may name; `default` is the one in force where it names none. Those that
/// compare costs exist where any cost is known.
pub(crate) fn of(
    priced: bool,
    reference: &str,
    config: &TrainConfig,
) -> BTreeMap<String, PolicySpec> {
    let fixed = PolicySpec::Fixed { model: reference.to_owned() };
    let mut policies = vec![
        ("default", PolicySpec::BestQuality),
        ("best_quality", PolicySpec::BestQuality),
        ("fixed", fixed),
    ];
    if priced {
        policies.extend([
            ("default", PolicySpec::CheapestAboveBar),
            ("cheapest_above_bar", PolicySpec::CheapestAboveBar),
            ("cheapest", PolicySpec::Cheapest),
        ]);
        policies.extend(config.lambda.map(|lambda| ("utility", PolicySpec::Utility { lambda })));
    }
    policies.into_iter().map(|(name, policy)| (name.to_owned(), policy)).collect()
}

/// The least lambda of `utility` whose mean cost on the records is within the budget, with what it
/// predicts and what the log says it would have cost.
pub(crate) fn solve(
    budget_usd: f64,
    records: &[&Record],
    predictions: &[Vec<Prediction>],
) -> Result<Budget, TrainError> {
    let spent = |rule: Rule| Spent::of(rule, records, predictions);
    let at = |lambda: f64| spent(Rule::Utility { lambda });
    let least = spent(Rule::Cheapest);
    if least.requests == 0 {
        return Err(TrainError::NoCosts { flag: "--budget" });
    }
    let grid = [dial_lambdas(), BEYOND_THE_DIAL.to_vec()].concat();
    let Some(first) = grid.iter().position(|&lambda| at(lambda).mean_usd() <= budget_usd) else {
        return Err(TrainError::Budget { budget_usd, least_usd: least.mean_usd() });
    };
    let mut lambda = grid[first];
    let mut too_dear = if first > 0 { grid[first - 1] } else { 0.0 };
    for _ in 0..HALVINGS {
        let between = f64::midpoint(too_dear, lambda);
        if at(between).mean_usd() <= budget_usd { lambda = between } else { too_dear = between }
    }
    let spent = at(lambda);
    let interval = spent.realised_interval(records);
    Ok(Budget {
        budget_usd,
        lambda,
        predicted_usd: spent.predicted_usd / spent.requests as f64,
        realised_usd: spent.realised_usd(),
        realised_interval_usd: interval,
        requests: spent.requests as u64,
    })
}

/// What a rule spends on records.
struct Spent {
    /// Requests that it decides on.
    requests: usize,
    /// Sum of predicted costs.
    predicted_usd: f64,
    /// Logged cost of what it chooses, where known, and the predicted one beside it.
    known: Vec<Known>,
}

struct Known {
    row: usize,
    logged_usd: f64,
    predicted_usd: f64,
}

impl Spent {
    fn of(rule: Rule, records: &[&Record], predictions: &[Vec<Prediction>]) -> Self {
        let policy = Policy::new(rule);
        let mut spent = Self { requests: 0, predicted_usd: 0.0, known: Vec::new() };
        for (row, (record, request)) in records.iter().zip(predictions).enumerate() {
            let choice = decide(&policy, request, &Constraints::default(), 0.0);
            let Some(chosen) = choice.ok().and_then(|choice| choice.ranked.first().copied()) else {
                continue;
            };
            let Some(predicted_usd) = request[chosen].cost_usd else { continue };
            spent.requests += 1;
            spent.predicted_usd += predicted_usd;
            let cell = record.cells.iter().find(|cell| cell.candidate == chosen);
            if let Some(logged_usd) = cell.and_then(|cell| cell.cost_usd) {
                spent.known.push(Known { row, logged_usd, predicted_usd });
            }
        }
        spent
    }

    /// The mean predicted cost, corrected by how far predictions are off where the log knows the
    /// chosen candidate's: in a full log the mean logged cost, without costs the predicted one.
    fn mean_usd(&self) -> f64 {
        let off: f64 = self.known.iter().map(|k| k.logged_usd - k.predicted_usd).sum();
        self.predicted_usd / self.requests as f64 + off / self.known.len().max(1) as f64
    }

    fn realised_usd(&self) -> Option<f64> {
        let sum: f64 = self.known.iter().map(|k| k.logged_usd).sum();
        (!self.known.is_empty()).then(|| sum / self.known.len() as f64)
    }

    /// Percentile bootstrap by group of near-duplicate prompts.
    fn realised_interval(&self, records: &[&Record]) -> Option<[f64; 2]> {
        if self.known.len() < 2 {
            return None;
        }
        let keys: Vec<u64> = self.known.iter().map(|k| records[k.row].group).collect();
        let groups = Groups::by_key(&keys);
        let costs = Matrix::new(1, self.known.iter().map(|k| k.logged_usd).collect());
        let sums = GroupSums::new(&costs, &groups);
        let bootstrap = Bootstrap { seed: 0, resamples: RESAMPLES };
        let means = bootstrap.resample(&groups, |counts| sums.means(counts)[0]);
        Interval::percentile(&means, 0.95).map(|interval| [interval.low, interval.high])
    }
}

#[cfg(test)]
mod tests {
    use farthing_core::{Digest, Request};
    use farthing_data::Cell;

    use super::*;

    /// Cheap costs 1 and dear 5; dear is predicted to be better by `i / 100` on request `i`.
    fn requests(logged: f64) -> (Vec<Record>, Vec<Vec<Prediction>>) {
        let cell = |candidate, cost_usd| Cell {
            candidate,
            samples: 1,
            score: None,
            cost_usd: Some(cost_usd),
            input_tokens: None,
            output_tokens: None,
            latency_ms: None,
            propensity: None,
        };
        let record = |i: u64| Record {
            key: Digest::of(&i.to_le_bytes()),
            group: i,
            request_id: None,
            request: Request::from_prompt(i.to_string()).unwrap(),
            labels: Vec::new(),
            timestamp_ms: None,
            cells: vec![cell(0, logged), cell(1, 5.0 * logged)],
        };
        let of = |quality, cost| Prediction {
            quality,
            p_above_bar: quality,
            cost_usd: Some(cost),
            output_tokens: None,
            output_tokens_q90: None,
        };
        let request = |i: u64| vec![of(0.0, 1.0), of(i as f64 / 100.0, 5.0)];
        ((0..100).map(record).collect(), (0..100).map(request).collect())
    }

    fn check(logged: f64, budget_usd: f64) -> Result<Budget, TrainError> {
        let (records, predictions) = requests(logged);
        solve(budget_usd, &records.iter().collect::<Vec<_>>(), &predictions)
    }

    #[test]
    fn a_budget_is_the_least_lambda_that_keeps_it() {
        let budget = check(1.0, 3.0).unwrap();
        // Half of the requests may go to the dear one: those whose lead of i / 100 is worth 4 USD.
        assert!((budget.lambda - 0.49 / 4.0).abs() < 1e-6, "{budget:?}");
        assert!((budget.predicted_usd - 3.0).abs() < 1e-9 && budget.realised_usd == Some(3.0));
        let [low, high] = budget.realised_interval_usd.unwrap();
        assert!((low - 2.6).abs() < 0.1 && (high - 3.4).abs() < 0.1, "{budget:?}");
        // What the log says counts, not what was predicted.
        let budget = check(2.0, 6.0).unwrap();
        assert!((budget.predicted_usd - 3.0).abs() < 1e-9, "{budget:?}");
    }

    #[test]
    fn a_budget_that_does_not_bind_or_cannot_be_kept() {
        assert!(check(1.0, 5.0).unwrap().lambda.abs() < 1e-12);
        assert!((check(1.0, 1.0).unwrap().predicted_usd - 1.0).abs() < 1e-12);
        let error = check(1.0, 0.9).unwrap_err().to_string();
        assert!(error.contains("costs 1.000e0;"), "{error}");
    }

    #[test]
    fn a_budget_needs_costs() {
        let (records, mut predictions) = requests(1.0);
        for prediction in predictions.iter_mut().flatten() {
            prediction.cost_usd = None;
        }
        let error = solve(1.0, &records.iter().collect::<Vec<_>>(), &predictions).unwrap_err();
        assert!(matches!(error, TrainError::NoCosts { flag: "--budget" }));
    }
}
