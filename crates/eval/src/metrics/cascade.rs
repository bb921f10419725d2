//! Figures of ETH's cascade routing (arXiv 2410.10347, `src/selection/utils.py`, the code).

use super::line::Line;
use super::{Point, hull};

/// AUC of a curve: its mean height between the mean costs of the cheapest and the dearest single
/// model, straight between neighbouring points. A curve that begins right of the cheapest starts
/// there at the least quality of any single model; one that ends left of the dearest goes on flat.
///
/// `None` without points and where the single models' costs have no range.
pub fn cascade_auc(points: &[Point], singles: &[Point]) -> Option<f64> {
    let costs = || singles.iter().map(|single| single.cost_usd);
    let (from, to) = (costs().reduce(f64::min)?, costs().reduce(f64::max)?);
    let least = singles.iter().map(|single| single.quality).reduce(f64::min)?;
    let corners = || points.iter().map(|point| (point.cost_usd, point.quality));
    let start = Line::new(corners()).start()?;
    let left = (start > from).then_some((from, least));
    let line = Line::new(corners().chain(left));
    (to > from).then(|| line.area(from, to) / (to - from))
}

/// Greatest advantage of a point over the non-dominated single models at its cost, 0 where it has
/// none. Between single models the quality of a mix counts, beyond both ends the line goes on as it
/// was. `None` without points or single models.
pub fn cascade_max_diff(points: &[Point], singles: &[Point]) -> Option<f64> {
    let baseline = baseline(singles);
    let difference = |point: &Point| {
        interpolated(&baseline, point.cost_usd).map(|quality| point.quality - quality)
    };
    let finite = points.iter().filter(|point| point.is_finite());
    let greatest = finite.filter_map(difference).reduce(f64::max)?;
    Some(greatest.max(0.0))
}

/// The single models that no mix beats. One that costs more than the best and is just as good stays,
/// as in the code: beyond it the line is flat.
fn baseline(singles: &[Point]) -> Vec<Point> {
    let mut baseline = hull(singles);
    if let Some(&best) = baseline.last() {
        let same = singles.iter().filter(|single| single.quality >= best.quality);
        let dearest = same.map(|single| single.cost_usd).filter(|cost| cost.is_finite());
        let cost_usd = dearest.fold(best.cost_usd, f64::max);
        if cost_usd > best.cost_usd {
            baseline.push(Point { cost_usd, ..best });
        }
    }
    baseline
}

/// Height at a cost of the line through points by rising cost, extrapolated beyond them.
fn interpolated(line: &[Point], cost_usd: f64) -> Option<f64> {
    let [first, _, ..] = line else {
        return line.first().map(|only| only.quality);
    };
    let right = line.partition_point(|point| point.cost_usd <= cost_usd).clamp(1, line.len() - 1);
    let (a, b) = (line.get(right - 1).unwrap_or(first), line[right]);
    let slope = (b.quality - a.quality) / (b.cost_usd - a.cost_usd);
    Some(a.quality + slope * (cost_usd - a.cost_usd))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}, expected {expected}");
    }

    #[test]
    fn auc_by_hand() {
        let singles = points(&[(1.0, 0.3), (3.0, 0.2), (5.0, 0.8)]);
        // From (1, 0.2) to (2, 0.6) to (4, 0.8), flat to 5; a duplicate changes nothing.
        let curve = points(&[(4.0, 0.8), (2.0, 0.6), (2.0, 0.6)]);
        close(cascade_auc(&curve, &singles), (0.4 + 2.0 * 0.7 + 0.8) / 4.0);
        // Cut at both ends: from (1, 0.3) to (3, 0.5) to (5, 0.6).
        let wider = points(&[(0.0, 0.2), (3.0, 0.5), (7.0, 0.7)]);
        close(cascade_auc(&wider, &singles), (2.0 * 0.4 + 2.0 * 0.55) / 4.0);
        assert_eq!(cascade_auc(&[], &singles), None);
        assert_eq!(cascade_auc(&curve, &singles[..1]), None);
        assert_eq!(cascade_auc(&curve, &[]), None);
    }

    #[test]
    fn max_diff_by_hand() {
        // The third is beaten by a mix, the last by the second.
        let singles = points(&[(1.0, 0.2), (3.0, 0.6), (2.0, 0.3), (5.0, 0.5)]);
        // At 2 a mix scores 0.4; beyond 3 the line goes on: 0.8 at 4.
        close(cascade_max_diff(&points(&[(2.0, 0.55), (4.0, 0.75)]), &singles), 0.15);
        close(cascade_max_diff(&points(&[(2.0, 0.1)]), &singles), 0.0);
        // A model as good as the best and dearer makes the line flat.
        let flat = points(&[(1.0, 0.2), (3.0, 0.6), (5.0, 0.6)]);
        close(cascade_max_diff(&points(&[(4.0, 0.75)]), &flat), 0.15);
        close(cascade_max_diff(&points(&[(9.0, 0.75)]), &singles[..1]), 0.55);
        assert_eq!(cascade_max_diff(&[], &singles), None);
        assert_eq!(cascade_max_diff(&points(&[(2.0, 0.1)]), &[]), None);
    }
}
