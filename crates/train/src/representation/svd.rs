//! The leading right singular vectors of a sparse matrix, by randomised subspace iteration
//! (Halko, Martinsson and Tropp 2011, algorithm 4.4).

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::sparse::{COLUMNS_AT_ONCE, Csr};

const OVERSAMPLE: usize = 16;
const ITERATIONS: usize = 3;

/// `(rows, width) -> (rows, at most rank)`: left singular vectors in order of their singular values,
/// each divided by its own, so that the transposed matrix times them has orthonormal columns: the right
/// singular vectors.
///
/// The iteration stays on the side of the rows: there are far fewer requests than n-grams.
pub(crate) fn left_singular_vectors(matrix: &Csr, rank: usize, seed: u64) -> DMatrix<f64> {
    let transposed = matrix.transpose();
    let sketch = (rank + OVERSAMPLE).min(matrix.rows()).min(transposed.rows());
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut basis = DMatrix::from_fn(matrix.rows(), sketch, |_, _| StandardNormal.sample(&mut rng));
    for _ in 0..ITERATIONS {
        basis = orthonormal(&gram_times(matrix, &transposed, &basis));
    }
    // In the basis the Gram matrix is small; its eigenvectors are the left singular vectors.
    let small = basis.transpose() * gram_times(matrix, &transposed, &basis);
    let (directions, variances) = leading(&small);
    let kept = rank.min(directions.ncols());
    let mut left = basis * directions.columns(0, kept);
    for (mut column, variance) in left.column_iter_mut().zip(&variances) {
        column /= variance.sqrt();
    }
    left
}

/// `matrix x matrix' x dense`, a few columns at a time: the product between them is as long as there
/// are n-grams.
fn gram_times(matrix: &Csr, transposed: &Csr, dense: &DMatrix<f64>) -> DMatrix<f64> {
    let mut product = DMatrix::zeros(dense.nrows(), dense.ncols());
    for first in (0..dense.ncols()).step_by(COLUMNS_AT_ONCE) {
        let k = COLUMNS_AT_ONCE.min(dense.ncols() - first);
        let between = transposed.times(&dense.columns(first, k).into_owned());
        product.columns_mut(first, k).copy_from(&matrix.times(&between));
    }
    product
}

/// An orthonormal basis of the columns; directions that are zero up to rounding are left out.
fn orthonormal(columns: &DMatrix<f64>) -> DMatrix<f64> {
    let (mut whitening, variances) = leading(&(columns.transpose() * columns));
    for (mut column, variance) in whitening.column_iter_mut().zip(&variances) {
        column /= variance.sqrt();
    }
    columns * whitening
}

/// Eigenvectors and eigenvalues of a symmetric matrix, the greatest first, without those that are
/// zero up to rounding.
fn leading(symmetric: &DMatrix<f64>) -> (DMatrix<f64>, Vec<f64>) {
    if symmetric.is_empty() {
        return (symmetric.clone(), Vec::new());
    }
    let eigen = symmetric.clone().symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let floor = 1e-10 * order.first().map_or(0.0, |&i| eigen.eigenvalues[i]);
    order.retain(|&i| eigen.eigenvalues[i] > floor);
    let variances = order.iter().map(|&i| eigen.eigenvalues[i]).collect();
    (eigen.eigenvectors.select_columns(&order), variances)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right_singular_vectors(matrix: &Csr, rank: usize) -> DMatrix<f64> {
        matrix.transpose().times(&left_singular_vectors(matrix, rank, 0))
    }

    #[test]
    fn the_leading_directions_are_found() {
        // Two blocks of columns that occur together, the first with more weight.
        let rows: Vec<_> = (0_u32..40)
            .map(|i| {
                let (block, weight) = if i % 2 == 0 { (0, 3.0) } else { (5, 1.0) };
                (0..5).map(|j| (block + j, weight)).collect()
            })
            .collect();
        let vectors = right_singular_vectors(&Csr::from_rows(&rows, 10), 2);
        assert_eq!(vectors.shape(), (10, 2));
        let expected = 1.0 / 5.0_f64.sqrt();
        for i in 0..10 {
            let (first, second) = if i < 5 { (expected, 0.0) } else { (0.0, expected) };
            assert!((vectors[(i, 0)].abs() - first).abs() < 1e-9);
            assert!((vectors[(i, 1)].abs() - second).abs() < 1e-9);
        }
    }

    #[test]
    fn a_matrix_without_columns_or_of_zeros_has_no_directions() {
        let vectors = |width| right_singular_vectors(&Csr::from_rows(&vec![vec![]; 9], width), 2);
        assert_eq!(vectors(0).shape(), (0, 0));
        assert_eq!(vectors(4).shape(), (4, 0));
    }

    #[test]
    fn a_matrix_of_low_rank_gives_fewer_vectors() {
        let rows = vec![vec![(0, 1.0), (3, 1.0)]; 20];
        assert_eq!(right_singular_vectors(&Csr::from_rows(&rows, 4), 3).ncols(), 1);
    }
}
