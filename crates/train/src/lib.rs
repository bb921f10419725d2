//! From a Dataset to a router directory: fit, calibrate, certify, and judge at the gate.
//!
//! Requests fall into three disjoint groups of prompts. Learners, blend and calibration see the fit
//! split, thresholds the certificate split, and the gate the sealed split. What is certified and
//! judged is the router itself, through the same forward pass that serves.

mod add_model;
mod assemble;
mod blend;
mod calibrate;
mod card;
mod certify;
mod checkpoint;
mod compare;
mod config;
mod distill;
mod error;
mod featurize;
mod fit;
mod fitted;
mod gate;
mod latent;
mod learners;
mod length;
mod objective;
mod policies;
mod problem;
mod progress;
mod reference;
mod representation;
mod ridge;
mod split;
mod time_limit;

use farthing_core::Prediction;
use farthing_data::Dataset;
use farthing_model::features::Features;
use farthing_model::{GateReport, Parts, PolicySpec, Router};
use nalgebra::DMatrix;
use rayon::prelude::*;

pub use add_model::{AddConfig, AddError, Added, add_model};
pub use certify::{Resplits, Rung, resplit};
pub use compare::{Compared, Comparison, compare};
pub use config::{Encoder, SplitBy, TrainConfig};
pub use distill::{DistillError, Distilled, distill};
pub use error::TrainError;
pub use learners::LearnerName;
pub use progress::{Observer, Progress, Stage};

use crate::assemble::{assemble, fingerprint};
use crate::fit::Learned;
use crate::fitted::Fitted;
use crate::gate::Sealed;
use crate::problem::column_means;
use crate::progress::Steps;

/// Fewer judged requests than this cannot be split three ways.
const MIN_REQUESTS: usize = 30;

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
    observer: &Observer<'_>,
) -> Result<Trained, TrainError> {
    checkpoint::prepare(config)?;
    let mut fitted = Fitted::new(dataset, config, observer)?;
    certify_bars(&mut fitted, config)?;
    Steps::enter(observer, Stage::Gate, 1);
    let mut gate = judge(&fitted, (&fitted.learned, &fitted.parts), config)?;
    if let Some(plain) = config.without_sentence() {
        let (learned, parts) = fitted.learn_again(&plain)?;
        gate.without_encoder = judge(&fitted, (&learned, &parts), &plain)?.earned_share;
    }
    // Whoever is refused may try again by force.
    if gate.passed || config.force {
        checkpoint::clear(config)?;
    }
    let Fitted { mut parts, left_out, .. } = fitted;
    parts.manifest.gate = gate;
    parts.card = card::write(&parts.manifest);
    Ok(Trained { parts, left_out })
}

/// Certifies every bar and solves the budget, on the certificate split.
fn certify_bars(fitted: &mut Fitted, config: &TrainConfig) -> Result<(), TrainError> {
    if config.lambda.is_some() && !fitted.parts.manifest.policies.contains_key("utility") {
        return Err(TrainError::NoCosts { flag: "--lambda" });
    }
    let rows = fitted.roles.certificate.clone();
    let (records, features) = (fitted.records(&rows), fitted.features(&rows));
    let columns = (&*fitted.dataset.label_columns, &*fitted.dataset.context_columns);
    let mut bars = fitted.parts.manifest.bars.clone();
    let mut policies = fitted.parts.manifest.policies.clone();
    for (i, card) in bars.iter_mut().enumerate() {
        let predictions = fitted.predict(&features, i);
        let held_out = fitted.held_out(&records, &predictions, i);
        (card.threshold, card.certificate) = certify::certify(held_out, columns, config).unzip();
        if let Some(budget_usd) = config.budget_usd.filter(|_| i == 0) {
            let budget = policies::solve(budget_usd, &records, &predictions)?;
            policies.insert("budget".to_owned(), PolicySpec::Budget(budget));
        }
    }
    let manifest = &mut fitted.parts.manifest;
    (manifest.bars, manifest.policies) = (bars, policies);
    Ok(())
}

/// Judges what was learned, and the router that it makes, at the gate, on the sealed split.
fn judge(
    fitted: &Fitted,
    (learned, parts): (&Learned, &Parts),
    config: &TrainConfig,
) -> Result<GateReport, TrainError> {
    let (records, features) =
        (fitted.records(&fitted.roles.sealed), fitted.features(&fitted.roles.sealed));
    let predictions = predict(&Router::from_parts(parts)?, &features, 0);
    let sealed = Sealed {
        records: &records,
        quality: tabulate(&predictions, |p| p.quality),
        predicted_cost: tabulate(&predictions, |p| p.cost_usd.unwrap_or(f64::NAN)),
        null_quality: null_quality((learned, parts), &features)?,
        mean_score: &learned.mean_score,
        mean_cost: &column_means(&learned.lengths.cost),
        learned: !learned.learners.is_empty(),
        seed: config.seed,
    };
    Ok(gate::judge(&sealed, config.force))
}

/// `(n) features -> (n, candidates)` quality that the same learners predict after shuffled labels.
fn null_quality(
    (learned, parts): (&Learned, &Parts),
    features: &[Features],
) -> Result<DMatrix<f64>, TrainError> {
    let null = Parts { weights: learned.null.clone(), ..parts.clone() };
    Ok(tabulate(&predict(&Router::from_parts(&null)?, features, 0), |p| p.quality))
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

/// `(n) features -> (n, candidates)` predictions, in parallel, in order.
fn predict(router: &Router, features: &[Features], bar_index: usize) -> Vec<Vec<Prediction>> {
    features.par_iter().map(|features| router.predict(features, bar_index)).collect()
}

/// `(n, candidates)` of one field of the predictions.
fn tabulate(predictions: &[Vec<Prediction>], field: impl Fn(&Prediction) -> f64) -> DMatrix<f64> {
    let candidates = predictions.first().map_or(0, Vec::len);
    DMatrix::from_fn(predictions.len(), candidates, |row, c| field(&predictions[row][c]))
}
