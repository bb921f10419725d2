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
    let residual = problem.residual.select_rows(rows);
    let none = DMatrix::zeros(residual.nrows(), residual.ncols());
    let effects = request_effects(&residual, &none, &problem.difficulty.select_rows(rows));
    let mut means = DMatrix::zeros(groups, residual.ncols());
    for candidate in 0..residual.ncols() {
        let known = (0..rows.len()).filter(|&row| !residual[(row, candidate)].is_nan());
        let samples: Vec<(usize, f64)> =
            known.map(|row| (group_of[row], residual[(row, candidate)] - effects[row])).collect();
        means.set_column(candidate, &DVector::from_vec(shrunken_means(&samples, groups)));
    }
    means
}

/// Mean of each group, shrunk towards 0 by as many pseudo-samples as the ratio of the variance within
/// groups to that between them; `samples` are (group, value).
fn shrunken_means(samples: &[(usize, f64)], groups: usize) -> Vec<f64> {
    let (mut sums, mut counts) = (vec![0.0; groups], vec![0.0; groups]);
    for &(group, value) in samples {
        sums[group] += value;
        counts[group] += 1.0;
    }
    let raw = |group: usize| sums[group] / f64::max(counts[group], 1.0);
    let within: f64 = samples.iter().map(|&(group, value)| (value - raw(group)).powi(2)).sum();
    let occupied = counts.iter().filter(|&&count| count > 0.0).count() as f64;
    let within = within / (samples.len() as f64 - occupied).max(1.0);
    // Method of moments: what the groups' means vary by beyond their sampling noise.
    let noise: f64 = counts.iter().filter(|&&c| c > 0.0).map(|count| within / count).sum();
    let spread: f64 = (0..groups).map(|group| raw(group).powi(2)).sum();
    let between = ((spread - noise) / occupied.max(1.0)).max(0.0);
    (0..groups)
        .map(|g| if between > 0.0 { sums[g] / (counts[g] + within / between) } else { 0.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_differ_keep_their_means_and_noise_is_shrunk_away() {
        let clear: Vec<_> =
            (0..200).map(|i| (i % 2, if i % 2 == 0 { 0.5 } else { -0.5 })).collect();
        let means = shrunken_means(&clear, 2);
        assert!((means[0] - 0.5).abs() < 1e-6 && (means[1] + 0.5).abs() < 1e-6);
        let noise: Vec<_> = (0..200).map(|i| (i % 2, if i % 4 < 2 { 0.5 } else { -0.5 })).collect();
        assert!(shrunken_means(&noise, 2).iter().all(|mean| mean.abs() < 1e-6));
    }
}
