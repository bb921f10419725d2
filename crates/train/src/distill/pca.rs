//! Principal components of a set of vectors, by the eigenvectors of their covariance.

use nalgebra::DMatrix;

/// Vectors on their first principal components.
pub(super) struct Projected {
    /// `(n, dims)`, columns by falling variance.
    pub(super) scores: DMatrix<f64>,
    /// Share of the variance that the components explain.
    pub(super) explained: f64,
}

/// `(n, width) -> (n, dims)`: finite vectors, centred, on their first components. The sign of a
/// component, which the definition leaves open, makes its largest entry positive.
pub(super) fn project(vectors: &DMatrix<f64>, dims: usize) -> Projected {
    let mean = vectors.row_mean();
    let mut centred = vectors.clone();
    for mut row in centred.row_iter_mut() {
        row -= &mean;
    }
    let eigen = (centred.transpose() * &centred).symmetric_eigen();
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(dims);
    let mut components = eigen.eigenvectors.select_columns(&order);
    for mut column in components.column_iter_mut() {
        if column[column.iamax()] < 0.0 {
            column.neg_mut();
        }
    }
    let kept: f64 = order.iter().map(|&i| eigen.eigenvalues[i]).sum();
    let total: f64 = eigen.eigenvalues.sum();
    let explained = if total > 0.0 { kept / total } else { 1.0 };
    Projected { scores: centred * components, explained }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_component_is_the_direction_of_largest_variance() {
        // Along (3, 4) / 5 with variance 2, along (-4, 3) / 5 with 0.02, around (1, 2).
        let points = [(2.0, 0.1), (-2.0, 0.1), (1.0, -0.2), (-1.0, -0.2), (0.0, 0.2)];
        let values = points.map(|(u, v)| [1.0 + 0.6 * u - 0.8 * v, 2.0 + 0.8 * u + 0.6 * v]);
        let vectors = DMatrix::from_row_iterator(5, 2, values.into_iter().flatten());
        let Projected { scores, explained } = project(&vectors, 1);
        assert_eq!(scores.shape(), (5, 1));
        for (row, (u, _)) in points.iter().enumerate() {
            assert!((scores[(row, 0)] - u).abs() < 1e-9, "{scores}");
        }
        assert!((explained - 10.0 / 10.14).abs() < 1e-9, "{explained}");
    }

    #[test]
    fn equal_vectors_have_no_variance_to_explain() {
        let Projected { scores, explained } = project(&DMatrix::from_element(4, 3, 2.5), 2);
        assert!(scores.iter().all(|score| score.abs() < 1e-12));
        assert!((explained - 1.0).abs() < 1e-12);
    }
}
