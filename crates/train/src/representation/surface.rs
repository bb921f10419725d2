//! Surface features, each in units of its standard deviation.

use farthing_model::features::{Features, SURFACE_FEATURES};
use nalgebra::DMatrix;

/// One factor a surface feature.
#[derive(Debug)]
pub(super) struct Surface {
    factors: Vec<f64>,
}

impl Surface {
    pub(super) fn learn(features: &[Features]) -> Self {
        let n = features.len().max(1) as f64;
        let factor = |j: usize| {
            let values = || features.iter().map(|f| f64::from(f.surface[j]));
            let mean = values().sum::<f64>() / n;
            let variance = values().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            // A constant feature says nothing, whatever it may be in later requests.
            if variance > 1e-12 { variance.sqrt().recip() } else { 0.0 }
        };
        Self { factors: (0..SURFACE_FEATURES.len()).map(factor).collect() }
    }

    /// `(n) features -> (n, surface features)`
    pub(super) fn embed(&self, features: &[Features]) -> DMatrix<f64> {
        DMatrix::from_fn(features.len(), SURFACE_FEATURES.len(), |row, j| {
            f64::from(features[row].surface[j]) * self.factors[j]
        })
    }

    /// `(surface features, outputs)`, of vectors -> of features.
    pub(super) fn fold(&self, mut head: DMatrix<f64>) -> DMatrix<f64> {
        for (mut row, factor) in head.row_iter_mut().zip(&self.factors) {
            row *= *factor;
        }
        head
    }
}
