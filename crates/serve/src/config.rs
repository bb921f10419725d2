//! What a server is told: resolved values only. Reading files, flags and the environment is done by
//! the caller.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use farthing_core::PriceTable;

/// Resolved settings of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServeConfig {
    /// Address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The router directory.
    pub router_dir: PathBuf,
    /// Prices of its candidates instead of its own.
    pub prices: Option<PriceTable>,
    /// The decision log; `None`: decisions are not logged.
    pub log: Option<LogConfig>,
    /// What a client may ask for, and all clients together.
    pub limits: Limits,
    /// Seed of decision ids and exploration; `None`: from the operating system. Fixed seeds are for
    /// tests: two servers with one seed give the same ids.
    pub seed: Option<u64>,
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
    /// Time that requests in flight get to finish once the server is asked to stop.
    pub drain_timeout: Duration,
}

impl ServeConfig {
    /// The defaults, for a router directory: loopback, no log.
    pub fn new(router_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            router_dir: router_dir.into(),
            prices: None,
            log: None,
            limits: Limits::default(),
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
            drain_timeout: Duration::from_secs(30),
        }
    }
}
