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
    /// Folder of the decision log; `None`: decisions are not logged.
    pub log_dir: Option<PathBuf>,
    /// A log segment that has grown to this size is synced and followed by the next.
    pub log_segment_bytes: u64,
    /// Log rows that may wait for the disk; more are dropped and counted.
    pub log_queue_rows: usize,
    /// Longest body that is accepted.
    pub max_body_bytes: usize,
    /// Most requests in one batch.
    pub max_batch_requests: usize,
    /// Batches that may run or wait at once; more are answered `overloaded`.
    pub max_batches: usize,
    /// Time that requests in flight get to finish once the server is asked to stop.
    pub drain_timeout: Duration,
    /// Seed of decision ids and exploration; `None`: from the operating system. Fixed seeds are for
    /// tests: two servers with one seed give the same ids.
    pub seed: Option<u64>,
}

impl ServeConfig {
    /// The defaults, for a router directory: loopback, no log.
    pub fn new(router_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            router_dir: router_dir.into(),
            prices: None,
            log_dir: None,
            log_segment_bytes: 64 << 20,
            log_queue_rows: 8192,
            max_body_bytes: 8 << 20,
            max_batch_requests: 1024,
            max_batches: 32,
            drain_timeout: Duration::from_secs(30),
            seed: None,
        }
    }
}
