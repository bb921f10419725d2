//! From expected score to P(score >= bar), per candidate, on cross-fitted predictions.
//!
//! Logistic regression of `1[score >= bar]` on the expected score (Platt 1999), shrunk towards the
//! fit of all candidates together, so that a candidate with few outcomes borrows theirs.

use farthing_core::Bar;
use farthing_model::Platt;
use nalgebra::DMatrix;

/// Weight of the pooled fit, in outcomes.
const PRIOR_OUTCOMES: f64 = 20.0;
const STEPS: usize = 50;

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

/// Maximum a posteriori by Newton's method; the prior counts as `weight` outcomes predicted by
/// `prior`. A negative slope (more expected, less met) becomes 0.
fn logistic(samples: &[(f64, f64)], prior: Platt, weight: f64) -> Platt {
    let mut fitted = prior;
    for _ in 0..STEPS {
        // Curvature of the prior: that of `weight` outcomes at even odds, spread over [0, 1].
        let (mut g0, mut g1) = (
            -weight * 0.25 * (fitted.intercept - prior.intercept),
            -weight * 0.25 * (fitted.slope - prior.slope) / 12.0,
        );
        let (mut h00, mut h01, mut h11) = (weight * 0.25, 0.0, weight * 0.25 / 12.0);
        for &(expected, met) in samples {
            let p = fitted.apply(expected);
            let (error, curvature) = (met - p, (p * (1.0 - p)).max(1e-6));
            g0 += error;
            g1 += error * expected;
            h00 += curvature;
            h01 += curvature * expected;
            h11 += curvature * expected * expected;
        }
        let determinant = h00 * h11 - h01 * h01;
        let step = if determinant <= 0.0 || (fitted.slope == 0.0 && g1 < 0.0) {
            // The slope stays where it is; only the level moves.
            (g0 / h00, 0.0)
        } else {
            ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
        };
        // Bounded steps: separable data would otherwise overshoot.
        fitted.intercept += step.0.clamp(-5.0, 5.0);
        fitted.slope = (fitted.slope + step.1.clamp(-5.0, 5.0)).max(0.0);
        if step.0.abs() + step.1.abs() < 1e-10 {
            break;
        }
    }
    fitted
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
