//! From expected score to P(score >= bar), per candidate, on cross-fitted predictions.
//!
//! Logistic regression of `1[score >= bar]` on the expected score (Platt 1999), shrunk towards the
//! fit of all candidates together, so that a candidate with few outcomes borrows theirs.

use farthing_core::Bar;
use farthing_model::Platt;
use nalgebra::DMatrix;

/// Weight of the pooled fit, in outcomes.
pub(crate) const PRIOR_OUTCOMES: f64 = 20.0;
const MAX_STEPS: usize = 50;
const MAX_HALVINGS: i32 = 20;

/// One calibration a candidate; `expected` and `score` are `(n, candidates)`, NaN where unknown.
pub(crate) fn calibrate(expected: &DMatrix<f64>, score: &DMatrix<f64>, bar: Bar) -> Vec<Platt> {
    let samples = |c: usize| {
        let pairs = expected.column(c).into_owned();
        let met: Vec<(f64, f64)> = pairs
            .iter()
            .zip(score.column(c).iter())
            .filter(|(_, score)| !score.is_nan())
            .map(|(expected, score)| (*expected, f64::from(u8::from(*score >= bar))))
            .collect();
        met
    };
    let by_candidate: Vec<_> = (0..score.ncols()).map(samples).collect();
    // Everything alike: as probable as it is expected.
    let start = Platt { slope: 4.0, intercept: -2.0 };
    let pooled = logistic(&by_candidate.concat(), start, 1.0);
    by_candidate.iter().map(|samples| logistic(samples, pooled, PRIOR_OUTCOMES)).collect()
}

/// Maximum a posteriori by Newton's method with step halving; the prior counts as `weight` outcomes
/// predicted by `prior`. A negative slope (more expected, less met) becomes 0.
pub(crate) fn logistic(samples: &[(f64, f64)], prior: Platt, weight: f64) -> Platt {
    let posterior = Posterior { samples, prior, weight };
    let mut fitted = prior;
    let mut loss = posterior.loss(fitted);
    for _ in 0..MAX_STEPS {
        let (intercept, slope) = posterior.newton_step(fitted);
        let at = |share: f64| Platt {
            intercept: fitted.intercept + share * intercept,
            slope: (fitted.slope + share * slope).max(0.0),
        };
        let halvings = (0..MAX_HALVINGS).map(|halving| at(0.5_f64.powi(halving)));
        let better = halvings.map(|to| (to, posterior.loss(to))).find(|(_, to)| *to < loss - 1e-12);
        let Some(better) = better else { break };
        (fitted, loss) = better;
    }
    fitted
}

struct Posterior<'a> {
    /// (expected score, 1 if the bar was met)
    samples: &'a [(f64, f64)],
    prior: Platt,
    weight: f64,
}

impl Posterior<'_> {
    /// Curvature of the prior: that of `weight` outcomes at even odds, spread over [0, 1].
    fn prior_curvature(&self) -> (f64, f64) {
        (0.25 * self.weight, 0.25 * self.weight / 12.0)
    }

    /// Negative logarithm, up to a constant.
    fn loss(&self, at: Platt) -> f64 {
        let (intercept, slope) = self.prior_curvature();
        let away = intercept * (at.intercept - self.prior.intercept).powi(2)
            + slope * (at.slope - self.prior.slope).powi(2);
        let surprise = |&(expected, met): &(f64, f64)| {
            let logit = at.slope * expected + at.intercept;
            // -ln p or -ln(1 - p), without overflow.
            let against = if met > 0.5 { -logit } else { logit };
            against.max(0.0) + (-against.abs()).exp().ln_1p()
        };
        0.5 * away + self.samples.iter().map(surprise).sum::<f64>()
    }

    /// (intercept, slope); where the slope is at its bound, only the level moves.
    fn newton_step(&self, at: Platt) -> (f64, f64) {
        let (mut h00, mut h11) = self.prior_curvature();
        let mut h01 = 0.0;
        let mut g0 = -h00 * (at.intercept - self.prior.intercept);
        let mut g1 = -h11 * (at.slope - self.prior.slope);
        for &(expected, met) in self.samples {
            let p = at.apply(expected);
            let (error, curvature) = (met - p, p * (1.0 - p));
            g0 += error;
            g1 += error * expected;
            h00 += curvature;
            h01 += curvature * expected;
            h11 += curvature * expected * expected;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant <= 0.0 || (at.slope <= 0.0 && g1 < 0.0) {
            return (g0 / h00, 0.0);
        }
        ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 requests of which the share `p(x)` meets the bar at expected score `x`.
    fn fit(p: impl Fn(f64) -> f64) -> Platt {
        let x = |i: usize| (i / 100) as f64 / 10.0;
        let expected = DMatrix::from_fn(1000, 1, |i, _| x(i));
        let score = DMatrix::from_fn(1000, 1, |i, _| {
            f64::from(u8::from(((i % 100) as f64) < 100.0 * p(x(i))))
        });
        calibrate(&expected, &score, 0.5)[0]
    }

    #[test]
    fn a_logistic_truth_is_recovered() {
        let truth = Platt { slope: 5.0, intercept: -3.0 };
        let fitted = fit(|x| truth.apply(x));
        for x in [0.1, 0.5, 0.9] {
            assert!((fitted.apply(x) - truth.apply(x)).abs() < 0.02, "{fitted:?}");
        }
    }

    #[test]
    fn a_bar_that_all_or_none_meet_and_a_reversed_one_stay_sane() {
        assert!(fit(|_| 1.0).apply(0.5) > 0.98);
        assert!(fit(|_| 0.0).apply(0.5) < 0.02);
        let reversed = fit(|x| 1.0 - x);
        assert!(reversed.slope == 0.0 && (reversed.apply(0.5) - 0.55).abs() < 0.03, "{reversed:?}");
    }
}
