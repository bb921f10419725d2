//! Whether a router's choice depends on what it should: requests are changed in ways that leave the
//! task alone, or that try to talk the router round, and routed again by the same policy.
//!
//! How a text is changed is in [`change`]; this module samples, routes and counts. Prompts are not
//! part of what it returns. What a harness puts into a user turn is changed like the rest of it.

mod change;
mod paraphrase;
mod typos;

use farthing_core::{Digest, Policy};
use farthing_data::{Dataset, Record};
use farthing_model::Router;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use schemars::JsonSchema;
use serde::Serialize;

use crate::estimate::{Column, Drawn, Estimates, Ratios};
use crate::metrics::{self, Bootstrap};
use crate::rows::{Rows, known};
use crate::{Estimate, EvalError};
pub use change::Change;

/// How to probe a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RobustnessOptions {
    /// Most requests that are changed; which ones does not depend on their order.
    pub max_requests: usize,
    /// Seed of the sample, of the changes and of the bootstrap.
    pub seed: u64,
    /// Resamples of the bootstrap.
    pub resamples: u32,
}

impl Default for RobustnessOptions {
    fn default() -> Self {
        Self { max_requests: 500, seed: 0, resamples: 2000 }
    }
}

/// How often changed requests are routed elsewhere, with the same policy.
///
/// A *pair* is a request and a changed form of it that differs from it, for both of which some
/// candidate is eligible. A *flip* is a pair whose two choices differ. Where nothing flips, the
/// interval is a single point: the true rate may then still be up to about 300 / pairs percent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Robustness {
    /// Requests that were drawn.
    pub requests: u64,
    /// Pairs of all changes that are not steering.
    pub pairs: u64,
    /// Share of those pairs without a flip, in percent: `RouterArena`'s robustness score
    /// (1 - flips / matched pairs), on this log's own prompts.
    pub robustness_pct: Option<Estimate>,
    /// Each kind of change on its own.
    pub kinds: Vec<ChangeFigures>,
}

/// What one kind of change does.
///
/// A difference is `null` where there are flips and the log knows both sides of none: the pairs that
/// did not flip would make it 0. Where it knows some of them it leans towards 0 for the same reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangeFigures {
    /// The change.
    pub change: Change,
    /// What it does to the last user turn.
    pub what: &'static str,
    /// Whether it tries to move the router, rather than being what people do without a thought.
    pub steering: bool,
    /// Pairs.
    pub requests: u64,
    /// Pairs whose choices differ.
    pub flips: u64,
    /// Their share, in percent.
    pub flip_pct: Option<Estimate>,
    /// Flips to a candidate that was predicted to be dearer on the original request.
    pub to_dearer: u64,
    /// Flips to one that was predicted to be cheaper.
    pub to_cheaper: u64,
    /// Pairs for which the scores of both choices are logged.
    pub judged_requests: u64,
    /// Flips among those.
    pub judged_flips: u64,
    /// Mean logged score of the changed request's choice less that of the original's.
    pub quality_change: Option<Estimate>,
    /// Pairs for which the costs of both choices are logged.
    pub costed_requests: u64,
    /// Flips among those.
    pub costed_flips: u64,
    /// Mean logged cost of the changed request's choice less that of the original's, in USD.
    pub cost_change_usd: Option<Estimate>,
}

/// Changes a sample of `records` in every way and routes it as the policy, at the bar of that
/// position, would serve. The figures do not depend on the order of the records.
pub fn robustness(
    router: &Router,
    (policy, bar_index): (&Policy, usize),
    dataset: &Dataset,
    records: &[&Record],
    options: &RobustnessOptions,
) -> Result<Robustness, EvalError> {
    let sample = sample(records, options);
    let route = |records: &[&Record]| {
        Rows::new((router, None), (policy, bar_index), dataset, records, &|_| ())
    };
    let original = route(&sample)?;
    let mut probes = Vec::with_capacity(Change::ALL.len());
    for change in Change::ALL {
        let (positions, changed) = changed(change, &sample, options.seed);
        let choices = route(&changed.iter().collect::<Vec<_>>())?.choices;
        probes.push(Probe::new(change, &original, positions.into_iter().zip(choices)));
    }

    let mut ratios = Ratios::new(&original.groups);
    let columns: Vec<Columns> =
        probes.iter().map(|probe| probe.columns(&original, &mut ratios)).collect();
    let unmoved = ratios.ratio(unmoved(&probes));
    let sums = ratios.sums();
    let bootstrap = Bootstrap { seed: options.seed, resamples: options.resamples };
    let drawn = Drawn::new(bootstrap, &original.groups, |counts| sums.ratios(counts));
    let estimates = sums.estimates(&drawn.map(Vec::as_slice));
    let kinds = probes.iter().zip(&columns);
    Ok(Robustness {
        requests: sample.len() as u64,
        pairs: estimates.known(unmoved),
        robustness_pct: estimates.of(unmoved).map(|share| share.affine(100.0, 0.0)),
        kinds: kinds.map(|(probe, c)| probe.figures(&original, c, &estimates)).collect(),
    })
}

/// The first records by a hash of key and seed, by rising key.
fn sample<'a>(records: &[&'a Record], options: &RobustnessOptions) -> Vec<&'a Record> {
    let place = |record: &Record| hash(&format!("{} sample {}", options.seed, record.key));
    let mut drawn: Vec<&Record> = records.to_vec();
    drawn.sort_by_cached_key(|record| (place(record), record.key.clone()));
    drawn.truncate(options.max_requests);
    drawn.sort_by(|a, b| a.key.cmp(&b.key));
    drawn
}

/// The records that the change does change, with their positions in the sample. Each draws from a
/// generator of its own, so that no record depends on its neighbours.
fn changed(change: Change, sample: &[&Record], seed: u64) -> (Vec<usize>, Vec<Record>) {
    let edit = |(position, record): (usize, &&Record)| {
        let own = hash(&format!("{seed} {} {}", change.name(), record.key));
        let mut generator = ChaCha8Rng::seed_from_u64(own);
        let request =
            record.request.edit_last_user_turn(|text| change.apply(text, &mut generator))?;
        let differs = request != record.request;
        differs.then(|| (position, Record { request, ..(*record).clone() }))
    };
    sample.iter().enumerate().filter_map(edit).unzip()
}

fn hash(text: &str) -> u64 {
    Digest::of(text.as_bytes()).prefix()
}

/// Ratios of one change.
struct Columns {
    flipped: Column,
    score: Column,
    cost: Column,
}

/// One change and what it did.
struct Probe {
    change: Change,
    /// For each request of the sample the choices before and after; `None` where there is no pair.
    choices: Vec<Option<[usize; 2]>>,
}

impl Probe {
    fn new(
        change: Change,
        original: &Rows,
        changed: impl Iterator<Item = (usize, Option<usize>)>,
    ) -> Self {
        let mut choices = vec![None; original.len()];
        for (position, after) in changed {
            choices[position] = original.choices[position].zip(after).map(<[usize; 2]>::from);
        }
        Self { change, choices }
    }

    /// Position and choices of each pair.
    fn pairs(&self) -> impl Iterator<Item = (usize, [usize; 2])> {
        let choices = self.choices.iter().enumerate();
        choices.filter_map(|(request, choices)| Some((request, (*choices)?)))
    }

    fn columns(&self, rows: &Rows, ratios: &mut Ratios<'_>) -> Columns {
        let flipped = |(i, [before, after]): (usize, [usize; 2])| {
            (i, if before == after { 0.0 } else { 100.0 })
        };
        let difference = |of: fn(&Rows, usize, usize) -> Option<f64>| {
            let known = move |i, choices| difference(rows, of, i, choices);
            self.pairs().filter_map(move |(i, choices)| Some((i, known(i, choices)?)))
        };
        Columns {
            flipped: ratios.mean(self.pairs().map(flipped)),
            score: ratios.mean(difference(Rows::score)),
            cost: ratios.mean(difference(Rows::cost)),
        }
    }

    /// Flips for which `counts(request, choices)` holds.
    fn flips(&self, counts: impl Fn(usize, [usize; 2]) -> bool) -> u64 {
        let flips = self.pairs().filter(|(_, [before, after])| before != after);
        flips.filter(|&(request, choices)| counts(request, choices)).count() as u64
    }

    fn figures(&self, rows: &Rows, columns: &Columns, estimates: &Estimates) -> ChangeFigures {
        let flips = self.flips(|_, _| true);
        let judged_flips =
            self.flips(|i, choices| difference(rows, Rows::score, i, choices).is_some());
        let costed_flips =
            self.flips(|i, choices| difference(rows, Rows::cost, i, choices).is_some());
        let change = |column, known: u64| estimates.of(column).filter(|_| flips == 0 || known > 0);
        let dearer = |request: usize, [than, candidate]: [usize; 2]| {
            let cost = |candidate| known(rows.predicted_cost.at(request, candidate));
            cost(candidate).zip(cost(than)).is_some_and(|(cost, than)| cost > than)
        };
        ChangeFigures {
            change: self.change,
            what: self.change.what(),
            steering: self.change.is_steering(),
            requests: estimates.known(columns.flipped),
            flips,
            flip_pct: estimates.of(columns.flipped),
            to_dearer: self.flips(dearer),
            to_cheaper: self.flips(|request, [before, after]| dearer(request, [after, before])),
            judged_requests: estimates.known(columns.score),
            judged_flips,
            quality_change: change(columns.score, judged_flips),
            costed_requests: estimates.known(columns.cost),
            costed_flips,
            cost_change_usd: change(columns.cost, costed_flips),
        }
    }
}

/// What the log says of the choice after less that before, where it knows both.
fn difference(
    rows: &Rows,
    of: fn(&Rows, usize, usize) -> Option<f64>,
    request: usize,
    [before, after]: [usize; 2],
) -> Option<f64> {
    Some(of(rows, request, after)? - of(rows, request, before)?)
}

/// What each harmless pair adds to the robustness, by request.
fn unmoved(probes: &[Probe]) -> impl Iterator<Item = (usize, (f64, f64))> {
    let harmless = probes.iter().filter(|probe| !probe.change.is_steering());
    harmless.flat_map(|probe| {
        let choice = |of: usize| probe.choices.iter().map(move |pair| Some((*pair)?[of]));
        let (before, after): (Vec<_>, Vec<_>) = (choice(0).collect(), choice(1).collect());
        let pairs = metrics::robustness(&before, &after);
        pairs.into_iter().enumerate().filter_map(|(request, part)| Some((request, part?)))
    })
}
