//! Calibration slope and intercept: a logistic regression of what happened on the predicted log odds
//! (Cox 1958).

use serde::Serialize;

/// Predictions are kept this far from 0 and 1, whose log odds are infinite.
const MARGIN: f64 = 1e-6;
/// Newton steps before giving up; a handful suffices where there is a solution.
const STEPS: u32 = 100;
/// Halvings of one step before it is as good as none.
const HALVINGS: u32 = 40;

/// `log odds of the outcome = intercept + slope * log odds of the prediction`, fitted by maximum
/// likelihood. A calibrated predictor has slope 1 and intercept 0; a slope below 1 says that
/// predictions are too extreme.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recalibration {
    /// 1 where the spread of predictions is right.
    pub slope: f64,
    /// 0 where, at a prediction of one half, the level is right.
    pub intercept: f64,
}

/// The maximum-likelihood line through (predicted probability, whether it came true), by Newton's
/// method. `None` where there is none: without pairs, where a prediction is not a number, or where a
/// threshold on the predictions tells all that came true from all that did not, so that the slope
/// would be infinite (one outcome only, or one prediction only, included).
pub fn recalibration(pairs: &[(f64, bool)]) -> Option<Recalibration> {
    let log_odds = |p: f64| {
        let p = p.clamp(MARGIN, 1.0 - MARGIN);
        (p / (1.0 - p)).ln()
    };
    let points: Vec<(f64, f64)> =
        pairs.iter().map(|&(p, met)| (log_odds(p), f64::from(u8::from(met)))).collect();
    if points.iter().any(|point| point.0.is_nan()) || separated(&points) {
        return None;
    }
    let mut line = Recalibration { slope: 0.0, intercept: 0.0 };
    for _ in 0..STEPS {
        let (step, expected_gain) = newton_step(&points, line)?;
        if expected_gain < 1e-12 * points.len() as f64 {
            return Some(line);
        }
        line = improve(&points, line, step)?;
    }
    None
}

/// Whether outcomes overlap nowhere: the greatest of one kind is at or below the least of the other.
fn separated(points: &[(f64, f64)]) -> bool {
    let range = |met: bool| {
        let of_kind = points.iter().filter(|point| (point.1 > 0.5) == met).map(|point| point.0);
        of_kind.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
    };
    let (met, missed) = (range(true), range(false));
    met.1 <= missed.0 || missed.1 <= met.0
}

impl Recalibration {
    /// Log odds of the outcome at a predicted log odds.
    fn at(self, x: f64) -> f64 {
        self.intercept + self.slope * x
    }

    fn moved(self, step: Self, part: f64) -> Self {
        Self {
            slope: self.slope + part * step.slope,
            intercept: self.intercept + part * step.intercept,
        }
    }
}

/// The step to the maximum of the local parabola, and by how much it should improve the likelihood.
/// `None` where the parabola is flat.
fn newton_step(points: &[(f64, f64)], line: Recalibration) -> Option<(Recalibration, f64)> {
    let (mut level, mut tilt) = (0.0, 0.0);
    let (mut w, mut wx, mut wxx) = (0.0, 0.0, 0.0);
    for &(x, met) in points {
        let p = 1.0 / (1.0 + (-line.at(x)).exp());
        let weight = p * (1.0 - p);
        level += met - p;
        tilt += (met - p) * x;
        w += weight;
        wx += weight * x;
        wxx += weight * x * x;
    }
    let determinant = w * wxx - wx * wx;
    (determinant > 0.0).then(|| {
        let intercept = (wxx * level - wx * tilt) / determinant;
        let slope = (w * tilt - wx * level) / determinant;
        (Recalibration { slope, intercept }, 0.5 * (intercept * level + slope * tilt))
    })
}

/// The line moved by the step, or by the greatest of its halves that does not lower the likelihood.
fn improve(
    points: &[(f64, f64)],
    line: Recalibration,
    step: Recalibration,
) -> Option<Recalibration> {
    // ln(1 + e^z) without overflow.
    let softplus = |z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p();
    let likelihood = |line: Recalibration| {
        points.iter().map(|&(x, met)| met * line.at(x) - softplus(line.at(x))).sum::<f64>()
    };
    let before = likelihood(line);
    let moved =
        (0..HALVINGS).map(|halvings| line.moved(step, 0.5_f64.powi(halvings.cast_signed())));
    moved.into_iter().find(|line| likelihood(*line) >= before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(p: f64, met: usize, missed: usize) -> impl Iterator<Item = (f64, bool)> {
        std::iter::repeat_n((p, true), met).chain(std::iter::repeat_n((p, false), missed))
    }

    #[test]
    fn two_predictions_by_hand() {
        // With two predictions the line goes through the log odds of both shares: of 0.9 (log odds
        // 2 ln 3) 3 of 4 came true (ln 3), of 0.5 (0) 1 of 3 (-ln 2).
        let pairs: Vec<_> = repeat(0.9, 3, 1).chain(repeat(0.5, 1, 2)).collect();
        let found = recalibration(&pairs).unwrap();
        let (ln2, ln3) = (2.0_f64.ln(), 3.0_f64.ln());
        assert!((found.intercept + ln2).abs() < 1e-6, "{found:?}");
        assert!((found.slope - (ln3 + ln2) / (2.0 * ln3)).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn calibrated_predictions_have_slope_1() {
        let pairs: Vec<_> =
            repeat(0.2, 2, 8).chain(repeat(0.5, 5, 5)).chain(repeat(0.8, 8, 2)).collect();
        let found = recalibration(&pairs).unwrap();
        assert!((found.slope - 1.0).abs() < 1e-9 && found.intercept.abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn certain_predictions_are_kept_finite() {
        let pairs: Vec<_> = repeat(0.0, 1, 9).chain(repeat(1.0, 9, 1)).collect();
        let found = recalibration(&pairs).unwrap();
        let expected = 9.0_f64.ln() / ((1.0 - MARGIN) / MARGIN).ln();
        assert!((found.slope - expected).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn without_a_solution() {
        assert_eq!(recalibration(&[]), None);
        assert_eq!(recalibration(&[(0.3, true)]), None);
        assert_eq!(recalibration(&[(0.3, true), (0.6, true)]), None);
        assert_eq!(recalibration(&[(0.5, true), (0.5, false)]), None);
        assert_eq!(recalibration(&[(0.2, false), (0.4, false), (0.6, true)]), None);
        // Separated but for a shared value.
        assert_eq!(recalibration(&[(0.2, false), (0.4, false), (0.4, true), (0.6, true)]), None);
        assert_eq!(recalibration(&[(0.2, true), (f64::NAN, false), (0.4, true)]), None);
    }
}
