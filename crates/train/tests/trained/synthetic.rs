//! Made-up logs: prompts of an easy and a hard kind, and candidates of known skill.

use std::ops::Range;

use farthing_core::{Digest, Request, split_key};
use farthing_data::{Cell, Dataset, Record};
use farthing_model::{Circumstances, Parts, Router, Scorer};

/// Words of the easy and of the hard prompts.
const WORDS: [[&str; 6]; 2] = [
    ["greet", "thank", "rephrase", "shorten", "spell", "list"],
    ["prove", "integrate", "schedule", "refactor", "derive", "audit"],
];

/// One candidate: its name, its cost and its score on request `i` of a kind.
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) score: Box<dyn Fn(usize, bool) -> f64>,
}

impl Candidate {
    /// Scores 1 with probability `easy` or `hard`, else 0; `noise` names the dice.
    pub(crate) fn new(name: &str, cost_usd: f64, [easy, hard]: [f64; 2], noise: u64) -> Self {
        let score = move |i: usize, is_hard: bool| {
            f64::from(u8::from(uniform(i as u64, noise) < if is_hard { hard } else { easy }))
        };
        Self { name: name.to_owned(), cost_usd: Some(cost_usd), score: Box::new(score) }
    }

    /// Of this score on request `i`.
    pub(crate) fn scoring(name: &str, cost_usd: f64, score: fn(usize, bool) -> f64) -> Self {
        Self { name: name.to_owned(), cost_usd: Some(cost_usd), score: Box::new(score) }
    }
}

/// Requests of these numbers, half of them hard, that each candidate answered.
pub(crate) fn dataset(candidates: &[Candidate], requests: Range<usize>) -> Dataset {
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    order.sort_by(|&a, &b| candidates[a].name.cmp(&candidates[b].name));
    let record = |i: usize| {
        let is_hard = i.is_multiple_of(2);
        let words = WORDS[usize::from(is_hard)];
        let word =
            |k: u64| words[usize::from(hash(i as u64, 1000 + k).to_le_bytes()[0]) % words.len()];
        let prompt = format!("{} {} {} number{i}", word(0), word(1), word(2));
        let cell = |(candidate, &c): (usize, &usize)| Cell {
            candidate,
            samples: 1,
            score: Some((candidates[c].score)(i, is_hard)),
            cost_usd: candidates[c].cost_usd.map(|usd| usd * (0.5 + uniform(i as u64, 999))),
            input_tokens: None,
            output_tokens: None,
            latency_ms: None,
            propensity: None,
        };
        Record {
            key: Digest::of(prompt.as_bytes()),
            group: split_key(&prompt),
            request_id: None,
            request: Request::from_prompt(prompt).unwrap(),
            labels: Vec::new(),
            timestamp_ms: None,
            cells: order.iter().enumerate().map(cell).collect(),
        }
    };
    let mut records: Vec<Record> = requests.map(record).collect();
    records.sort_by(|a, b| a.key.cmp(&b.key));
    Dataset {
        candidates: order.iter().map(|&c| candidates[c].name.clone()).collect(),
        context_columns: Vec::new(),
        label_columns: Vec::new(),
        group_column: None,
        left_out: None,
        records,
    }
}

/// The share of the requests that the default policy sends to a candidate.
pub(crate) fn share(parts: &Parts, dataset: &Dataset, name: &str) -> f64 {
    let router = Router::from_parts(parts).unwrap();
    let chosen = |record: &&Record| {
        let options = farthing_core::RouteOptions::default();
        let decided = router.route(
            &mut Scorer::default(),
            &record.request,
            &options,
            Circumstances::drawn(1.0),
        );
        router.candidates()[decided.unwrap().choice.ranked[0]] == name
    };
    dataset.records.iter().filter(chosen).count() as f64 / dataset.records.len() as f64
}

/// In [0, 1), the same every time.
fn uniform(i: u64, dice: u64) -> f64 {
    (hash(i, dice) >> 11) as f64 / (1_u64 << 53) as f64
}

fn hash(i: u64, dice: u64) -> u64 {
    Digest::of(&[i.to_le_bytes(), dice.to_le_bytes()].concat()).prefix()
}
