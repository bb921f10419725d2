//! The cost heads: tokens and cost of each candidate, and how they vary with the request.

use farthing_data::Record;
use farthing_model::{CostModel, TokenModel};
use nalgebra::{DMatrix, DVector};

use crate::TrainConfig;
use crate::fit::cross_fit_ridge;
use crate::problem::{column_means, matrix};
use crate::ridge::Ridge;

/// An answer longer than this multiple of the mean says nothing more about the next one.
pub(crate) const MAX_RATIO: f64 = 5.0;
const PENALTIES: [f64; 4] = [100.0, 30.0, 10.0, 3.0];

/// What was learned about length and cost.
#[derive(Debug, Clone)]
pub(crate) struct Lengths {
    /// `(n, candidates)` USD, NaN where unknown.
    pub(crate) cost: DMatrix<f64>,
    /// How each candidate's cost is predicted.
    pub(crate) models: Vec<CostModel>,
    /// `(width, candidates)`: change of the ratio of length to its mean.
    pub(crate) coefficients: DMatrix<f64>,
}

/// Learns tokens and cost from the records of the fit split.
pub(crate) fn learn(
    records: &[&Record],
    candidates: &[String],
    vectors: &DMatrix<f64>,
    folds: &[usize],
    config: &TrainConfig,
) -> Lengths {
    let count = candidates.len();
    let cost = matrix(records, count, |cell| cell.cost_usd);
    let output = matrix(records, count, |cell| cell.output_tokens);
    let input = matrix(records, count, |cell| cell.input_tokens);
    let bytes = DVector::from_iterator(
        records.len(),
        records.iter().map(|record| record.request.text_bytes() as f64),
    );
    let (mean_cost, mean_output) = (column_means(&cost), column_means(&output));
    let models: Vec<CostModel> = (0..count)
        .map(|c| CostModel {
            tokens: token_model(&input.column(c).into_owned(), &bytes, mean_output[c]),
            mean_cost_usd: Some(mean_cost[c]).filter(|mean| !mean.is_nan()),
        })
        .collect();
    // The head scales what the prediction multiplies: output tokens where a price is at hand, the
    // logged cost otherwise.
    let ratio = DMatrix::from_fn(records.len(), count, |row, c| {
        let priced = config.prices.get(&candidates[c]).is_some() && models[c].tokens.is_some();
        let (value, mean) = if priced || mean_cost[c].is_nan() {
            (output[(row, c)], mean_output[c])
        } else {
            (cost[(row, c)], mean_cost[c])
        };
        if mean > 0.0 { (value / mean).min(MAX_RATIO) } else { f64::NAN }
    });
    Lengths { cost, models, coefficients: ratio_head(vectors, ratio, folds) }
}

/// `(width, candidates)`: one penalty for all, none at all (0) where that predicts best.
fn ratio_head(vectors: &DMatrix<f64>, mut ratio: DMatrix<f64>, folds: &[usize]) -> DMatrix<f64> {
    let means = column_means(&ratio);
    for (mut column, mean) in ratio.column_iter_mut().zip(&means) {
        column.add_scalar_mut(-mean);
    }
    let error = |predicted: Option<&DMatrix<f64>>| {
        let known = ratio.iter().enumerate().filter(|(_, value)| !value.is_nan());
        known.map(|(i, value)| (value - predicted.map_or(0.0, |p| p[i])).powi(2)).sum::<f64>()
    };
    let predictions = cross_fit_ridge(vectors, &ratio, folds, &PENALTIES);
    let (mut best, mut least) = (None, error(None));
    for (penalty, prediction) in PENALTIES.iter().zip(&predictions) {
        if error(Some(prediction)) < least {
            (best, least) = (Some(*penalty), error(Some(prediction)));
        }
    }
    match best {
        None => DMatrix::zeros(vectors.ncols(), ratio.ncols()),
        Some(penalty) => Ridge::new(vectors, &ratio).penalise(penalty).solve(&ratio),
    }
}

/// Least squares of input tokens on bytes, both coefficients at least 0.
pub(crate) fn token_model(
    input: &DVector<f64>,
    bytes: &DVector<f64>,
    mean_output: f64,
) -> Option<TokenModel> {
    let known: Vec<(f64, f64)> = bytes
        .iter()
        .zip(input.iter())
        .filter(|(_, tokens)| !tokens.is_nan())
        .map(|(bytes, tokens)| (*bytes, *tokens))
        .collect();
    if known.is_empty() || mean_output.is_nan() {
        return None;
    }
    let n = known.len() as f64;
    let mean_bytes = known.iter().map(|(bytes, _)| bytes).sum::<f64>() / n;
    let mean_tokens = known.iter().map(|(_, tokens)| tokens).sum::<f64>() / n;
    let covariance: f64 =
        known.iter().map(|(bytes, tokens)| (bytes - mean_bytes) * (tokens - mean_tokens)).sum();
    let variance: f64 = known.iter().map(|(bytes, _)| (bytes - mean_bytes).powi(2)).sum();
    let through_origin = mean_tokens / mean_bytes.max(1.0);
    let slope = if variance > 0.0 { covariance / variance } else { through_origin };
    // Beyond the ratio of the means the intercept would be negative.
    let input_per_byte = slope.clamp(0.0, through_origin);
    let input_base = mean_tokens - input_per_byte * mean_bytes;
    Some(TokenModel { input_base, input_per_byte, mean_output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_tokens_are_a_line_in_bytes() {
        let bytes = DVector::from_vec(vec![0.0, 100.0, 200.0, 300.0]);
        let input = DVector::from_vec(vec![10.0, 35.0, 60.0, f64::NAN]);
        let model = token_model(&input, &bytes, 7.0).unwrap();
        assert!((model.input_base - 10.0).abs() < 1e-9);
        assert!((model.input_per_byte - 0.25).abs() < 1e-9);
        assert_eq!(
            token_model(&DVector::from_vec(vec![f64::NAN]), &bytes.rows(0, 1).into(), 1.0),
            None
        );
    }
}
