//! What is counted of one instance, as `GET /metrics` shows it.
//!
//! The counters live where the instance does: an exposition lists the instances that there are and
//! forgets those that are gone.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use farthing_core::Usage;

use super::account::{Cost, CostStatus};
use super::cache::CacheFigures;
use super::failure::Cause;
use super::fleet::Fleet;

/// Upper bounds of the buckets of upstream times, in seconds: answers of language models.
const BUCKETS: [f64; 14] =
    [5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
const TOKEN_KINDS: [&str; 4] = ["input", "cached_input", "cache_write", "output"];

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// With a whole answer.
    Ok,
    /// The client went away before it.
    Abandoned,
    /// Without.
    Failed(Cause),
}

impl Ended {
    fn position(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Abandoned => 1,
            Self::Failed(cause) => 2 + cause as usize,
        }
    }

    fn names() -> impl Iterator<Item = &'static str> {
        ["ok", "abandoned"].into_iter().chain(Cause::ALL.map(Cause::name))
    }
}

/// One instance's counters.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    ended: [AtomicU64; Cause::ALL.len() + 2],
    duration: Histogram,
    first_token: Histogram,
    tokens: [AtomicU64; TOKEN_KINDS.len()],
    cost_usd: [Sum; CostStatus::ALL.len()],
    /// Output tokens a second.
    speed: Recent,
}

impl Figures {
    /// An attempt ended, so long after it began.
    pub(super) fn ended(&self, how: Ended, took: Duration) {
        self.ended[how.position()].fetch_add(1, Relaxed);
        self.duration.record(took);
    }

    /// The first token came, so long after the attempt began.
    pub(super) fn first_token(&self, took: Duration) {
        self.first_token.record(took);
    }

    /// So many tokens came in so much time.
    pub(super) fn produced(&self, tokens: u64, took: Duration) {
        if tokens > 0 && !took.is_zero() {
            self.speed.add(tokens as f64 / took.as_secs_f64());
        }
    }

    /// What an answer took.
    pub(super) fn used(&self, usage: Option<&Usage>, cost: Cost) {
        if let Some(usage) = usage {
            let Usage { input_tokens, cached_input_tokens, cache_write_tokens, output_tokens } =
                usage;
            let kinds = [input_tokens, cached_input_tokens, cache_write_tokens, output_tokens];
            for (counter, tokens) in self.tokens.iter().zip(kinds) {
                counter.fetch_add(tokens.unwrap_or(0), Relaxed);
            }
        }
        self.cost_usd[cost.status as usize].add(cost.usd.unwrap_or(0.0));
    }
}

/// The text exposition of all instances of a fleet.
pub(super) fn render(fleet: &Fleet, now: Instant) -> String {
    let mut text = String::new();
    for family in Family::ALL {
        let (name, kind, help) = family.row();
        // Writing to a String cannot fail.
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
        for (protocol, route) in fleet.routes() {
            for (position, instance) in route.instances.iter().enumerate() {
                let labels = format!(
                    "model=\"{}\",instance=\"{}\",protocol=\"{}\"",
                    escaped(&route.candidate),
                    escaped(&instance.upstream.name),
                    protocol.name()
                );
                let mut lines = Lines { text: &mut text, name, labels: &labels };
                match family {
                    Family::Requests => lines.by_outcome(&instance.figures),
                    Family::Duration => lines.histogram(&instance.figures.duration),
                    Family::FirstToken => lines.histogram(&instance.figures.first_token),
                    Family::Tokens => lines.by_kind(&instance.figures),
                    Family::Cost => lines.by_status(&instance.figures),
                    Family::InFlight => {
                        lines.add("", "", route.pool.live(position, now).in_flight);
                    }
                    Family::Latency => lines.known(route.pool.live(position, now).latency),
                    Family::LatestFirstToken => {
                        lines.known(route.pool.live(position, now).first_token);
                    }
                    Family::TokensPerSecond => lines.known(instance.figures.speed.get()),
                    Family::FailedShare => {
                        lines.add("", "", route.pool.live(position, now).failed_share);
                    }
                    Family::State => {
                        lines.add("", "", route.pool.live(position, now).state as u8);
                    }
                }
            }
        }
    }
    text
}

/// Adds what is counted of the cache.
pub(super) fn render_cache(figures: &CacheFigures, text: &mut String) {
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
        // Writing to a String cannot fail.
        writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").unwrap_or_default();
        for (labels, value) in samples {
            writeln!(text, "{name}{labels} {value}").unwrap_or_default();
        }
    };
    let requests = figures.requests.iter();
    let requests: Vec<_> =
        requests.map(|(result, count)| (format!("{{result=\"{result}\"}}"), *count)).collect();
    let help = "Requests by how they met the cache of answers";
    family("farthing_cache_requests_total", "counter", help, &requests);
    let entries = [(String::new(), figures.entries)];
    family("farthing_cache_entries", "gauge", "Answers that are kept", &entries);
    let bytes = [(String::new(), figures.bytes)];
    family("farthing_cache_bytes", "gauge", "Memory that they take", &bytes);
}

/// The metrics of upstreams.
#[derive(Debug, Clone, Copy)]
enum Family {
    Requests,
    Duration,
    FirstToken,
    Tokens,
    Cost,
    InFlight,
    State,
    Latency,
    LatestFirstToken,
    TokensPerSecond,
    FailedShare,
}

impl Family {
    const ALL: [Self; 11] = [
        Self::Requests,
        Self::Duration,
        Self::FirstToken,
        Self::Tokens,
        Self::Cost,
        Self::InFlight,
        Self::State,
        Self::Latency,
        Self::LatestFirstToken,
        Self::TokensPerSecond,
        Self::FailedShare,
    ];

    /// The table: name, kind and help text.
    fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Requests => (
                "farthing_upstream_requests_total",
                "counter",
                "Attempts at upstreams, by how they ended",
            ),
            Self::Duration => (
                "farthing_upstream_request_duration_seconds",
                "histogram",
                "From an attempt to its end",
            ),
            Self::FirstToken => (
                "farthing_upstream_first_token_seconds",
                "histogram",
                "From an attempt to the first token of a stream",
            ),
            Self::Tokens => ("farthing_tokens_total", "counter", "Tokens that upstreams report"),
            Self::Cost => (
                "farthing_cost_usd_total",
                "counter",
                "What answers cost; estimated where an upstream does not report its usage",
            ),
            Self::InFlight => {
                ("farthing_upstream_in_flight", "gauge", "Attempts that are under way")
            }
            Self::Latency => (
                "farthing_upstream_latency_seconds",
                "gauge",
                "Time to an answer at present, as balancing sees it",
            ),
            Self::LatestFirstToken => (
                "farthing_upstream_first_token_latency_seconds",
                "gauge",
                "Time to the first token at present",
            ),
            Self::TokensPerSecond => (
                "farthing_upstream_tokens_per_second",
                "gauge",
                "Output tokens a second at present, from the first token on where that is known",
            ),
            Self::FailedShare => (
                "farthing_upstream_failed_ratio",
                "gauge",
                "Share of attempts that failed within the breaker's window",
            ),
            Self::State => (
                "farthing_upstream_state",
                "gauge",
                "0: taking requests, 1: being probed, 2: left alone",
            ),
        }
    }
}

/// Writes the samples of one instance for one metric.
struct Lines<'a> {
    text: &'a mut String,
    name: &'static str,
    labels: &'a str,
}

impl Lines<'_> {
    fn add(&mut self, suffix: &str, label: &str, value: impl Display) {
        let (name, labels) = (self.name, self.labels);
        // Writing to a String cannot fail.
        writeln!(self.text, "{name}{suffix}{{{labels}{label}}} {value}").unwrap_or_default();
    }

    fn known(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.add("", "", value);
        }
    }

    fn by_outcome(&mut self, figures: &Figures) {
        for (name, count) in Ended::names().zip(&figures.ended) {
            let count = count.load(Relaxed);
            if count > 0 {
                self.add("", &format!(",outcome=\"{name}\""), count);
            }
        }
    }

    fn by_kind(&mut self, figures: &Figures) {
        for (kind, tokens) in TOKEN_KINDS.iter().zip(&figures.tokens) {
            self.add("", &format!(",kind=\"{kind}\""), tokens.load(Relaxed));
        }
    }

    fn by_status(&mut self, figures: &Figures) {
        for (status, sum) in CostStatus::ALL.into_iter().zip(&figures.cost_usd) {
            if status != CostStatus::Unknown {
                self.add("", &format!(",status=\"{}\"", status.name()), sum.get());
            }
        }
    }

    fn histogram(&mut self, histogram: &Histogram) {
        let mut below = 0;
        for (bound, count) in BUCKETS.iter().zip(&histogram.counts) {
            below += count.load(Relaxed);
            self.add("_bucket", &format!(",le=\"{bound}\""), below);
        }
        below += histogram.counts[BUCKETS.len()].load(Relaxed);
        self.add("_bucket", ",le=\"+Inf\"", below);
        self.add("_sum", "", histogram.sum.get());
        self.add("_count", "", below);
    }
}

/// A label's value as the exposition format wants it.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[derive(Debug, Default)]
struct Histogram {
    counts: [AtomicU64; BUCKETS.len() + 1],
    sum: Sum,
}

impl Histogram {
    fn record(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = BUCKETS.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Relaxed);
        self.sum.add(seconds);
    }
}

/// A number of which the latest counts most.
#[derive(Debug)]
struct Recent(AtomicU64);

impl Default for Recent {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Recent {
    /// What a new value weighs against those before it.
    const WEIGHT: f64 = 0.1;

    fn add(&self, value: f64) {
        let mix = |bits| {
            let before = f64::from_bits(bits);
            let mixed = before + Self::WEIGHT * (value - before);
            Some(if before.is_nan() { value } else { mixed }.to_bits())
        };
        // The closure never refuses.
        self.0.fetch_update(Relaxed, Relaxed, mix).unwrap_or_default();
    }

    fn get(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Relaxed))).filter(|value| !value.is_nan())
    }
}

/// A sum of fractions.
#[derive(Debug, Default)]
struct Sum(AtomicU64);

impl Sum {
    fn add(&self, value: f64) {
        let sum = |bits| Some((f64::from_bits(bits) + value).to_bits());
        // The closure never refuses.
        self.0.fetch_update(Relaxed, Relaxed, sum).unwrap_or_default();
    }

    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}
