//! Requests in the order of a score, prepared once, to be weighed in each bootstrap resample.
//!
//! Requests of equal score have no order between them. They form a block, and whatever reads a
//! ranking treats all of a block alike, so nothing depends on the order of rows.

use super::Groups;
use super::line::Line;

/// Requests by rising score with `K` values each.
#[derive(Debug, Clone)]
pub(super) struct Ranking<const K: usize> {
    entries: Vec<Entry<K>>,
}

/// The requests of one score and one group.
#[derive(Debug, Clone)]
struct Entry<const K: usize> {
    group: usize,
    sum: Block<K>,
    /// Whether the next entry has another score.
    closes: bool,
}

/// Requests of equal score, weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block<const K: usize> {
    /// How many they are.
    pub(super) requests: f64,
    /// Sums of their values.
    pub(super) values: [f64; K],
}

impl<const K: usize> Block<K> {
    const EMPTY: Self = Self { requests: 0.0, values: [0.0; K] };

    fn add(&mut self, weight: f64, other: &Self) {
        self.requests += weight * other.requests;
        for (sum, value) in self.values.iter_mut().zip(other.values) {
            *sum += weight * value;
        }
    }
}

impl<const K: usize> Ranking<K> {
    /// `score` is `(requests)`; requests whose score or one of whose values is not finite are left
    /// out.
    pub(super) fn new(score: &[f64], groups: &Groups, values: impl Fn(usize) -> [f64; K]) -> Self {
        // Adding 0 makes -0 and 0 one score.
        let row = |(i, (score, group)): (usize, (&f64, &usize))| (score + 0.0, *group, values(i));
        let mut rows: Vec<(f64, usize, [f64; K])> =
            score.iter().zip(groups.of_requests()).enumerate().map(row).collect();
        rows.retain(|(score, _, values)| {
            score.is_finite() && values.iter().all(|value| value.is_finite())
        });
        let by_values = |a: &[f64; K], b: &[f64; K]| {
            a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne())
        };
        rows.sort_by(|a, b| {
            let order = a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            order.then_with(|| by_values(&a.2, &b.2).unwrap_or(std::cmp::Ordering::Equal))
        });
        let mut entries: Vec<Entry<K>> = Vec::new();
        let equal_scores = rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        for block in equal_scores {
            entries.extend(block.chunk_by(|a, b| a.1 == b.1).map(|rows| {
                let mut sum = Block::EMPTY;
                for row in rows {
                    sum.add(1.0, &Block { requests: 1.0, values: row.2 });
                }
                Entry { group: rows[0].1, sum, closes: false }
            }));
            if let Some(last) = entries.last_mut() {
                last.closes = true;
            }
        }
        Self { entries }
    }

    /// The blocks by rising score, none empty, with each group counted as often as `counts` says,
    /// `(groups)`.
    pub(super) fn blocks(&self, counts: &[u32]) -> Vec<Block<K>> {
        let mut blocks = Vec::new();
        let mut open = Block::EMPTY;
        for entry in &self.entries {
            open.add(f64::from(counts[entry.group]), &entry.sum);
            if entry.closes {
                if open.requests > 0.0 {
                    blocks.push(open);
                }
                open = Block::EMPTY;
            }
        }
        blocks
    }
}

/// All blocks together.
pub(super) fn total<const K: usize>(blocks: &[Block<K>]) -> Block<K> {
    let mut total = Block::EMPTY;
    for block in blocks {
        total.add(1.0, block);
    }
    total
}

/// Number of requests taken in the order of the blocks -> sum of one value each. Within a block it
/// is straight: the mean over all orders of its requests.
pub(super) fn cumulated<const K: usize>(
    blocks: &[Block<K>],
    value: impl Fn(&Block<K>) -> f64,
) -> Line {
    let mut taken = (0.0, 0.0);
    let corners = blocks.iter().map(|block| {
        taken = (taken.0 + block.requests, taken.1 + value(block));
        taken
    });
    Line::new(std::iter::once((0.0, 0.0)).chain(corners))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_form_a_block() {
        let groups = Groups::by_key(&[1, 2, 2, 3, 3, 1]);
        let score = [0.5, -0.0, 0.0, 0.5, f64::NAN, 0.9];
        let values = [1.0, 2.0, 4.0, 8.0, 16.0, f64::INFINITY];
        let ranking = Ranking::new(&score, &groups, |i| [values[i]]);
        let block = |requests, value| Block { requests, values: [value] };
        assert_eq!(ranking.blocks(&[1, 1, 1]), [block(2.0, 6.0), block(2.0, 9.0)]);
        assert_eq!(ranking.blocks(&[3, 0, 1]), [block(4.0, 11.0)]);
        assert_eq!(ranking.blocks(&[0, 0, 0]), []);
        assert_eq!(total(&ranking.blocks(&[1, 2, 1])), block(6.0, 21.0));
    }

    #[test]
    fn cumulated_sums_are_straight_within_a_block() {
        let blocks =
            [Block { requests: 2.0, values: [1.0] }, Block { requests: 1.0, values: [4.0] }];
        let line = cumulated(&blocks, |block| block.values[0]);
        for (taken, sum) in [(0.0, 0.0), (1.0, 0.5), (2.0, 1.0), (2.5, 3.0), (3.0, 5.0)] {
            assert!((line.at(taken) - sum).abs() < 1e-12);
        }
    }
}
