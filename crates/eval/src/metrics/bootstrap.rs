//! Paired bootstrap, grouped by prompt: near-duplicate requests are drawn together.
//!
//! All statistics of one resample see the same draw, so differences between them are paired. Resample
//! `i` draws from its own stream of the seed's generator and results stand in the order of `i`:
//! the same values for any number of threads.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Matrix;

/// Which requests are drawn together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Group of each request, `(requests)`.
    of_requests: Vec<usize>,
    len: usize,
}

impl Groups {
    /// Requests of one key form a group; groups are numbered by rising key.
    pub fn by_key(keys: &[u64]) -> Self {
        let mut distinct = keys.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let number = |key: &u64| distinct.binary_search(key).unwrap_or_default();
        Self { of_requests: keys.iter().map(number).collect(), len: distinct.len() }
    }

    /// Every request is a group of its own.
    pub fn each_alone(requests: usize) -> Self {
        Self { of_requests: (0..requests).collect(), len: requests }
    }

    /// The groups of some of the requests, numbered as those of all: one draw serves every selection,
    /// so what is computed on them is paired. A group may be left without a request.
    #[must_use]
    pub fn of(&self, requests: &[usize]) -> Self {
        let of_requests = requests.iter().map(|&request| self.of_requests[request]).collect();
        Self { of_requests, len: self.len }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Group of each request, `(requests)`.
    pub fn of_requests(&self) -> &[usize] {
        &self.of_requests
    }

    /// The counts of the data themselves: every group once, `(groups)`.
    pub fn once(&self) -> Vec<u32> {
        vec![1; self.len]
    }
}

/// A seeded bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bootstrap {
    /// Seed of every draw.
    pub seed: u64,
    /// Number of resamples; 2,000 in every report.
    pub resamples: u32,
}

impl Bootstrap {
    /// The statistic of every resample, in order. It is given how often each group was drawn,
    /// `(groups)`, and should look at nothing else that varies.
    pub fn resample<T: Send>(
        self,
        groups: &Groups,
        statistic: impl Fn(&[u32]) -> T + Sync,
    ) -> Vec<T> {
        let generator = ChaCha8Rng::seed_from_u64(self.seed);
        let draw = |counts: &mut Vec<u32>, index: u32| {
            let mut generator = generator.clone();
            generator.set_stream(u64::from(index));
            counts.fill(0);
            for _ in 0..counts.len() {
                counts[generator.random_range(0..groups.len())] += 1;
            }
            statistic(counts)
        };
        let resamples = (0..self.resamples).into_par_iter();
        resamples.map_init(|| groups.once(), draw).collect()
    }
}

/// A percentile interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end; infinite where too many resamples have no value.
    pub high: f64,
}

impl Interval {
    /// The central interval of a statistic's resamples; `level` is 0.95 in every report. `None`
    /// without resamples or where one is not a number.
    pub fn percentile(resamples: &[f64], level: f64) -> Option<Self> {
        let tail = (1.0 - level) / 2.0;
        Some(Self { low: quantile(resamples, tail)?, high: quantile(resamples, 1.0 - tail)? })
    }
}

/// The quantile at `share` in [0, 1], linear between order statistics (R's type 7). `None` for no
/// values or where one is not a number; infinities are values.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let last = values.len().checked_sub(1)?;
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let position = share.clamp(0.0, 1.0) * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in [0, last]")]
    let below = position as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let part = position - below as f64;
    // An infinite neighbour would make 0 * inf = NaN of an exact hit.
    Some(if part > 0.0 && low < high { low + part * (high - low) } else { low })
}

/// Values of requests summed by group, ready to be weighed.
#[derive(Debug, Clone)]
pub struct GroupSums {
    /// Requests of each group, `(groups)`.
    sizes: Vec<f64>,
    /// `(groups, columns)`
    sums: Matrix,
}

impl GroupSums {
    /// Sums `(requests, columns)` values by group.
    pub fn new(values: &Matrix, groups: &Groups) -> Self {
        let columns = values.columns();
        let mut sizes = vec![0.0; groups.len()];
        let mut sums = vec![0.0; groups.len() * columns];
        for (row, &group) in values.iter().zip(groups.of_requests()) {
            sizes[group] += 1.0;
            for (sum, value) in sums[group * columns..].iter_mut().zip(row) {
                *sum += value;
            }
        }
        Self { sizes, sums: Matrix::new(columns, sums) }
    }

    /// The mean of each column over requests, with each group counted as often as `counts` says:
    /// `(groups) -> (columns)`.
    pub fn means(&self, counts: &[u32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.sums.columns()];
        let mut requests = 0.0;
        for (group, &count) in counts.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let weight = f64::from(count);
            requests += weight * self.sizes[group];
            for (sum, value) in sums.iter_mut().zip(self.sums.row(group)) {
                *sum += weight * value;
            }
        }
        sums.into_iter().map(|sum| sum / requests).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_numbered_by_key() {
        let groups = Groups::by_key(&[9, 4, 9, 1]);
        assert_eq!(groups.of_requests(), [2, 1, 2, 0]);
        assert_eq!((groups.len(), groups.once()), (3, vec![1, 1, 1]));
        assert!(Groups::by_key(&[]).is_empty());
        let some = groups.of(&[3, 0]);
        assert_eq!((some.of_requests(), some.len()), (&[0, 2][..], 3));
    }

    #[test]
    fn quantiles_by_hand() {
        let values = [4.0, 1.0, 2.0, 3.0, 5.0];
        for (share, expected) in [(0.0, 1.0), (0.5, 3.0), (0.625, 3.5), (1.0, 5.0)] {
            assert!((quantile(&values, share).unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[1.0, f64::NAN], 0.5), None);
        let reached = [1.0, 2.0, f64::INFINITY];
        let interval = Interval::percentile(&reached, 0.9).unwrap();
        assert!((interval.low - 1.1).abs() < 1e-12 && interval.high.is_infinite());
    }

    #[test]
    fn group_sums_weigh_requests() {
        let values = Matrix::new(1, vec![1.0, 2.0, 6.0]);
        let sums = GroupSums::new(&values, &Groups::by_key(&[5, 5, 8]));
        assert!((sums.means(&[1, 1])[0] - 3.0).abs() < 1e-12);
        assert!((sums.means(&[2, 0])[0] - 1.5).abs() < 1e-12);
        assert!((sums.means(&[1, 2])[0] - 15.0 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn every_resample_draws_as_many_groups_as_there_are() {
        let groups = Groups::each_alone(50);
        let draws = Bootstrap { seed: 1, resamples: 40 }.resample(&groups, <[u32]>::to_vec);
        assert!(draws.iter().all(|counts| counts.iter().sum::<u32>() == 50));
        assert_ne!(draws[0], draws[1]);
        let mean = draws.iter().flatten().map(|&count| f64::from(count)).sum::<f64>() / 2000.0;
        assert!((mean - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let groups = Groups::each_alone(200);
        let values = Matrix::new(1, (0..200).map(|i| f64::from(i).sqrt()).collect());
        let sums = GroupSums::new(&values, &groups);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let bootstrap = Bootstrap { seed: 3, resamples: 300 };
            pool.install(|| bootstrap.resample(&groups, |counts| sums.means(counts)[0].to_bits()))
        };
        assert_eq!(run(1), run(2));
    }

    /// The mean's interval is about that of the central limit theorem.
    #[test]
    fn intervals_have_the_right_width() {
        let groups = Groups::each_alone(400);
        let values = Matrix::new(1, (0..400).map(|i| f64::from(u8::from(i < 200))).collect());
        let sums = GroupSums::new(&values, &groups);
        let bootstrap = Bootstrap { seed: 0, resamples: 2000 };
        let means = bootstrap.resample(&groups, |counts| sums.means(counts)[0]);
        let interval = Interval::percentile(&means, 0.95).unwrap();
        assert!((interval.low - 0.451).abs() < 0.004, "{interval:?}");
        assert!((interval.high - 0.549).abs() < 0.004, "{interval:?}");
    }
}
