//! Exact nearest neighbours by cosine of the latent directions (Cover and Hart 1967), shrunken like groups.
//!
//! Fitted and predicted like a [`Learner`](super::Learner), but it is none: it keeps every request's
//! vector and reads them all for each decision, so there is nothing of it that a router could store. Soft
//! clusters are what is served of it; `compare` shows what that loses.

use std::cmp::Ordering;

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::shrink::{differences, pseudo_samples};
use crate::problem::Problem;

/// Numbers of neighbours worth trying, from most to least shrunk.
pub(crate) const COUNTS: [usize; 5] = [300, 150, 80, 40, 20];
/// Queries compared with the whole bank at a time.
const BATCH: usize = 256;

/// Requests with what is known of them.
#[derive(Debug)]
pub(crate) struct Bank {
    /// `(n, latent)`, each row of length 1.
    directions: DMatrix<f64>,
    /// `(n, candidates)` differences, NaN where unknown.
    differences: DMatrix<f64>,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    neighbours: usize,
    /// `(candidates)`: pseudo-samples to shrink a neighbourhood's mean by.
    pseudo: Vec<f64>,
}

impl Bank {
    /// Keeps the given rows of a problem, and learns for each number of neighbours how much to shrink.
    pub(crate) fn fit(problem: &Problem, rows: &[usize], counts: &[usize]) -> Self {
        let mut bank = Self {
            directions: problem.directions.select_rows(rows),
            differences: differences(problem, rows),
            settings: Vec::new(),
        };
        let most = counts.iter().copied().max().unwrap_or_default();
        // A request would be its own nearest neighbour.
        let nearest = bank.nearest(&bank.directions, most, |query, row| query != row);
        for &neighbours in counts {
            let pseudo = (0..bank.differences.ncols()).into_par_iter().map(|candidate| {
                let members: Vec<Vec<f64>> = nearest
                    .iter()
                    .map(|rows| {
                        bank.known(&rows[..neighbours.min(rows.len())], candidate).collect()
                    })
                    .collect();
                pseudo_samples(members.iter().map(Vec::as_slice))
            });
            bank.settings.push(Setting { neighbours, pseudo: pseudo.collect() });
        }
        bank
    }

    /// `(rows, candidates)` differences, one matrix a number of neighbours.
    pub(crate) fn predict(&self, problem: &Problem, rows: &[usize]) -> Vec<DMatrix<f64>> {
        let most = self.settings.iter().map(|setting| setting.neighbours).max().unwrap_or_default();
        let nearest = self.nearest(&problem.directions.select_rows(rows), most, |_, _| true);
        let predict = |setting: &Setting| {
            DMatrix::from_fn(rows.len(), self.differences.ncols(), |row, candidate| {
                let members = &nearest[row][..setting.neighbours.min(nearest[row].len())];
                let (sum, count) = self
                    .known(members, candidate)
                    .fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
                if count > 0.0 { sum / (count + setting.pseudo[candidate]) } else { 0.0 }
            })
        };
        self.settings.iter().map(predict).collect()
    }

    /// What is known of a candidate on these rows.
    fn known(&self, rows: &[usize], candidate: usize) -> impl Iterator<Item = f64> {
        rows.iter()
            .map(move |&row| self.differences[(row, candidate)])
            .filter(|value| !value.is_nan())
    }

    /// The `most` rows nearest to each of `(queries, latent)` directions, nearest first, ties to the earlier
    /// row, of those that `eligible(query, row)` lets in.
    fn nearest(
        &self,
        queries: &DMatrix<f64>,
        most: usize,
        eligible: impl Fn(usize, usize) -> bool + Sync,
    ) -> Vec<Vec<usize>> {
        let starts: Vec<usize> = (0..queries.nrows()).step_by(BATCH).collect();
        let batch = |&start: &usize| {
            let size = BATCH.min(queries.nrows() - start);
            let cosines = &self.directions * queries.rows(start, size).transpose();
            let pick = |i: usize| {
                let cosine = cosines.column(i);
                let nearer = |a: &usize, b: &usize| -> Ordering {
                    cosine[*b].total_cmp(&cosine[*a]).then(a.cmp(b))
                };
                let mut rows: Vec<usize> =
                    (0..cosine.len()).filter(|&row| eligible(start + i, row)).collect();
                if most < rows.len() {
                    rows.select_nth_unstable_by(most, nearer);
                    rows.truncate(most);
                }
                rows.sort_unstable_by(nearer);
                rows
            };
            (0..size).map(pick).collect::<Vec<_>>()
        };
        starts.par_iter().flat_map_iter(batch).collect()
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::DVector;

    use super::*;
    use crate::problem::Tasks;
    use crate::representation::Csr;

    /// Directions around a half circle; the first candidate is good on its left and bad on its right, the
    /// second the other way round, with noise that only an average removes.
    fn problem(n: usize) -> Problem {
        let angle = |row: usize| std::f64::consts::PI * (row as f64 + 0.5) / n as f64;
        let directions = DMatrix::from_fn(n, 2, |row, column| match column {
            0 => angle(row).cos(),
            _ => angle(row).sin(),
        });
        let residual = DMatrix::from_fn(n, 2, |row, candidate| {
            let side = if angle(row).cos() < 0.0 { 0.3 } else { -0.3 };
            let noise = if row % 2 == 0 { 0.2 } else { -0.2 };
            if candidate == 0 { side + noise } else { -side - noise }
        });
        Problem {
            vectors: directions.clone(),
            words: Csr::from_rows(&[], 0),
            directions,
            residual,
            difficulty: DVector::zeros(n),
            tasks: Tasks::default(),
            context: Vec::new(),
            folds: vec![0; n],
            seed: 0,
        }
    }

    #[test]
    fn neighbourhoods_average_noise_away_and_keep_what_differs() {
        let problem = problem(200);
        let rows: Vec<usize> = (0..200).filter(|row| row % 5 != 0).collect();
        let unseen: Vec<usize> = (0..200).filter(|row| row % 5 == 0).collect();
        let predicted = &Bank::fit(&problem, &rows, &[20]).predict(&problem, &unseen)[0];
        for (i, &row) in unseen.iter().enumerate().filter(|(_, row)| !(85..115).contains(*row)) {
            let side = if row >= 100 { 0.3 } else { -0.3 };
            assert!((predicted[(i, 0)] - side).abs() < 0.05, "{row}: {}", predicted[(i, 0)]);
        }
    }

    #[test]
    fn the_nearest_come_first_and_a_request_is_not_its_own_neighbour() {
        let problem = problem(50);
        let bank = Bank::fit(&problem, &(0..50).collect::<Vec<_>>(), &[3]);
        let nearest = bank.nearest(&bank.directions, 3, |query, row| query != row);
        assert_eq!(nearest[0], [1, 2, 3]);
        let mut around = nearest[25].clone();
        around.sort_unstable();
        assert!(around == [23, 24, 26] || around == [24, 26, 27], "{around:?}");
        assert_eq!(bank.nearest(&bank.directions, 99, |_, _| true)[7].len(), 50);
    }

    #[test]
    fn noise_alone_is_shrunk_away() {
        let mut problem = problem(200);
        problem.residual =
            DMatrix::from_fn(200, 2, |row, c| if (row / 2 + c) % 2 == 0 { 0.5 } else { -0.5 });
        let rows: Vec<usize> = (0..200).collect();
        let predicted = &Bank::fit(&problem, &rows, &[40]).predict(&problem, &rows)[0];
        assert!(predicted.amax() < 0.02, "{}", predicted.amax());
    }
}
