//! How sure a mean is.

use std::collections::BTreeMap;

use farthing_model::IntervalCard;

/// Standard errors on either side of an estimate for 95 % confidence.
const SPREAD: f64 = 1.96;

/// Standard error of a mean from what is left of each sample; samples of one group count as one
/// (clustered by near-duplicate prompts). One more sample, off by 1, keeps scores that are all equal
/// from looking certain.
pub(super) fn standard_error(left: impl Iterator<Item = (u64, f64)>) -> f64 {
    let mut sums = BTreeMap::<u64, f64>::new();
    let mut n = 0.0;
    for (group, left) in left {
        *sums.entry(group).or_default() += left;
        n += 1.0;
    }
    let squares: f64 = sums.values().map(|sum| sum * sum).sum();
    (squares + 1.0).sqrt() / f64::max(n, 1.0)
}

/// The interval of an estimate, within the range of what is estimated.
pub(super) fn interval(value: f64, standard_error: f64, range: (f64, f64)) -> IntervalCard {
    let within = |value: f64| value.clamp(range.0, range.1);
    IntervalCard {
        value: within(value),
        low: within(value - SPREAD * standard_error),
        high: within(value + SPREAD * standard_error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_count_once_and_no_sample_is_certain() {
        let apart = standard_error((0..400).map(|i| (i, if i % 2 == 0 { 0.5 } else { -0.5 })));
        assert!((apart - 0.02512).abs() < 1e-5, "{apart}");
        let pairs = standard_error((0..400).map(|i| (i / 2, if i % 4 < 2 { 0.5 } else { -0.5 })));
        assert!((pairs / apart - 2.0_f64.sqrt()).abs() < 0.01);
        let certain = interval(1.0, standard_error((0..30).map(|i| (i, 0.0))), (0.0, 1.0));
        assert!((certain.low - (1.0 - 1.96 / 30.0)).abs() < 1e-9 && certain.high <= 1.0);
    }
}
