//! A figure with its interval.

use serde::Serialize;

use crate::metrics::{Bootstrap, GroupSums, Groups, Interval, Matrix};

/// Level of every interval.
pub(crate) const LEVEL: f64 = 0.95;

/// A figure with its 95 % percentile interval from the paired, grouped bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// On the data themselves.
    pub value: f64,
    /// Lower end; `null` where it has none.
    pub low: Option<f64>,
    /// Upper end; `null` where it has none: of a cost, where more than 2.5 % of the resamples never
    /// reach the quality.
    pub high: Option<f64>,
}

impl Estimate {
    /// `None` where the value itself is not finite.
    pub(crate) fn new(value: f64, resamples: &[f64]) -> Option<Self> {
        let interval = Interval::percentile(resamples, LEVEL);
        let end = |pick: fn(Interval) -> f64| interval.map(pick).filter(|end| end.is_finite());
        value.is_finite().then(|| Self { value, low: end(|i| i.low), high: end(|i| i.high) })
    }

    /// `factor * x + offset` of the figure and its interval.
    #[must_use]
    pub(crate) fn affine(self, factor: f64, offset: f64) -> Self {
        let map = |x: f64| factor * x + offset;
        let (low, high) = (self.low.map(map), self.high.map(map));
        let (low, high) = if factor < 0.0 { (high, low) } else { (low, high) };
        Self { value: map(self.value), low, high }
    }
}

/// A ratio of two sums over requests; `None` where a request does not take part in it.
pub(crate) type RatioColumn = Vec<Option<(f64, f64)>>;

/// The mean of what is known, as a ratio.
pub(crate) fn mean_column(values: impl Iterator<Item = Option<f64>>) -> RatioColumn {
    values.map(|value| value.map(|value| (value, 1.0))).collect()
}

/// Each column's ratio, `sum of firsts / sum of seconds`; `None` where the latter is 0.
pub(crate) fn ratios(
    columns: &[RatioColumn],
    groups: &Groups,
    bootstrap: Bootstrap,
) -> Vec<Option<Estimate>> {
    let requests = groups.of_requests().len();
    let cells = (0..requests).flat_map(|request| {
        columns.iter().flat_map(move |column| {
            let (above, below) = column[request].unwrap_or((0.0, 0.0));
            [above, below]
        })
    });
    let sums = GroupSums::new(&Matrix::new(2 * columns.len(), cells.collect()), groups);
    let ratios_of = |counts: &[u32]| {
        let means = sums.means(counts);
        means.as_chunks::<2>().0.iter().map(|[above, below]| above / below).collect::<Vec<_>>()
    };
    let values = ratios_of(&groups.once());
    let draws = bootstrap.resample(groups, ratios_of);
    let of_column = |(i, value): (usize, &f64)| {
        let draws: Vec<f64> = draws.iter().map(|draw| draw[i]).collect();
        Estimate::new(*value, &draws)
    };
    values.iter().enumerate().map(of_column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_by_hand() {
        let groups = Groups::each_alone(3);
        let bootstrap = Bootstrap { seed: 0, resamples: 100 };
        let columns = [
            mean_column([Some(1.0), None, Some(2.0)].into_iter()),
            mean_column([None, None, None].into_iter()),
            vec![Some((1.0, 2.0)), Some((2.0, 4.0)), Some((1.0, 2.0))],
        ];
        let found = ratios(&columns, &groups, bootstrap);
        assert!((found[0].unwrap().value - 1.5).abs() < 1e-12);
        // Some resample draws only the second request, which has no value.
        assert_eq!(found[0].unwrap().low, None);
        assert_eq!(found[1], None);
        let half = Estimate { value: 0.5, low: Some(0.5), high: Some(0.5) };
        assert_eq!(found[2], Some(half));
        let saving = Estimate { value: 0.7, low: Some(0.6), high: None }.affine(-100.0, 100.0);
        assert!((saving.value - 30.0).abs() < 1e-12 && saving.low.is_none());
        assert!((saving.high.unwrap() - 40.0).abs() < 1e-12);
    }
}
