//! Synthetic LLM traffic with known truth: sample data, tests and closed-loop experiments.
//!
//! ```
//! use farthing_sim::{Config, LogPolicy, generate};
//!
//! let config = Config { rows: 3, seed: 0, log_policy: LogPolicy::Full };
//! for request in generate(config) {
//!     assert_eq!(request.rows.len(), request.truth.len());
//! }
//! ```
//!
//! Prompts are composed from grammars of our own (`lexicon`, `pen`, `compose`); invented candidates
//! (`candidates`, `family`) answer them with a quality that is known (`truth`); a log shows some of
//! the answers (`log_policy`). Each request has its own generator, made from the seed and its
//! position: it does not depend on how many requests there are. Writing a file is not done here.
//!
//! [`upstream`] is something else for tests of what stands between a client and its models: an LLM
//! server that fails as it is told to.

mod candidates;
mod family;
mod language;
mod log_policy;

mod compose;
mod lexicon;
mod pen;
mod truth;

pub mod upstream;

#[cfg(test)]
mod tests;

pub use candidates::{Candidate, candidates, prices};
pub use family::Family;
pub use language::Language;
pub use log_policy::LogPolicy;
pub use truth::Truth;

use std::collections::BTreeMap;

use farthing_core::log::{Asked, OutcomeRow};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use candidates::COUNT;
use compose::compose;
use pen::Pen;
use truth::Situation;

/// Name of the context column: the part of an application that sent the request.
pub const CONTEXT_COLUMN: &str = "feature";
/// Name of the label column: the [`Family`], which is not known at request time.
pub const LABEL_COLUMN: &str = "task";

/// The first request is made at this time, in milliseconds since 1970: 5 January 2026, UTC.
const EPOCH_MS: i64 = 1_767_571_200_000;
/// Time from one request to the next, in milliseconds, give or take.
const PACE_MS: i64 = 20_000;
/// Probability of the family's usual feature, and of its other one; else any.
const FEATURE_SHARES: [f64; 2] = [0.65, 0.2];

/// What traffic to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Number of requests; the log has a row for each logged answer to each.
    pub rows: usize,
    /// Another seed, other traffic.
    pub seed: u64,
    /// Which answers the log shows; the requests and the answers do not depend on it.
    pub log_policy: LogPolicy,
}

/// One request, with the answers that a log shows and the truth that it does not.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedRequest {
    /// A row for each logged answer.
    pub rows: Vec<OutcomeRow>,
    /// What is true of each candidate, in the order of [`candidates()`].
    pub truth: Vec<Truth>,
    /// The kind of task.
    pub family: Family,
    /// The language of the prompt.
    pub language: Language,
    /// The difficulty that shows in the prompt, in [0, 1].
    pub level: f64,
}

/// Simulates traffic, one request at a time, in order.
pub fn generate(config: Config) -> impl ExactSizeIterator<Item = SimulatedRequest> {
    (0..config.rows).map(move |index| simulate(&config, index))
}

/// The request at a position.
fn simulate(config: &Config, index: usize) -> SimulatedRequest {
    let mut dice = ChaCha8Rng::seed_from_u64(config.seed);
    dice.set_stream(index as u64);
    let (situation, asked) = ask(&mut dice);
    let request = RequestColumns::draw(config.seed, index, situation.family, &mut dice);
    // Every candidate answers, whatever the log shows, so that log policies show the same answers.
    let outcomes: Vec<_> = (0..COUNT).map(|i| situation.draw(i, &mut dice)).collect();
    let shown = config.log_policy.choose(outcomes.len(), situation.level, &mut dice);
    let rows = shown.into_iter().map(|(i, propensity)| OutcomeRow {
        model: candidates()[i].name.to_owned(),
        outcome: farthing_core::Outcome { propensity, ..outcomes[i] },
        ..request.row(&asked)
    });
    SimulatedRequest {
        rows: rows.collect(),
        truth: (0..COUNT).map(|i| situation.truth(i)).collect(),
        family: situation.family,
        language: situation.language,
        level: situation.level,
    }
}

/// Draws what is asked.
fn ask(dice: &mut ChaCha8Rng) -> (Situation, Asked) {
    let family = weighted(&Family::ALL, |f| f.profile().share, dice);
    let multilingual = family.profile().multilingual;
    let language = weighted(&Language::ALL, |l| l.share(), dice);
    let language = if multilingual { language } else { Language::English };
    let level = dice.random();
    let hidden = StandardNormal.sample(dice);
    let quirks = [(); COUNT].map(|()| StandardNormal.sample(dice));
    let draft = compose(family, level, &mut Pen::new(dice, language));
    let (input_tokens, cached_tokens) = (draft.tokens(), draft.cached_tokens());
    let asked = draft.into_asked();
    let situation =
        Situation { family, language, level, hidden, quirks, input_tokens, cached_tokens };
    (situation, asked)
}

/// The columns that all answers to one request share.
struct RequestColumns {
    request_id: String,
    timestamp_ms: i64,
    family: Family,
    feature: &'static str,
}

impl RequestColumns {
    fn draw(seed: u64, index: usize, family: Family, dice: &mut ChaCha8Rng) -> Self {
        let start = i64::try_from(index).unwrap_or(i64::MAX).saturating_mul(PACE_MS);
        Self {
            // With the seed, so that logs of two seeds can be read together.
            request_id: format!("sim-{seed}-{:06}", index + 1),
            timestamp_ms: EPOCH_MS.saturating_add(start) + dice.random_range(0..PACE_MS),
            family,
            feature: feature(family, dice),
        }
    }

    /// A row without candidate and outcome.
    fn row(&self, asked: &Asked) -> OutcomeRow {
        OutcomeRow {
            request_id: Some(self.request_id.clone()),
            timestamp_ms: Some(self.timestamp_ms),
            asked: asked.clone(),
            model: String::new(),
            outcome: farthing_core::Outcome::default(),
            decision_id: None,
            router: None,
            policy: None,
            score_source: Some(self.family.profile().source),
            split: None,
            extra: BTreeMap::from([
                (CONTEXT_COLUMN.to_owned(), self.feature.to_owned()),
                (LABEL_COLUMN.to_owned(), self.family.name().to_owned()),
            ]),
        }
    }
}

/// The feature that sends a request of a family: mostly one of the family's own.
fn feature(family: Family, dice: &mut ChaCha8Rng) -> &'static str {
    let [usual, other] = family.profile().features;
    let roll: f64 = dice.random();
    let any = Family::ALL[dice.random_range(0..Family::ALL.len())].profile().features[0];
    match roll {
        _ if roll < FEATURE_SHARES[0] => usual,
        _ if roll < FEATURE_SHARES[0] + FEATURE_SHARES[1] => other,
        _ => any,
    }
}

/// One of several things by weight.
fn weighted<T: Copy>(things: &[T], weight: impl Fn(&T) -> f64, dice: &mut ChaCha8Rng) -> T {
    let mut left = dice.random::<f64>() * things.iter().map(&weight).sum::<f64>();
    let chosen = things.iter().position(|thing| {
        left -= weight(thing);
        left < 0.0
    });
    things[chosen.unwrap_or(things.len() - 1)]
}
