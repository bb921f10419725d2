//! [`evaluate()`]: a router and a log to a [`Report`].

use farthing_core::{Bar, Digest, Policy};
use farthing_data::{Cell, Dataset, Record};
use farthing_model::{Router, SeenPrompts};

use crate::baselines::Fit;
use crate::decisions::{Other, OtherRouter};
use crate::estimate::{Drawn, LEVEL};
use crate::metrics::Bootstrap;
use crate::report::{DataCounts, FORMAT_VERSION, IgnoredCandidate, Report, Settings};
use crate::robustness::{Robustness, RobustnessOptions, robustness};
use crate::rows::{Rows, positions};
use crate::scored::Scored;
use crate::sections::{Sections, Told};
use crate::{EvalError, worst};

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

/// Requests that are changed to see whether choices depend on what they should, where reading one takes an
/// encoder tens of milliseconds.
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
    /// Other routers' decisions on the log.
    pub decisions: Vec<OtherRouter>,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self { seed: 0, resamples: 2000, bar: None, show_prompts: false, decisions: Vec::new() }
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
    let Subject { router, null, seen } = subject;
    let [records, used] = by_use(seen, dataset)?;
    check_candidates(router, dataset)?;
    let bar_index = bar_index(router, options.bar)?;
    let (policy_name, policy) = default_policy(router, bar_index)?;
    let others = options.decisions.iter();
    let others = others.map(|other| Other::new(other, router.candidates(), &records, &used));
    let others = others.collect::<Result<Vec<_>, _>>()?;
    let rows = Rows::new((router, null), (&policy, bar_index), dataset, &records, progress)?;
    let bar = router.manifest().bars[bar_index].bar;

    let scored = Scored::new(records, rows);
    let fit = Fit::new(router, dataset, used);
    let sections = Sections::new(router, (dataset, &scored, &fit), (bar, options.seed), others);
    // One pass: drawing costs as much as weighing, and all figures are paired.
    let bootstrap = Bootstrap { seed: options.seed, resamples: options.resamples };
    let drawn = Drawn::new(bootstrap, &scored.rows.groups, |counts| sections.figures(counts));
    let robustness = probe(router, (&policy, bar_index), dataset, &scored.records, options)?;
    let Told { frontier, policy, pair, candidates, calibration, slices, decisions, published } =
        sections.tell(policy_name, &drawn, &robustness);
    let (frontier, frontier_withheld) = either(frontier);
    let (pair, pair_withheld) = either(pair);
    let worst = || worst::worst(router.candidates(), &scored.records, &scored.rows, bar);
    Ok(Report {
        format_version: FORMAT_VERSION,
        router: router.digest().clone(),
        settings: settings(options, bar),
        data: data_counts(router, dataset, &scored),
        candidates,
        calibration,
        certificate: router.manifest().bars[bar_index].certificate.clone(),
        frontier,
        frontier_withheld,
        policy,
        pair,
        pair_withheld,
        slices,
        decisions,
        published,
        robustness,
        worst: options.show_prompts.then(worst),
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
    let max_requests =
        if router.has_encoder() { FEW_PROBES } else { RobustnessOptions::default().max_requests };
    robustness(
        router,
        policy,
        dataset,
        records,
        &RobustnessOptions { max_requests, seed, resamples },
    )
}

fn settings(options: &EvalOptions, bar: Bar) -> Settings {
    let &EvalOptions { seed, resamples, bar: _, show_prompts: _, decisions: _ } = options;
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
    let outcome = |cell: &Cell| (&dataset.candidates[cell.candidate], cell.score, cell.cost_usd);
    let scored_outcomes = scored.records.iter().map(|record| {
        let outcomes: Vec<_> = record.cells.iter().map(outcome).collect();
        format!("{} {outcomes:?}\n", record.key.hex())
    });
    let scored_outcomes: String = scored_outcomes.collect();
    let log_requests = dataset.records.len() as u64;
    let scored_requests = scored.records.len() as u64;
    DataCounts {
        log_requests,
        seen_requests: log_requests - scored_requests,
        scored_requests,
        scored_groups: scored.rows.groups.len() as u64,
        complete_requests: scored.complete.len() as u64,
        scored_digest: Digest::of(scored_outcomes.as_bytes()),
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
