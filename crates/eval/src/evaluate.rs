//! [`evaluate()`]: a router and a log to a [`Report`].

use farthing_core::{Bar, Digest, Policy};
use farthing_data::{Dataset, Record};
use farthing_model::{CandidateCard, Router, SeenPrompts};

use crate::baselines::{self, Fit};
use crate::estimate::{Drawn, LEVEL, Ratios};
use crate::frontier::{self, LEAST_REQUESTS, Plane, Predicted};
use crate::metrics::{Arena, Bootstrap, PairFigures, Truth, best_column};
use crate::pair::Pair;
use crate::policy::{Decided, Yardsticks};
use crate::report::{DataCounts, FORMAT_VERSION, IgnoredCandidate, Report, Settings};
use crate::robustness::{Robustness, RobustnessOptions, robustness};
use crate::rows::{Rows, positions};
use crate::{EvalError, calibration, candidates, slices, worst};

/// What is evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The router.
    pub router: &'a Router,
    /// What the same learners came to on shuffled labels, where its directory has it.
    pub null: Option<&'a Router>,
    /// The prompts that it was fitted or certified on.
    pub seen: &'a SeenPrompts,
}

/// Requests that are changed to see whether choices depend on what they should.
const PROBES: usize = 500;
/// The same where reading one takes an encoder tens of milliseconds.
const FEW_PROBES: usize = 50;

/// How to evaluate.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalOptions {
    /// Seed of the bootstrap and of the permuted predictions.
    pub seed: u64,
    /// Resamples of the bootstrap.
    pub resamples: u32,
    /// One of the router's trained bars; `None`: its first.
    pub bar: Option<Bar>,
    /// Whether the report shows prompts: those on which the router loses most.
    pub show_prompts: bool,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self { seed: 0, resamples: 2000, bar: None, show_prompts: false }
    }
}

/// Evaluates a router, its default policy and its single candidates on the requests of a log that
/// it has not seen. `progress` is called now and then with the number of requests predicted.
///
/// The report depends on nothing but the arguments: not on the order of the records, nor on the
/// number of threads.
pub fn evaluate(
    subject: Subject<'_>,
    dataset: &Dataset,
    options: &EvalOptions,
    progress: &dyn Fn(u64),
) -> Result<Report, EvalError> {
    let router = subject.router;
    let [records, used] = by_use(subject.seen, dataset)?;
    check_candidates(router, dataset)?;
    let bar_index = bar_index(router, options.bar)?;
    let (policy_name, policy) = default_policy(router, bar_index)?;
    let routers = (router, subject.null);
    let rows = Rows::new(routers, (&policy, bar_index), dataset, &records, progress)?;

    let bar = router.manifest().bars[bar_index].bar;
    let names = router.candidates();
    let scored = Scored::new(records, rows);
    let fit = Fit::new(router, dataset, used);
    let (plane, no_plane) = either(scored.plane(router, &fit, (bar, options.seed)));
    let (pair, no_pair) = either(Pair::new(names, &scored.rows));

    let rows = &scored.rows;
    let best_single = match &plane {
        Some(plane) => Some(plane.best_single()),
        None => best_by_own_requests(names, rows),
    };
    let against = Yardsticks { names, reference: router.reference(), best_single, bar };
    let all: Vec<usize> = (0..rows.len()).collect();
    let decided = Decided { rows, requests: &all, choices: &rows.choices, against: &against };
    let mut ratios = Ratios::new(&rows.groups);
    let of_candidates = candidates::columns(rows, bar, &mut ratios);
    let of_policy = decided.columns(&mut ratios);
    let parts = slices::parts(dataset, &scored.records, &decided, &mut ratios);
    let ratios = ratios.sums();

    // One pass: drawing costs as much as weighing, and all figures are paired.
    let bootstrap = Bootstrap { seed: options.seed, resamples: options.resamples };
    let drawn = Drawn::new(bootstrap, &rows.groups, |counts| Draw {
        ratios: ratios.ratios(counts),
        plane: plane.as_ref().map(|plane| plane.figures(counts)),
        pair: pair.as_ref().map(|pair| pair.figures(counts)),
    });
    let estimates = ratios.estimates(&drawn.map(|draw| draw.ratios.as_slice()));
    let of_plane = plane.as_ref().zip(drawn.part(|draw| draw.plane.as_ref()));
    let frontier = of_plane.and_then(|(plane, drawn)| plane.report(&drawn));
    let not_a_number = || "a figure is not a number".to_owned();
    let frontier_withheld = no_plane.or_else(|| frontier.is_none().then(not_a_number));
    let of_pair = pair.zip(drawn.part(|draw| draw.pair.as_ref()));
    let pair = of_pair.and_then(|(pair, drawn)| pair.report(&drawn));
    let pair_withheld = no_pair.or_else(|| pair.is_none().then(not_a_number));
    Ok(Report {
        format_version: FORMAT_VERSION,
        router: router.digest().clone(),
        settings: settings(options, bar),
        data: data_counts(router, dataset, &scored),
        candidates: candidates::figures(names, &of_candidates, &estimates),
        calibration: calibration::figures(names, rows, bar),
        certificate: router.manifest().bars[bar_index].certificate.clone(),
        frontier,
        frontier_withheld,
        policy: decided.report(policy_name, &of_policy, &estimates),
        pair,
        pair_withheld,
        slices: parts.iter().map(|part| part.report(names, &estimates)).collect(),
        robustness: probe(router, (&policy, bar_index), dataset, &scored.records, options)?,
        worst: options.show_prompts.then(|| worst::worst(names, &scored.records, rows, bar)),
    })
}

/// How the default policy takes to changed requests.
fn probe(
    router: &Router,
    policy: (&Policy, usize),
    dataset: &Dataset,
    records: &[&Record],
    options: &EvalOptions,
) -> Result<Robustness, EvalError> {
    let EvalOptions { seed, resamples, .. } = *options;
    let max_requests = if router.has_encoder() { FEW_PROBES } else { PROBES };
    robustness(
        router,
        policy,
        dataset,
        records,
        &RobustnessOptions { max_requests, seed, resamples },
    )
}

/// What one resample gives, or the data themselves.
struct Draw {
    ratios: Vec<f64>,
    plane: Option<frontier::Figures>,
    pair: Option<PairFigures>,
}

fn settings(options: &EvalOptions, bar: Bar) -> Settings {
    let EvalOptions { seed, resamples, bar: _, show_prompts: _ } = *options;
    Settings { seed, resamples, interval_pct: 100.0 * LEVEL, bar }
}

/// The records whose prompt the router has not seen, and those it was fitted or certified on, by
/// rising key.
fn by_use<'a>(seen: &SeenPrompts, dataset: &'a Dataset) -> Result<[Vec<&'a Record>; 2], EvalError> {
    if dataset.records.is_empty() {
        return Err(EvalError::EmptyLog);
    }
    let mut records: Vec<&Record> = dataset.records.iter().collect();
    records.sort_by(|a, b| a.key.cmp(&b.key));
    let (used, unseen): (Vec<&Record>, Vec<&Record>) =
        records.into_iter().partition(|record| seen.contains(record.prompt_key()));
    if unseen.is_empty() {
        return Err(EvalError::NothingLeft { seen: used.len() as u64 });
    }
    Ok([unseen, used])
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
        Self { records, rows, priced, complete }
    }

    /// The cost/quality plane, or the reason why there is none.
    fn plane(
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
fn best_by_own_requests(names: &[String], rows: &Rows) -> Option<usize> {
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
        scored_groups: scored.rows.groups.len() as u64,
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
