//! Properties of the metrics that hold for any data.

mod calibrations;
mod choices;
mod curves;
mod orders;
mod sweeps;

use farthing_eval::metrics::{Matrix, Point};
use proptest::prelude::*;

pub(crate) const CLOSE: f64 = 1e-9;

pub(crate) fn points() -> impl Strategy<Value = Vec<Point>> {
    let point = (0.001..1.0, 0.0..1.0).prop_map(|(cost_usd, quality)| Point { cost_usd, quality });
    prop::collection::vec(point, 1..20)
}

/// Scores, costs and predictions of 12 requests and 3 candidates.
pub(crate) fn outcomes() -> impl Strategy<Value = [Matrix; 4]> {
    let matrix = |low: f64, high: f64| {
        prop::collection::vec(low..high, 36).prop_map(|values| Matrix::new(3, values))
    };
    let coarse = prop::collection::vec(0_u8..=4, 36).prop_map(|values| {
        Matrix::new(3, values.into_iter().map(|v| f64::from(v) / 4.0).collect())
    });
    [
        matrix(0.0, 1.0).boxed(),
        matrix(0.0001, 0.1).boxed(),
        coarse.boxed(),
        matrix(0.0001, 0.1).boxed(),
    ]
}

pub(crate) fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < CLOSE
}

pub(crate) fn same(a: &[Point], b: &[Point]) -> bool {
    let pairs = a.iter().zip(b);
    a.len() == b.len()
        && pairs
            .into_iter()
            .all(|(a, b)| close(a.cost_usd, b.cost_usd) && close(a.quality, b.quality))
}
