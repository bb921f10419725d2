//! The leading right singular vectors of a sparse matrix, by randomised subspace iteration
//! (Halko, Martinsson and Tropp 2011, algorithm 4.4).

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::sparse::Csr;

const OVERSAMPLE: usize = 16;
const ITERATIONS: usize = 3;

/// `(rows, width) -> (width, at most rank)`, orthonormal columns in order of their singular values.
pub(crate) fn right_singular_vectors(matrix: &Csr, rank: usize, seed: u64) -> DMatrix<f64> {
    let transposed = matrix.transpose();
    let width = transposed.rows();
    let sketch = (rank + OVERSAMPLE).min(matrix.rows()).min(width);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start = DMatrix::from_fn(width, sketch, |_, _| StandardNormal.sample(&mut rng));
    let mut basis = orthonormal(&matrix.times(&start));
    for _ in 0..ITERATIONS {
        let back = orthonormal(&transposed.times(&basis));
        basis = orthonormal(&matrix.times(&back));
    }
    // basis' x matrix has the same leading right singular vectors; its Gram matrix is small.
    let projected = transposed.times(&basis);
    let vectors = orthonormal(&projected);
    vectors.columns(0, rank.min(vectors.ncols())).into_owned()
}

/// An orthonormal basis of the columns, in order of the variance that they explain; directions that
/// are zero up to rounding are left out.
fn orthonormal(columns: &DMatrix<f64>) -> DMatrix<f64> {
    let eigen = (columns.transpose() * columns).symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    let floor = 1e-10 * order.first().map_or(0.0, |&i| eigen.eigenvalues[i]);
    order.retain(|&i| eigen.eigenvalues[i] > floor);
    let mut whitening = DMatrix::zeros(columns.ncols(), order.len());
    for (column, &i) in order.iter().enumerate() {
        let scaled = eigen.eigenvectors.column(i) / eigen.eigenvalues[i].sqrt();
        whitening.set_column(column, &scaled);
    }
    columns * whitening
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_directions_are_found() {
        // Two blocks of columns that occur together, the first with more weight.
        let rows: Vec<_> = (0_u32..40)
            .map(|i| {
                let (block, weight) = if i % 2 == 0 { (0, 3.0) } else { (5, 1.0) };
                (0..5).map(|j| (block + j, weight)).collect()
            })
            .collect();
        let vectors = right_singular_vectors(&Csr::from_rows(&rows, 10), 2, 0);
        assert_eq!(vectors.shape(), (10, 2));
        let expected = 1.0 / 5.0_f64.sqrt();
        for i in 0..10 {
            let (first, second) = if i < 5 { (expected, 0.0) } else { (0.0, expected) };
            assert!((vectors[(i, 0)].abs() - first).abs() < 1e-9);
            assert!((vectors[(i, 1)].abs() - second).abs() < 1e-9);
        }
    }

    #[test]
    fn a_matrix_of_low_rank_gives_fewer_vectors() {
        let rows = vec![vec![(0, 1.0), (3, 1.0)]; 20];
        assert_eq!(right_singular_vectors(&Csr::from_rows(&rows, 4), 3, 0).ncols(), 1);
    }
}
