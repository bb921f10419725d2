//! Limits of one upstream, shared by all candidates that it serves: requests in flight, requests a minute,
//! tokens a minute.
//!
//! Rates are token buckets that hold a minute's worth, so a burst is allowed and a minute's sum is not
//! exceeded by more than what was left over. A request takes its expected tokens when it starts and
//! settles the difference when it ends.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_mins(1);

/// What an upstream may be asked for; `None`: as much as comes.
#[derive(Debug, Clone, Default)]
pub(crate) struct QuotaConfig {
    /// Most requests in flight.
    pub(crate) in_flight: Option<usize>,
    /// Most requests a minute.
    pub(crate) requests_per_minute: Option<u32>,
    /// Most tokens a minute.
    pub(crate) tokens_per_minute: Option<u32>,
}

/// The limits of one upstream, and what is left of them.
#[derive(Debug)]
pub(crate) struct Quota {
    /// `None`: nothing is limited, so nothing is counted.
    limited: Option<Mutex<Limited>>,
}

#[derive(Debug)]
struct Limited {
    most_in_flight: usize,
    in_flight: usize,
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

/// How long in-flight limits are waited for: nobody knows when a request ends.
const FOR_A_PLACE: Duration = Duration::from_secs(1);

impl Quota {
    pub(crate) fn new(config: &QuotaConfig) -> Self {
        let QuotaConfig { in_flight, requests_per_minute, tokens_per_minute } = *config;
        let is_limited =
            in_flight.is_some() || requests_per_minute.is_some() || tokens_per_minute.is_some();
        let limited = || Limited {
            most_in_flight: in_flight.unwrap_or(usize::MAX),
            in_flight: 0,
            requests: requests_per_minute.map(Bucket::new),
            tokens: tokens_per_minute.map(Bucket::new),
        };
        Self { limited: is_limited.then(|| Mutex::new(limited())) }
    }

    /// Takes room for a request, or says how long to wait for some.
    pub(super) fn take(&self, tokens: u64, now: Instant) -> Result<(), Duration> {
        let Some(mut limited) = self.lock() else { return Ok(()) };
        let Limited { most_in_flight, in_flight, requests, tokens: token_bucket } = &mut *limited;
        let place = (*in_flight >= *most_in_flight).then_some(FOR_A_PLACE);
        let request = requests.as_mut().and_then(|bucket| bucket.wait(1.0, now));
        let token = token_bucket.as_mut().and_then(|bucket| bucket.wait(tokens as f64, now));
        if let Some(wait) = place.max(request).max(token) {
            return Err(wait);
        }
        *in_flight += 1;
        if let Some(bucket) = requests {
            bucket.left -= 1.0;
        }
        if let Some(bucket) = token_bucket {
            bucket.left -= tokens as f64;
        }
        Ok(())
    }

    /// A request that took `expected` tokens ends; `used` are those that it really took, if known.
    pub(super) fn give_back(&self, expected: u64, used: Option<u64>) {
        let Some(mut limited) = self.lock() else { return };
        limited.in_flight -= 1;
        if let (Some(bucket), Some(used)) = (&mut limited.tokens, used) {
            bucket.left = (bucket.left + expected as f64 - used as f64).min(bucket.most);
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Limited>> {
        // Between two calls there is nothing half done.
        let limited = self.limited.as_ref()?;
        Some(limited.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fills up over a minute.
#[derive(Debug)]
struct Bucket {
    most: f64,
    /// Below 0 where a request took more than was expected of it.
    left: f64,
    at: Option<Instant>,
}

impl Bucket {
    fn new(per_minute: u32) -> Self {
        Self { most: f64::from(per_minute), left: f64::from(per_minute), at: None }
    }

    /// How long it takes until there is so much; `None`: there is. What never fits has to find it full.
    fn wait(&mut self, wanted: f64, now: Instant) -> Option<Duration> {
        let since = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        self.left = (self.left + self.most * since.div_duration_f64(MINUTE)).min(self.most);
        self.at = Some(now);
        let missing = wanted.min(self.most) - self.left;
        (missing > 0.0).then(|| MINUTE.mul_f64(missing / self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_sees_more_requests_than_allowed_but_for_a_burst() {
        let config = QuotaConfig { requests_per_minute: Some(60), ..QuotaConfig::default() };
        let (quota, start) = (Quota::new(&config), Instant::now());
        let mut taken = Vec::new();
        for tenth in 0..3000_u32 {
            let now = start + Duration::from_millis(100) * tenth;
            if quota.take(1, now).is_ok() {
                taken.push(now);
            }
        }
        for (first, at) in taken.iter().enumerate() {
            let within = taken[first..].iter().take_while(|later| **later - *at < MINUTE).count();
            // The bucket was full at the start.
            assert!(within <= 120, "{within}");
        }
        assert!((355..=361).contains(&taken.len()), "{}", taken.len());
    }

    #[test]
    fn tokens_are_settled_when_they_are_known() {
        let config = QuotaConfig { tokens_per_minute: Some(1000), ..QuotaConfig::default() };
        let (quota, now) = (Quota::new(&config), Instant::now());
        quota.take(600, now).unwrap();
        assert_eq!(quota.take(600, now), Err(Duration::from_secs(12)));
        quota.give_back(600, Some(100));
        quota.take(600, now).unwrap();
        quota.give_back(600, Some(1800));
        // 900 - 1800 = -900: that much more than a minute until 600 are there.
        assert_eq!(quota.take(600, now), Err(Duration::from_secs(90)));
        // A request of more than a minute's tokens waits for a full bucket.
        assert!(quota.take(5000, now + 2 * MINUTE).is_ok());
    }

    #[test]
    fn places_are_given_back() {
        let config = QuotaConfig { in_flight: Some(1), ..QuotaConfig::default() };
        let (quota, now) = (Quota::new(&config), Instant::now());
        quota.take(1, now).unwrap();
        assert_eq!(quota.take(1, now), Err(FOR_A_PLACE));
        quota.give_back(1, None);
        quota.take(1, now).unwrap();
    }
}
