//! At most so many requests of a log, the same ones in whatever order its rows come.
//!
//! Groups of near-duplicates are ranked by a seeded hash and kept from the lowest rank on, as long as
//! there is room (bottom-k sampling; Cohen and Kaplan 2007). What is kept depends on ranks and sizes
//! only, so rows may come in any order and a group is kept or left out whole.

use std::collections::{BTreeMap, BTreeSet};

use farthing_core::Digest;

use crate::dataset::LeftOut;

/// Share of the room that one group may take; a larger one would crowd out the others.
const LARGEST_SHARE: usize = 10;
/// Distinct requests that are counted one by one; beyond, their number is estimated.
const COUNTED: usize = 1 << 20;

/// Keep at most so many requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCap {
    /// Greatest number of requests. A group of more than a tenth of it is left out.
    pub max_requests: usize,
    /// Another seed, other groups.
    pub seed: u64,
}

/// A group's place in the order in which groups are kept.
type Rank = (u64, u64);

/// Decides which requests stay.
#[derive(Debug)]
pub(crate) struct Sampler {
    cap: RequestCap,
    groups: BTreeMap<Rank, Group>,
    /// Requests in `groups`, those of too large ones counted up to the largest size.
    taken: usize,
    /// The lowest rank that found no room.
    end: Option<Rank>,
    left_out: Distinct,
    rows: u64,
}

#[derive(Debug)]
enum Group {
    Kept(Vec<Digest>),
    TooLarge,
}

impl Sampler {
    pub(crate) fn new(cap: RequestCap) -> Self {
        Self {
            cap,
            groups: BTreeMap::new(),
            taken: 0,
            end: None,
            left_out: Distinct::default(),
            rows: 0,
        }
    }

    /// Takes in a new request unless its group is left out, and returns the requests that are to go,
    /// perhaps this one among them.
    pub(crate) fn add(&mut self, key: &Digest, group: u64) -> Vec<Digest> {
        let rank = self.rank(group);
        if self.end.is_some_and(|end| rank >= end) {
            return vec![key.clone()];
        }
        let largest = (self.cap.max_requests / LARGEST_SHARE).max(1);
        let entry = self.groups.entry(rank).or_insert_with(|| Group::Kept(Vec::new()));
        let Group::Kept(members) = entry else { return vec![key.clone()] };
        members.push(key.clone());
        if members.len() > largest {
            let gone = std::mem::take(members);
            *entry = Group::TooLarge;
            return gone;
        }
        self.taken += 1;
        let mut gone = Vec::new();
        while self.taken > self.cap.max_requests
            && let Some((rank, group)) = self.groups.pop_last()
        {
            self.end = Some(rank);
            match group {
                Group::Kept(members) => {
                    self.taken -= members.len();
                    gone.extend(members);
                }
                Group::TooLarge => self.taken -= largest,
            }
        }
        gone
    }

    /// Counts rows of a request that is left out.
    pub(crate) fn leave_out(&mut self, key: &Digest, rows: u64) {
        self.left_out.insert(key.prefix());
        self.rows += rows;
    }

    /// What was left out; `None` when everything found room.
    pub(crate) fn finish(&self) -> Option<LeftOut> {
        let max_requests = self.cap.max_requests as u64;
        let left_out = LeftOut { max_requests, requests: self.left_out.count(), rows: self.rows };
        (self.rows > 0).then_some(left_out)
    }

    fn rank(&self, group: u64) -> Rank {
        let key = [b"kept of a log".as_slice(), &self.cap.seed.to_le_bytes(), &group.to_le_bytes()];
        (Digest::of(&key.concat()).prefix(), group)
    }
}

/// How many distinct numbers there were: exact up to [`COUNTED`], then estimated from how close the
/// smallest of them lie (Bar-Yossef et al. 2002), to about 0.1 %. The numbers are uniform.
#[derive(Debug, Default)]
struct Distinct {
    smallest: BTreeSet<u64>,
    overflown: bool,
}

impl Distinct {
    fn insert(&mut self, number: u64) {
        if self.overflown && self.smallest.last().is_some_and(|last| number > *last) {
            return;
        }
        self.smallest.insert(number);
        if self.smallest.len() > COUNTED {
            self.overflown = true;
            self.smallest.pop_last();
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate between 2^20 and 2^64"
    )]
    fn count(&self) -> u64 {
        let held = self.smallest.len() as u64;
        match self.smallest.last() {
            Some(&last) if self.overflown => {
                ((held - 1) as f64 / (last as f64 / u64::MAX as f64)).round() as u64
            }
            _ => held,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(i: u64) -> Digest {
        Digest::of(&i.to_le_bytes())
    }

    /// The requests that stay when they come in this order; request i is in group `group(i)`.
    fn kept(order: &[u64], max_requests: usize, group: impl Fn(u64) -> u64) -> BTreeSet<String> {
        let mut sampler = Sampler::new(RequestCap { max_requests, seed: 7 });
        let mut kept = BTreeSet::new();
        for &i in order {
            kept.insert(key(i).hex());
            for gone in sampler.add(&key(i), group(i)) {
                kept.remove(&gone.hex());
            }
        }
        kept
    }

    #[test]
    fn order_does_not_matter_and_groups_stay_whole() {
        // Three in four requests have a near-duplicate; group 0 has 200 members, too many for the cap.
        let group = |i: u64| if i < 200 { 0 } else { i / 4 * 4 + i % 4 / 3 };
        let forward: Vec<u64> = (0..2000).collect();
        let mut shuffled = forward.clone();
        shuffled.sort_by_key(|i| key(*i).hex());
        let backward: Vec<u64> = forward.iter().rev().copied().collect();
        let found = kept(&forward, 500, group);
        assert_eq!(found, kept(&backward, 500, group));
        assert_eq!(found, kept(&shuffled, 500, group));
        // The large group takes up room for 50 if its rank is low; another one may not fit in.
        assert!((447..=500).contains(&found.len()), "{}", found.len());
        for i in 200..2000 {
            let mates = (200..2000).filter(|&j| group(j) == group(i));
            let inside = found.contains(&key(i).hex());
            assert!(mates.into_iter().all(|j| found.contains(&key(j).hex()) == inside), "{i}");
        }
        assert!((0..200).all(|i| !found.contains(&key(i).hex())));
    }

    #[test]
    fn distinct_numbers_are_counted_and_then_estimated() {
        let mut distinct = Distinct::default();
        let number = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for i in (0..1000).chain(0..1000) {
            distinct.insert(number(i));
        }
        assert_eq!(distinct.count(), 1000);
        for i in 0..3_000_000 {
            distinct.insert(number(i));
        }
        assert_eq!(distinct.smallest.len(), COUNTED);
        assert!((2_985_000..3_015_000).contains(&distinct.count()), "{}", distinct.count());
    }
}
