//! Bars, what is promised at them, and policies.

use farthing_core::Bar;
use serde::{Deserialize, Serialize};

use crate::router::calibration::{Calibration, CalibrationCard};

/// One trained bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarCard {
    /// The score that is good enough.
    pub bar: Bar,
    /// Least calibrated probability at which `cheapest_above_bar` chooses a candidate; `None`: no
    /// threshold could be certified, so the reference always serves.
    pub threshold: Option<f64>,
    /// What is promised at that threshold; `None` with a threshold: the promise was for fewer
    /// candidates, see [`super::Manifest::extended_from`].
    pub certificate: Option<Certificate>,
    /// Calibration of each candidate.
    pub calibration: Vec<Calibration>,
    /// How the kind of calibration was chosen; `None` in routers of earlier builds.
    #[serde(default)]
    pub calibrated: Option<CalibrationCard>,
}

/// A finite-sample bound on how often a downgraded request goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The bad event that `alpha` bounds.
    pub guarantee: Guarantee,
    /// Greatest rate that was accepted.
    pub alpha: f64,
    /// The bounds hold with probability `1 - delta`.
    pub delta: f64,
    /// Requests of the certificate split.
    pub requests: u64,
    /// Requests of it that were downgraded.
    pub downgraded: u64,
    /// Downgraded requests where the choice missed the bar and the reference met it.
    pub excess_misses: u64,
    /// Upper bound on their rate.
    pub excess_bound: f64,
    /// Downgraded requests where the choice missed the bar.
    pub misses: u64,
    /// Upper bound on their rate.
    pub miss_bound: f64,
    /// Where the reference stands in for a dearer candidate: the same bounds for every request that
    /// is served by a candidate cheaper than that one, the reference included. Not selected on.
    #[serde(default)]
    pub against_best: Option<Bounds>,
    /// The same bounds by slice of the traffic. Each holds with probability `1 - delta` on its own,
    /// not all of them together; the threshold was not selected on them.
    #[serde(default)]
    pub slices: Vec<SliceBounds>,
}

/// Bounds on how often downgraded requests go wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Downgraded requests.
    pub downgraded: u64,
    /// Those where the choice missed the bar and the other candidate met it.
    pub excess_misses: u64,
    /// Upper bound on their rate; `None`: too few with both outcomes to show `alpha` even without a miss.
    pub excess_bound: Option<f64>,
    /// Those where the choice missed the bar.
    pub misses: u64,
    /// Upper bound on their rate; `None`: too few.
    pub miss_bound: Option<f64>,
}

/// [`Bounds`] of the requests that have one value in a label or context column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceBounds {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: String,
    /// Requests of the certificate split that have it.
    pub requests: u64,
    /// What happened to them.
    pub bounds: Bounds,
}

/// Which bad event a certificate bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// The choice misses the bar and the reference meets it.
    Excess,
    /// The choice misses the bar.
    Absolute,
}

/// A policy by the names of its candidates; thresholds stand with their bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
pub enum PolicySpec {
    /// The cheapest candidate above the bar, else the reference.
    CheapestAboveBar,
    /// The greatest `quality - lambda * cost_usd`.
    Utility {
        /// Quality that one USD is worth.
        lambda: f64,
    },
    /// A mean cost in USD a request, solved into the least `lambda` of `utility` that keeps it.
    Budget(Budget),
    /// The greatest expected quality.
    BestQuality,
    /// The least expected cost.
    Cheapest,
    /// Always this candidate.
    Fixed {
        /// Its name.
        model: String,
    },
}

/// A budget as it was solved on the certificate split.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Greatest mean cost of a request.
    pub budget_usd: f64,
    /// Quality that one USD is worth; 0 where the budget does not bind.
    pub lambda: f64,
    /// Mean predicted cost of what it chooses there.
    pub predicted_usd: f64,
    /// Mean logged cost of what it chooses there, as far as the log knows it.
    pub realised_usd: Option<f64>,
    /// Its two-sided 95 % interval.
    pub realised_interval_usd: Option<[f64; 2]>,
    /// Requests it was solved on.
    pub requests: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_read_as_written() {
        let json = serde_json::to_string(&PolicySpec::Utility { lambda: 2.0 }).unwrap();
        assert_eq!(json, r#"{"rule":"utility","lambda":2.0}"#);
        let budget = PolicySpec::Budget(Budget {
            budget_usd: 0.001,
            lambda: 3.0,
            predicted_usd: 0.0009,
            realised_usd: None,
            realised_interval_usd: None,
            requests: 10,
        });
        let json = serde_json::to_string(&budget).unwrap();
        assert!(json.starts_with(r#"{"rule":"budget","budget_usd":0.001,"lambda":3.0,"#), "{json}");
        assert_eq!(serde_json::from_str::<PolicySpec>(&json).unwrap(), budget);
    }
}
