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
/// Share of answers that a quantile covers.
const COVERED: f64 = 0.9;
/// Answers of all candidates together that count beside a candidate's own: with as many of its own,
/// its quantile is half its own.
const PSEUDO_ANSWERS: f64 = 20.0;

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
    let mut models: Vec<CostModel> = (0..count)
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
    let head = ratio_head(vectors, ratio, folds);
    let predicted = |row: usize, c: usize| {
        models[c]
            .tokens
            .map_or(0.0, |tokens| tokens.output_tokens(1.0 + head.cross_fitted[(row, c)]))
    };
    let quantiles = q90_ratios(&output, &predicted);
    for (model, quantile) in models.iter_mut().zip(quantiles) {
        if let Some(tokens) = &mut model.tokens {
            tokens.q90_ratio = quantile;
        }
    }
    Lengths { cost, models, coefficients: head.coefficients }
}

/// What the length head learned.
struct RatioHead {
    /// `(width, candidates)`
    coefficients: DMatrix<f64>,
    /// `(n, candidates)`: what it adds to 1 on requests that it was not fitted on.
    cross_fitted: DMatrix<f64>,
}

/// One penalty for all candidates, no head at all (0) where that predicts best.
fn ratio_head(vectors: &DMatrix<f64>, mut ratio: DMatrix<f64>, folds: &[usize]) -> RatioHead {
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
    for (penalty, prediction) in PENALTIES.iter().zip(predictions) {
        let error = error(Some(&prediction));
        if error < least {
            (best, least) = (Some((*penalty, prediction)), error);
        }
    }
    match best {
        None => RatioHead {
            coefficients: DMatrix::zeros(vectors.ncols(), ratio.ncols()),
            cross_fitted: DMatrix::zeros(ratio.nrows(), ratio.ncols()),
        },
        Some((penalty, cross_fitted)) => RatioHead {
            coefficients: Ridge::new(vectors, &ratio).penalise(penalty).solve(&ratio),
            cross_fitted,
        },
    }
}

/// Of each candidate, the multiple of its predicted output tokens that nine answers in ten do not
/// exceed: the quantile of `output / predicted` over its requests, shrunk towards that of all
/// candidates together by [`PSEUDO_ANSWERS`]. Predictions are of requests that the head was not
/// fitted on, so the quantile holds for new ones; `None` where nothing is known of any candidate.
fn q90_ratios(output: &DMatrix<f64>, predicted: &dyn Fn(usize, usize) -> f64) -> Vec<Option<f64>> {
    let ratios = |c: usize| -> Vec<f64> {
        let column = output.column(c);
        let known = column.iter().enumerate().map(|(row, tokens)| (tokens, predicted(row, c)));
        // Neither an unknown length nor one that was predicted as 0 has a ratio.
        let known = known.filter(|(tokens, predicted)| !tokens.is_nan() && *predicted > 0.0);
        known.map(|(tokens, predicted)| tokens / predicted).collect()
    };
    let own: Vec<Vec<f64>> = (0..output.ncols()).map(ratios).collect();
    let pooled = quantile(own.concat());
    let shrunk = |ratios: Vec<f64>| {
        let (n, pooled) = (ratios.len() as f64, pooled?);
        let own = quantile(ratios).unwrap_or(pooled);
        Some((n * own + PSEUDO_ANSWERS * pooled) / (n + PSEUDO_ANSWERS))
    };
    own.into_iter().map(shrunk).collect()
}

/// The least value that [`COVERED`] of `n + 1` values do not exceed, one of them unseen and as likely
/// to stand anywhere among the others; the greatest where there are too few to say.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is between 1 and the number of values"
)]
fn quantile(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (COVERED * (values.len() + 1) as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).or(values.last()).copied()
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
    Some(TokenModel { input_base, input_per_byte, mean_output, q90_ratio: None })
}

#[cfg(test)]
mod tests {
    use farthing_core::{Digest, Request};
    use farthing_data::Cell;

    use super::*;
    use crate::objective::FOLDS;

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

    #[test]
    fn a_quantile_leaves_room_for_the_next_value() {
        let values = |n: u32| (1..=n).map(f64::from).rev().collect();
        assert_eq!(quantile(values(99)), Some(90.0));
        assert_eq!(quantile(values(100)), Some(91.0), "90.9 of 101");
        assert_eq!(quantile(values(9)), Some(9.0));
        assert_eq!(quantile(values(3)), Some(3.0), "too few to say more than the greatest");
        assert_eq!(quantile(Vec::new()), None);
    }

    /// A request that says how long its answers are: 100 or 300 tokens, give or take half of that
    /// for candidate 0 and a tenth for candidate 1.
    fn record(i: u32) -> Record {
        let prompt = format!("request {i}");
        // Spread evenly over [-1, 1), differently for each candidate.
        let noise = |step: u32| f64::from(i * step % 199) / 99.5 - 1.0;
        let cell = |candidate: usize| Cell {
            candidate,
            samples: 1,
            score: None,
            cost_usd: None,
            input_tokens: Some(10.0),
            output_tokens: Some(long(i) * (1.0 + [0.5 * noise(71), 0.1 * noise(43)][candidate])),
            latency_ms: None,
            propensity: None,
        };
        Record {
            key: Digest::of(prompt.as_bytes()),
            group: 0,
            request_id: None,
            request: Request::from_prompt(prompt).unwrap(),
            labels: Vec::new(),
            timestamp_ms: None,
            cells: vec![cell(0), cell(1)],
        }
    }

    fn long(i: u32) -> f64 {
        if i.is_multiple_of(2) { 100.0 } else { 300.0 }
    }

    #[test]
    fn nine_new_answers_in_ten_are_within_the_quantile() {
        let records: Vec<Record> = (0..500).map(record).collect();
        let records: Vec<&Record> = records.iter().collect();
        let vector = |i: u32| if i.is_multiple_of(2) { -1.0 } else { 1.0 };
        // The penalty is relative to the mean component, and most components are small.
        let mut vectors = DMatrix::zeros(500, 64);
        vectors.set_column(0, &DVector::from_iterator(500, (0..500).map(vector)));
        // Neighbours share a fold, so that none is of one kind only.
        let folds: Vec<usize> = (0..500).map(|row| row / 2 % FOLDS).collect();
        let names = ["a", "b"].map(str::to_owned);
        let lengths = learn(&records, &names, &vectors, &folds, &TrainConfig::default());
        for (c, model) in lengths.models.iter().enumerate() {
            let tokens = model.tokens.unwrap();
            let within = |i: &u32| {
                let length = 1.0 + lengths.coefficients[(0, c)] * vector(*i);
                record(*i).cells[c].output_tokens.unwrap()
                    <= tokens.output_tokens_q90(length).unwrap()
            };
            let share = (1000..2000).filter(within).count() as f64 / 1000.0;
            assert!((0.88..0.93).contains(&share), "candidate {c}: {share}");
            let short = tokens.output_tokens_q90(1.0 - lengths.coefficients[(0, c)]).unwrap();
            // 1.4 and 1.08 times 100; without the head it would be near 300.
            assert!((105.0..150.0).contains(&short), "candidate {c}: {short}");
        }
    }

    /// Candidate 0 answers in 1 to 99 tokens where 50 are predicted, candidate 1 always in 100 as
    /// predicted, candidate 2 was asked once, and candidate 3 never.
    fn outputs() -> DMatrix<f64> {
        DMatrix::from_fn(99, 4, |row, c| match c {
            0 => row as f64 + 1.0,
            1 => 100.0,
            2 if row == 0 => 30.0,
            _ => f64::NAN,
        })
    }

    #[test]
    fn quantiles_of_few_answers_are_shrunk() {
        let ratios = q90_ratios(&outputs(), &|_, c| [50.0, 100.0, 10.0, 40.0][c]);
        let ratios: Vec<f64> = ratios.into_iter().flatten().collect();
        // 199 ratios: 50 of candidate 0 are at most 1, as are all 99 of candidate 1; the one of
        // candidate 2 is 3. The 180th in order is thus the 81st of candidate 0.
        let pooled = 81.0 / 50.0;
        let shrunk = |n: f64, own: f64| (n * own + 20.0 * pooled) / (n + 20.0);
        for (ratio, expected) in
            ratios.iter().zip([shrunk(99.0, 1.8), shrunk(99.0, 1.0), shrunk(1.0, 3.0), pooled])
        {
            assert!((ratio - expected).abs() < 1e-12, "{ratios:?}");
        }
        assert_eq!(ratios.len(), 4);
        let unknown = DMatrix::from_element(3, 2, f64::NAN);
        assert_eq!(q90_ratios(&unknown, &|_, _| 1.0), [None, None]);
        let silent = DMatrix::from_element(3, 1, 0.0);
        assert_eq!(q90_ratios(&silent, &|_, _| 0.0), [None], "0 of 0 is no ratio");
    }
}
