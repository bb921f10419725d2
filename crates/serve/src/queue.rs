//! How long requests wait before anybody looks at them.
//!
//! A decision never waits, so where there are too many they queue where nothing counts them: in sockets
//! and among the tasks of the runtime. A task that looks how late it comes itself stands in the same
//! queue. A burst is answered late; a queue that stands is turned away, as in `CoDel` (Nichols and
//! Jacobson 2012): not one long wait tells it, but that no wait was short for a while.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use tokio::time::{sleep, sleep_until};

use crate::gate::Gate;

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(1);
/// The same where no requests come.
const IDLE_PERIOD: Duration = Duration::from_millis(50);
/// A queue stands if no wait was short for so long.
const STANDING: Duration = Duration::from_millis(100);
/// It stands no more if no wait was long for so long.
const GONE: Duration = Duration::from_secs(1);

/// Looks for a queue that stands, again and again, and tells the gate.
pub(crate) async fn watch(gate: Arc<Gate>) {
    let mut queue = Queue::new(Instant::now());
    loop {
        if !gate.was_asked() {
            sleep(IDLE_PERIOD).await;
            queue.saw(Duration::ZERO, Duration::ZERO, Instant::now());
        }
        let due = Instant::now() + PERIOD;
        sleep_until(due.into()).await;
        // A task that its timer wakes may be served first, one that yields is served last.
        yield_now().await;
        let now = Instant::now();
        let limit = gate.rules().limits.queue_time;
        gate.turn_away(queue.saw(now.saturating_duration_since(due), limit, now));
    }
}

/// What is known of the queue.
#[derive(Debug)]
struct Queue {
    /// When a wait was last within the limit.
    short_at: Instant,
    /// When a wait was last beyond it.
    long_at: Instant,
    stands: bool,
}

impl Queue {
    fn new(now: Instant) -> Self {
        Self { short_at: now, long_at: now, stands: false }
    }

    /// Whether requests are to be turned away, after a wait that ended now.
    fn saw(&mut self, wait: Duration, limit: Duration, now: Instant) -> bool {
        let long = wait > limit;
        *(if long { &mut self.long_at } else { &mut self.short_at }) = now;
        self.stands = if self.stands {
            now.duration_since(self.long_at) < GONE
        } else {
            now.duration_since(self.short_at) >= STANDING
        };
        self.stands && long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(5);
    const SHORT: u64 = 5;
    const LONG: u64 = 6;

    /// The answers to waits, in ms, that end at these times, in ms.
    fn answers(waits: &[(u64, u64)]) -> Vec<bool> {
        let start = Instant::now();
        let mut queue = Queue::new(start);
        let ms = Duration::from_millis;
        waits.iter().map(|&(at, wait)| queue.saw(ms(wait), LIMIT, start + ms(at))).collect()
    }

    #[test]
    fn a_burst_is_let_through() {
        assert_eq!(answers(&[(10, 900), (50, LONG), (90, SHORT), (150, LONG)]), [false; 4]);
    }

    #[test]
    fn a_queue_that_stands_is_turned_away_whenever_it_is_long() {
        let waits = [(40, LONG), (99, LONG), (100, LONG), (102, SHORT), (104, LONG)];
        assert_eq!(answers(&waits), [false, false, true, false, true]);
    }

    #[test]
    fn a_queue_that_was_short_for_long_stands_no_more() {
        let waits = [(100, LONG), (1099, SHORT), (1100, SHORT), (1101, LONG), (1200, LONG)];
        assert_eq!(answers(&waits), [true, false, false, false, true]);
    }
}
