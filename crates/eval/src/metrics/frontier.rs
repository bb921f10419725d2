//! The cost/quality plane: hull, area under it, and what a quality costs.
//!
//! Values between two points of a hull are achievable by choosing between their two settings at
//! random (RouterBench, arXiv 2403.12031).

/// One setting of a router, or one single model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Mean cost of a request in USD.
    pub cost_usd: f64,
    /// Mean score in [0, 1].
    pub quality: f64,
}

impl Point {
    /// Whether both are numbers and finite; other points are left out of every curve.
    pub(super) fn is_finite(&self) -> bool {
        self.cost_usd.is_finite() && self.quality.is_finite()
    }
}

/// Two qualities closer than this are the same: sums in another order differ by less.
pub(super) const SAME_QUALITY: f64 = 1e-12;

/// The non-decreasing upper convex hull (`RouterBench`'s NDCH), by rising cost: points that a mix of
/// two others does not beat, each of higher quality than all cheaper ones.
pub fn hull(points: &[Point]) -> Vec<Point> {
    let mut sorted: Vec<Point> = points.to_vec();
    sorted.retain(Point::is_finite);
    sorted.sort_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd).then(b.quality.total_cmp(&a.quality)));
    let mut hull: Vec<Point> = Vec::new();
    for point in sorted {
        if hull.last().is_some_and(|last| point.quality <= last.quality) {
            continue;
        }
        while let [.., before, last] = hull[..]
            && !turns_right(before, last, point)
        {
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

/// Whether `b` lies above the line from `a` to `c`.
fn turns_right(a: Point, b: Point, c: Point) -> bool {
    (b.quality - a.quality) * (c.cost_usd - a.cost_usd)
        > (c.quality - a.quality) * (b.cost_usd - a.cost_usd)
}

/// Best mean score achievable at a mean cost, on a [`hull`].
///
/// Right of the last point more money buys nothing: flat. Left of the first point not every request
/// can be answered: those that are not score 0 and cost nothing, a straight line to the origin.
pub fn height(hull: &[Point], cost_usd: f64) -> f64 {
    let right = hull.partition_point(|point| point.cost_usd <= cost_usd);
    let before = right.checked_sub(1).map_or(Point { cost_usd: 0.0, quality: 0.0 }, |i| hull[i]);
    let Some(after) = hull.get(right) else {
        return before.quality;
    };
    let share = (cost_usd - before.cost_usd) / (after.cost_usd - before.cost_usd);
    before.quality + share.max(0.0) * (after.quality - before.quality)
}

/// AIQ as in the paper: mean [`height`] of the points' hull between two mean costs in USD (those of
/// the cheapest and the dearest single model), on a linear axis, by exact areas.
///
/// Where both costs are the same it is the height there; without points it is 0.
pub fn aiq(points: &[Point], c_min: f64, c_max: f64) -> f64 {
    let hull = hull(points);
    let range = c_max - c_min;
    if range.is_nan() || range <= 0.0 {
        return height(&hull, c_min);
    }
    let corners = hull.iter().map(|p| p.cost_usd).filter(|c| (c_min..c_max).contains(c));
    let mut area = 0.0;
    let mut from = Point { cost_usd: c_min, quality: height(&hull, c_min) };
    for cost_usd in corners.chain([c_max]) {
        let to = Point { cost_usd, quality: height(&hull, cost_usd) };
        area += (to.cost_usd - from.cost_usd) * f64::midpoint(from.quality, to.quality);
        from = to;
    }
    area / range
}

/// `(router - fitted zero) / (oracle sweep - fitted zero)` of three AIQs, in percent: what learning
/// earned of what there was to earn. `None` where the oracle earns nothing either.
pub fn earned_share_pct(router: f64, fitted_zero: f64, oracle: f64) -> Option<f64> {
    let room = oracle - fitted_zero;
    (room > SAME_QUALITY).then(|| 100.0 * (router - fitted_zero) / room)
}

/// Least mean cost in USD at which a [`hull`] reaches a mean score, mixing two of its points where
/// that is cheaper; `None` where it never does.
pub fn cost_at_quality(hull: &[Point], quality: f64) -> Option<f64> {
    let right = hull.iter().position(|point| point.quality >= quality - SAME_QUALITY)?;
    let after = hull[right];
    let Some(before) = right.checked_sub(1).map(|i| hull[i]) else {
        return Some(after.cost_usd);
    };
    let share = (quality - before.quality) / (after.quality - before.quality);
    Some(before.cost_usd + share.min(1.0) * (after.cost_usd - before.cost_usd))
}

/// Greatest advantage in mean score of an oracle over a policy at one budget, both [`hull`]s; at
/// least 0. NaN where one of them has no point.
pub fn peak_gap(oracle: &[Point], policy: &[Point]) -> f64 {
    if oracle.is_empty() || policy.is_empty() {
        return f64::NAN;
    }
    // Both are straight between corners, meet in the origin and end flat.
    let corners = oracle.iter().chain(policy).map(|point| point.cost_usd);
    let gaps = corners.map(|cost_usd| height(oracle, cost_usd) - height(policy, cost_usd));
    gaps.fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn hull_drops_dominated_collinear_and_falling_points() {
        let all = points(&[
            (4.0, 0.9),
            (1.0, 0.2), // same cost, worse
            (1.0, 0.4),
            (2.0, 0.6),
            (3.0, 0.8), // on the line between its neighbours
            (2.5, 0.5), // below
            (6.0, 0.7), // dearer and worse
        ]);
        assert_eq!(hull(&all), points(&[(1.0, 0.4), (3.0, 0.8), (4.0, 0.9)]));
        assert_eq!(hull(&[]), []);
    }

    #[test]
    fn height_between_left_and_right() {
        let hull = points(&[(1.0, 0.4), (3.0, 0.8)]);
        for (cost, expected) in [(0.0, 0.0), (0.5, 0.2), (1.0, 0.4), (2.0, 0.6), (9.0, 0.8)] {
            assert!(close(height(&hull, cost), expected), "{cost}");
        }
    }

    #[test]
    fn aiq_by_hand() {
        let two = points(&[(1.0, 0.4), (3.0, 0.8)]);
        // A trapezoid of mean height 0.6 over 2, then a flat 0.8 over 2.
        assert!(close(aiq(&two, 1.0, 5.0), (2.0 * 0.6 + 2.0 * 0.8) / 4.0));
        // From half the cheapest point's cost: a trapezoid from 0.2 to 0.4 over 0.5.
        assert!(close(aiq(&two, 0.5, 3.0), (0.5 * 0.3 + 2.0 * 0.6) / 2.5));
        assert!(close(aiq(&two, 2.0, 2.0), 0.6));
        assert!(close(aiq(&[], 1.0, 2.0), 0.0));
    }

    #[test]
    fn earned_share_by_hand() {
        assert!(close(earned_share_pct(0.72, 0.70, 0.90).unwrap(), 10.0));
        assert!(close(earned_share_pct(0.69, 0.70, 0.90).unwrap(), -5.0));
        assert_eq!(earned_share_pct(0.7, 0.7, 0.7), None);
    }

    #[test]
    fn cost_at_quality_by_hand() {
        let hull = points(&[(1.0, 0.4), (3.0, 0.8)]);
        for (quality, expected) in [(0.1, 1.0), (0.4, 1.0), (0.7, 2.5), (0.8, 3.0)] {
            assert!(close(cost_at_quality(&hull, quality).unwrap(), expected), "{quality}");
        }
        assert_eq!(cost_at_quality(&hull, 0.81), None);
        assert_eq!(cost_at_quality(&[], 0.0), None);
    }

    #[test]
    fn peak_gap_by_hand() {
        let oracle = points(&[(1.0, 0.6), (2.0, 0.9)]);
        let policy = points(&[(2.0, 0.5), (4.0, 0.8)]);
        // At 1: 0.6 against 0.25 on the way to the policy's first point; at 2: 0.9 against 0.5; at 4:
        // 0.9 against 0.8.
        assert!(close(peak_gap(&oracle, &policy), 0.4));
        assert!(close(peak_gap(&policy, &oracle), 0.0));
        assert!(peak_gap(&[], &policy).is_nan());
    }
}
