//! What answering only the surest requests is worth: the risk-coverage curve (El-Yaniv and Wiener
//! 2010) and the area under it (Geifman and El-Yaniv 2017).

use super::Groups;
use super::ranking::{Ranking, cumulated, total};

/// Coverage of the selective risk that is reported.
const COVERAGE: f64 = 0.9;

/// Figures of one order by confidence; NaN without requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectiveFigures {
    /// AURC: mean over k of the mean loss of the k surest requests.
    pub aurc: f64,
    /// Mean loss of the surest 90 %; of a request on the edge its part counts.
    pub risk_at_90: f64,
    /// Mean loss of all requests.
    pub risk: f64,
}

/// Requests by falling confidence, ready to be weighed. Those of equal confidence share their places,
/// which is the mean over all orders of them.
#[derive(Debug, Clone)]
pub struct SelectiveOrder {
    surest_first: Ranking<1>,
}

impl SelectiveOrder {
    /// `confidence` and `loss`, `(requests)` both; the loss is for instance 1 where the chosen
    /// candidate misses the bar. A request of which one is not finite is left out.
    pub fn new(confidence: &[f64], loss: &[f64], groups: &Groups) -> Self {
        let falling: Vec<f64> = confidence.iter().map(|confidence| -confidence).collect();
        Self { surest_first: Ranking::new(&falling, groups, |i| [loss[i]]) }
    }

    /// The figures with each group counted as often as `counts` says, `(groups)`.
    pub fn figures(&self, counts: &[u32]) -> SelectiveFigures {
        let blocks = self.surest_first.blocks(counts);
        let all = total(&blocks);
        let losses = cumulated(&blocks, |block| block.values[0]);
        let mut risks = 0.0;
        let (mut covered, mut lost) = (0.0, 0.0);
        for block in &blocks {
            let share = block.values[0] / block.requests;
            let mut within = 0.0;
            while within < block.requests {
                within += 1.0;
                risks += (lost + within * share) / (covered + within);
            }
            covered += block.requests;
            lost += block.values[0];
        }
        SelectiveFigures {
            aurc: risks / all.requests,
            risk_at_90: losses.at(COVERAGE * all.requests) / (COVERAGE * all.requests),
            risk: all.values[0] / all.requests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(confidence: &[f64], loss: &[f64], counts: &[u32]) -> SelectiveFigures {
        let groups = Groups::each_alone(confidence.len());
        SelectiveOrder::new(confidence, loss, &groups).figures(counts)
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
    }

    #[test]
    fn a_risk_coverage_curve_by_hand() {
        // By falling confidence the losses are 0, then 1 and 0 tied, then 1.
        let found = figures(&[0.5, 0.9, 0.5, 0.2], &[1.0, 0.0, 0.0, 1.0], &[1; 4]);
        // After one request 0, after two half a loss, after three one, after all two.
        close(found.aurc, (0.0 + 0.5 / 2.0 + 1.0 / 3.0 + 2.0 / 4.0) / 4.0);
        // 90 % are 3.6 requests: 0.6 of the last loss.
        close(found.risk_at_90, 1.6 / 3.6);
        close(found.risk, 0.5);
        // The surest request twice.
        let weighed = figures(&[0.5, 0.9, 0.5, 0.2], &[1.0, 0.0, 0.0, 1.0], &[0, 2, 1, 1]);
        close(weighed.aurc, 0.25 / 4.0);
        close(weighed.risk, 0.25);
    }

    #[test]
    fn degenerate_orders() {
        let none = figures(&[], &[], &[]);
        assert!(none.aurc.is_nan() && none.risk_at_90.is_nan() && none.risk.is_nan());
        let unknown = figures(&[f64::NAN, 0.5], &[1.0, f64::NAN], &[1, 1]);
        assert!(unknown.aurc.is_nan());
        let one = figures(&[0.3], &[1.0], &[1]);
        close(one.aurc, 1.0);
        close(one.risk_at_90, 1.0);
    }
}
