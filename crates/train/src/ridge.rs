//! Ridge regression of many targets on the same vectors, with missing values.

use nalgebra::{Cholesky, DMatrix, Dyn};
use rayon::prelude::*;

/// Targets that are known for the same rows share one Gram matrix.
#[derive(Debug)]
struct Block {
    targets: Vec<usize>,
    /// `(width, width)`
    gram: DMatrix<f64>,
}

/// The part of a ridge regression that does not depend on the penalty or the targets' values.
#[derive(Debug)]
pub(crate) struct Ridge {
    /// `(width, n)`: the transposed vectors.
    transposed: DMatrix<f64>,
    blocks: Vec<Block>,
}

impl Ridge {
    /// `vectors` is `(n, width)`, `targets` is `(n, k)` with NaN where unknown.
    pub(crate) fn new(vectors: &DMatrix<f64>, targets: &DMatrix<f64>) -> Self {
        let mut patterns: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
        for target in 0..targets.ncols() {
            let unknown: Vec<usize> =
                (0..targets.nrows()).filter(|&row| targets[(row, target)].is_nan()).collect();
            match patterns.iter_mut().find(|(rows, _)| *rows == unknown) {
                Some((_, targets)) => targets.push(target),
                None => patterns.push((unknown, vec![target])),
            }
        }
        let transposed = vectors.transpose();
        let whole = &transposed * vectors;
        let gram_of = |rows: &[usize]| {
            let rows = vectors.select_rows(rows);
            rows.transpose() * rows
        };
        let block = |(unknown, targets): (Vec<usize>, Vec<usize>)| {
            // Whichever is less work: the known rows, or all of them less the unknown ones.
            let gram = if unknown.len() * 2 <= vectors.nrows() {
                &whole - gram_of(&unknown)
            } else {
                let known: Vec<usize> = (0..vectors.nrows())
                    .filter(|row| unknown.binary_search(row).is_err())
                    .collect();
                gram_of(&known)
            };
            Block { targets, gram }
        };
        let blocks = patterns.into_par_iter().map(block).collect();
        Self { transposed, blocks }
    }

    /// The factorisation for one penalty: `penalty` is a multiple of the mean variance of a vector's
    /// component, so that it means the same for every log.
    pub(crate) fn penalise(&self, penalty: f64) -> Penalised<'_> {
        let factor = |block: &Block| {
            let width = block.gram.nrows();
            let scale = block.gram.trace() / width.max(1) as f64;
            let mut gram = block.gram.clone();
            for i in 0..width {
                gram[(i, i)] += (penalty * scale).max(1e-9);
            }
            gram.cholesky()
        };
        Penalised { ridge: self, factors: self.blocks.par_iter().map(factor).collect() }
    }
}

/// A ridge regression of one penalty.
#[derive(Debug)]
pub(crate) struct Penalised<'a> {
    ridge: &'a Ridge,
    factors: Vec<Option<Cholesky<f64, Dyn>>>,
}

impl Penalised<'_> {
    /// `(n, k)` targets -> `(width, k)` coefficients. A block that cannot be factorised (all its
    /// vectors are 0) has coefficients of 0.
    pub(crate) fn solve(&self, targets: &DMatrix<f64>) -> DMatrix<f64> {
        let known = targets.map(|target| if target.is_nan() { 0.0 } else { target });
        let products = &self.ridge.transposed * known;
        let mut coefficients = DMatrix::zeros(products.nrows(), products.ncols());
        for (block, factor) in self.ridge.blocks.iter().zip(&self.factors) {
            let Some(factor) = factor else { continue };
            let solution = factor.solve(&products.select_columns(&block.targets));
            for (column, &target) in solution.column_iter().zip(&block.targets) {
                coefficients.set_column(target, &column);
            }
        }
        coefficients
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_penalty_recovers_the_line_and_a_heavy_one_gives_zero() {
        let vectors = DMatrix::from_row_slice(4, 1, &[-1.0, 1.0, -2.0, 2.0]);
        let targets =
            DMatrix::from_row_slice(4, 2, &[-3.0, 1.0, 3.0, f64::NAN, -6.0, 2.0, 6.0, -2.0]);
        let ridge = Ridge::new(&vectors, &targets);
        let light = ridge.penalise(0.0).solve(&targets);
        assert!((light[(0, 0)] - 3.0).abs() < 1e-6 && (light[(0, 1)] + 1.0).abs() < 1e-6);
        assert!(ridge.penalise(1e9).solve(&targets).amax() < 1e-6);
    }
}
