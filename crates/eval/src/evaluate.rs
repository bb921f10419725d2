//! [`evaluate()`]: a router and a log to a [`Report`].

use farthing_core::{Bar, Digest, Policy};
use farthing_data::{Dataset, Record};
use farthing_model::{CandidateCard, Router, SeenPrompts};

use crate::estimate::{LEVEL, ratios};
use crate::frontier::{Frontier, LEAST_REQUESTS, Plane, frontier};
use crate::metrics::{Bootstrap, Groups, Matrix};
use crate::pair::pair_report;
use crate::policy::Yardsticks;
use crate::report::{DataCounts, FORMAT_VERSION, IgnoredCandidate, Report, Settings};
use crate::rows::{Rows, positions};
use crate::{EvalError, calibration, candidates, policy};

/// How to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalOptions {
    /// Seed of the bootstrap and of the null control.
    pub seed: u64,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// One of the router's trained bars; `None`: its first.
    pub bar: Option<Bar>,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self { seed: 0, resamples: 2000, bar: None }
    }
}

/// Evaluates a router, its default policy and its single candidates on the requests of a log that
/// are not in `seen`. `progress` is called now and then with the number of requests predicted.
///
/// The report depends on nothing but the arguments: not on the order of the records, nor on the
/// number of threads.
pub fn evaluate(
    router: &Router,
    seen: &SeenPrompts,
    dataset: &Dataset,
    options: &EvalOptions,
    progress: &dyn Fn(u64),
) -> Result<Report, EvalError> {
    let records = unseen(seen, dataset)?;
    check_candidates(router, dataset)?;
    let bar_index = bar_index(router, options.bar)?;
    let (policy_name, policy) = default_policy(router, bar_index)?;
    let rows = Rows::new(router, (&policy, bar_index), dataset, &records, progress)?;

    let bar = router.manifest().bars[bar_index].bar;
    let bootstrap = Bootstrap { seed: options.seed, resamples: options.resamples };
    let scored = Scored::new(records, rows);
    let (names, rows, groups) = (router.candidates(), &scored.rows, &scored.groups);
    let (frontier, frontier_withheld) = either(scored.frontier(router, bar, bootstrap));
    let best_single = best_single(names, rows, frontier.as_ref());
    let against = Yardsticks { names, reference: router.reference(), best_single, bar };

    // Drawing costs as much as weighing: one pass over the resamples for all ratios.
    let mut columns = candidates::columns(rows, bar);
    let of_candidates = columns.len();
    columns.extend(policy::columns(rows, &against));
    let estimates = ratios(&columns, groups, bootstrap);
    let (candidate_columns, policy_columns) = columns.split_at(of_candidates);
    let (candidate_estimates, policy_estimates) = estimates.split_at(of_candidates);
    let (pair, pair_withheld) = either(pair_report(names, rows, bootstrap));
    Ok(Report {
        format_version: FORMAT_VERSION,
        router: router.digest().clone(),
        settings: settings(options, bar),
        data: data_counts(router, dataset, &scored),
        candidates: candidates::figures(names, candidate_columns, candidate_estimates),
        calibration: calibration::figures(names, rows, bar),
        certificate: router.manifest().bars[bar_index].certificate.clone(),
        frontier,
        frontier_withheld,
        policy: policy::report(policy_name, rows, &against, policy_columns, policy_estimates),
        pair,
        pair_withheld,
    })
}

fn settings(options: &EvalOptions, bar: Bar) -> Settings {
    let EvalOptions { seed, resamples, bar: _ } = *options;
    Settings { seed, resamples, interval_pct: 100.0 * LEVEL, bar }
}

/// The records whose prompt was not used, by rising key.
fn unseen<'a>(seen: &SeenPrompts, dataset: &'a Dataset) -> Result<Vec<&'a Record>, EvalError> {
    if dataset.records.is_empty() {
        return Err(EvalError::EmptyLog);
    }
    let mut records: Vec<&Record> =
        dataset.records.iter().filter(|record| !seen.contains(record.prompt_key())).collect();
    if records.is_empty() {
        return Err(EvalError::NothingLeft { seen: dataset.records.len() as u64 });
    }
    records.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(records)
}

fn check_candidates(router: &Router, dataset: &Dataset) -> Result<(), EvalError> {
    if positions(router, dataset).iter().all(Option::is_none) {
        return Err(EvalError::NoCommonCandidate {
            router: list(router.candidates()),
            log: list(&dataset.candidates),
        });
    }
    Ok(())
}

fn bar_index(router: &Router, bar: Option<Bar>) -> Result<usize, EvalError> {
    let Some(bar) = bar else {
        return Ok(0);
    };
    let bars: Vec<String> =
        router.manifest().bars.iter().map(|card| card.bar.to_string()).collect();
    let unknown = || EvalError::UnknownBar { bar, trained: list(&bars) };
    router.bar_index(bar).ok_or_else(unknown)
}

fn default_policy(router: &Router, bar_index: usize) -> Result<(&str, Policy), EvalError> {
    let name = router.manifest().default_policy.as_str();
    let policy = router.policy(name, bar_index);
    Ok((name, policy.ok_or_else(|| EvalError::UnusablePolicy(name.to_owned()))?))
}

/// The requests that are scored.
struct Scored<'a> {
    records: Vec<&'a Record>,
    rows: Rows,
    groups: Groups,
    /// Candidates whose cost the router predicts, by position.
    priced: Vec<usize>,
    /// Requests that all of those answered, with score and cost.
    complete: Vec<usize>,
}

impl<'a> Scored<'a> {
    fn new(records: Vec<&'a Record>, rows: Rows) -> Self {
        let priced = |&i: &usize| rows.predicted_cost.iter().all(|row| !row[i].is_nan());
        let priced: Vec<usize> = (0..rows.predicted_cost.columns()).filter(priced).collect();
        let complete = rows.complete(&priced);
        Self { records, groups: Groups::by_key(&rows.groups), rows, priced, complete }
    }

    /// The frontier, or the reason why there is none.
    fn frontier(
        &self,
        router: &Router,
        bar: Bar,
        bootstrap: Bootstrap,
    ) -> Result<Frontier, String> {
        let (priced, complete, rows) = (&self.priced, &self.complete, &self.rows);
        if priced.len() < 2 {
            return Err(format!(
                "it needs 2 candidates whose cost the router can predict, this one has {}; hint: train with `--prices` or on a log with costs",
                priced.len()
            ));
        }
        if complete.len() < LEAST_REQUESTS {
            return Err(self.too_few(router.candidates()));
        }
        let of = |matrix: &Matrix| {
            let values = complete.iter().flat_map(|&i| priced.iter().map(move |&c| (i, c)));
            Matrix::new(priced.len(), values.map(|(i, c)| matrix.at(i, c)).collect())
        };
        let cards: Vec<&CandidateCard> =
            priced.iter().map(|&c| &router.manifest().candidates[c]).collect();
        let groups: Vec<u64> = complete.iter().map(|&i| rows.groups[i]).collect();
        let plane = Plane {
            names: cards.iter().map(|card| card.model.clone()).collect(),
            fitted_quality: cards.iter().map(|card| card.mean_score).collect(),
            fitted_cost: cards.iter().map(|card| card.cost.mean_cost_usd).collect(),
            predicted_quality: of(&rows.predicted_quality),
            predicted_cost: of(&rows.predicted_cost),
            score: of(&rows.score),
            cost: of(&rows.cost),
            groups: Groups::by_key(&groups),
            bar,
        };
        frontier(&plane, bootstrap).ok_or_else(|| "a figure is not a number".to_owned())
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

/// The best single model: of the frontier where there is one, else by each candidate's own requests.
fn best_single(names: &[String], rows: &Rows, frontier: Option<&Frontier>) -> Option<usize> {
    if let Some(frontier) = frontier {
        return names.iter().position(|name| *name == frontier.best_single.model);
    }
    let mean = |candidate: usize| {
        let scores = (0..rows.len()).filter_map(|request| rows.score(request, candidate));
        let (sum, judged) = scores.fold((0.0, 0.0), |(sum, n), score| (sum + score, n + 1.0));
        sum / judged
    };
    let means = (0..names.len()).map(|candidate| (candidate, mean(candidate)));
    let best = means.filter(|(_, mean)| !mean.is_nan()).min_by(|a, b| b.1.total_cmp(&a.1));
    best.map(|(candidate, _)| candidate)
}

fn data_counts(router: &Router, dataset: &Dataset, scored: &Scored<'_>) -> DataCounts {
    let mut answered = vec![0_u64; dataset.candidates.len()];
    for cell in dataset.records.iter().flat_map(|record| &record.cells) {
        answered[cell.candidate] += 1;
    }
    let mut present = Vec::new();
    let mut ignored_candidates = Vec::new();
    let logged = dataset.candidates.iter().zip(answered).filter(|(_, requests)| *requests > 0);
    for (model, requests) in logged {
        match router.candidates().iter().position(|name| name == model) {
            Some(position) => present.push(position),
            None => ignored_candidates.push(IgnoredCandidate { model: model.clone(), requests }),
        }
    }
    let keys: String = scored.records.iter().map(|record| record.key.hex()).collect();
    let log_requests = dataset.records.len() as u64;
    let scored_requests = scored.records.len() as u64;
    DataCounts {
        log_requests,
        seen_requests: log_requests - scored_requests,
        scored_requests,
        scored_groups: scored.groups.len() as u64,
        complete_requests: scored.complete.len() as u64,
        scored_digest: Digest::of(keys.as_bytes()),
        absent_candidates: names_without(router.candidates(), &present),
        unpriced_candidates: names_without(router.candidates(), &scored.priced),
        ignored_candidates,
    }
}

fn names_without(names: &[String], positions: &[usize]) -> Vec<String> {
    let rest = names.iter().enumerate().filter(|(i, _)| !positions.contains(i));
    rest.map(|(_, name)| name.clone()).collect()
}

fn either<T>(result: Result<T, String>) -> (Option<T>, Option<String>) {
    match result {
        Ok(value) => (Some(value), None),
        Err(reason) => (None, Some(reason)),
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
