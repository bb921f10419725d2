//! What hindsight would have chosen.

use super::Matrix;

/// For each request the oracle's candidate at a bar (FIELD: `Oracle_tau`): the cheapest of those
/// whose score is at least the bar; where none is, the best score, ties to the cheaper. Equal in
/// both: the first. `(requests, candidates)` matrices of true values -> `(requests)`.
pub fn oracle_choices(true_score: &Matrix, true_cost: &Matrix, bar: f64) -> Vec<usize> {
    true_score.iter().zip(true_cost.iter()).map(|(s, c)| oracle_choice(s, c, bar)).collect()
}

/// [`oracle_choices`] of one request, `(candidates)` both.
pub(super) fn oracle_choice(score: &[f64], cost: &[f64], bar: f64) -> usize {
    let met = (0..score.len()).filter(|&i| score[i] >= bar);
    let cheapest = met.min_by(|&a, &b| cost[a].total_cmp(&cost[b]));
    cheapest.unwrap_or_else(|| best_column(score, cost))
}

/// Position of the highest quality, ties to the cheaper, then to the first: the best single model
/// of its mean scores and costs, `(candidates)` both.
pub fn best_column(quality: &[f64], cost: &[f64]) -> usize {
    let order = |&a: &usize, &b: &usize| {
        quality[b].total_cmp(&quality[a]).then(cost[a].total_cmp(&cost[b]))
    };
    (0..quality.len()).min_by(order).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cheapest_that_met_the_bar_else_the_best() {
        let cost = Matrix::repeat(4, &[3.0, 1.0, 2.0]);
        let score = Matrix::new(
            3,
            vec![
                1.0, 0.4, 0.5, // the bar itself counts
                0.1, 0.2, 0.2, // none: best score, then cheaper
                0.5, 0.9, 1.0, // cheapest, not best
                0.4, 0.3, 0.2, // none: best score
            ],
        );
        assert_eq!(oracle_choices(&score, &cost, 0.5), [2, 1, 1, 0]);
        assert_eq!(best_column(&[0.5, 0.7, 0.7], &[1.0, 3.0, 2.0]), 2);
    }
}
