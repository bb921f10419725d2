//! A made-up router and log: on half of the requests, those of task `hard`, only dear candidates do
//! well.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

use std::collections::BTreeMap;

use farthing_core::{Digest, PriceTable, Request};
use farthing_data::{Cell, Dataset, Record};
use farthing_model::features::{FeatureSchema, SURFACE_FEATURES, context_key};
use farthing_model::network::{ContextTable, Weights};
use farthing_model::{
    BarCard, CandidateCard, CostModel, DataCard, GateReport, Manifest, Parts, Platt, PolicySpec,
    Router, SeenPrompts,
};

/// Mean score on easy and on hard requests, and cost in USD.
fn skill(model: &str) -> (f64, f64, f64) {
    match model {
        "large" => (0.95, 0.9, 0.010),
        "middle" => (0.95, 0.6, 0.004),
        "small" => (0.9, 0.3, 0.001),
        // `m0`, `m1`, ...: each a little better and dearer.
        _ => {
            let rank: f64 = model.trim_start_matches('m').parse().unwrap_or_default();
            (0.9, 0.3 + 0.6 * rank / (rank + 5.0), 0.001 * 1.3_f64.powf(rank))
        }
    }
}

/// A router of these candidates that knows their skills.
pub(crate) fn router(names: &[&str]) -> Router {
    Router::from_parts(&parts(names)).unwrap()
}

/// What it is made of.
pub(crate) fn parts(names: &[&str]) -> Parts {
    let n = names.len();
    let each = |value: fn((f64, f64, f64)) -> f64| {
        names.iter().map(move |name| value(skill(name))).collect::<Vec<f64>>()
    };
    let f32s = |values: Vec<f64>| -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
        values.into_iter().map(|value| value as f32).collect()
    };
    let mut bias = f32s(each(|(easy, ..)| easy));
    bias.extend(std::iter::repeat_n(1.0, n));
    let weights = Weights {
        buckets: Vec::new(),
        rows: Vec::new(),
        tokens: Vec::new(),
        token_rows: Vec::new(),
        embedding_rows: Vec::new(),
        surface: vec![0.0; SURFACE_FEATURES.len() * 2 * n],
        bias,
        means: Vec::new(),
        clusters: None,
        context: vec![ContextTable {
            keys: vec![context_key("hard")],
            offsets: f32s(each(|(easy, hard, _)| hard - easy)),
        }],
    };
    Parts {
        null: None,
        manifest: manifest(names),
        weights,
        tokenizer: None,
        encoder: None,
        prices: PriceTable::default(),
        seen: SeenPrompts::new(0, []),
        card: String::new(),
    }
}

fn manifest(names: &[&str]) -> Manifest {
    let card = |name: &&str| {
        let (easy, hard, cost) = skill(name);
        CandidateCard {
            model: (*name).to_owned(),
            outcomes: 100,
            mean_score: f64::midpoint(easy, hard),
            cost: CostModel { tokens: None, mean_cost_usd: Some(cost) },
            added: None,
        }
    };
    let features = FeatureSchema::new(vec!["task".to_owned()]);
    let bar = BarCard {
        bar: 0.5,
        threshold: None,
        certificate: None,
        calibration: vec![Platt { slope: 4.0, intercept: -2.0 }.into(); names.len()],
        calibrated: None,
    };
    Manifest {
        digest: String::new(),
        format_version: 1,
        candidates: names.iter().map(card).collect(),
        reference: names[0].to_owned(),
        stands_in: None,
        bars: vec![bar],
        extended_from: None,
        default_policy: "default".to_owned(),
        policies: BTreeMap::from([("default".to_owned(), PolicySpec::Utility { lambda: 20.0 })]),
        feature_digest: features.digest(),
        features,
        mixtures: Vec::new(),
        clusters: None,
        learners: Vec::new(),
        decision_time: None,
        data: DataCard {
            fingerprint: Digest::of(b""),
            requests: 100,
            outcomes: 300,
            fit: 80,
            certificate: 10,
            sealed: 10,
            seed: 0,
            labels: Vec::new(),
            group: None,
            left_out: None,
            by_time: None,
        },
        gate: GateReport { passed: true, ..GateReport::default() },
        files: BTreeMap::new(),
    }
}

/// A log in which each of these candidates answered each of `n` requests, half of them hard.
pub(crate) fn dataset(names: &[&str], n: usize) -> Dataset {
    let record = |i: usize| {
        let hard = i.is_multiple_of(2);
        let task = if hard { "hard" } else { "easy" };
        let context = BTreeMap::from([("task".to_owned(), task.to_owned())]);
        let cell = |(candidate, name): (usize, &&str)| {
            let (easy, hard_score, cost) = skill(name);
            let met = uniform(i, candidate) < if hard { hard_score } else { easy };
            Cell {
                candidate,
                samples: 1,
                score: Some(f64::from(u8::from(met))),
                cost_usd: Some(cost * (0.5 + uniform(i, 100))),
                input_tokens: None,
                output_tokens: None,
                latency_ms: None,
                propensity: None,
            }
        };
        let prompt = format!("request {i}");
        Record {
            key: Digest::of(prompt.as_bytes()),
            group: farthing_core::split_key(&prompt),
            request_id: None,
            request: Request::from_prompt(prompt).unwrap().with_context(context),
            labels: Vec::new(),
            timestamp_ms: None,
            cells: names.iter().enumerate().map(cell).collect(),
        }
    };
    let mut records: Vec<Record> = (0..n).map(record).collect();
    records.sort_by(|a, b| a.key.cmp(&b.key));
    Dataset {
        candidates: names.iter().map(|name| (*name).to_owned()).collect(),
        context_columns: vec!["task".to_owned()],
        label_columns: Vec::new(),
        group_column: None,
        left_out: None,
        records,
    }
}

/// In [0, 1), the same every time.
fn uniform(i: usize, candidate: usize) -> f64 {
    let hash = Digest::of(format!("{i} {candidate}").as_bytes()).prefix();
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}
