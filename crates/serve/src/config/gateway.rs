//! Settings of the gateway: upstreams, and how requests get there.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderValue, Uri};
use farthing_core::Digest;

/// Where requests are forwarded, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct GatewayConfig {
    /// By name; at least one.
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    /// How an instance of a candidate is chosen.
    pub balance: Balance,
    /// Most attempts for one request, all candidates and instances together.
    pub attempts: usize,
    /// Wait before the ranked list is tried again, doubled each time and jittered.
    pub backoff: Duration,
    /// How long what may take.
    pub timeouts: Timeouts,
    /// When an instance is left alone.
    pub breaker: BreakerConfig,
    /// Longest answer that is taken from an upstream, in bytes.
    pub answer_bytes: usize,
    /// Where answers are kept; `None`: nowhere.
    pub cache: Option<CacheConfig>,
    /// What may be spent, by name.
    pub budgets: BTreeMap<String, BudgetConfig>,
    /// What a second of waiting for an answer is worth, in USD: added to the cost of a candidate where
    /// costs are compared.
    pub usd_per_second: f64,
}

/// What may be spent, and by whom. Without keys and tags every request counts.
#[derive(Clone, PartialEq)]
pub struct BudgetConfig {
    /// How much.
    pub usd: f64,
    /// In which time.
    pub per: Period,
    /// Digests of the keys whose requests count.
    pub keys: Vec<Digest>,
    /// Tags of requests that count, as `x-farthing-tags` has them.
    pub tags: Vec<String>,
}

/// Whoever reads a log learns how many keys there are and nothing about them.
impl fmt::Debug for BudgetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { usd, per, keys, tags } = self;
        write!(
            f,
            "BudgetConfig {{ {usd} per {}, keys: {} redacted, tags: {tags:?} }}",
            per.name(),
            keys.len()
        )
    }
}

/// A time of the calendar, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From full hour to full hour.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first to the last day.
    Month,
}

impl Period {
    /// Every name, as configuration has it.
    pub const NAMES: [&'static str; 3] = ["hour", "day", "month"];

    /// The period of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "hour" => Some(Self::Hour),
            "day" => Some(Self::Day),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// How answers are kept for the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheConfig {
    /// Most bytes of them; what is used least makes room.
    pub bytes: u64,
    /// Older ones are forgotten.
    pub ttl: Duration,
}

/// A place that serves candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamConfig {
    /// What its paths start with, such as `https://api.openai.com/v1`.
    pub base_url: Uri,
    /// What it speaks.
    pub protocol: Protocol,
    /// The key it is asked with, if it wants one.
    pub key: Option<Secret>,
    /// What it serves: candidate name to the name that it knows it by; `None`: every candidate of the
    /// router under its own name.
    pub models: Option<BTreeMap<String, String>>,
    /// Share of requests against other upstreams of the same candidate.
    pub weight: u32,
    /// Where it runs: requests that ask for regions reach it only if it is in one of them.
    pub region: Option<String>,
    /// Most requests in flight there.
    pub in_flight: Option<usize>,
    /// Most requests a minute.
    pub requests_per_minute: Option<u32>,
    /// Most tokens a minute, input and output together.
    pub tokens_per_minute: Option<u32>,
}

impl UpstreamConfig {
    /// The defaults, for an address: OpenAI's protocol, no key, every candidate, no limit.
    pub fn new(base_url: Uri) -> Self {
        Self {
            base_url,
            protocol: Protocol::OpenAi,
            key: None,
            models: None,
            weight: 1,
            region: None,
            in_flight: None,
            requests_per_minute: None,
            tokens_per_minute: None,
        }
    }
}

/// What an upstream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The OpenAI API.
    OpenAi,
    /// The Anthropic Messages API.
    Anthropic,
}

impl Protocol {
    /// Every name, as configuration has it.
    pub const NAMES: [&'static str; 2] = ["openai", "anthropic"];

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "openai" => Some(Self::OpenAi),
            "anthropic" => Some(Self::Anthropic),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// A key. Nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl Secret {
    /// A key; `None` where no header can hold it.
    pub fn new(key: &str) -> Option<Self> {
        let key = key.trim();
        (!key.is_empty() && HeaderValue::from_str(key).is_ok()).then(|| Self(key.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// How an instance of a candidate is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// At random, by weight.
    Weighted,
    /// The one with the fewest requests in flight.
    LeastInFlight,
    /// The better of two drawn at random, by latency and requests in flight.
    PeakEwma,
}

impl Balance {
    /// Every name, as configuration has it.
    pub const NAMES: [&'static str; 4] =
        ["round_robin", "weighted", "least_in_flight", "peak_ewma"];

    /// The setting of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "round_robin" => Some(Self::RoundRobin),
            "weighted" => Some(Self::Weighted),
            "least_in_flight" => Some(Self::LeastInFlight),
            "peak_ewma" => Some(Self::PeakEwma),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// How long what may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// From then until the head of the answer.
    pub headers: Duration,
    /// From then until the first token of a stream.
    pub first_token: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For the whole request, all attempts together.
    pub total: Duration,
}

/// When an instance is left alone, and for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakerConfig {
    /// Failures are counted over this time.
    pub window: Duration,
    /// Fewer requests than this in the window say nothing.
    pub min_requests: u32,
    /// Share of failures in the window at which it opens, in (0, 1].
    pub failed_share: f64,
    /// So does this many failures in a row.
    pub consecutive: u32,
    /// How long it stays open the first time; doubled with each probe that fails.
    pub open_for: Duration,
    /// No longer than this, neither for failures nor for a `Retry-After`.
    pub open_at_most: Duration,
}

impl GatewayConfig {
    /// The defaults, without upstreams.
    pub fn new() -> Self {
        Self {
            upstreams: BTreeMap::new(),
            balance: Balance::PeakEwma,
            attempts: 6,
            backoff: Duration::from_millis(100),
            timeouts: Timeouts::default(),
            breaker: BreakerConfig::default(),
            answer_bytes: 32 << 20,
            cache: None,
            budgets: BTreeMap::new(),
            usd_per_second: 0.0,
        }
    }
}

impl CacheConfig {
    /// A cache of that size, for an hour.
    pub fn new(bytes: u64) -> Self {
        Self { bytes, ttl: Duration::from_hours(1) }
    }
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            headers: Duration::from_mins(2),
            first_token: Duration::from_mins(1),
            idle: Duration::from_secs(30),
            total: Duration::from_mins(10),
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(30),
            min_requests: 20,
            failed_share: 0.5,
            consecutive: 5,
            open_for: Duration::from_secs(5),
            open_at_most: Duration::from_mins(2),
        }
    }
}
