//! Vectors of a static token table, weighted by how rare the log finds each token.

use std::sync::Arc;

use farthing_model::features::Features;
use farthing_model::static_table::StaticTable;
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::inverse_frequency;

/// A token table with a weight for each entry.
#[derive(Debug)]
pub(super) struct Tokens {
    table: Arc<StaticTable>,
    /// `(entries)`: inverse document frequency over the length of the stored row; 0 for a row of
    /// zeros. The table's own weights go by the vocabulary's order; the log knows better.
    weights: Vec<f64>,
}

impl Tokens {
    pub(super) fn learn(features: &[Features], table: &Arc<StaticTable>) -> Self {
        let mut holders = vec![0_usize; table.rows().len()];
        for request in features {
            let mut tokens = request.tokens.clone();
            tokens.sort_unstable();
            tokens.dedup();
            for token in tokens {
                holders[token as usize] += 1;
            }
        }
        let weight = |(id, &holding): (u32, &usize)| {
            let (row, _) = table.rows().get(id)?;
            let length = row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            (length > 0.0).then(|| inverse_frequency(features.len(), holding) / length)
        };
        let weights = (0..).zip(&holders).map(|entry| weight(entry).unwrap_or(0.0)).collect();
        Self { table: Arc::clone(table), weights }
    }

    /// `(n) features -> (n, dims)`: the sum of the weighted rows of a request's tokens over the
    /// square root of their number. Each request is summed in order, whatever the threads.
    pub(super) fn embed(&self, features: &[Features]) -> DMatrix<f64> {
        let dims = self.table.dims();
        let mut sums = DMatrix::zeros(dims, features.len());
        sums.as_mut_slice().par_chunks_mut(dims.max(1)).zip(features).for_each(|(sum, request)| {
            let divisor = (request.tokens.len().max(1) as f64).sqrt();
            for &token in &request.tokens {
                let weight = self.weights[token as usize] / divisor;
                for (sum, &value) in sum.iter_mut().zip(self.row(token)) {
                    *sum += weight * f64::from(value);
                }
            }
        });
        sums.transpose()
    }

    /// Tokens, ascending, and their rows: `(dims, outputs) -> (outputs, tokens)`. Those that the log
    /// lacks have one too: that is what the table is for.
    pub(super) fn fold(&self, head: &DMatrix<f64>) -> (Vec<u32>, DMatrix<f64>) {
        let weighted = (0..).zip(&self.weights).filter(|(_, weight)| **weight > 0.0);
        let tokens: Vec<u32> = weighted.map(|(token, _)| token).collect();
        let outputs = head.ncols();
        let by_dimension = head.transpose();
        let mut rows = DMatrix::zeros(outputs, tokens.len());
        rows.as_mut_slice().par_chunks_mut(outputs.max(1)).zip(&tokens).for_each(
            |(sum, &token)| {
                let weight = self.weights[token as usize];
                let directions = by_dimension.as_slice().chunks_exact(outputs.max(1));
                for (&value, direction) in self.row(token).iter().zip(directions) {
                    for (sum, along) in sum.iter_mut().zip(direction) {
                        *sum += weight * f64::from(value) * along;
                    }
                }
            },
        );
        (tokens, rows)
    }

    fn row(&self, token: u32) -> &[i8] {
        self.table.rows().get(token).map_or(&[], |(row, _)| row)
    }
}
