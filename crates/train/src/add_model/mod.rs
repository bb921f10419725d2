//! One more candidate in a finished router, from a few hundred outcomes, the others not refitted.
//!
//! The new candidate's expected score is regressed on what the router says of the same requests:
//!
//! ```text
//! score = mean + average difference of the existing candidates from their means     (difficulty)
//!              + combination of those differences          (ridge: the router's own factors)
//!              + what each task or cluster is worth        (ridge on its soft assignment)
//!              + what each context value is worth          (ridge)
//!              + what the text is worth                    (ridge on its latent vectors)
//! ```
//!
//! What tasks, clusters and context are worth is an error profile, shrunk (`UniRoute`, arXiv
//! 2502.08773). Penalties are chosen by cross-fitting, "no part at all" among them. Where existing candidates answered the same
//! requests, by how much they surprised is a control variate: what a request had of luck and hidden
//! difficulty leaves the new candidate's score. Everything is linear in columns that the router has,
//! so the new one folds into its rows. See `docs/adr/0006-adding-a-candidate.md`.

mod costs;
mod describe;
mod error;
mod evidence;
mod interval;
mod solve;
mod widen;

use std::collections::BTreeMap;

use farthing_core::{Bar, Digest, Price, PriceTable};
use farthing_data::Dataset;
use farthing_model::{
    AddedCard, Calibration, CandidateCard, IntervalCard, Manifest, Parts, Router, decision_time,
};
use nalgebra::{DMatrix, DVector};

pub use error::AddError;

use crate::calibrate::calibrate_one;
use crate::fingerprint;
use crate::representation::Folded;
use costs::Costs;
use describe::describe;
use evidence::Evidence;
use interval::{interval, standard_error};
use solve::{Block, Regression, Solution};
use widen::{Column, widen};

/// Fewer judged outcomes than this are refused.
const MIN_OUTCOMES: usize = 30;
/// With fewer judged outcomes than this, only exploration chooses the candidate.
const ENOUGH_OUTCOMES: usize = 200;
/// With a wider interval of its mean difference to the reference, too: its mean may be off by half
/// of that, and routing by a mean that is too high costs as much.
const WIDEST_DIFFERENCE: f64 = 0.15;
/// Fewer requests that both answered say less than the two means.
const MIN_PAIRS: usize = 30;

/// What a user decides about adding a candidate.
#[derive(Debug, Clone, Default)]
pub struct AddConfig {
    /// Its name in the log.
    pub model: String,
    /// Its price is looked up here; those of the router's candidates stay as they are.
    pub prices: PriceTable,
    /// Whether only exploration may choose it, however good the evidence: then every certificate
    /// keeps its meaning.
    pub explore_only: bool,
}

/// A router with one more candidate, not yet written.
#[derive(Debug)]
pub struct Added {
    /// What [`farthing_model::write_router`] writes.
    pub parts: Parts,
    /// Position of the new candidate.
    pub position: usize,
    /// Bars whose certificate is void, because it was for fewer candidates.
    pub voided: Vec<Bar>,
}

impl Added {
    /// The new candidate's card.
    pub fn card(&self) -> &CandidateCard {
        &self.parts.manifest.candidates[self.position]
    }
}

/// Adds a candidate to a router; `digest` is the router's.
pub fn add_model(
    parent: &Parts,
    digest: Digest,
    dataset: &Dataset,
    config: &AddConfig,
) -> Result<Added, AddError> {
    let evidence = gather(parent, dataset, &config.model)?;
    let learned = Learned::of(parent, &evidence);
    let price = config.prices.get(&config.model).or(parent.prices.get(&config.model)).copied();
    let costs = Costs::of(&evidence, price.is_some());

    let shape = parent.shape();
    let names = parent.manifest.candidates.iter().map(|card| &card.model);
    let position = names.filter(|name| **name < config.model).count();
    let added = added_card(parent, dataset, &evidence, &learned, config);
    let takes_part = added.explore_only.is_none();
    let new = CandidateCard {
        model: config.model.clone(),
        outcomes: evidence.len() as u64,
        mean_score: added.quality.value,
        cost: costs.model,
        added: Some(added),
    };
    let mut manifest = parent.manifest.clone();
    manifest.candidates.insert(position, new);
    manifest.extended_from = Some(digest);
    let estimate_us = decision_time::estimate_us(&manifest.features, &manifest.shape());
    if let Some(card) = &mut manifest.decision_time {
        card.estimate_us = estimate_us;
    }
    let mut voided = Vec::new();
    for bar in &mut manifest.bars {
        bar.calibration
            .insert(position, calibration(&bar.calibration, &evidence, &learned, bar.bar));
        if takes_part && bar.certificate.take().is_some() {
            voided.push(bar.bar);
        }
    }
    let column = Column { length: costs.length, ..learned.column };
    let parts = Parts {
        // Nothing was fitted on shuffled labels with the new candidate among them.
        null: None,
        card: describe(&manifest, position, &voided),
        manifest,
        weights: widen(&parent.weights, &shape, &column, position),
        prices: with_price(&parent.prices, &config.model, price)?,
        tokenizer: parent.tokenizer.clone(),
        encoder: parent.encoder.clone(),
        seen: parent
            .seen
            .clone()
            .with(dataset.records.iter().map(farthing_data::Record::prompt_key)),
    };
    // What does not fit together is noticed here and not by the server.
    Router::from_parts(&parts)?;
    Ok(Added { parts, position, voided })
}

/// The candidate's outcomes, or why there is nothing to learn from.
fn gather(parent: &Parts, dataset: &Dataset, model: &str) -> Result<Evidence, AddError> {
    if parent.manifest.candidates.iter().any(|card| card.model == model) {
        return Err(AddError::Exists { model: model.to_owned() });
    }
    let Some(position) = dataset.candidates.iter().position(|name| name == model) else {
        let names: Vec<_> = dataset.candidates.iter().map(|name| format!("`{name}`")).collect();
        return Err(AddError::NotInLog { model: model.to_owned(), names: names.join(", ") });
    };
    let judged = dataset.records.iter().filter(|record| {
        record.cells.iter().any(|cell| cell.candidate == position && cell.score.is_some())
    });
    let judged = judged.count();
    if judged < MIN_OUTCOMES {
        let model = model.to_owned();
        return Err(AddError::TooFew { model, judged, needed: MIN_OUTCOMES });
    }
    Evidence::gather(parent, dataset, position)
}

/// The quality head of the new candidate.
struct Learned {
    column: Column,
    /// Mean score over traffic like the router's.
    mean: f64,
    /// `(n)` expected scores, each without the request's own fold.
    expected: DVector<f64>,
    /// `(n)` what is left of each score beyond that and what the existing candidates' surprises say.
    residual: DVector<f64>,
    settings: BTreeMap<String, f64>,
}

impl Learned {
    fn of(parent: &Parts, evidence: &Evidence) -> Self {
        let means = DVector::from_iterator(
            parent.manifest.candidates.len(),
            parent.manifest.candidates.iter().map(|card| card.mean_score),
        );
        let mut differences = evidence.quality.clone();
        for (mut column, mean) in differences.column_iter_mut().zip(means.iter()) {
            column.add_scalar_mut(-mean);
        }
        let difficulty = row_means(&differences);
        let (components, component_means) = centred(&evidence.components);
        let (values, value_means) = centred(&evidence.values);
        let solution = Regression {
            target: &(&evidence.score - &difficulty),
            blocks: vec![
                Block { name: "candidates", columns: differences },
                Block { name: "components", columns: components },
                Block { name: "context", columns: values },
                Block { name: "text", columns: evidence.text.clone() },
            ],
            control: &surprises(evidence),
            folds: &evidence.folds,
        }
        .solve();
        let Solution { intercept: mean, coefficients, penalties, cross_fitted, residual } =
            solution;
        let [quality, components, values, text] =
            [0, 1, 2, 3].map(|block| coefficients[block].clone());
        let quality = quality.add_scalar(1.0 / means.len() as f64);
        let centre =
            quality.dot(&means) + components.dot(&component_means) + values.dot(&value_means);
        let keys = evidence.value_keys.iter().zip(values.iter());
        let column = Column {
            constant: mean - centre,
            quality,
            text: (text.amax() > 0.0).then(|| fold(evidence, &text)),
            components,
            values: keys.map(|(&(column, key), &offset)| (column, key, offset)).collect(),
            length: DVector::zeros(means.len()),
        };
        let settings = penalties.into_iter().map(|(name, penalty)| (name.to_owned(), penalty));
        Self {
            column,
            mean,
            expected: cross_fitted + difficulty,
            residual,
            settings: settings.collect(),
        }
    }
}

/// The text's part in terms of features.
fn fold(evidence: &Evidence, text: &DVector<f64>) -> Folded {
    let head = DMatrix::from_columns(std::slice::from_ref(text));
    evidence.representation.fold(&head, &DVector::zeros(1))
}

/// `(n)`: by how much the existing candidates did better than expected on each request, shrunk by one
/// pseudo-answer; 0 where none answered. Over the router's traffic its mean is 0.
fn surprises(evidence: &Evidence) -> DVector<f64> {
    DVector::from_fn(evidence.len(), |row, _| {
        let answers = evidence.others.row(row).into_owned() - evidence.quality.row(row);
        let known: Vec<f64> = answers.iter().copied().filter(|value| !value.is_nan()).collect();
        known.iter().sum::<f64>() / (known.len() as f64 + 1.0)
    })
}

/// How sure the candidate's mean is, and whether that suffices.
fn added_card(
    parent: &Parts,
    dataset: &Dataset,
    evidence: &Evidence,
    learned: &Learned,
    config: &AddConfig,
) -> AddedCard {
    let left = learned.residual.iter().copied();
    let error = standard_error(evidence.groups.iter().copied().zip(left));
    let (difference, paired) = difference(&parent.manifest, evidence, learned, error);
    let wide = difference.high - difference.low;
    let explore_only = if config.explore_only {
        Some("it was added with `--explore-only`".to_owned())
    } else if evidence.len() < ENOUGH_OUTCOMES {
        Some(format!("{} of {ENOUGH_OUTCOMES} judged outcomes", evidence.len()))
    } else if wide > WIDEST_DIFFERENCE {
        Some(format!(
            "its difference to `{}` is known to within {wide:.3}, {WIDEST_DIFFERENCE} is the widest; log more outcomes, best on requests that both answered",
            parent.manifest.reference
        ))
    } else {
        None
    };
    AddedCard {
        fingerprint: fingerprint(dataset),
        paired,
        quality: interval(learned.mean, error, (0.0, 1.0)),
        difference,
        settings: learned.settings.clone(),
        explore_only,
    }
}

/// Mean score less the reference's, and the number of requests that both were judged on. There the
/// predicted differences are taken out request by request, so that an unusual sample does not count
/// as a better or worse candidate.
fn difference(
    manifest: &Manifest,
    evidence: &Evidence,
    learned: &Learned,
    error: f64,
) -> (IntervalCard, u64) {
    const RANGE: (f64, f64) = (-1.0, 1.0);
    let names = manifest.candidates.iter();
    let reference = names.clone().position(|card| card.model == manifest.reference);
    let reference = reference.unwrap_or_default();
    let card = &manifest.candidates[reference];
    let pair = |row: usize| {
        let score = evidence.others[(row, reference)];
        let own = evidence.score[row] - learned.expected[row] + learned.mean;
        let other = score - evidence.quality[(row, reference)] + card.mean_score;
        (!score.is_nan()).then_some((evidence.groups[row], own - other))
    };
    let pairs: Vec<(u64, f64)> = (0..evidence.len()).filter_map(pair).collect();
    let paired = pairs.len() as u64;
    if pairs.len() < MIN_PAIRS {
        let spread = card.mean_score * (1.0 - card.mean_score) + 1.0 / card.outcomes.max(1) as f64;
        let error = error.hypot((spread / card.outcomes.max(1) as f64).sqrt());
        return (interval(learned.mean - card.mean_score, error, RANGE), paired);
    }
    let mean = pairs.iter().map(|(_, value)| value).sum::<f64>() / pairs.len() as f64;
    let error = standard_error(pairs.iter().map(|(group, value)| (*group, value - mean)));
    (interval(mean, error, RANGE), paired)
}

/// Calibration at a bar, shrunk towards that of the existing candidates.
fn calibration(
    others: &[Calibration],
    evidence: &Evidence,
    learned: &Learned,
    bar: Bar,
) -> Calibration {
    let samples = learned.expected.iter().zip(evidence.score.iter());
    let samples: Vec<(f64, bool)> =
        samples.map(|(expected, score)| (*expected, *score >= bar)).collect();
    calibrate_one(&samples, others)
}

/// The prices with that of the new candidate, where it is known.
fn with_price(
    prices: &PriceTable,
    model: &str,
    price: Option<Price>,
) -> Result<PriceTable, AddError> {
    let mut all = BTreeMap::from(prices.clone());
    all.extend(price.map(|price| (model.to_owned(), price)));
    Ok(PriceTable::try_from(all)?)
}

/// `(n, k)` -> `(n)`
fn row_means(matrix: &DMatrix<f64>) -> DVector<f64> {
    DVector::from_fn(matrix.nrows(), |row, _| matrix.row(row).mean())
}

/// The matrix less its column means, and those.
fn centred(matrix: &DMatrix<f64>) -> (DMatrix<f64>, DVector<f64>) {
    let means = DVector::from_iterator(matrix.ncols(), matrix.column_iter().map(|c| c.mean()));
    let mut centred = matrix.clone();
    for (mut column, mean) in centred.column_iter_mut().zip(means.iter()) {
        column.add_scalar_mut(-mean);
    }
    (centred, means)
}
