//! A piecewise linear function: its height, the area under it, and where it first reaches a height.
//!
//! Unlike a hull it takes a curve as it is, falls and steps included.

use super::frontier::SAME_QUALITY;

/// Straight lines between corners by rising x; flat left of the first and right of the last.
#[derive(Debug, Clone)]
pub(super) struct Line {
    corners: Vec<(f64, f64)>,
}

impl Line {
    /// Through these corners in the order of their x; of equal x the lower comes first. Corners that
    /// are not finite are left out.
    pub(super) fn new(corners: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let mut corners: Vec<_> = corners.into_iter().filter(finite).collect();
        corners.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Self { corners }
    }

    /// The x of the first corner.
    pub(super) fn start(&self) -> Option<f64> {
        self.corners.first().map(|corner| corner.0)
    }

    /// The x of the last corner.
    pub(super) fn end(&self) -> Option<f64> {
        self.corners.last().map(|corner| corner.0)
    }

    /// Height at x, right of a step if there is one; NaN without corners.
    pub(super) fn at(&self, x: f64) -> f64 {
        let right = self.corners.partition_point(|corner| corner.0 <= x);
        let before = right.checked_sub(1).map(|i| self.corners[i]);
        match (before, self.corners.get(right)) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (x - x0) / (x1 - x0) * (y1 - y0),
            (Some((_, y)), None) | (None, Some(&(_, y))) => y,
            (None, None) => f64::NAN,
        }
    }

    /// Area under the line over `[from, to]`; NaN without corners, 0 where `to` is not above `from`.
    pub(super) fn area(&self, from: f64, to: f64) -> f64 {
        let inside = self.corners.iter().filter(|corner| from < corner.0 && corner.0 <= to);
        let mut before = (from, self.at(from));
        let mut area = 0.0;
        for &corner in inside.chain([&(to.max(from), self.at(to))]) {
            area += (corner.0 - before.0) * f64::midpoint(before.1, corner.1);
            before = corner;
        }
        area
    }

    /// The least x at which the line is at least y high; `None` where it never is.
    pub(super) fn first_reach(&self, y: f64) -> Option<f64> {
        let at = self.corners.iter().position(|corner| corner.1 >= y - SAME_QUALITY)?;
        let after = self.corners[at];
        let Some(before) = at.checked_sub(1).map(|i| self.corners[i]) else {
            return Some(after.0);
        };
        let part = (y - before.1) / (after.1 - before.1);
        Some(before.0 + part.min(1.0) * (after.0 - before.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn heights_areas_and_crossings_by_hand() {
        // Up from 0.2 to 0.4, a step up to 0.6, down to 0.2.
        let line = Line::new([(4.0, 0.2), (1.0, 0.2), (3.0, 0.4), (3.0, 0.6), (9.0, f64::NAN)]);
        assert_eq!((line.start(), line.end()), (Some(1.0), Some(4.0)));
        for (x, y) in [(0.0, 0.2), (1.0, 0.2), (2.0, 0.3), (3.0, 0.6), (3.5, 0.4), (9.0, 0.2)] {
            assert!(close(line.at(x), y), "{x}: {}", line.at(x));
        }
        // 0.2 * 1 + 0.3 * 2 + 0.4 * 1 + 0.2 * 2, then parts of it.
        assert!(close(line.area(0.0, 6.0), 0.2 + 0.6 + 0.4 + 0.4));
        assert!(close(line.area(2.0, 3.0), 0.35));
        assert!(close(line.area(2.0, 2.0), 0.0) && close(line.area(2.0, 1.0), 0.0));
        assert!(close(line.first_reach(0.3).unwrap(), 2.0));
        assert!(close(line.first_reach(0.5).unwrap(), 3.0));
        assert_eq!((line.first_reach(0.1), line.first_reach(0.7)), (Some(1.0), None));
    }

    #[test]
    fn without_corners() {
        let line = Line::new([]);
        assert!(line.at(1.0).is_nan() && line.area(0.0, 1.0).is_nan());
        assert_eq!((line.start(), line.first_reach(0.0)), (None, None));
    }
}
