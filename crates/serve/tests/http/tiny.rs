//! A router of three candidates with weights set by hand: `small` is cheap and fails on code, `large`
//! is good, `homemade` has no price.

use std::path::Path;

use farthing_core::{Digest, PriceTable};
use farthing_model::features::{FeatureSchema, SURFACE_FEATURES, context_key};
use farthing_model::network::{ContextTable, Weights};
use farthing_model::{
    BarCard, CandidateCard, CostModel, DataCard, GateReport, Manifest, Parts, Platt, PolicySpec,
    SeenPrompts, TokenModel, write_router,
};

const NAMES: [&str; 3] = ["small", "large", "homemade"];
const PRICES: &str = r#"{
    "small": {"usd_per_1m_input": 0.25, "usd_per_1m_output": 1.0},
    "large": {"usd_per_1m_input": 2.0, "usd_per_1m_output": 8.0}}"#;

/// Writes the router directory.
pub(crate) fn write_tiny_router(dir: &Path) -> Digest {
    write_tiny_router_with(dir, "cheapest_above_bar")
}

/// Writes it with another default policy.
pub(crate) fn write_tiny_router_with(dir: &Path, default_policy: &str) -> Digest {
    let parts = Parts {
        null: None,
        manifest: Manifest { default_policy: default_policy.into(), ..manifest() },
        weights: weights(),
        tokenizer: None,
        encoder: None,
        prices: serde_json::from_str::<PriceTable>(PRICES).unwrap(),
        seen: SeenPrompts::new(1, []),
        card: "# A router for tests\n".into(),
    };
    write_router(dir, parts).unwrap()
}

fn weights() -> Weights {
    let width = 2 * NAMES.len();
    let mut surface = vec![0.0; SURFACE_FEATURES.len() * width];
    let code = SURFACE_FEATURES.iter().position(|name| *name == "has_code_fence").unwrap();
    surface[code * width] = -0.5;
    Weights {
        buckets: Vec::new(),
        rows: Vec::new(),
        tokens: Vec::new(),
        token_rows: Vec::new(),
        embedding_rows: Vec::new(),
        surface,
        bias: vec![0.75, 0.875, 0.5, 1.0, 1.0, 1.0],
        means: Vec::new(),
        clusters: None,
        context: vec![ContextTable {
            keys: vec![context_key("hard")],
            offsets: vec![-0.5, 0.0, 0.0],
        }],
    }
}

fn manifest() -> Manifest {
    let features = FeatureSchema::new(vec!["task".into()]);
    let bar = |bar: f64, threshold| BarCard {
        bar,
        threshold,
        certificate: None,
        calibration: vec![Platt { slope: 8.0, intercept: -5.0 }.into(); NAMES.len()],
        calibrated: None,
    };
    let policies = [
        ("cheapest_above_bar", PolicySpec::CheapestAboveBar),
        ("best_quality", PolicySpec::BestQuality),
        ("cheapest", PolicySpec::Cheapest),
        ("only_large", PolicySpec::Fixed { model: "large".into() }),
    ];
    Manifest {
        digest: String::new(),
        format_version: 0,
        candidates: NAMES.map(candidate).into(),
        reference: "large".into(),
        stands_in: None,
        bars: vec![bar(0.5, Some(0.625)), bar(0.8, None)],
        extended_from: None,
        default_policy: "cheapest_above_bar".into(),
        policies: policies.into_iter().map(|(name, spec)| (name.to_owned(), spec)).collect(),
        feature_digest: features.digest(),
        features,
        mixtures: Vec::new(),
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
        gate: GateReport { passed: true, ..GateReport::default() },
        files: std::collections::BTreeMap::new(),
    }
}

fn candidate(name: &str) -> CandidateCard {
    let tokens = TokenModel {
        input_base: 10.0,
        input_per_byte: 0.25,
        mean_output: 100.0,
        q90_ratio: Some(1.75),
    };
    let tokens = (name != "homemade").then_some(tokens);
    let cost = CostModel { tokens, mean_cost_usd: None };
    CandidateCard { model: name.into(), outcomes: 100, mean_score: 0.5, cost, added: None }
}
