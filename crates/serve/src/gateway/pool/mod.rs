//! The instances of one candidate, and which of them takes the next request.
//!
//! Everything here is a few numbers behind short locks. The clock and the random numbers are arguments.

mod breaker;
mod latency;
mod quota;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{Balance, BreakerConfig};
pub(crate) use breaker::State;
use breaker::{Breaker, Passage};
use latency::PeakEwma;
pub(crate) use quota::{Quota, QuotaConfig};

/// The instances of one candidate.
#[derive(Debug)]
pub(crate) struct Pool {
    members: Vec<Watched>,
    balance: Balance,
    /// Where a round begins.
    cursor: AtomicUsize,
}

/// What a pool is made of, by position.
#[derive(Debug)]
pub(crate) struct Member {
    /// Share of requests against the others.
    pub(crate) weight: u32,
    /// Limits of where it is.
    pub(crate) quota: Arc<Quota>,
}

#[derive(Debug)]
struct Watched {
    member: Member,
    in_flight: AtomicUsize,
    seen: Mutex<Seen>,
}

/// What was seen of an instance.
#[derive(Debug)]
struct Seen {
    breaker: Breaker,
    latency: PeakEwma,
    first_token: PeakEwma,
}

/// Instances that a request has tried, or must not reach.
#[derive(Debug, Default)]
pub(crate) struct Tried(Vec<usize>);

impl Tried {
    pub(crate) fn add(&mut self, instance: usize) {
        self.0.push(instance);
    }
}

/// Why there is no instance for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoInstance {
    /// It has tried all.
    Tried,
    /// Those that are left are at the limit of what they may be asked for.
    Quota {
        /// When there may be room.
        retry_after: Duration,
    },
}

/// How an instance does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Live {
    pub(crate) in_flight: usize,
    pub(crate) state: State,
    /// Seconds to the whole answer; `None`: none came yet.
    pub(crate) latency: Option<f64>,
    /// Seconds to the first token of a stream; `None`: none came yet.
    pub(crate) first_token: Option<f64>,
    /// Share of attempts in the breaker's window that failed.
    pub(crate) failed_share: f64,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a whole answer, of so many tokens.
    Answered { input_tokens: Option<u64>, output_tokens: Option<u64> },
    /// By a fault of the request: it says nothing of the instance's health.
    Refused,
    /// It was one too many.
    RateLimited { retry_after: Option<Duration> },
    /// By a fault of the instance.
    Failed,
    /// The client went away.
    Abandoned,
}

impl Pool {
    pub(crate) fn new(members: Vec<Member>, balance: Balance, breaker: &BreakerConfig) -> Self {
        let watched = |member| Watched {
            member,
            in_flight: AtomicUsize::new(0),
            seen: Mutex::new(Seen {
                breaker: Breaker::new(breaker.clone()),
                latency: PeakEwma::default(),
                first_token: PeakEwma::default(),
            }),
        };
        let members = members.into_iter().map(watched).collect();
        Self { members, balance, cursor: AtomicUsize::new(0) }
    }

    /// An instance for a request of about so many tokens. Where every breaker is open, the one that comes
    /// back first: better an attempt that may fail than none.
    pub(crate) fn pick(
        self: &Arc<Self>,
        tried: &Tried,
        tokens: u64,
        now: Instant,
        random: u64,
    ) -> Result<Ticket, NoInstance> {
        let left = (0..self.members.len()).filter(|i| !tried.0.contains(i));
        let (mut free, mut shut) = (Vec::new(), Vec::new());
        for instance in left {
            match self.members[instance].seen().breaker.passage(now) {
                // A probe is due: it goes first, so that an instance comes back while others do well.
                Passage::Probe => free.insert(0, (instance, true)),
                Passage::Free => free.push((instance, false)),
                Passage::Shut { until } => shut.push((until, instance)),
            }
        }
        if free.is_empty() && shut.is_empty() {
            return Err(NoInstance::Tried);
        }
        let mut retry_after = Duration::MAX;
        while !free.is_empty() {
            let (instance, probe) = free.swap_remove(self.choose(&free, now, random));
            if probe && !self.members[instance].seen().breaker.begin_probe() {
                // Another request was quicker.
                shut.push((now, instance));
                continue;
            }
            match self.members[instance].member.quota.take(tokens, now) {
                Ok(()) => return Ok(self.ticket(instance, probe, (tokens, now, random))),
                Err(wait) => {
                    retry_after = retry_after.min(wait);
                    if probe {
                        self.members[instance].seen().breaker.end_probe();
                    }
                }
            }
        }
        shut.sort_unstable();
        for (_, instance) in shut {
            match self.members[instance].member.quota.take(tokens, now) {
                Ok(()) => {
                    // Fail open, and say so.
                    tracing::warn!(
                        "every instance is left alone for now: one is asked all the same"
                    );
                    return Ok(self.ticket(instance, true, (tokens, now, random)));
                }
                Err(wait) => retry_after = retry_after.min(wait),
            }
        }
        Err(NoInstance::Quota { retry_after })
    }

    fn ticket(
        self: &Arc<Self>,
        instance: usize,
        probe: bool,
        (tokens, now, random): (u64, Instant, u64),
    ) -> Ticket {
        let watched = &self.members[instance];
        watched.in_flight.fetch_add(1, Relaxed);
        Ticket { pool: Arc::clone(self), instance, probe, tokens, began: now, random, open: true }
    }

    /// Position in `free` of the instance to take.
    fn choose(&self, free: &[(usize, bool)], now: Instant, random: u64) -> usize {
        if free.len() == 1 || free[0].1 {
            return 0;
        }
        let count = free.len();
        let weight = |&(i, _): &(usize, bool)| u64::from(self.members[i].member.weight);
        match self.balance {
            Balance::RoundRobin => self.cursor.fetch_add(1, Relaxed) % count,
            Balance::Weighted => {
                let mut at = random % free.iter().map(weight).sum::<u64>().max(1);
                let passes = |entry: &(usize, bool)| match at.checked_sub(weight(entry)) {
                    Some(rest) => {
                        at = rest;
                        false
                    }
                    None => true,
                };
                free.iter().position(passes).unwrap_or(0)
            }
            Balance::LeastInFlight => {
                let load = |i: &usize| self.members[free[*i].0].in_flight.load(Relaxed);
                let from = drawn(random, count);
                (0..count).map(|i| (i + from) % count).min_by_key(load).unwrap_or(0)
            }
            Balance::PeakEwma => {
                let first = drawn(random, count);
                let step = 1 + drawn(random >> 32, count - 1);
                let second = (first + step) % count;
                let usual = self.usual_latency();
                let score = |i: usize| self.members[free[i].0].score(usual, now);
                if score(first) <= score(second) { first } else { second }
            }
        }
    }

    /// The mean of what is known of the instances: what is expected of one that is not known.
    fn usual_latency(&self) -> Option<f64> {
        let known = self.members.iter().filter_map(|watched| watched.seen().latency.get());
        let (count, sum) = known.fold((0_u32, 0.0), |(count, sum), s| (count + 1, sum + s));
        (count > 0).then(|| sum / f64::from(count))
    }

    /// How an instance does.
    pub(crate) fn live(&self, instance: usize, now: Instant) -> Live {
        let watched = &self.members[instance];
        let mut seen = watched.seen();
        Live {
            in_flight: watched.in_flight.load(Relaxed),
            state: seen.breaker.state(now),
            latency: seen.latency.get(),
            first_token: seen.first_token.get(),
            failed_share: seen.breaker.failed_share(now),
        }
    }

    /// Time to an answer at the instance that does best among those that take requests; `None`: unknown.
    pub(crate) fn expected_latency(&self, now: Instant) -> Option<Duration> {
        let open = self.members.iter().map(Watched::seen);
        let open = open.filter(|seen| seen.breaker.state(now) == State::Closed);
        let best = open.filter_map(|seen| seen.latency.get()).min_by(f64::total_cmp)?;
        Duration::try_from_secs_f64(best).ok()
    }

    /// Whether any instance takes requests.
    pub(crate) fn is_available(&self, now: Instant) -> bool {
        self.members.iter().any(|watched| watched.seen().breaker.state(now) != State::Open)
    }
}

/// One of so many.
#[expect(clippy::cast_possible_truncation, reason = "less than `count`")]
fn drawn(random: u64, count: usize) -> usize {
    (random % count as u64) as usize
}

impl Watched {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Between two calls there is nothing half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Expected time of one more request: less is better.
    fn score(&self, usual: Option<f64>, now: Instant) -> f64 {
        let latency = self.seen().latency.fading(now).or(usual).unwrap_or(1.0);
        let load = self.in_flight.load(Relaxed) + 1;
        latency * load as f64 / f64::from(self.member.weight.max(1))
    }
}

/// One attempt on its way: its place at the instance is given back when it ends or is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    pool: Arc<Pool>,
    instance: usize,
    probe: bool,
    /// What it was expected to take.
    tokens: u64,
    began: Instant,
    random: u64,
    open: bool,
}

impl Ticket {
    /// Position of the instance.
    pub(crate) fn instance(&self) -> usize {
        self.instance
    }

    /// The first token came.
    pub(crate) fn first_token(&self, now: Instant) {
        let took = now.saturating_duration_since(self.began);
        self.pool.members[self.instance].seen().first_token.observe(took, now);
    }

    /// The attempt ended.
    pub(crate) fn done(mut self, now: Instant, how: Ending) {
        self.end(now, how);
    }

    fn end(&mut self, now: Instant, how: Ending) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let watched = &self.pool.members[self.instance];
        watched.in_flight.fetch_sub(1, Relaxed);
        let took = now.saturating_duration_since(self.began);
        let mut used = None;
        let mut seen = watched.seen();
        match how {
            Ending::Answered { input_tokens, output_tokens } => {
                seen.breaker.succeeded(now, self.probe);
                seen.latency.observe(took, now);
                used = input_tokens.zip(output_tokens).map(|(i, o)| i.saturating_add(o));
            }
            Ending::Failed => {
                let jitter = (self.random >> 11) as f64 / (1_u64 << 53) as f64;
                seen.breaker.failed(now, self.probe, jitter);
            }
            Ending::RateLimited { retry_after } => seen.breaker.limited(now, retry_after),
            Ending::Refused | Ending::Abandoned if self.probe => seen.breaker.end_probe(),
            Ending::Refused | Ending::Abandoned => {}
        }
        drop(seen);
        watched.member.quota.give_back(self.tokens, used);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        // The time of an attempt that nobody ended says nothing.
        self.end(self.began, Ending::Abandoned);
    }
}

#[cfg(test)]
mod tests;
