//! `RouterEval`'s figures (arXiv 2503.10657).
//!
//! Its mu is the mean of [`selected_scores`]; `V_R` is mu over the [`reference_accuracy`], `V_B` mu over
//! the best single model's mean score.

use super::Matrix;
use super::decided::{Decided, RatioColumn};

/// Accuracies that `RouterEval` measures `V_R` by, as its paper lists them.
pub const REFERENCE_ACCURACIES: [(&str, f64); 12] = [
    ("arc", 0.852),
    ("hellaswag", 0.953),
    ("mmlu", 0.864),
    ("truthfulqa", 0.669),
    ("winogrande", 0.875),
    ("gsm8k", 0.92),
    ("ifeval", 0.7689),
    ("bbh", 0.8303),
    ("gpqa", 0.397),
    ("math", 0.4),
    ("musr", 0.699),
    ("mmlu_pro", 0.637),
];

/// The reference accuracy of a benchmark, by its name in [`REFERENCE_ACCURACIES`].
pub fn reference_accuracy(benchmark: &str) -> Option<f64> {
    let found = REFERENCE_ACCURACIES.iter().find(|(name, _)| *name == benchmark);
    found.map(|(_, accuracy)| *accuracy)
}

/// The chosen candidate's score of each request where it is known; their mean is mu.
pub fn selected_scores(decided: &Decided<'_>) -> RatioColumn {
    decided.column(|request| Some((request.chosen_score()?, 1.0)))
}

/// Entropy in bits of the softmax of each request's router scores, `(requests, candidates)`; their
/// mean is `E_p`. `None` where a score is not a number or all are infinite.
pub fn choice_entropies(router_score: &Matrix) -> RatioColumn {
    router_score.iter().map(|row| Some((entropy_bits(row)?, 1.0))).collect()
}

fn entropy_bits(scores: &[f64]) -> Option<f64> {
    let greatest = scores.iter().copied().reduce(f64::max).filter(|score| score.is_finite())?;
    let total: f64 = scores.iter().map(|score| (score - greatest).exp()).sum();
    let part = |score: &f64| {
        let log_share = score - greatest - total.ln();
        // A share of 0 adds nothing, though its logarithm is infinite.
        if log_share.is_finite() { -log_share.exp() * log_share } else { 0.0 }
    };
    let nats: f64 = scores.iter().map(part).sum();
    (!total.is_nan()).then(|| (nats / std::f64::consts::LN_2).max(0.0))
}

/// The expected score of each request under `r_o(p)`: the best candidate with probability `p`, else
/// one at random. Only requests with every score known; `(requests, candidates)`.
pub fn oracle_mix(true_score: &Matrix, p: f64) -> RatioColumn {
    let of_row = |row: &[f64]| {
        let best = row.iter().copied().reduce(f64::max)?;
        let mean = row.iter().sum::<f64>() / row.len() as f64;
        (!mean.is_nan()).then_some((p * best + (1.0 - p) * mean, 1.0))
    };
    true_score.iter().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ratio;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    #[test]
    fn means_of_selected_scores_by_hand() {
        let score = Matrix::new(2, vec![0.2, 0.8, 0.6, f64::NAN, 0.5, 0.1]);
        let choices = [Some(1), Some(1), Some(0)];
        let cost = Matrix::repeat(3, &[1.0, 2.0]);
        let mu =
            ratio(&selected_scores(&Decided { choices: &choices, score: &score, cost: &cost }));
        close(mu, 0.65);
        close(mu / reference_accuracy("mmlu_pro").unwrap(), 0.65 / 0.637);
        assert_eq!(reference_accuracy("unknown"), None);
        // Means 0.5 and 0.3 of the first and last row, best 0.8 and 0.5.
        close(ratio(&oracle_mix(&score, 0.25)), 0.25 * 0.65 + 0.75 * 0.4);
    }

    #[test]
    fn entropies_by_hand() {
        let of = |row: &[f64]| ratio(&choice_entropies(&Matrix::repeat(1, row)));
        close(of(&[0.3; 4]), 2.0);
        close(of(&[7.0]), 0.0);
        // Odds of 3 to 1, however large the scores.
        let expected = 0.75 * (4.0 / 3.0_f64).log2() + 0.25 * 2.0;
        close(of(&[3.0_f64.ln(), 0.0]), expected);
        assert!((of(&[800.0 + 3.0_f64.ln(), 800.0]) - expected).abs() < 1e-9);
        close(of(&[1.0, f64::NEG_INFINITY, 1.0]), 1.0);
        assert_eq!(choice_entropies(&Matrix::new(2, vec![f64::NAN, 1.0])), [None]);
        assert_eq!(choice_entropies(&Matrix::new(2, vec![f64::NEG_INFINITY; 2])), [None]);
    }
}
