//! A small row-major matrix: requests in rows, candidates in columns.

/// A row-major matrix, `(requests, candidates)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Rows of `columns` values, one after the other; an incomplete last row is left out.
    pub fn new(columns: usize, mut values: Vec<f64>) -> Self {
        values.truncate(values.len() - values.len() % columns.max(1));
        Self { columns, values }
    }

    /// `rows` times the same row: predictions that do not look at the request.
    pub fn repeat(rows: usize, row: &[f64]) -> Self {
        Self { columns: row.len(), values: row.repeat(rows) }
    }

    /// The matrix whose row `i` is row `order[i]` of this one.
    #[must_use]
    pub fn reorder(&self, order: &[usize]) -> Self {
        let values = order.iter().flat_map(|&row| self.row(row)).copied().collect();
        Self { columns: self.columns, values }
    }

    /// Number of requests.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.columns).unwrap_or(0)
    }

    /// Number of candidates.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values of one request, `(candidates)`.
    pub fn row(&self, request: usize) -> &[f64] {
        &self.values[request * self.columns..][..self.columns]
    }

    /// One value.
    pub fn at(&self, request: usize, candidate: usize) -> f64 {
        self.row(request)[candidate]
    }

    /// Every row, in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.columns.max(1))
    }

    /// The mean of each column, `(candidates)`; NaN without rows.
    pub fn column_means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for row in self.iter() {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += value;
            }
        }
        let rows = self.rows() as f64;
        sums.into_iter().map(|sum| sum / rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_rows_and_means() {
        let matrix = Matrix::new(2, vec![1.0, 2.0, 3.0, 6.0, 9.0]);
        assert_eq!((matrix.rows(), matrix.columns()), (2, 2));
        assert_eq!(matrix.row(1), [3.0, 6.0]);
        assert_eq!(matrix.column_means(), [2.0, 4.0]);
        assert_eq!(matrix.reorder(&[1, 0]).row(0), [3.0, 6.0]);
        assert_eq!(Matrix::repeat(3, &[1.0, 2.0]).row(2), [1.0, 2.0]);
        assert_eq!(Matrix::new(0, vec![]).rows(), 0);
    }
}
