//! Sparse matrices of n-gram counts, and their products with dense ones.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Columns of a product that are computed together; one row of them fills four cache lines.
pub(crate) const COLUMNS_AT_ONCE: usize = 32;

/// Compressed sparse rows.
#[derive(Debug, Clone)]
pub(crate) struct Csr {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    width: usize,
}

impl Csr {
    /// From rows of (column, value); columns below `width`.
    pub(crate) fn from_rows(rows: &[Vec<(u32, f32)>], width: usize) -> Self {
        let mut starts = vec![0];
        let total = rows.iter().map(Vec::len).sum();
        let (mut columns, mut values) = (Vec::with_capacity(total), Vec::with_capacity(total));
        for row in rows {
            for &(column, value) in row {
                columns.push(column);
                values.push(value);
            }
            starts.push(columns.len());
        }
        Self { starts, columns, values, width }
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// The given rows, in that order.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let mut selected =
            Self { starts: vec![0], columns: Vec::new(), values: Vec::new(), width: self.width };
        for &row in rows {
            let range = self.starts[row]..self.starts[row + 1];
            selected.columns.extend_from_slice(&self.columns[range.clone()]);
            selected.values.extend_from_slice(&self.values[range]);
            selected.starts.push(selected.columns.len());
        }
        selected
    }

    /// (column, value) of a row.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.starts[row]..self.starts[row + 1];
        let entries = self.columns[range.clone()].iter().zip(&self.values[range]);
        entries.map(|(&column, &value)| (column as usize, f64::from(value)))
    }

    /// `(rows, width) -> (width, rows)`
    pub(crate) fn transpose(&self) -> Self {
        let mut rows = vec![Vec::new(); self.width];
        for row in 0..self.rows() {
            let range = self.starts[row]..self.starts[row + 1];
            for (&column, &value) in self.columns[range.clone()].iter().zip(&self.values[range]) {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a log has fewer than 2^32 prompts"
                )]
                rows[column as usize].push((row as u32, value));
            }
        }
        Self::from_rows(&rows, self.rows())
    }

    /// `(rows, width) x (width, k) -> (rows, k)`; each output value is summed in a fixed order, so
    /// the number of threads does not matter.
    pub(crate) fn times(&self, dense: &DMatrix<f64>) -> DMatrix<f64> {
        let mut product = DMatrix::zeros(self.rows(), dense.ncols());
        // Row-major copies of all columns would double the memory.
        for first in (0..dense.ncols()).step_by(COLUMNS_AT_ONCE) {
            let k = COLUMNS_AT_ONCE.min(dense.ncols() - first);
            let by_row = dense.columns(first, k).transpose();
            let mut sums = DMatrix::zeros(k, self.rows());
            sums.as_mut_slice().par_chunks_mut(k).enumerate().for_each(|(row, sum)| {
                for (column, value) in self.row(row) {
                    let source = &by_row.as_slice()[column * k..][..k];
                    for (s, d) in sum.iter_mut().zip(source) {
                        *s += value * d;
                    }
                }
            });
            product.columns_mut(first, k).copy_from(&sums.transpose());
        }
        product
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_transpose_by_hand() {
        let csr = Csr::from_rows(&[vec![(0, 1.0), (2, 2.0)], vec![(1, 3.0)]], 3);
        let dense = DMatrix::from_row_slice(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let product = DMatrix::from_row_slice(2, 2, &[11.0, 14.0, 9.0, 12.0]);
        assert_eq!(csr.times(&dense), product);
        assert_eq!(csr.select(&[1, 0, 1]).times(&dense), product.select_rows(&[1, 0, 1]));
        let back = csr.transpose().times(&DMatrix::identity(2, 2));
        assert_eq!(back, DMatrix::from_row_slice(3, 2, &[1.0, 0.0, 0.0, 3.0, 2.0, 0.0]));
    }
}
