//! Vectors of a sentence encoder, as the features hold them.

use farthing_model::features::Features;
use nalgebra::DMatrix;

/// `(n) features -> (n, embedding)`
pub(super) fn embed(features: &[Features]) -> DMatrix<f64> {
    let width = features.first().map_or(0, |f| f.embedding.len());
    let values = features.iter().flat_map(|f| &f.embedding).map(|&value| f64::from(value));
    DMatrix::from_row_iterator(features.len(), width, values)
}
