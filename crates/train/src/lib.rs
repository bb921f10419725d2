//! From a Dataset to a router directory: fit, calibrate, certify, and judge at the gate.
//!
//! Requests fall into three disjoint groups of prompts. Learners, blend and calibration see the fit
//! split, thresholds the certificate split, and the gate the sealed split. What is certified and
//! judged is the router itself, through the same forward pass that serves.

mod add_model;
mod blend;
mod calibrate;
mod card;
mod certify;
mod compare;
mod config;
mod distill;
mod error;
mod fit;
mod gate;
mod learners;
mod length;
mod objective;
mod problem;
mod representation;
mod ridge;
mod split;

use std::collections::BTreeMap;

use farthing_core::{Digest, Prediction};
use farthing_data::{Dataset, Record};
use farthing_model::features::{FeatureSchema, Features};
use farthing_model::{
    BarCard, CandidateCard, DataCard, Manifest, Parts, PolicySpec, Router, SeenPrompts,
};
use nalgebra::DMatrix;
use rayon::prelude::*;

pub use add_model::{AddConfig, AddError, Added, add_model};
pub use compare::{Compared, Comparison, compare};
pub use config::TrainConfig;
pub use distill::{DistillError, Distilled, distill};
pub use error::TrainError;
pub use learners::LearnerName;

use crate::fit::{Learned, Prepared};
use crate::gate::Sealed;
use crate::problem::column_means;
use crate::split::Roles;

/// Fewer judged requests than this cannot be split three ways.
const MIN_REQUESTS: usize = 30;
/// Requests in one forward pass.
const BATCH: usize = 64;

/// Steps of a training run, in order, for progress bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Requests become features.
    Featurize,
    /// Latent semantic analysis.
    Represent,
    /// The difficulty head.
    Difficulty,
    /// Learners and their blend.
    Learners,
    /// Calibration and certificates.
    Certify,
    /// The deployment gate.
    Gate,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 6] = [
        Self::Featurize,
        Self::Represent,
        Self::Difficulty,
        Self::Learners,
        Self::Certify,
        Self::Gate,
    ];

    /// What a person reads.
    pub fn label(self) -> &'static str {
        match self {
            Self::Featurize => "featurizing requests",
            Self::Represent => "learning the representation",
            Self::Difficulty => "fitting difficulty",
            Self::Learners => "fitting and blending learners",
            Self::Certify => "calibrating and certifying",
            Self::Gate => "judging at the gate",
        }
    }
}

/// A trained router, not yet written.
#[derive(Debug)]
pub struct Trained {
    /// What [`farthing_model::write_router`] writes; the gate's verdict is in its manifest.
    pub parts: Parts,
    /// Candidates without a single score, which are not in it.
    pub left_out: Vec<String>,
}

/// Trains a router. Refusals of the gate are reported in the manifest, not as an error: whether to
/// write the router is the caller's to decide.
pub fn train(
    dataset: Dataset,
    config: &TrainConfig,
    progress: &dyn Fn(Stage),
) -> Result<Trained, TrainError> {
    let (dataset, left_out) = judged_only(dataset)?;
    let records: Vec<&Record> = dataset.records.iter().collect();
    let roles = split::assign(&records, config.seed);
    let pick = |rows: &[usize]| rows.iter().map(|&row| records[row]).collect::<Vec<_>>();

    progress(Stage::Featurize);
    let schema = FeatureSchema::new(dataset.context_columns.clone());
    let features: Vec<Features> =
        records.par_iter().map(|record| schema.featurize(&record.request)).collect();
    let features_of =
        |rows: &[usize]| rows.iter().map(|&row| features[row].clone()).collect::<Vec<_>>();

    let fit_records = pick(&roles.fit);
    let fit_features = features_of(&roles.fit);
    let prepared =
        Prepared::new(&fit_records, &fit_features, &dataset.candidates, config, progress);
    progress(Stage::Learners);
    let fitted = prepared.learn(&config.learners);

    progress(Stage::Certify);
    let mut parts = assemble(&dataset, &roles, &fitted, schema, config);
    let certificate_features = features_of(&roles.certificate);
    certify_bars(&mut parts, &pick(&roles.certificate), &certificate_features, config)?;

    progress(Stage::Gate);
    let sealed_records = pick(&roles.sealed);
    let sealed_features = features_of(&roles.sealed);
    let router = Router::from_parts(&parts)?;
    let predictions = predict(&router, &sealed_features, 0)?;
    let null = Router::from_parts(&Parts { weights: fitted.null.clone(), ..parts.clone() })?;
    let sealed = Sealed {
        records: &sealed_records,
        quality: tabulate(&predictions, |p| p.quality),
        predicted_cost: tabulate(&predictions, |p| p.cost_usd.unwrap_or(f64::NAN)),
        null_quality: tabulate(&predict(&null, &sealed_features, 0)?, |p| p.quality),
        mean_score: &fitted.mean_score,
        mean_cost: &column_means(&fitted.lengths.cost),
        learned: !fitted.learners.is_empty(),
        seed: config.seed,
    };
    parts.manifest.gate = gate::judge(&sealed, config.force);
    parts.card = card::write(&parts.manifest);
    Ok(Trained { parts, left_out })
}

/// The dataset without requests and candidates that have no score, and the names of the latter.
fn judged_only(mut dataset: Dataset) -> Result<(Dataset, Vec<String>), TrainError> {
    let mut judged = vec![false; dataset.candidates.len()];
    for cell in dataset.records.iter().flat_map(|record| &record.cells) {
        judged[cell.candidate] |= cell.score.is_some();
    }
    let position: Vec<Option<usize>> = judged
        .iter()
        .scan(0, |next, &judged| {
            *next += usize::from(judged);
            Some(judged.then(|| *next - 1))
        })
        .collect();
    let (kept, left_out): (Vec<_>, Vec<_>) =
        dataset.candidates.iter().zip(&position).partition(|(_, position)| position.is_some());
    let names = |list: &[(&String, &Option<usize>)], mark: &str| -> Vec<String> {
        list.iter().map(|(name, _)| format!("{name}{mark}")).collect()
    };
    if kept.len() < 2 {
        let all = [names(&kept, ""), names(&left_out, " (no score)")].concat();
        return Err(TrainError::OneCandidate { judged: kept.len(), names: all.join(", ") });
    }
    let (kept, left_out) = (names(&kept, ""), names(&left_out, ""));
    for record in &mut dataset.records {
        record.cells.retain(|cell| judged[cell.candidate]);
        for cell in &mut record.cells {
            cell.candidate = position[cell.candidate].unwrap_or_default();
        }
    }
    dataset.records.retain(|record| record.cells.iter().any(|cell| cell.score.is_some()));
    dataset.candidates = kept;
    if dataset.records.len() < MIN_REQUESTS {
        return Err(TrainError::TooFew { judged: dataset.records.len(), needed: MIN_REQUESTS });
    }
    Ok((dataset, left_out))
}

/// The router as fitted, calibrated but not yet certified or judged.
fn assemble(
    dataset: &Dataset,
    roles: &Roles,
    fitted: &Learned,
    schema: FeatureSchema,
    config: &TrainConfig,
) -> Parts {
    let card = |(c, model): (usize, &String)| CandidateCard {
        model: model.clone(),
        outcomes: fitted.score.column(c).iter().filter(|score| !score.is_nan()).count() as u64,
        mean_score: fitted.mean_score[c],
        cost: fitted.lengths.models[c],
        added: None,
    };
    let candidates: Vec<CandidateCard> = dataset.candidates.iter().enumerate().map(card).collect();
    let cost = |card: &CandidateCard| card.cost.mean_cost_usd.unwrap_or(f64::INFINITY);
    // NaN (judged outside the fit split only) sorts above every score, so it is put below instead.
    let score = |card: &CandidateCard| if card.outcomes > 0 { card.mean_score } else { -1.0 };
    let reference = candidates
        .iter()
        .max_by(|a, b| score(a).total_cmp(&score(b)).then(cost(b).total_cmp(&cost(a))))
        .map_or_else(String::new, |card| card.model.clone());
    let bar_card = |&bar: &f64| BarCard {
        bar,
        threshold: None,
        certificate: None,
        calibration: calibrate::calibrate(&fitted.cross_fitted, &fitted.score, bar),
    };
    let priced = candidates
        .iter()
        .any(|card| card.cost.mean_cost_usd.is_some() || config.prices.get(&card.model).is_some());
    let outcomes = dataset.records.iter().map(|record| record.cells.len() as u64).sum();
    let used = roles.fit.iter().chain(&roles.certificate).map(|&row| dataset.records[row].group);
    let fingerprint = fingerprint(dataset);
    let manifest = Manifest {
        digest: String::new(),
        format_version: 0,
        candidates,
        reference,
        bars: config.bars.iter().map(bar_card).collect(),
        extended_from: None,
        default_policy: "default".to_owned(),
        policies: policies(priced),
        feature_digest: schema.digest(),
        features: schema,
        mixtures: fitted.mixtures.clone(),
        learners: fitted.learners.clone(),
        data: DataCard {
            fingerprint: fingerprint.clone(),
            requests: dataset.records.len() as u64,
            outcomes,
            fit: roles.fit.len() as u64,
            certificate: roles.certificate.len() as u64,
            sealed: roles.sealed.len() as u64,
            seed: config.seed,
            labels: dataset.label_columns.clone(),
        },
        gate: farthing_model::GateReport { passed: false, forced: false, checks: Vec::new() },
        files: BTreeMap::new(),
    };
    Parts {
        manifest,
        weights: fitted.weights.clone(),
        prices: config.prices.of(&dataset.candidates),
        seen: SeenPrompts::new(fingerprint.prefix() ^ config.seed, used),
        card: String::new(),
    }
}

/// The policies a request may name; `default` is the one in force where it names none.
fn policies(priced: bool) -> BTreeMap<String, PolicySpec> {
    let quality = [("default", PolicySpec::BestQuality), ("best_quality", PolicySpec::BestQuality)];
    let cost = [
        ("default", PolicySpec::CheapestAboveBar),
        ("cheapest_above_bar", PolicySpec::CheapestAboveBar),
        ("cheapest", PolicySpec::Cheapest),
    ];
    let named = quality.into_iter().chain(cost.into_iter().filter(|_| priced));
    named.map(|(name, policy)| (name.to_owned(), policy)).collect()
}

fn certify_bars(
    parts: &mut Parts,
    records: &[&Record],
    features: &[Features],
    config: &TrainConfig,
) -> Result<(), TrainError> {
    let router = Router::from_parts(parts)?;
    for (i, card) in parts.manifest.bars.iter_mut().enumerate() {
        let predictions = predict(&router, features, i)?;
        let certified =
            certify::certify(records, &predictions, router.reference(), card.bar, config);
        (card.threshold, card.certificate) = certified.unzip();
    }
    Ok(())
}

/// `(n) features -> (n, candidates)` predictions, in parallel batches, in order.
fn predict(
    router: &Router,
    features: &[Features],
    bar_index: usize,
) -> Result<Vec<Vec<Prediction>>, TrainError> {
    let batches: Result<Vec<_>, _> =
        features.par_chunks(BATCH).map(|batch| router.predict(batch, bar_index)).collect();
    Ok(batches?.concat())
}

/// `(n, candidates)` of one field of the predictions.
fn tabulate(predictions: &[Vec<Prediction>], field: impl Fn(&Prediction) -> f64) -> DMatrix<f64> {
    let candidates = predictions.first().map_or(0, Vec::len);
    DMatrix::from_fn(predictions.len(), candidates, |row, c| field(&predictions[row][c]))
}

/// Digest of what was learned from: requests and outcomes, in the dataset's own order.
fn fingerprint(dataset: &Dataset) -> Digest {
    let mut bytes = Vec::new();
    for name in &dataset.candidates {
        bytes.extend(name.bytes());
        bytes.push(0);
    }
    for record in &dataset.records {
        bytes.extend(record.key.hex().bytes());
        for cell in &record.cells {
            bytes.extend((cell.candidate as u64).to_le_bytes());
            for value in [cell.score, cell.cost_usd, cell.output_tokens] {
                bytes.extend(value.unwrap_or(-1.0).to_le_bytes());
            }
        }
    }
    Digest::of(&bytes)
}
