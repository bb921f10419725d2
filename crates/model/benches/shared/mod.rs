//! What benches share: prompts from the project's own prose, and routers of any size, made up.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use farthing_core::{Digest, Request};
use farthing_model::features::{Features, Featurizer, SURFACE_FEATURES};
use farthing_model::network::{ClusterTable, Shape, Weights};
use farthing_model::static_table::StaticTable;
use farthing_model::{
    BarCard, CandidateCard, CostModel, DataCard, GateReport, Manifest, Parts, Platt, PolicySpec,
    Router, SeenPrompts, TokenModel,
};
use half::f16;

/// Tasks of a router.
const TASKS: usize = 14;

/// The table in the repository.
pub(crate) fn base_table() -> StaticTable {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
    StaticTable::load(&base).expect("the base table is in the repository")
}

/// Different prompts of so many tokens each, cut from the project's own prose.
pub(crate) fn prompts(table: &StaticTable, tokens: usize) -> Vec<Request> {
    let prose = concat!(
        include_str!("../../../../README.md"),
        include_str!("../../../../ARCHITECTURE.md"),
        include_str!("../../../../docs/adr/0004-choosing-a-blend.md"),
        include_str!("../../../../docs/adr/0005-ties-and-certificates.md"),
        include_str!("../../../../docs/adr/0006-adding-a-candidate.md"),
        include_str!("../../../../docs/adr/0010-large-logs.md"),
        include_str!("../../../../docs/adr/0012-a-sentence-encoder-tier.md"),
    );
    let words: Vec<&str> = prose.split_whitespace().collect();
    let tokens_of_prose = table.token_ids(prose).len();
    let length = (words.len() * tokens).div_ceil(tokens_of_prose);
    let cut = |start: usize| {
        let text: Vec<&str> = words.iter().cycle().skip(start).take(length).copied().collect();
        Request::from_prompt(text.join(" ")).expect("the prompt is not empty")
    };
    (0..32).map(|i| cut(i * words.len() / 32)).collect()
}

/// A shape of so many candidates, tasks and clusters.
pub(crate) fn shape(candidates: usize, tasks: usize, clusters: usize) -> Shape {
    Shape {
        buckets: Featurizer::new(Vec::new(), None).schema().buckets(),
        candidates,
        mixtures: if tasks > 0 { vec![tasks] } else { Vec::new() },
        latent: clusters,
        clusters,
        context: 0,
        embedding: 0,
    }
}

/// Weights by which every n-gram and token of these requests has a row, among as many others as in a router
/// from ten thousand prompts.
pub(crate) fn weights(shape: &Shape, features: &[Features]) -> Weights {
    let mut buckets: BTreeSet<u32> = features.iter().flat_map(|f| f.buckets.clone()).collect();
    buckets.extend((0..120_000).map(|i| i * 2));
    let tokens: u32 = if features.iter().all(|f| f.tokens.is_empty()) { 0 } else { 30_000 };
    let (width, candidates) = (shape.width(), shape.candidates);
    let value = |i: usize| (i * 7_919 % 1_000) as f32 / 1e6;
    let matrix = |rows: usize, columns: usize| (0..rows * columns).map(value).collect::<Vec<_>>();
    let (latent, count) = (shape.latent, shape.clusters);
    let clusters = (count > 0).then(|| ClusterTable {
        centres: matrix(latent, count),
        bias: matrix(1, count),
        means: matrix(count, candidates),
    });
    let token_rows = matrix(tokens as usize, width).into_iter().map(f16::from_f32);
    let weights = Weights {
        buckets: buckets.iter().copied().collect(),
        rows: matrix(buckets.len(), width),
        tokens: (0..tokens).collect(),
        token_rows: token_rows.collect(),
        embedding_rows: Vec::new(),
        surface: matrix(SURFACE_FEATURES.len(), width),
        bias: matrix(1, width),
        means: matrix(shape.components(), candidates),
        clusters,
        context: Vec::new(),
    };
    weights.check(shape).expect("the weights have the shape");
    weights
}

/// A router of the kind that training makes by default: words, tokens and a task mixture.
pub(crate) fn router(table: &StaticTable, candidates: usize, requests: &[Request]) -> Router {
    let featurizer = Featurizer::new(Vec::new(), Some(Arc::clone(table.tokenizer())));
    let featurize = |request| featurizer.featurize(request).expect("there is no encoder");
    let features: Vec<Features> = requests.iter().map(featurize).collect();
    let names: Vec<String> = (0..candidates).map(|i| format!("candidate-{i}")).collect();
    let parts = Parts {
        weights: weights(&shape(candidates, TASKS, 0), &features),
        null: None,
        tokenizer: featurizer.tokenizer().cloned(),
        encoder: None,
        prices: farthing_core::PriceTable::default(),
        seen: SeenPrompts::new(0, []),
        card: String::new(),
        manifest: manifest(&featurizer, &names),
    };
    Router::from_parts(&parts).expect("the parts make a router")
}

fn manifest(featurizer: &Featurizer, names: &[String]) -> Manifest {
    let features = featurizer.schema().clone();
    let candidate = |(i, name): (usize, &String)| CandidateCard {
        model: name.clone(),
        outcomes: 1_000,
        mean_score: 0.5,
        cost: CostModel {
            tokens: Some(TokenModel {
                input_base: 10.0,
                input_per_byte: 0.25,
                mean_output: 100.0,
                q90_ratio: Some(2.0),
            }),
            mean_cost_usd: Some(1e-4 * (i + 1) as f64),
        },
        added: None,
    };
    let bar = BarCard {
        bar: 0.5,
        threshold: Some(0.5),
        certificate: None,
        calibration: vec![Platt { slope: 8.0, intercept: -4.0 }.into(); names.len()],
        calibrated: None,
    };
    Manifest {
        digest: String::new(),
        format_version: 1,
        candidates: names.iter().enumerate().map(candidate).collect(),
        reference: names.last().cloned().unwrap_or_default(),
        stands_in: None,
        bars: vec![bar],
        extended_from: None,
        default_policy: "default".into(),
        policies: [("default".to_owned(), PolicySpec::CheapestAboveBar)].into(),
        feature_digest: features.digest(),
        features,
        mixtures: vec![TASKS],
        clusters: None,
        learners: Vec::new(),
        decision_time: None,
        data: DataCard {
            fingerprint: Digest::of(b""),
            requests: 0,
            outcomes: 0,
            fit: 0,
            certificate: 0,
            sealed: 0,
            seed: 0,
            labels: Vec::new(),
            group: None,
            left_out: None,
            by_time: None,
        },
        gate: GateReport::default(),
        files: std::collections::BTreeMap::new(),
    }
}
