//! Multinomial logistic regression by a bound on its curvature (Böhning 1992): every step solves
//! against one fixed matrix, so it is monotone, needs no step size, and is the same on every run.

use nalgebra::DMatrix;

use crate::learners::{soft_max, with_intercept};

const MAX_STEPS: usize = 100;
/// A step that changes no coefficient by more than this share of the largest one is the last.
const TOLERANCE: f64 = 0.01;

/// Fits `(width + 1, classes)` logit coefficients, the last row the intercept, to `(n, width)`
/// vectors and n classes, from where they are. `penalty` is a multiple of the mean variance of a
/// component.
pub(super) fn fit(
    vectors: &DMatrix<f64>,
    classes: &[usize],
    penalty: f64,
    coefficients: &mut DMatrix<f64>,
) {
    let design = with_intercept(vectors);
    let transposed = design.transpose();
    let width = design.ncols();
    // The Hessian of the soft-max is at most I / 2 for each class.
    let mut bound = &transposed * &design * 0.5;
    let strength = (penalty * bound.trace() / width as f64).max(1e-9);
    for i in 0..width - 1 {
        bound[(i, i)] += strength;
    }
    bound[(width - 1, width - 1)] += 1e-6;
    let Some(factor) = bound.cholesky() else { return };
    let mut indicator = DMatrix::zeros(classes.len(), coefficients.ncols());
    for (row, &class) in classes.iter().enumerate() {
        indicator[(row, class)] = 1.0;
    }
    for _ in 0..MAX_STEPS {
        let mut gradient = &transposed * (&indicator - soft_max(&design * &*coefficients));
        let mut shrinkage = &*coefficients * strength;
        shrinkage.row_mut(width - 1).fill(0.0);
        gradient -= shrinkage;
        let step = factor.solve(&gradient);
        *coefficients += &step;
        if step.amax() <= TOLERANCE * coefficients.amax() {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_can_be_told_apart_are() {
        let vectors = DMatrix::from_fn(90, 2, |row, column| match (row % 3, column) {
            (0, 0) | (1, 1) => 1.0,
            (2, _) => -1.0,
            _ => 0.0,
        });
        let classes: Vec<usize> = (0..90).map(|row| row % 3).collect();
        let mut coefficients = DMatrix::zeros(3, 3);
        fit(&vectors, &classes, 0.001, &mut coefficients);
        let posterior = soft_max(with_intercept(&vectors) * &coefficients);
        for (row, &class) in classes.iter().enumerate() {
            assert!(posterior[(row, class)] > 0.9, "{}", posterior.row(row));
        }
    }
}
