//! What is known of the new candidate: its outcomes, and what the router says of the same requests.

use std::collections::BTreeMap;

use farthing_data::{Cell, Dataset, Record, split};
use farthing_model::Parts;
use farthing_model::features::Features;
use farthing_model::network::{ContextTable, Frozen, Outputs, Shape, Weights};
use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::AddError;
use crate::config::Encoder;
use crate::featurize::featurize;
use crate::objective::FOLDS;
use crate::representation::Representation;

/// A context value that fewer requests have says too little.
const MIN_REQUESTS_PER_VALUE: usize = 5;
/// More context values than this are left to the existing candidates' offsets.
const MAX_VALUES: usize = 128;

/// One row a request that the new candidate was judged on; `m` existing candidates.
#[derive(Debug)]
pub(super) struct Evidence {
    /// `(n)` scores of the new candidate.
    pub(super) score: DVector<f64>,
    /// `(n)` its cells.
    pub(super) cells: Vec<Cell>,
    /// `(n, m)` scores of the existing ones; NaN where unknown.
    pub(super) others: DMatrix<f64>,
    /// `(n, m)` expected scores, not clamped.
    pub(super) quality: DMatrix<f64>,
    /// `(n, m)` expected lengths as multiples of each candidate's mean.
    pub(super) length: DMatrix<f64>,
    /// Latent semantic analysis of the log's own requests, those included that it was not judged on.
    pub(super) representation: Representation,
    /// `(n, width)` vectors of that, centred.
    pub(super) text: DMatrix<f64>,
    /// `(n, components)` of all mixtures together.
    pub(super) components: DMatrix<f64>,
    /// `(n, values)`: 1 where the request has the context value.
    pub(super) values: DMatrix<f64>,
    /// Context column and position in its table of each of those values.
    pub(super) value_keys: Vec<(usize, usize)>,
    /// `(n)` bytes of text.
    pub(super) bytes: DVector<f64>,
    /// `(n)` near-duplicates share one.
    pub(super) groups: Vec<u64>,
    /// `(n)` fold of the cross-fitting.
    pub(super) folds: Vec<usize>,
}

impl Evidence {
    /// From the judged outcomes of the candidate at `position` of the dataset.
    pub(super) fn gather(
        parent: &Parts,
        dataset: &Dataset,
        position: usize,
    ) -> Result<Self, AddError> {
        let cell_of = |record: &Record, candidate: Option<usize>| {
            record.cells.iter().find(|cell| Some(cell.candidate) == candidate).copied()
        };
        let judged: Vec<(&Record, Cell, f64)> = dataset
            .records
            .iter()
            .filter_map(|record| {
                let cell = cell_of(record, Some(position))?;
                Some((record, cell, cell.score?))
            })
            .collect();
        let featurizer = parent.featurizer()?;
        let requests: Vec<_> = dataset.records.iter().map(|record| &record.request).collect();
        let every = featurize(&featurizer, &requests, &|_| {})?;
        let seed = parent.manifest.data.seed;
        let representation = Representation::learn(&every, &Encoder::None, seed);
        let is_judged = |(record, features): (&Record, &Features)| {
            cell_of(record, Some(position))?.score.map(|_| features.clone())
        };
        let features: Vec<Features> =
            dataset.records.iter().zip(&every).filter_map(is_judged).collect();
        let cards = &parent.manifest.candidates;
        let in_log: Vec<Option<usize>> = cards
            .iter()
            .map(|card| dataset.candidates.iter().position(|name| *name == card.model))
            .collect();
        let (n, m) = (judged.len(), cards.len());
        let others = DMatrix::from_fn(n, m, |row, c| {
            cell_of(judged[row].0, in_log[c]).and_then(|cell| cell.score).unwrap_or(f64::NAN)
        });
        let shape = parent.shape();
        let outputs = forward(&parent.weights, shape.clone(), &features);
        let (values, value_keys) = context_values(&parent.weights.context, &features);
        // Not the folds that the router was fitted by.
        let seed = parent.manifest.data.seed.wrapping_add(2);
        let groups: Vec<u64> = judged.iter().map(|(record, ..)| record.group).collect();
        Ok(Self {
            score: DVector::from_iterator(n, judged.iter().map(|(.., score)| *score)),
            cells: judged.iter().map(|(_, cell, _)| *cell).collect(),
            others,
            quality: table(&outputs, m, |outputs| &outputs.quality),
            length: table(&outputs, m, |outputs| &outputs.length),
            text: representation.embed(&features),
            representation,
            components: components(&parent.weights, &shape, &features),
            values,
            value_keys,
            bytes: DVector::from_iterator(n, features.iter().map(|f| f.text_bytes as f64)),
            folds: groups.iter().map(|&group| split::fold(group, seed, FOLDS)).collect(),
            groups,
        })
    }

    /// Number of requests.
    pub(super) fn len(&self) -> usize {
        self.score.len()
    }
}

/// Raw outputs, in order.
fn forward(weights: &Weights, shape: Shape, features: &[Features]) -> Vec<Outputs> {
    let network = Frozen::new(weights, shape);
    features.par_iter().map(|features| network.forward(features)).collect()
}

fn table(outputs: &[Outputs], columns: usize, field: impl Fn(&Outputs) -> &[f32]) -> DMatrix<f64> {
    DMatrix::from_fn(outputs.len(), columns, |row, c| f64::from(field(&outputs[row])[c]))
}

/// `(n, components)`: how much of each request belongs to each component. The forward pass itself
/// says so when every component is its own candidate, of which it is worth 1.
fn components(weights: &Weights, shape: &Shape, features: &[Features]) -> DMatrix<f64> {
    let count = shape.components();
    if count == 0 {
        return DMatrix::zeros(features.len(), 0);
    }
    let logits_only = |values: &[f32]| logits_only(values, shape, count);
    let identity = |i: usize| if i.is_multiple_of(count + 1) { 1.0 } else { 0.0 };
    let logits_only_f16 = self::logits_only(&weights.token_rows, shape, count);
    let assignment = Weights {
        buckets: weights.buckets.clone(),
        rows: logits_only(&weights.rows),
        tokens: weights.tokens.clone(),
        token_rows: logits_only_f16,
        embedding_rows: logits_only(&weights.embedding_rows),
        surface: logits_only(&weights.surface),
        bias: logits_only(&weights.bias),
        means: (0..count * count).map(identity).collect(),
        clusters: None,
        context: Vec::new(),
    };
    let shape = Shape { candidates: count, clusters: 0, context: 0, ..shape.clone() };
    let outputs = forward(&assignment, shape, features);
    table(&outputs, count, |outputs| &outputs.quality)
}

/// Rows of `count` candidates that are worth nothing, with the logits and what follows them.
fn logits_only<T: Copy + Default>(values: &[T], shape: &Shape, count: usize) -> Vec<T> {
    let rows = values.chunks(shape.width());
    rows.flat_map(|row| {
        let logits = row[2 * shape.candidates..].iter().copied();
        std::iter::repeat_n(T::default(), 2 * count).chain(logits)
    })
    .collect()
}

/// `(n, values)` membership in the most frequent context values that the router knows, and where each
/// stands.
fn context_values(
    tables: &[ContextTable],
    features: &[Features],
) -> (DMatrix<f64>, Vec<(usize, usize)>) {
    let known = |column: usize, features: &Features| {
        features.context[column].and_then(|key| tables[column].keys.binary_search(&key).ok())
    };
    let mut counts = BTreeMap::<(usize, usize), usize>::new();
    for features in features {
        for column in 0..tables.len() {
            if let Some(key) = known(column, features) {
                *counts.entry((column, key)).or_default() += 1;
            }
        }
    }
    let mut frequent: Vec<_> =
        counts.into_iter().filter(|(_, count)| *count >= MIN_REQUESTS_PER_VALUE).collect();
    frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    frequent.truncate(MAX_VALUES);
    let keys: Vec<(usize, usize)> = frequent.into_iter().map(|(key, _)| key).collect();
    let values = DMatrix::from_fn(features.len(), keys.len(), |row, i| {
        let (column, key) = keys[i];
        f64::from(u8::from(known(column, &features[row]) == Some(key)))
    });
    (values, keys)
}
