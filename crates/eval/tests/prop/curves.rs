//! Metrics of points in the cost/quality plane.

use farthing_eval::metrics::{
    Gains, Point, aiq, aiq_code, avengers_pro, cascade_auc, cascade_max_diff, cost_at_quality,
    cost_save, deferral, height, hull, pareto_dist, peak_gap, perf_gain, quality_cost_score,
    router_arena_score,
};
use proptest::prelude::*;

use crate::{CLOSE, close, points};

fn best(points: &[Point]) -> f64 {
    points.iter().map(|point| point.quality).fold(0.0, f64::max)
}

/// The same points, each dearer by this factor.
fn dearer(points: &[Point], factor: f64) -> Vec<Point> {
    points.iter().map(|p| Point { cost_usd: factor * p.cost_usd, ..*p }).collect()
}

proptest! {
    #[test]
    fn the_hull_rises_is_concave_and_lies_above_all_points(points in points()) {
        let hull = hull(&points);
        for pair in hull.windows(2) {
            prop_assert!(pair[0].cost_usd < pair[1].cost_usd && pair[0].quality < pair[1].quality);
        }
        let slope = |a: Point, b: Point| (b.quality - a.quality) / (b.cost_usd - a.cost_usd);
        for three in hull.windows(3) {
            prop_assert!(slope(three[0], three[1]) > slope(three[1], three[2]) - CLOSE);
        }
        for point in &points {
            prop_assert!(height(&hull, point.cost_usd) >= point.quality - CLOSE);
        }
        prop_assert!(hull.iter().all(|corner| points.contains(corner)));
    }

    #[test]
    fn aiq_is_bounded_and_never_falls_with_more_points(points in points(), c_max in 0.0..2.0) {
        let of = |points: &[Point]| aiq(points, 0.0, c_max);
        let best = points.iter().map(|p| p.quality).fold(0.0, f64::max);
        prop_assert!((0.0..=best + CLOSE).contains(&of(&points)));
        let cheapest = points.iter().copied().min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
        let half: Vec<Point> = points.iter().copied().step_by(2).chain(cheapest).collect();
        prop_assert!(of(&half) <= of(&points) + CLOSE);
    }

    #[test]
    fn aiq_is_the_mean_height(points in points()) {
        let hull = hull(&points);
        let steps = 20_000;
        let heights = (0..steps).map(|i| height(&hull, (f64::from(i) + 0.5) / f64::from(steps)));
        let mean = heights.sum::<f64>() / f64::from(steps);
        prop_assert!((mean - aiq(&points, 0.0, 1.0)).abs() < 1e-4);
    }

    #[test]
    fn cost_at_quality_inverts_the_height(points in points(), quality in 0.0..1.0) {
        let hull = hull(&points);
        let top = hull.last().map_or(0.0, |p| p.quality);
        match cost_at_quality(&hull, quality) {
            Some(cost) => prop_assert!(height(&hull, cost) >= quality - CLOSE),
            None => prop_assert!(quality > top),
        }
        let lower = cost_at_quality(&hull, 0.9 * quality);
        prop_assert!(lower.unwrap_or(f64::INFINITY) <= cost_at_quality(&hull, quality).unwrap_or(f64::INFINITY));
    }

    #[test]
    fn the_codes_aiq_is_bounded_and_falls_with_dearer_company(
        points in points(), other in points(), far in 1.0..9.0,
    ) {
        let alone = aiq_code(std::slice::from_ref(&points))[0];
        prop_assert!((0.0..=best(&points) + CLOSE).contains(&alone));
        // Dearer company adds a flat end, which fills up towards the best quality.
        let company = |scale: f64| aiq_code(&[points.clone(), dearer(&other, scale)])[0];
        prop_assert!(company(1.0) >= alone - CLOSE);
        prop_assert!(company(far) >= company(1.0) - CLOSE);
        let mut reversed = points.clone();
        reversed.reverse();
        prop_assert_eq!(aiq_code(&[reversed])[0].to_bits(), alone.to_bits());
    }

    #[test]
    fn a_deferral_curve_is_bounded_by_its_peak(points in points(), singles in points()) {
        let found = deferral(&points, &singles).unwrap();
        prop_assert!(close(found.peak_quality, best(&points)));
        for area in [found.area, found.area_to_half] {
            prop_assert!((0.0..=found.peak_quality + CLOSE).contains(&area));
        }
        prop_assert!((0.0..=100.0).contains(&found.qnc_pct));
        // Who never gets there pays the full price.
        if best(&points) < best(&singles) - CLOSE {
            prop_assert!(close(found.qnc_pct, 100.0));
        }
        let mut reversed = points.clone();
        reversed.reverse();
        prop_assert_eq!(deferral(&reversed, &singles), Some(found));
        let all_dearer = deferral(&dearer(&points, 3.0), &dearer(&singles, 3.0)).unwrap();
        prop_assert!(close(all_dearer.area, found.area) && close(all_dearer.qnc_pct, found.qnc_pct));
    }

    #[test]
    fn the_cascade_area_is_bounded(points in points(), singles in points()) {
        match cascade_auc(&points, &singles) {
            None => prop_assert_eq!(singles.len(), 1),
            Some(area) => {
                let all = best(&points).max(best(&singles));
                prop_assert!((0.0..=all + CLOSE).contains(&area));
                let mut twice: Vec<Point> = points.iter().chain(&points).copied().collect();
                twice.reverse();
                prop_assert!(close(cascade_auc(&twice, &singles).unwrap(), area));
            }
        }
        let advantage = cascade_max_diff(&points, &singles).unwrap();
        prop_assert!(advantage >= 0.0);
        prop_assert!(close(cascade_max_diff(&singles, &singles).unwrap(), 0.0));
        let half: Vec<Point> = points.iter().copied().step_by(2).collect();
        prop_assert!(cascade_max_diff(&half, &singles).unwrap() <= advantage);
    }

    /// Budgets on a fine grid never show a greater gap than the corners do.
    #[test]
    fn the_peak_gap_is_the_greatest(oracle in points(), policy in points(), budget in 0.0..2.0) {
        let (oracle, policy) = (hull(&oracle), hull(&policy));
        let gap = peak_gap(&oracle, &policy);
        prop_assert!((0.0..=1.0).contains(&gap));
        prop_assert!(height(&oracle, budget) - height(&policy, budget) <= gap + CLOSE);
        prop_assert!(close(peak_gap(&policy, &policy), 0.0));
    }

    #[test]
    fn points_near_the_front_are_no_further_than_the_diagonal(points in points(), others in points()) {
        let distance = pareto_dist(&points, &others).unwrap();
        prop_assert!((0.0..=2.0_f64.sqrt() + CLOSE).contains(&distance));
        // The corners of the common hull are on the front, whoever else is compared.
        let all: Vec<Point> = points.iter().chain(&others).copied().collect();
        prop_assert!(close(pareto_dist(&hull(&all), &all).unwrap(), 0.0));
        let mut reversed = points.clone();
        reversed.reverse();
        prop_assert!(close(pareto_dist(&reversed, &others).unwrap(), distance));
    }

    #[test]
    fn configurations_gain_and_save_more_the_more_there_are(points in points(), single in points()) {
        let single = single[0];
        let half: Vec<Point> = points.iter().copied().step_by(2).collect();
        prop_assert!(perf_gain(&half, single).unwrap() <= perf_gain(&points, single).unwrap());
        let save = |points: &[Point]| cost_save(points, single).unwrap_or(f64::NEG_INFINITY);
        prop_assert!(save(&half) <= save(&points) && save(&points) <= 1.0);
        let with_itself: Vec<Point> = points.iter().copied().chain([single]).collect();
        prop_assert!(save(&with_itself) >= 0.0);
    }

    #[test]
    fn gains_change_sign_where_the_router_is_what_it_is_measured_by(
        router in 0.01..1.0, other in 0.01..1.0, oracle in 0.01..1.0,
    ) {
        let gains = Gains::new(router, other, other, oracle);
        prop_assert!(gains.at_random >= -1.0 && gains.gap_at_oracle <= 1.0);
        prop_assert_eq!(gains.at_best_single > 0.0, router > other);
        prop_assert!(close(Gains::new(router, router, router, router).gap_at_oracle, 0.0));
    }

    #[test]
    fn the_arena_score_lies_between_accuracy_and_cost(
        accuracy in 0.0..=1.0, usd in 0.0..300.0, less in 0.0..1.0,
    ) {
        let score = router_arena_score(accuracy, usd);
        prop_assert!((0.0..=1.0 + CLOSE).contains(&score));
        prop_assert!(router_arena_score(accuracy, less * usd) >= score - CLOSE);
        prop_assert!(router_arena_score(less * accuracy, usd) <= score + CLOSE);
    }

    #[test]
    fn a_willingness_to_pay_turns_cheap_points_into_good_ones(points in points(), w in 0.0..10.0) {
        let [a, b] = [points[0], points[points.len() - 1]];
        let of = |p: Point, w: f64| quality_cost_score(p, w);
        prop_assert!(of(a, 0.0) <= 0.0);
        let preferred = of(a, w) - of(b, w);
        let more = of(a, w + 1.0) - of(b, w + 1.0);
        prop_assert!(close(more - preferred, a.quality - b.quality));
    }

    #[test]
    fn the_best_and_cheapest_has_the_highest_balance(points in points(), weight in 0.0..=1.0) {
        let accuracy: Vec<f64> = points.iter().map(|p| p.quality).chain([1.0]).collect();
        let cost: Vec<f64> = points.iter().map(|p| p.cost_usd).chain([0.0]).collect();
        let scores = avengers_pro(&accuracy, &cost, weight, 1.0 - weight);
        prop_assert!(close(scores[points.len()], 1.0));
        prop_assert!(scores.iter().all(|score| (-CLOSE..=1.0 + CLOSE).contains(score)));
    }
}
