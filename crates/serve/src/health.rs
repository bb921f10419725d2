//! Which candidates are out of order, as operators say.
//!
//! One number a candidate: the time until which it is not chosen. A candidate is well again when that
//! time is over, so that a forgotten report does not last. Deciding reads one atomic where all are
//! well.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The candidates of one router, by position.
#[derive(Debug)]
pub(crate) struct Health {
    /// Milliseconds since 1970; 0: well.
    until_ms: Vec<AtomicU64>,
    /// No later time is in `until_ms`.
    latest_ms: AtomicU64,
}

impl Health {
    /// All are well.
    pub(crate) fn new(candidates: usize) -> Self {
        Self {
            until_ms: (0..candidates).map(|_| AtomicU64::new(0)).collect(),
            latest_ms: AtomicU64::new(0),
        }
    }

    /// Takes a candidate out until a time in milliseconds since 1970; 0: it is well.
    pub(crate) fn set(&self, candidate: usize, until_ms: u64) {
        self.until_ms[candidate].store(until_ms, Relaxed);
        self.latest_ms.fetch_max(until_ms, Relaxed);
    }

    /// Until when a candidate is out, where it is out now.
    pub(crate) fn out_until(&self, candidate: usize, now_ms: u64) -> Option<u64> {
        Some(self.until_ms[candidate].load(Relaxed)).filter(|until| *until > now_ms)
    }

    /// Positions of the candidates that are out; the time is asked for only where some were.
    pub(crate) fn out(&self, now_ms: impl FnOnce() -> u64) -> Vec<usize> {
        let latest = self.latest_ms.load(Relaxed);
        if latest == 0 {
            return Vec::new();
        }
        let now_ms = now_ms();
        if latest <= now_ms {
            return Vec::new();
        }
        (0..self.until_ms.len()).filter(|i| self.out_until(*i, now_ms).is_some()).collect()
    }

    /// Takes over what was said of candidates of the same name.
    pub(crate) fn adopt(&self, names: &[String], other: &Self, other_names: &[String]) {
        for (candidate, name) in names.iter().enumerate() {
            if let Some(same) = other_names.iter().position(|other| other == name) {
                self.set(candidate, other.until_ms[same].load(Relaxed));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_out_until_its_time_is_over() {
        let health = Health::new(3);
        assert!(health.out(|| panic!("nobody asks for the time")).is_empty());
        health.set(1, 500);
        assert_eq!(health.out(|| 499), [1]);
        assert_eq!(health.out_until(1, 499), Some(500));
        assert!(health.out(|| 500).is_empty());
        health.set(2, 900);
        health.set(1, 0);
        assert_eq!(health.out(|| 499), [2]);
    }

    #[test]
    fn another_router_takes_over_by_name() {
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (old, new) = (Health::new(2), Health::new(2));
        old.set(0, 10);
        old.set(1, 20);
        new.adopt(&names(&["c", "a"]), &old, &names(&["a", "b"]));
        assert_eq!(new.out(|| 0), [1]);
        assert_eq!(new.out_until(1, 0), Some(10));
    }
}
