//! `RouterBench`'s figures beside the hull (arXiv 2403.12031, `evaluation/AIQ.py`).
//!
//! Its non-decreasing hull is [`hull`], its AIQ as the paper defines it [`aiq`](super::aiq).

use super::line::Line;
use super::{Point, hull};

/// AIQ in the variant of `RouterBench`'s code, of all routers that are compared: the area under
/// each router's hull, from its own least cost, extended flat to the greatest cost on any of the
/// hulls, divided by that greatest cost (and not by the range).
///
/// It rewards a low least cost and depends on what it is compared with. NaN for a router without
/// points and where the greatest cost is 0.
pub fn aiq_code(routers: &[Vec<Point>]) -> Vec<f64> {
    let of_router = |points: &Vec<Point>| {
        Line::new(hull(points).into_iter().map(|point| (point.cost_usd, point.quality)))
    };
    let lines: Vec<Line> = routers.iter().map(of_router).collect();
    let greatest = lines.iter().filter_map(Line::end).fold(0.0, f64::max);
    let area = |line: &Line| line.start().map(|start| line.area(start, greatest));
    let aiq = |line: &Line| area(line).filter(|_| greatest > 0.0).map(|area| area / greatest);
    lines.iter().map(|line| aiq(line).unwrap_or(f64::NAN)).collect()
}

/// Quality-cost score at a willingness to pay: `w * quality - cost`, with `w` in USD for a score of
/// 1 on one request.
pub fn quality_cost_score(point: Point, willingness_usd: f64) -> f64 {
    willingness_usd * point.quality - point.cost_usd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(list: &[(f64, f64)]) -> Vec<Point> {
        list.iter().map(|&(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    #[test]
    fn aiq_of_the_code_by_hand() {
        // The greatest cost is 4: the point at 9 is on no hull.
        let first = points(&[(1.0, 0.4), (3.0, 0.8), (9.0, 0.1)]);
        let second = points(&[(2.0, 0.5), (4.0, 0.9)]);
        let found = aiq_code(&[first.clone(), second, vec![]]);
        // 2 at a mean of 0.6 and 1 at 0.8; 2 at a mean of 0.7.
        assert!((found[0] - (1.2 + 0.8) / 4.0).abs() < 1e-12, "{found:?}");
        assert!((found[1] - 1.4 / 4.0).abs() < 1e-12, "{found:?}");
        assert!(found[2].is_nan());
        // Alone, up to its own last hull point.
        assert!((aiq_code(&[first])[0] - 1.2 / 3.0).abs() < 1e-12);
        assert!(aiq_code(&[points(&[(0.0, 0.5)])])[0].is_nan());
    }

    #[test]
    fn quality_cost_score_by_hand() {
        let point = Point { cost_usd: 0.002, quality: 0.8 };
        assert!((quality_cost_score(point, 0.01) - 0.006).abs() < 1e-15);
    }
}
