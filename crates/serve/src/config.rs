//! What a server is told: resolved values only. Reading files, flags and the environment is done by
//! the caller.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use farthing_core::{CandidateSettings, PriceTable};

/// Resolved settings of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServeConfig {
    /// Address to listen on; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The router directory.
    pub router_dir: PathBuf,
    /// Prices of its candidates instead of its own.
    pub prices: Option<PriceTable>,
    /// What its candidates can do.
    pub candidates: CandidateSettings,
    /// The decision log; `None`: decisions are not logged.
    pub log: Option<LogConfig>,
    /// What a client may ask for, and all clients together.
    pub limits: Limits,
    /// Seed of decision ids and exploration; `None`: from the operating system. Fixed seeds are for
    /// tests: two servers with one seed give the same ids.
    pub seed: Option<u64>,
}

/// Settings of the decision log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Its folder.
    pub dir: PathBuf,
    /// A segment that has grown to this size is synced and followed by the next.
    pub segment_bytes: u64,
    /// Rows that may wait for the disk; more are dropped and counted.
    pub queue_rows: usize,
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
            candidates: CandidateSettings::default(),
            log: None,
            limits: Limits::default(),
            seed: None,
        }
    }
}

impl LogConfig {
    /// The defaults, for a folder.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), segment_bytes: 64 << 20, queue_rows: 8192 }
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
