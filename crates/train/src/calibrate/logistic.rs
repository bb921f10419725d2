//! Logistic regression with a Gaussian prior and slopes that are never negative.

use nalgebra::{SMatrix, SVector};

const MAX_STEPS: usize = 50;
const MAX_HALVINGS: i32 = 20;
/// A lesser gain in log-likelihood is none.
const LEAST_GAIN: f64 = 1e-9;

/// Terms of one outcome, the first of them 1, and 1 if the bar was met, else 0.
pub(super) type Sample<const K: usize> = ([f64; K], f64);

/// What is believed before any outcome, and how strongly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior<const K: usize> {
    pub(super) coefficients: [f64; K],
    /// It counts as much as this many outcomes at even odds whose terms have these mean squares.
    pub(super) outcomes: f64,
    pub(super) mean_squares: [f64; K],
}

/// Maximum a posteriori coefficients by Newton's method with step halving. A slope that would fall
/// below 0 stays there while the others move.
pub(super) fn fit<const K: usize>(samples: &[Sample<K>], prior: Prior<K>) -> [f64; K] {
    let posterior = Posterior { samples, prior };
    let mut fitted = prior.coefficients;
    let mut loss = posterior.loss(&fitted);
    for _ in 0..MAX_STEPS {
        let step = posterior.newton_step(&fitted);
        let at = |share: f64| {
            let mut to = fitted;
            for (i, (value, step)) in to.iter_mut().zip(step.iter()).enumerate() {
                *value += share * step;
                *value = if i > 0 { value.max(0.0) } else { *value };
            }
            to
        };
        let halvings = (0..MAX_HALVINGS).map(|halving| at(0.5_f64.powi(halving)));
        let mut losses = halvings.map(|to| (to, posterior.loss(&to)));
        let Some(better) = losses.find(|(_, to)| *to < loss - LEAST_GAIN) else { break };
        (fitted, loss) = better;
    }
    fitted
}

struct Posterior<'a, const K: usize> {
    samples: &'a [Sample<K>],
    prior: Prior<K>,
}

impl<const K: usize> Posterior<'_, K> {
    fn prior_curvature(&self, i: usize) -> f64 {
        0.25 * self.prior.outcomes * self.prior.mean_squares[i]
    }

    /// Negative logarithm, up to a constant.
    fn loss(&self, at: &[f64; K]) -> f64 {
        let away =
            |i: usize| 0.5 * self.prior_curvature(i) * (at[i] - self.prior.coefficients[i]).powi(2);
        let surprise = |(terms, met): &Sample<K>| {
            let odds = dot(terms, at);
            // -ln p or -ln(1 - p), without overflow.
            let against = if *met > 0.5 { -odds } else { odds };
            against.max(0.0) + (-against.abs()).exp().ln_1p()
        };
        (0..K).map(away).sum::<f64>() + self.samples.iter().map(surprise).sum::<f64>()
    }

    fn newton_step(&self, at: &[f64; K]) -> [f64; K] {
        let mut gradient = SVector::<f64, K>::zeros();
        let mut curvature = SMatrix::<f64, K, K>::zeros();
        for i in 0..K {
            curvature[(i, i)] = self.prior_curvature(i);
            gradient[i] = -curvature[(i, i)] * (at[i] - self.prior.coefficients[i]);
        }
        for (terms, met) in self.samples {
            let p = 1.0 / (1.0 + (-dot(terms, at)).exp());
            let terms = SVector::<f64, K>::from(*terms);
            gradient += terms * (met - p);
            curvature += terms * terms.transpose() * (p * (1.0 - p));
        }
        for i in (1..K).filter(|&i| at[i] <= 0.0 && gradient[i] < 0.0).collect::<Vec<_>>() {
            gradient[i] = 0.0;
            curvature.row_mut(i).fill(0.0);
            curvature.column_mut(i).fill(0.0);
            curvature[(i, i)] = 1.0;
        }
        let step = curvature.cholesky().map(|factor| factor.solve(&gradient));
        // Curvature that rounding made indefinite: down the slope instead.
        step.unwrap_or_else(|| gradient / curvature.trace().max(1.0)).into()
    }
}

fn dot<const K: usize>(a: &[f64; K], b: &[f64; K]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
