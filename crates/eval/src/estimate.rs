//! Figures with their intervals: one paired, grouped bootstrap for everything that a report says.

use serde::Serialize;

use crate::metrics::{Bootstrap, Groups, Interval};

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

/// A statistic of the data themselves and of every resample.
#[derive(Debug)]
pub(crate) struct Drawn<T> {
    pub(crate) found: T,
    resamples: Vec<T>,
}

impl<T> Drawn<T> {
    /// `statistic` is given how often each group counts, `(groups)`.
    pub(crate) fn new(
        bootstrap: Bootstrap,
        groups: &Groups,
        statistic: impl Fn(&[u32]) -> T + Sync,
    ) -> Self
    where
        T: Send,
    {
        Self { found: statistic(&groups.once()), resamples: bootstrap.resample(groups, statistic) }
    }

    /// A part of the statistic.
    pub(crate) fn map<'t, U>(&'t self, part: impl Fn(&'t T) -> U) -> Drawn<U> {
        Drawn { found: part(&self.found), resamples: self.resamples.iter().map(part).collect() }
    }

    /// A part of the statistic that all draws have, or none.
    pub(crate) fn part<'t, U>(
        &'t self,
        part: impl Fn(&'t T) -> Option<&'t U>,
    ) -> Option<Drawn<&'t U>> {
        let found = part(&self.found)?;
        Some(Drawn { found, resamples: self.resamples.iter().filter_map(part).collect() })
    }

    /// A figure of it; `None` where it is not finite on the data.
    pub(crate) fn estimate(&self, figure: impl Fn(&T) -> f64) -> Option<Estimate> {
        let value = figure(&self.found);
        if !value.is_finite() {
            return None;
        }
        let resamples: Vec<f64> = self.resamples.iter().map(figure).collect();
        Estimate::new(value, &resamples)
    }
}

/// Ratios of sums over requests, all to be weighed in the same resamples: means of what is known,
/// savings, shares. A request takes part in few of them, so they are kept as lists.
#[derive(Debug)]
pub(crate) struct Ratios<'a> {
    groups: &'a Groups,
    entries: Vec<(usize, Entry)>,
    /// Requests that take part in each column.
    known: Vec<u64>,
}

/// A column of [`Ratios`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column(u32);

impl Column {
    /// Its ratio among those that [`RatioSums::ratios`] gives.
    pub(crate) fn of(self, ratios: &[f64]) -> f64 {
        ratios[self.0 as usize]
    }
}

/// What a request adds to a column.
#[derive(Debug, Clone, Copy)]
struct Entry {
    column: u32,
    above: f64,
    below: f64,
}

impl<'a> Ratios<'a> {
    pub(crate) fn new(groups: &'a Groups) -> Self {
        Self { groups, entries: Vec::new(), known: Vec::new() }
    }

    /// `sum of firsts / sum of seconds` over the requests given.
    pub(crate) fn ratio(&mut self, of: impl Iterator<Item = (usize, (f64, f64))>) -> Column {
        #[expect(clippy::cast_possible_truncation, reason = "a report has a few thousand columns")]
        let column = self.known.len() as u32;
        let before = self.entries.len();
        let groups = self.groups.of_requests();
        self.entries.extend(
            of.map(|(request, (above, below))| (groups[request], Entry { column, above, below })),
        );
        self.known.push((self.entries.len() - before) as u64);
        Column(column)
    }

    /// The mean over the requests given.
    pub(crate) fn mean(&mut self, of: impl Iterator<Item = (usize, f64)>) -> Column {
        self.ratio(of.map(|(request, value)| (request, (value, 1.0))))
    }

    /// Ready to be weighed.
    pub(crate) fn sums(mut self) -> RatioSums {
        // Stable: entries of a group keep the order of columns and requests.
        self.entries.sort_by_key(|(group, _)| *group);
        let mut starts = vec![0; self.groups.len() + 1];
        for (group, _) in &self.entries {
            starts[group + 1] += 1;
        }
        for group in 1..starts.len() {
            starts[group] += starts[group - 1];
        }
        let entries = self.entries.into_iter().map(|(_, entry)| entry).collect();
        RatioSums { entries, starts, known: self.known }
    }
}

/// [`Ratios`] by group.
#[derive(Debug)]
pub(crate) struct RatioSums {
    entries: Vec<Entry>,
    /// Position of each group's first entry, and one past the last; `(groups + 1)`.
    starts: Vec<usize>,
    known: Vec<u64>,
}

impl RatioSums {
    /// Each column's ratio with each group counted as often as `counts` says, `(groups)`; not a number
    /// where its denominator is 0.
    pub(crate) fn ratios(&self, counts: &[u32]) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.known.len()];
        for (group, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let weight = f64::from(count);
            for entry in &self.entries[self.starts[group]..self.starts[group + 1]] {
                let sum = &mut sums[entry.column as usize];
                sum.0 += weight * entry.above;
                sum.1 += weight * entry.below;
            }
        }
        sums.into_iter().map(|(above, below)| above / below).collect()
    }

    /// What was drawn of these ratios, with how many requests take part in each.
    pub(crate) fn estimates(&self, drawn: &Drawn<&[f64]>) -> Estimates {
        let of = |column| drawn.estimate(|ratios| ratios[column]);
        Estimates { figures: (0..self.known.len()).map(of).collect(), known: self.known.clone() }
    }
}

/// The estimate of every column.
#[derive(Debug)]
pub(crate) struct Estimates {
    figures: Vec<Option<Estimate>>,
    known: Vec<u64>,
}

impl Estimates {
    /// A column's ratio; `None` where its denominator is 0.
    pub(crate) fn of(&self, column: Column) -> Option<Estimate> {
        self.figures[column.0 as usize]
    }

    /// Requests that take part in a column.
    pub(crate) fn known(&self, column: Column) -> u64 {
        self.known[column.0 as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_by_hand() {
        let groups = Groups::by_key(&[5, 7, 5]);
        let mut ratios = Ratios::new(&groups);
        let mean = ratios.mean([(0, 1.0), (2, 2.0)].into_iter());
        let nothing = ratios.mean(std::iter::empty());
        let half = ratios.ratio([(0, (1.0, 2.0)), (1, (2.0, 4.0)), (2, (1.0, 2.0))].into_iter());
        let sums = ratios.sums();
        assert_eq!(sums.ratios(&[1, 2])[half.0 as usize].to_bits(), 0.5_f64.to_bits());
        let bootstrap = Bootstrap { seed: 0, resamples: 100 };
        let drawn = Drawn::new(bootstrap, &groups, |counts| sums.ratios(counts));
        let found = sums.estimates(&drawn.map(Vec::as_slice));
        assert!((found.of(mean).unwrap().value - 1.5).abs() < 1e-12);
        // Some resample draws only the second group, which has no value.
        assert_eq!(found.of(mean).unwrap().low, None);
        assert_eq!((found.of(nothing), found.known(nothing)), (None, 0));
        let exact = Estimate { value: 0.5, low: Some(0.5), high: Some(0.5) };
        assert_eq!((found.of(half), found.known(half)), (Some(exact), 3));
        let saving = Estimate { value: 0.7, low: Some(0.6), high: None }.affine(-100.0, 100.0);
        assert!((saving.value - 30.0).abs() < 1e-12 && saving.low.is_none());
        assert!((saving.high.unwrap() - 40.0).abs() < 1e-12);
    }
}
