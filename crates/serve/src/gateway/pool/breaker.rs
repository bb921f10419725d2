//! Whether an instance is worth a request: a circuit breaker that watches the requests that are made
//! anyway. Nothing is sent to find out.
//!
//! Closed: requests go there. Open: none do, until a time. After that one request at a time is a probe:
//! a success closes it, a failure opens it for twice as long. A rate limit opens it for as long as the
//! upstream asks and says nothing of its health.

use std::time::{Duration, Instant};

use crate::config::BreakerConfig;

/// The window is counted in so many parts.
const PARTS: u8 = 10;
/// How long an instance that limits its rate is left alone where it does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The breaker of one instance.
#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    window: Window,
    consecutive: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    until: Instant,
    /// How long it was to stay open.
    length: Duration,
    /// Whether a probe is under way.
    probing: bool,
    /// Whether it failed, rather than limited its rate.
    failed: bool,
}

/// How a request may reach an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// As any.
    Free,
    /// As the one that finds out.
    Probe,
    /// Not before.
    Shut {
        /// Then.
        until: Instant,
    },
}

/// Whether it takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It does.
    Closed,
    /// One, to find out.
    Probing,
    /// None.
    Open,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig) -> Self {
        Self { config, window: Window::default(), consecutive: 0, open: None }
    }

    pub(super) fn passage(&self, now: Instant) -> Passage {
        match &self.open {
            None => Passage::Free,
            Some(open) if now < open.until => Passage::Shut { until: open.until },
            // Whoever else comes waits for the probe, which ends or times out.
            Some(open) if open.probing => Passage::Shut { until: now + open.length },
            Some(_) => Passage::Probe,
        }
    }

    pub(super) fn state(&self, now: Instant) -> State {
        match &self.open {
            None => State::Closed,
            Some(open) if now < open.until => State::Open,
            Some(_) => State::Probing,
        }
    }

    /// Sends a probe on its way, unless one is.
    pub(super) fn begin_probe(&mut self) -> bool {
        match &mut self.open {
            Some(open) if !open.probing => {
                open.probing = true;
                true
            }
            _ => false,
        }
    }

    /// A probe says nothing: its client went away, or was at fault.
    pub(super) fn end_probe(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    pub(super) fn succeeded(&mut self, now: Instant, probe: bool) {
        self.consecutive = 0;
        if probe {
            // What was counted before it failed is over.
            (self.open, self.window) = (None, Window::default());
        }
        self.window.part(now, self.config.window).requests += 1;
    }

    /// `jitter` in [0, 1) spreads the end of the time that it stays open.
    pub(super) fn failed(&mut self, now: Instant, probe: bool, jitter: f64) {
        self.consecutive = self.consecutive.saturating_add(1);
        let part = self.window.part(now, self.config.window);
        part.requests += 1;
        part.failed += 1;
        let before = self.open.as_ref().map(|open| (open.length, open.failed));
        let length = match before {
            // Requests that were under way when it opened change nothing.
            Some((_, true)) if !probe => return,
            Some((length, true)) => length.saturating_mul(2),
            Some((_, false)) | None if probe || self.is_too_much() => self.config.open_for,
            _ => return,
        };
        let length = length.min(self.config.open_at_most);
        let until = now + length.mul_f64(1.0 + 0.2 * jitter);
        self.open = Some(Open { until, length, probing: false, failed: true });
    }

    pub(super) fn limited(&mut self, now: Instant, retry_after: Option<Duration>) {
        let length = retry_after.unwrap_or(DEFAULT_RETRY_AFTER).min(self.config.open_at_most);
        let until = now + length;
        match &mut self.open {
            Some(open) => {
                open.until = open.until.max(until);
                open.probing = false;
            }
            None => self.open = Some(Open { until, length, probing: false, failed: false }),
        }
    }

    /// Share of failures in the window.
    pub(super) fn failed_share(&mut self, now: Instant) -> f64 {
        self.window.part(now, self.config.window);
        let (requests, failed) = self.window.sums();
        if requests == 0 { 0.0 } else { f64::from(failed) / f64::from(requests) }
    }

    fn is_too_much(&self) -> bool {
        let (requests, failed) = self.window.sums();
        let share = f64::from(failed) >= self.config.failed_share * f64::from(requests);
        self.consecutive >= self.config.consecutive
            || (requests >= self.config.min_requests && share)
    }
}

/// Requests and failures of the last while, in parts that are forgotten one by one.
#[derive(Debug, Default)]
struct Window {
    parts: [Part; PARTS as usize],
    /// Number of the newest part since `from`.
    newest: u64,
    from: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Part {
    requests: u32,
    failed: u32,
}

impl Window {
    /// The part of this moment; those that are too old are emptied.
    fn part(&mut self, now: Instant, length: Duration) -> &mut Part {
        let from = *self.from.get_or_insert(now);
        let width = (length / u32::from(PARTS)).max(Duration::from_millis(1));
        let number = now.saturating_duration_since(from).div_duration_f64(width);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0")]
        let number = (number as u64).max(self.newest);
        let passed = (number - self.newest).min(PARTS.into());
        for back in 0..passed {
            self.parts[position(number - back)] = Part::default();
        }
        self.newest = number;
        &mut self.parts[position(number)]
    }

    fn sums(&self) -> (u32, u32) {
        let sum = |count: fn(&Part) -> u32| self.parts.iter().map(count).sum();
        (sum(|part| part.requests), sum(|part| part.failed))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than PARTS")]
fn position(number: u64) -> usize {
    (number % u64::from(PARTS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> (Breaker, Instant) {
        let config = BreakerConfig {
            window: 10 * SECOND,
            min_requests: 4,
            failed_share: 0.5,
            consecutive: 3,
            open_for: 5 * SECOND,
            open_at_most: 15 * SECOND,
        };
        (Breaker::new(config), Instant::now())
    }

    #[test]
    fn it_opens_at_the_share_and_not_before_enough_is_known() {
        let (mut breaker, now) = breaker();
        breaker.failed(now, false, 0.0);
        breaker.succeeded(now, false);
        breaker.failed(now, false, 0.0);
        assert_eq!(breaker.passage(now), Passage::Free);
        breaker.succeeded(now, false);
        breaker.failed(now, false, 0.0);
        assert_eq!(breaker.passage(now), Passage::Shut { until: now + 5 * SECOND });
        assert!((breaker.failed_share(now) - 0.6).abs() < 1e-9);
    }

    #[test]
    fn it_opens_after_failures_in_a_row() {
        let (mut breaker, now) = breaker();
        for _ in 0..2 {
            breaker.failed(now, false, 0.0);
        }
        assert_eq!(breaker.state(now), State::Closed);
        breaker.failed(now, false, 0.0);
        assert_eq!(breaker.state(now), State::Open);
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let (mut breaker, now) = breaker();
        for second in 0..20 {
            let now = now + 6 * SECOND * second;
            breaker.failed(now, false, 0.0);
            breaker.succeeded(now, false);
        }
        assert_eq!(breaker.state(now + 120 * SECOND), State::Closed);
        assert!(breaker.failed_share(now + 200 * SECOND).abs() < 1e-9);
    }

    #[test]
    fn one_probe_at_a_time_and_longer_pauses_while_they_fail() {
        let (mut breaker, mut now) = breaker();
        for _ in 0..3 {
            breaker.failed(now, false, 0.0);
        }
        // Requests that were under way when it opened.
        breaker.failed(now, false, 0.0);
        for length in [5, 10, 15, 15] {
            assert_eq!(breaker.passage(now), Passage::Shut { until: now + length * SECOND });
            now += length * SECOND;
            assert_eq!(breaker.passage(now), Passage::Probe);
            assert!(breaker.begin_probe());
            assert!(!breaker.begin_probe());
            assert!(matches!(breaker.passage(now), Passage::Shut { .. }));
            breaker.end_probe();
            assert_eq!(breaker.passage(now), Passage::Probe);
            assert!(breaker.begin_probe());
            breaker.failed(now, true, 0.0);
        }
        now += 15 * SECOND;
        assert!(breaker.begin_probe());
        breaker.succeeded(now, true);
        assert_eq!(breaker.passage(now), Passage::Free);
        breaker.failed(now, false, 0.0);
        assert_eq!(breaker.passage(now), Passage::Free);
    }

    #[test]
    fn a_rate_limit_is_waited_for_and_is_no_failure() {
        let (mut breaker, now) = breaker();
        breaker.limited(now, Some(3 * SECOND));
        assert_eq!(breaker.passage(now), Passage::Shut { until: now + 3 * SECOND });
        assert!(breaker.failed_share(now).abs() < 1e-9);
        assert_eq!(breaker.passage(now + 3 * SECOND), Passage::Probe);
        breaker.limited(now, Some(Duration::from_secs(1 << 40)));
        assert_eq!(breaker.passage(now), Passage::Shut { until: now + 15 * SECOND });
        breaker.succeeded(now, true);
        breaker.limited(now, None);
        assert_eq!(breaker.passage(now), Passage::Shut { until: now + DEFAULT_RETRY_AFTER });
    }
}
