//! The latent space in which clusters lie: the first principal components of the vectors.

use nalgebra::{DMatrix, SymmetricEigen};

/// Components kept; more did not earn, and each is a column of every row that is served.
const MAX_WIDTH: usize = 64;

/// `(n, width)` centred vectors -> `(width, latent)` projection.
pub(crate) fn projection(vectors: &DMatrix<f64>) -> DMatrix<f64> {
    let eigen = SymmetricEigen::new(vectors.tr_mul(vectors));
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]).then(a.cmp(&b)));
    order.truncate(MAX_WIDTH);
    eigen.eigenvectors.select_columns(&order)
}

/// `(n, latent)` directions of `(n, width)` vectors; a vector of zeros stays one.
pub(crate) fn directions(vectors: &DMatrix<f64>, projection: &DMatrix<f64>) -> DMatrix<f64> {
    let mut latent = vectors * projection;
    for mut row in latent.row_iter_mut() {
        let length = row.norm();
        if length > 0.0 {
            row /= length;
        }
    }
    latent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_have_length_one_and_follow_the_largest_variance() {
        let vectors = DMatrix::from_fn(100, 3, |row, column| {
            let sign = if row % 2 == 0 { 1.0 } else { -1.0 };
            [5.0 * sign, 0.1, 0.0][column]
        });
        let projection = projection(&vectors);
        assert!(projection[(0, 0)].abs() > 0.99, "{projection}");
        let directions = directions(&vectors, &projection);
        assert!(directions.row_iter().all(|row| (row.norm() - 1.0).abs() < 1e-9));
    }
}
