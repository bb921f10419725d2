//! The deferral curve of `UniRoute` (arXiv 2502.08773), which CSCR and others share.
//!
//! Mean score against mean cost as a share of the dearest single model's, straight between
//! neighbouring points of a dial sweep (not their hull), flat beyond both ends.

use super::Point;
use super::line::Line;

/// Figures of one deferral curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeferralFigures {
    /// Mean height of the curve up to the dearest single model's cost.
    pub area: f64,
    /// Mean height up to half of that cost.
    pub area_to_half: f64,
    /// Quality-neutral cost: least cost, in percent of the dearest single model's, at which the curve
    /// reaches the most accurate single model's score; 100 where it never does, or does not for less.
    pub qnc_pct: f64,
    /// Greatest mean score on the curve.
    pub peak_quality: f64,
}

/// The figures of a sweep's points among the single models'. Points that are not finite are left
/// out. `None` without any, and where the dearest single model costs nothing.
pub fn deferral(points: &[Point], singles: &[Point]) -> Option<DeferralFigures> {
    let dearest = singles.iter().map(|single| single.cost_usd).fold(0.0, f64::max);
    let best_single = singles.iter().map(|single| single.quality).reduce(f64::max)?;
    let line = Line::new(points.iter().map(|p| (p.cost_usd / dearest, p.quality)));
    line.start()?;
    let finite = points.iter().filter(|point| point.is_finite());
    Some(DeferralFigures {
        area: line.area(0.0, 1.0),
        area_to_half: 2.0 * line.area(0.0, 0.5),
        qnc_pct: 100.0 * line.first_reach(best_single).unwrap_or(1.0).min(1.0),
        peak_quality: finite.map(|point| point.quality).fold(f64::NEG_INFINITY, f64::max),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    #[test]
    fn a_curve_by_hand() {
        let singles = points(&[(1.0, 0.4), (10.0, 0.6), (8.0, 0.7)]);
        // At 20, 60 and 80 % of the dearest cost.
        let found = deferral(&points(&[(8.0, 0.6), (2.0, 0.4), (6.0, 0.8)]), &singles).unwrap();
        // 0.2 at 0.4, 0.4 at a mean of 0.6, 0.2 at a mean of 0.7, 0.2 at 0.6.
        assert!((found.area - (0.08 + 0.24 + 0.14 + 0.12)).abs() < 1e-12, "{found:?}");
        // 0.2 at 0.4, then from 0.4 to 0.7 over 0.3.
        assert!((found.area_to_half - 2.0 * (0.08 + 0.3 * 0.55)).abs() < 1e-12, "{found:?}");
        // 0.7 lies three quarters of the way from 20 to 60 %.
        assert!((found.qnc_pct - 50.0).abs() < 1e-9, "{found:?}");
        assert!((found.peak_quality - 0.8).abs() < 1e-12);
        let worse = deferral(&points(&[(2.0, 0.4)]), &singles).unwrap();
        assert!((worse.qnc_pct - 100.0).abs() < 1e-9 && (worse.area - 0.4).abs() < 1e-12);
    }

    #[test]
    fn nothing_to_draw() {
        let point = points(&[(1.0, 0.5)]);
        assert_eq!(deferral(&point, &[]), None);
        assert_eq!(deferral(&[], &point), None);
        assert_eq!(deferral(&points(&[(f64::NAN, 0.5)]), &point), None);
        assert_eq!(deferral(&point, &points(&[(0.0, 0.5)])), None);
        assert_eq!(deferral(&points(&[(0.0, 0.5)]), &points(&[(0.0, 0.5)])), None);
    }
}
