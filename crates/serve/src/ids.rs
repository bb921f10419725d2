//! Decision ids and request ids: `UUIDv7`, and the random number that a decision id stands for.
//!
//! There is no generator state to share or to lock: the n-th id takes its random bits from the n-th
//! stream of a keyed `ChaCha`. The draw that decides on exploration is a function of the id, so a logged
//! decision can be replayed from its row alone.

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
        Ok(Self { base, next: AtomicU64::new(0), clock })
    }

    /// The next id.
    pub(crate) fn next(&self) -> Uuid {
        let mut stream = self.base.clone();
        stream.set_stream(self.next.fetch_add(1, Ordering::Relaxed));
        let mut random = [0; 10];
        stream.fill_bytes(&mut random);
        uuid::Builder::from_unix_timestamp_millis(unix_ms(self.clock.now()), &random).into_uuid()
    }
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
        let many: BTreeSet<Uuid> = (0..1000).map(|_| ids.next()).collect();
        assert_eq!(many.len(), 1000);
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
