//! Means of groups of requests, shrunk as much as the groups differ little (empirical Bayes).

use nalgebra::{DMatrix, DVector};

use crate::problem::{Problem, request_effects};

/// `(groups, candidates)`: mean difference of each group of the given rows; `group_of` has one entry
/// a row.
pub(super) fn group_means(
    problem: &Problem,
    rows: &[usize],
    group_of: &[usize],
    groups: usize,
) -> DMatrix<f64> {
    means(problem, rows, groups, |sums, row, value| sums.add(group_of[row], 1.0, value))
}

/// `(groups, candidates)`: mean difference of each group, of which each row is a member to the
/// degree that `memberships`, `(rows, groups)`, says.
pub(super) fn soft_means(
    problem: &Problem,
    rows: &[usize],
    memberships: &DMatrix<f64>,
) -> DMatrix<f64> {
    means(problem, rows, memberships.ncols(), |sums, row, value| {
        for (group, &share) in memberships.row(row).iter().enumerate() {
            sums.add(group, share, value);
        }
    })
}

fn means(
    problem: &Problem,
    rows: &[usize],
    groups: usize,
    add: impl Fn(&mut Sums, usize, f64),
) -> DMatrix<f64> {
    let differences = differences(problem, rows);
    let mut means = DMatrix::zeros(groups, differences.ncols());
    for (candidate, differences) in differences.column_iter().enumerate() {
        let mut sums = Sums::new(groups);
        for (row, &value) in differences.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            sums.squares += value.powi(2);
            sums.samples += 1.0;
            add(&mut sums, row, value);
        }
        means.set_column(candidate, &DVector::from_vec(sums.shrunken_means()));
    }
    means
}

/// `(rows, candidates)`: by how much each candidate did better or worse than its mean, apart from what
/// is common to all candidates; NaN where unknown.
pub(super) fn differences(problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
    let mut residual = problem.residual.select_rows(rows);
    let none = DMatrix::zeros(residual.nrows(), residual.ncols());
    let effects = request_effects(&residual, &none, &problem.difficulty.select_rows(rows));
    for mut column in residual.column_iter_mut() {
        column -= &effects;
    }
    residual
}

/// Pseudo-samples of the value 0 to shrink the mean of a group by, learned from the members of some groups,
/// which may overlap; infinite where groups do not differ beyond noise.
pub(super) fn pseudo_samples<'a>(groups: impl ExactSizeIterator<Item = &'a [f64]>) -> f64 {
    let mut sums = Sums::new(groups.len());
    for (group, members) in groups.enumerate() {
        for value in members {
            sums.squares += value.powi(2);
            sums.samples += 1.0;
            sums.add(group, 1.0, *value);
        }
    }
    sums.pseudo_samples()
}

/// What the means of groups are computed from.
struct Sums {
    /// Sum of the values of each group.
    values: Vec<f64>,
    /// Members of each group.
    counts: Vec<f64>,
    squares: f64,
    samples: f64,
}

impl Sums {
    fn new(groups: usize) -> Self {
        Self { values: vec![0.0; groups], counts: vec![0.0; groups], squares: 0.0, samples: 0.0 }
    }

    fn add(&mut self, group: usize, share: f64, value: f64) {
        self.values[group] += share * value;
        self.counts[group] += share;
    }

    /// Mean of each group, shrunk towards 0.
    fn shrunken_means(&self) -> Vec<f64> {
        let pseudo = self.pseudo_samples();
        let shrunken =
            |(sum, count): (&f64, &f64)| if *count > 0.0 { sum / (count + pseudo) } else { 0.0 };
        self.values.iter().zip(&self.counts).map(shrunken).collect()
    }

    /// The ratio of the variance within groups to that between them; infinite where the latter is 0.
    fn pseudo_samples(&self) -> f64 {
        let each = || self.values.iter().zip(&self.counts);
        let occupied = each().filter(|(_, count)| **count > 0.0).count() as f64;
        let raw = |(sum, count): (&f64, &f64)| if *count > 0.0 { sum / count } else { 0.0 };
        let explained: f64 = each().map(|group| group.1 * raw(group).powi(2)).sum();
        let within = (self.squares - explained).max(0.0) / (self.samples - occupied).max(1.0);
        // Method of moments: what the groups' means vary by beyond their sampling noise.
        let noise: f64 =
            self.counts.iter().filter(|&&count| count > 0.0).map(|count| within / count).sum();
        let spread: f64 = each().map(|group| raw(group).powi(2)).sum();
        let between = ((spread - noise) / occupied.max(1.0)).max(0.0);
        if between > 0.0 { within / between } else { f64::INFINITY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunken_means(samples: &[(usize, f64)]) -> Vec<f64> {
        let mut sums = Sums::new(2);
        for &(group, value) in samples {
            sums.add(group, 1.0, value);
            sums.squares += value.powi(2);
            sums.samples += 1.0;
        }
        sums.shrunken_means()
    }

    #[test]
    fn groups_that_differ_keep_their_means_and_noise_is_shrunk_away() {
        let clear: Vec<_> =
            (0..200).map(|i| (i % 2, if i % 2 == 0 { 0.5 } else { -0.5 })).collect();
        let means = shrunken_means(&clear);
        assert!((means[0] - 0.5).abs() < 1e-6 && (means[1] + 0.5).abs() < 1e-6);
        let noise: Vec<_> = (0..200).map(|i| (i % 2, if i % 4 < 2 { 0.5 } else { -0.5 })).collect();
        assert!(shrunken_means(&noise).iter().all(|mean| mean.abs() < 1e-6));
    }
}
