//! What a server is told: resolved values only, with their defaults. Where they come from is the
//! business of `sources`.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::GatewayConfig;
use farthing_core::rules::Rules;
use farthing_core::{CandidateSettings, Digest, PriceTable};

/// Resolved settings of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServeConfig {
    /// Address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where requests for operating the server are answered, apart from all others; `None`: at
    /// `listen` too.
    pub admin_listen: Option<SocketAddr>,
    /// Where the router comes from.
    pub router: RouterSource,
    /// Prices of its candidates instead of its own.
    pub prices: Option<PriceTable>,
    /// What its candidates can do.
    pub candidates: CandidateSettings,
    /// What stands around its choices.
    pub rules: Rules,
    /// Conversations in progress.
    pub sessions: SessionConfig,
    /// The decision log; `None`: decisions are not logged.
    pub log: Option<LogConfig>,
    /// Where requests are forwarded; `None`: nowhere, decisions are all there is.
    pub gateway: Option<GatewayConfig>,
    /// Who may ask.
    pub auth: Auth,
    /// What a client may ask for, and all clients together.
    pub limits: Limits,
    /// What the server says of itself on stderr.
    pub trace: TraceConfig,
    /// Seed of decision ids and exploration; `None`: from the operating system. Fixed seeds are for
    /// tests: two servers with one seed give the same ids.
    pub seed: Option<u64>,
}

/// Where the router comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterSource {
    /// A router directory, or a text file that names one: a pointer, relative to its own folder.
    pub path: PathBuf,
    /// How often it is looked at for another router. A server that looks may start without one and
    /// waits for it; `None`: only when asked, and a router is needed to start.
    pub poll: Option<Duration>,
}

/// How conversations are kept together.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionConfig {
    /// Sessions that are remembered at once; those not heard of for longest are forgotten.
    pub entries: u64,
    /// How long a provider keeps a prompt in its cache.
    pub cached_for: Duration,
    /// Shorter prompts, in tokens, are not cached.
    pub cached_tokens: u64,
    /// Turns that a session is expected to have until traffic shows it.
    pub turns: f64,
}

impl Default for SessionConfig {
    /// The cache is that of OpenAI and Anthropic: from 1,024 tokens, for five minutes.
    fn default() -> Self {
        let cached_for = Duration::from_mins(5);
        Self { entries: 100_000, cached_for, cached_tokens: 1024, turns: 3.0 }
    }
}

/// Who may ask.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// Digests of the accepted bearer keys; none: everybody who can connect may ask, which needs a
    /// loopback address.
    pub keys: Vec<Digest>,
}

/// Whoever reads a log learns how many keys there are and nothing about them.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth {{ keys: {} redacted }}", self.keys.len())
    }
}

/// Settings of the decision log and of reported outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Its folder.
    pub dir: PathBuf,
    /// What is kept of a request.
    pub prompts: PromptStorage,
    /// A segment that has grown to this size is sealed and followed by the next.
    pub segment_bytes: u64,
    /// So is one of this age.
    pub segment_age: Duration,
    /// Decision rows that may wait for the disk; more are dropped and counted, and so are those beyond
    /// 64 MiB of prompts.
    pub queue_rows: usize,
    /// Decision rows are written and synced as one group, begun at most this long after they came.
    pub commit_interval: Duration,
    /// Sealed segments beyond this many bytes are deleted, oldest first; `None`: never.
    pub max_bytes: Option<u64>,
    /// Sealed segments begun longer ago than this are deleted; `None`: never.
    pub max_age: Option<Duration>,
}

/// What the decision log keeps of a request; the README says what each allows later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptStorage {
    /// All turns.
    Full,
    /// A digest of the exact text.
    Hashed,
    /// The digest, and the features that the router's featurizer counts.
    Features,
    /// Nothing.
    None,
}

impl PromptStorage {
    /// Every name, as configuration has it.
    pub const NAMES: [&'static str; 4] = ["full", "hashed", "features", "none"];

    /// The setting of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "full" => Some(Self::Full),
            "hashed" => Some(Self::Hashed),
            "features" => Some(Self::Features),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// What the server says of itself on stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceConfig {
    /// What is said, as directives of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: TraceFormat,
}

/// The form of what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl TraceFormat {
    /// Every name, as configuration has it.
    pub const NAMES: [&'static str; 2] = ["text", "json"];

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Bounds on what is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest body.
    pub body_bytes: usize,
    /// Most requests in one batch.
    pub batch_requests: usize,
    /// Batches that may run or wait at once; more are answered `overloaded`.
    pub batches: usize,
    /// Requests that may be in flight at once, probes and operations aside; more are answered
    /// `overloaded`.
    pub concurrent_requests: usize,
    /// Connections that may be open at once on each listener; more are closed as they come.
    pub connections: usize,
    /// Time for a request from its head to its answer, the arrival of its body included.
    pub request_timeout: Duration,
    /// A connection on which no request is in flight, and none came for this long, is closed.
    pub idle_timeout: Duration,
    /// Time between `/readyz` failing and the end of accepting connections, for load balancers to
    /// notice, once the server is asked to stop.
    pub drain_grace: Duration,
    /// Time that requests in flight then get to finish.
    pub drain_timeout: Duration,
}

impl ServeConfig {
    /// The defaults, for a router directory or a pointer to one: loopback, no log.
    pub fn new(router: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            admin_listen: None,
            router: RouterSource { path: router.into(), poll: None },
            prices: None,
            candidates: CandidateSettings::default(),
            rules: Rules::default(),
            sessions: SessionConfig::default(),
            log: None,
            gateway: None,
            auth: Auth::default(),
            limits: Limits::default(),
            trace: TraceConfig::default(),
            seed: None,
        }
    }
}

impl LogConfig {
    /// The defaults, for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            prompts: PromptStorage::Hashed,
            segment_bytes: 64 << 20,
            segment_age: Duration::from_hours(1),
            queue_rows: 8192,
            commit_interval: Duration::from_millis(20),
            max_bytes: None,
            max_age: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            batch_requests: 1024,
            batches: 32,
            concurrent_requests: 512,
            connections: 1000,
            request_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            drain_grace: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for TraceConfig {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: TraceFormat::Text }
    }
}
