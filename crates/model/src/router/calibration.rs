//! From a candidate's raw expected score to P(score >= bar).
//!
//! Every kind is non-decreasing in the expected score, so ranking one candidate's requests by
//! quality and by probability agree, and its values stay inside (0, 1).

use serde::{Deserialize, Serialize};

/// No probability is nearer to 0 or 1 than this.
const MARGIN: f64 = 1e-6;

/// The calibration of one candidate at one bar. In the manifest its kind shows in its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Calibration {
    /// Logistic.
    Platt(Platt),
    /// Logistic with two slopes.
    Beta(Beta),
    /// Free of any shape but monotone.
    Isotonic(Isotonic),
}

impl Calibration {
    /// The calibrated probability, inside (0, 1).
    pub fn apply(&self, expected: f64) -> f64 {
        let p = match self {
            Self::Platt(platt) => platt.apply(expected),
            Self::Beta(beta) => beta.apply(expected),
            Self::Isotonic(isotonic) => isotonic.apply(expected),
        };
        p.clamp(MARGIN, 1.0 - MARGIN)
    }
}

impl From<Platt> for Calibration {
    fn from(platt: Platt) -> Self {
        Self::Platt(platt)
    }
}

/// `P(score >= bar) = 1 / (1 + exp(-(slope * expected + intercept)))` (Platt 1999).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Never negative.
    pub slope: f64,
    /// Log-odds at expected score 0.
    pub intercept: f64,
}

impl Platt {
    /// Everything alike: as probable as it is expected.
    pub const NEUTRAL: Self = Self { slope: 4.0, intercept: -2.0 };

    /// The calibrated probability.
    pub fn apply(self, expected: f64) -> f64 {
        logistic(self.slope * expected + self.intercept)
    }
}

/// Beta calibration (Kull, Silva Filho and Flach 2017) of `s = 1 / (1 + exp(2 - 4 * expected))`:
/// log-odds `high * -ln(1 - s) + low * ln(s) + intercept`. The logistic in front lets expected
/// scores outside [0, 1] in without tying them; with `high = low` it is Platt's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beta {
    /// Slope where much is expected; never negative.
    pub high: f64,
    /// Slope where little is expected; never negative.
    pub low: f64,
    /// Level.
    pub intercept: f64,
}

impl Beta {
    /// `[-ln(1 - s), ln(s)]`
    pub fn terms(expected: f64) -> [f64; 2] {
        let odds = Platt::NEUTRAL.slope * expected + Platt::NEUTRAL.intercept;
        // ln(s) = -softplus(-odds), which differs from -ln(1 - s) by the odds.
        let high = softplus(odds);
        [high, odds - high]
    }

    /// The calibrated probability.
    pub fn apply(self, expected: f64) -> f64 {
        let [high, low] = Self::terms(expected);
        logistic(self.high * high + self.low * low + self.intercept)
    }
}

/// A non-decreasing function given by knots: linear between them, constant outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Knots", into = "Knots")]
pub struct Isotonic(Vec<[f64; 2]>);

/// Knots that are not those of a non-decreasing function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the knots of a calibration are not rising pairs of expected score and probability")]
pub struct InvalidKnots;

impl Isotonic {
    /// The function through `[expected score, probability]` pairs, of which the former rise and the
    /// latter do not fall.
    pub fn new(knots: Vec<[f64; 2]>) -> Result<Self, InvalidKnots> {
        let rising = |pair: &[[f64; 2]]| pair[0][0] < pair[1][0] && pair[0][1] <= pair[1][1];
        let sane = |knot: &[f64; 2]| knot[0].is_finite() && (0.0..=1.0).contains(&knot[1]);
        if knots.is_empty() || !knots.iter().all(sane) || !knots.windows(2).all(rising) {
            return Err(InvalidKnots);
        }
        Ok(Self(knots))
    }

    /// The knots, `[expected score, probability]`.
    pub fn knots(&self) -> &[[f64; 2]] {
        &self.0
    }

    /// The calibrated probability.
    pub fn apply(&self, expected: f64) -> f64 {
        let knots = &self.0;
        let after = knots.partition_point(|knot| knot[0] <= expected);
        if after == 0 {
            return knots[0][1];
        }
        let [from, low] = knots[after - 1];
        let Some([to, high]) = knots.get(after) else { return low };
        low + (high - low) * (expected - from) / (to - from)
    }
}

/// How knots stand in the manifest.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Knots {
    knots: Vec<[f64; 2]>,
}

impl TryFrom<Knots> for Isotonic {
    type Error = InvalidKnots;

    fn try_from(raw: Knots) -> Result<Self, InvalidKnots> {
        Self::new(raw.knots)
    }
}

impl From<Isotonic> for Knots {
    fn from(isotonic: Isotonic) -> Self {
        Self { knots: isotonic.0 }
    }
}

/// How the calibration of a bar was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationCard {
    /// The kind that most candidates have; those with few outcomes may have a simpler one.
    pub method: CalibrationMethod,
    /// Cross-validated log loss of each kind, simplest first.
    pub log_loss: Vec<(CalibrationMethod, f64)>,
    /// Cross-validated expected calibration error of the chosen kind: 15 bins of equal mass, all
    /// candidates together.
    pub ece: f64,
    /// Judged outcomes behind it.
    pub outcomes: u64,
}

/// A kind of calibration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// [`Platt`]
    Platt,
    /// [`Beta`]
    Beta,
    /// [`Isotonic`]
    Isotonic,
}

impl CalibrationMethod {
    /// What a person reads.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platt => "Platt",
            Self::Beta => "beta",
            Self::Isotonic => "isotonic",
        }
    }
}

fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

/// `ln(1 + exp(x))` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn isotonic() -> Calibration {
        let knots = vec![[0.0, 0.1], [0.5, 0.2], [1.0, 0.8]];
        Calibration::Isotonic(Isotonic::new(knots).unwrap())
    }

    #[test]
    fn values_by_hand() {
        let platt = Platt { slope: 2.0, intercept: -1.0 };
        assert!((platt.apply(0.5) - 0.5).abs() < 1e-12);
        assert!((platt.apply(1.0) - 0.731_058_578).abs() < 1e-8);
        // Equal slopes make a beta calibration Platt's: 1.5 * (4 x - 2) + 0.3.
        let beta = Beta { high: 1.5, low: 1.5, intercept: 0.3 };
        let same = Platt { slope: 6.0, intercept: -2.7 };
        assert!((beta.apply(0.8) - same.apply(0.8)).abs() < 1e-12);
        let values = [(-3.0, 0.1), (0.25, 0.15), (0.5, 0.2), (0.75, 0.5), (2.0, 0.8)];
        for (expected, p) in values {
            assert!((isotonic().apply(expected) - p).abs() < 1e-12, "{expected}");
        }
    }

    #[test]
    fn each_kind_reads_as_written_and_the_first_builds_had_platt_only() {
        let old: Calibration = serde_json::from_str(r#"{"slope":4.0,"intercept":-2.0}"#).unwrap();
        assert_eq!(old, Platt::NEUTRAL.into());
        let beta = Calibration::Beta(Beta { high: 1.0, low: 2.0, intercept: 0.5 });
        for calibration in [old, beta, isotonic()] {
            let json = serde_json::to_string(&calibration).unwrap();
            assert_eq!(serde_json::from_str::<Calibration>(&json).unwrap(), calibration, "{json}");
        }
    }

    #[test]
    fn knots_that_fall_are_refused() {
        for knots in ["[]", "[[0.0,0.5],[1.0,0.4]]", "[[1.0,0.5],[1.0,0.6]]", "[[0.0,1.5]]"] {
            let json = format!(r#"{{"knots":{knots}}}"#);
            assert!(serde_json::from_str::<Calibration>(&json).is_err(), "{knots}");
        }
    }

    proptest! {
        #[test]
        fn probabilities_rise_inside_0_and_1(
            a in -50.0..50.0, b in -50.0..50.0, high in 0.0..20.0, low in 0.0..20.0,
        ) {
            let (less, more) = if a < b { (a, b) } else { (b, a) };
            let beta = Calibration::Beta(Beta { high, low, intercept: 0.0 });
            let platt = Calibration::from(Platt { slope: high, intercept: low });
            for calibration in [beta, platt, isotonic()] {
                let (p, q) = (calibration.apply(less), calibration.apply(more));
                prop_assert!(0.0 < p && p <= q && q < 1.0, "{calibration:?} {p} {q}");
            }
        }
    }
}
