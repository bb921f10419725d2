//! Whether probabilities came true.

use farthing_eval::metrics::{
    ECE_BINS, brier, brier_parts, near_threshold, recalibration, reliability,
};
use proptest::prelude::*;

use crate::{CLOSE, close};

fn pairs() -> impl Strategy<Value = Vec<(f64, bool)>> {
    prop::collection::vec((0.0..=1.0, any::<bool>()), 1..60)
}

proptest! {
    #[test]
    fn the_parts_of_a_brier_score_add_up(pairs in pairs()) {
        let found = brier_parts(&pairs, &reliability(&pairs, ECE_BINS)).unwrap();
        let sum = found.reliability - found.resolution + found.uncertainty + found.within_bins;
        prop_assert!(close(sum, brier(&pairs).unwrap()));
        prop_assert!((0.0..=1.0).contains(&found.reliability));
        prop_assert!((0.0..=found.uncertainty + CLOSE).contains(&found.resolution));
        prop_assert!((0.0..=0.25 + CLOSE).contains(&found.uncertainty));
    }

    /// With one prediction a bin nothing is left over.
    #[test]
    fn narrow_bins_leave_nothing_over(outcomes in prop::collection::vec(any::<bool>(), 15)) {
        let pairs: Vec<_> = (0_u8..).zip(outcomes).map(|(i, met)| (f64::from(i) / 20.0, met)).collect();
        let found = brier_parts(&pairs, &reliability(&pairs, ECE_BINS)).unwrap();
        prop_assert!(close(found.within_bins, 0.0));
    }

    #[test]
    fn predictions_near_a_threshold_are_a_part(pairs in pairs(), threshold in 0.0..1.0) {
        let near = near_threshold(&pairs, threshold);
        prop_assert!(near.iter().all(|pair| (pair.0 - threshold).abs() < 0.1 && pairs.contains(pair)));
        let far = pairs.iter().filter(|pair| (pair.0 - threshold).abs() >= 0.1).count();
        prop_assert_eq!(near.len() + far, pairs.len());
    }

    /// The likelihood is greatest where predicted and true means agree, weighed by 1 and by log odds.
    #[test]
    fn recalibrated_predictions_have_the_right_means(pairs in pairs()) {
        let Some(line) = recalibration(&pairs) else { return Ok(()) };
        let (mut level, mut tilt) = (0.0, 0.0);
        for &(p, met) in &pairs {
            let p = p.clamp(1e-6, 1.0 - 1e-6);
            let x = (p / (1.0 - p)).ln();
            let error = f64::from(u8::from(met)) - 1.0 / (1.0 + (-line.intercept - line.slope * x).exp());
            level += error;
            tilt += error * x;
        }
        prop_assert!(level.abs() < 1e-3 && tilt.abs() < 1e-3, "{line:?}: {level}, {tilt}");
    }

    #[test]
    fn recalibration_is_lost_only_where_outcomes_do_not_overlap(pairs in pairs()) {
        let of_kind = |met: bool| pairs.iter().filter(move |pair| pair.1 == met).map(|pair| pair.0);
        let range = |met: bool| {
            (of_kind(met).fold(f64::INFINITY, f64::min), of_kind(met).fold(f64::NEG_INFINITY, f64::max))
        };
        let (met, missed) = (range(true), range(false));
        let overlap = met.0 < missed.1 && missed.0 < met.1;
        prop_assert_eq!(recalibration(&pairs).is_some(), overlap);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(pairs in pairs()) {
        let mut reversed = pairs.clone();
        reversed.reverse();
        let (a, b) = (recalibration(&pairs), recalibration(&reversed));
        prop_assert_eq!(a.is_some(), b.is_some());
        if let Some((a, b)) = a.zip(b) {
            prop_assert!((a.slope - b.slope).abs() < 1e-5 && (a.intercept - b.intercept).abs() < 1e-5);
        }
    }
}
