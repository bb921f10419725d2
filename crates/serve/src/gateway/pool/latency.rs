//! How long an instance takes: a moving average that believes bad news at once and good news slowly
//! (peak EWMA, as in Finagle's `p2c` balancer and linkerd).

use std::time::{Duration, Instant};

/// After this time an observation counts a third of what it did.
const DECAY: Duration = Duration::from_secs(10);

/// A moving average of a time, in seconds.
#[derive(Debug, Default)]
pub(super) struct PeakEwma(Option<(f64, Instant)>);

impl PeakEwma {
    pub(super) fn observe(&mut self, took: Duration, now: Instant) {
        let seconds = took.as_secs_f64();
        let average = match self.0 {
            Some((average, at)) if seconds < average => {
                let age = now.saturating_duration_since(at).div_duration_f64(DECAY);
                let weight = (-age).exp();
                average * weight + seconds * (1.0 - weight)
            }
            _ => seconds,
        };
        self.0 = Some((average, now));
    }

    /// The average as it counts now: what was not observed for a while is forgotten little by little, so
    /// that an instance that was slow once is tried again.
    pub(super) fn fading(&self, now: Instant) -> Option<f64> {
        let (average, at) = self.0?;
        let age = now.saturating_duration_since(at).div_duration_f64(DECAY);
        Some(average * (-age).exp())
    }

    /// The average; `None`: nothing was observed yet.
    pub(super) fn get(&self) -> Option<f64> {
        self.0.map(|(average, _)| average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_news_counts_at_once_and_good_news_with_time() {
        let mut average = PeakEwma::default();
        let now = Instant::now();
        assert_eq!(average.get(), None);
        average.observe(Duration::from_secs(1), now);
        average.observe(Duration::from_secs(4), now);
        assert_eq!(average.get(), Some(4.0));
        assert_eq!(average.fading(now), Some(4.0));
        assert!((average.fading(now + DECAY).unwrap() - 4.0 / 1_f64.exp()).abs() < 1e-9);
        average.observe(Duration::from_secs(1), now + DECAY);
        let expected = 4.0 / 1_f64.exp() + 1.0 - 1.0 / 1_f64.exp();
        assert!((average.get().unwrap() - expected).abs() < 1e-9);
    }
}
