//! Decision ids and request ids: `UUIDv7`, and the random number that a decision id stands for.
//!
//! There is no generator state to share or to lock: the n-th id takes its random bits from the n-th
//! stream of a keyed `ChaCha`. The draw that decides on exploration is a function of the id, so a logged
//! decision can be replayed from its row alone. Request ids decide nothing and need not be hard to guess:
//! theirs come from a mix that takes a few nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{OsError, OsRng, RngCore, SeedableRng, TryRngCore};
use uuid::Uuid;

use crate::Clock;
use crate::clock::unix_ms;

/// Gives out ids.
#[derive(Debug)]
pub(crate) struct Ids {
    base: ChaCha8Rng,
    next: AtomicU64,
    /// Where the sequence of request ids begins, and how far it is.
    requests: (u64, AtomicU64),
    clock: Clock,
}

impl Ids {
    /// Ids from a seed, or from the operating system's entropy.
    pub(crate) fn new(seed: Option<u64>, clock: Clock) -> Result<Self, OsError> {
        let base = if let Some(seed) = seed {
            ChaCha8Rng::seed_from_u64(seed)
        } else {
            let mut key = [0; 32];
            OsRng.try_fill_bytes(&mut key)?;
            ChaCha8Rng::from_seed(key)
        };
        let mut last = base.clone();
        last.set_stream(u64::MAX);
        Ok(Self {
            base,
            next: AtomicU64::new(0),
            requests: (last.next_u64(), AtomicU64::new(0)),
            clock,
        })
    }

    /// The next id.
    pub(crate) fn next(&self) -> Uuid {
        let mut stream = self.base.clone();
        stream.set_stream(self.next.fetch_add(1, Ordering::Relaxed));
        let mut random = [0; 10];
        stream.fill_bytes(&mut random);
        self.made_of(random)
    }

    /// The next id of a request.
    pub(crate) fn next_request(&self) -> Uuid {
        let (start, next) = &self.requests;
        let n = next.fetch_add(1, Ordering::Relaxed);
        let mixed = mix(start.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut random = [0; 10];
        random[..2].copy_from_slice(&mix(mixed).to_be_bytes()[..2]);
        random[2..].copy_from_slice(&mixed.to_be_bytes());
        self.made_of(random)
    }

    fn made_of(&self, random: [u8; 10]) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(unix_ms(self.clock.now()), &random).into_uuid()
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea and Flood 2014): different numbers stay different.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An id as a header.
pub(crate) fn header(id: Uuid) -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut buffer);
    // Hexadecimal digits and hyphens are fit for a header.
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"))
}

/// Uniform in [0, 1): the last 53 bits of the id, all of them random in a `UUIDv7`.
pub(crate) fn draw(id: Uuid) -> f64 {
    const BITS: u32 = 53;
    let (_, low) = id.as_u64_pair();
    (low & ((1 << BITS) - 1)) as f64 / (1_u64 << BITS) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn ids(seed: u64) -> Ids {
        let clock = Clock::from_fn(|| UNIX_EPOCH + Duration::from_secs(1_767_323_045));
        Ids::new(Some(seed), clock).unwrap()
    }

    #[test]
    fn ids_are_versioned_distinct_and_seeded() {
        let ids = ids(1);
        let both = (0..1000).flat_map(|_| [ids.next(), ids.next_request()]);
        let many: BTreeSet<Uuid> = both.collect();
        assert_eq!(many.len(), 2000);
        assert!(many.iter().all(|id| id.get_version_num() == 7));
        assert_eq!(self::ids(1).next(), self::ids(1).next());
        assert_ne!(self::ids(1).next(), self::ids(2).next());
    }

    #[test]
    fn draws_are_uniform() {
        let ids = ids(3);
        let draws: Vec<f64> = (0..2000).map(|_| draw(ids.next())).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        let mean = draws.iter().sum::<f64>() / 2000.0;
        assert!((mean - 0.5).abs() < 0.03, "{mean}");
    }
}
