//! How the new candidate's length and cost are predicted.

use farthing_model::CostModel;
use nalgebra::DVector;

use super::evidence::Evidence;
use super::solve::{Block, Regression};
use super::{MIN_OUTCOMES, row_means};
use crate::length::{MAX_RATIO, token_model};

/// Least expected length, as a multiple of the mean.
const LEAST_LENGTH: f64 = 0.1;

/// How the new candidate's length and cost are predicted.
pub(super) struct Costs {
    pub(super) model: CostModel,
    /// `(m)` shares of the existing candidates' lengths.
    pub(super) length: DVector<f64>,
}

impl Costs {
    pub(super) fn of(evidence: &Evidence, priced: bool) -> Self {
        let column = |field: fn(&farthing_data::Cell) -> Option<f64>| {
            let values = evidence.cells.iter().map(|cell| field(cell).unwrap_or(f64::NAN));
            DVector::from_iterator(evidence.len(), values)
        };
        let (input, output) = (column(|cell| cell.input_tokens), column(|cell| cell.output_tokens));
        let cost = column(|cell| cell.cost_usd);
        // As in training: the head scales what the prediction multiplies.
        let by_tokens = priced && known(&output).next().is_some();
        let scaled = if by_tokens || known(&cost).next().is_none() { &output } else { &cost };
        let length = length_shares(evidence, scaled);
        let multiples = evidence.length.map(|value| value - 1.0) * &length;
        let multiples = multiples.map(|value| (value + 1.0).max(LEAST_LENGTH));
        // Longer requests than usual in the log must not look like a longer mean.
        let mean = |values: &DVector<f64>| {
            let sum: f64 = known(values).map(|(_, value)| value).sum();
            let due: f64 = known(values).map(|(row, _)| multiples[row]).sum();
            sum / due
        };
        let model = CostModel {
            tokens: token_model(&input, &evidence.bytes, mean(&output)),
            mean_cost_usd: Some(mean(&cost)).filter(|mean| !mean.is_nan()),
        };
        Self { model, length }
    }
}

/// `(m)` shares of the existing candidates' lengths in the new one's; their average, unless its own
/// outcomes say more.
fn length_shares(evidence: &Evidence, values: &DVector<f64>) -> DVector<f64> {
    let m = evidence.length.ncols();
    let average = DVector::from_element(m, 1.0 / m as f64);
    let rows: Vec<usize> = known(values).map(|(row, _)| row).collect();
    let mean = known(values).map(|(_, value)| value).sum::<f64>() / rows.len() as f64;
    if rows.len() < MIN_OUTCOMES || mean <= 0.0 {
        return average;
    }
    let columns = evidence.length.select_rows(&rows).map(|value| value - 1.0);
    let ratio = values.select_rows(&rows).map(|value| (value / mean).min(MAX_RATIO));
    let solution = Regression {
        target: &(ratio - row_means(&columns)),
        blocks: vec![Block { name: "length", columns }],
        control: &DVector::zeros(rows.len()),
        folds: &rows.iter().map(|&row| evidence.folds[row]).collect::<Vec<_>>(),
    }
    .solve();
    average + &solution.coefficients[0]
}

/// Positions and values of what is known.
fn known(values: &DVector<f64>) -> impl Iterator<Item = (usize, f64)> {
    values.iter().copied().enumerate().filter(|(_, value)| !value.is_nan())
}
