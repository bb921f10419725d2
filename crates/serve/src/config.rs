//! What a server is told: resolved values only. Reading files, flags and the environment is done by
//! the caller.

use std::error::Error;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
    /// The decision log; `None`: decisions are not logged.
    pub log: Option<LogConfig>,
    /// Who may ask.
    pub auth: Auth,
    /// What a client may ask for, and all clients together.
    pub limits: Limits,
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

/// Who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Auth {
    /// Digests of the accepted bearer keys; none: everybody who can connect may ask, which needs a
    /// loopback address.
    pub keys: Vec<Digest>,
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

/// Reads the settings again, for a server that is asked to reload.
#[derive(Clone)]
pub struct ConfigReader(Arc<ReadConfig>);

type ReadConfig = dyn Fn() -> Result<ServeConfig, Box<dyn Error + Send + Sync>> + Send + Sync;

impl ConfigReader {
    /// Settings as the function finds them; it may block.
    pub fn from_fn(
        read: impl Fn() -> Result<ServeConfig, Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(read))
    }

    pub(crate) fn read(&self) -> Result<ServeConfig, Box<dyn Error + Send + Sync>> {
        (self.0)()
    }
}

impl fmt::Debug for ConfigReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigReader").finish_non_exhaustive()
    }
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
            log: None,
            auth: Auth::default(),
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
            concurrent_requests: 512,
            connections: 1000,
            request_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            drain_grace: Duration::ZERO,
            drain_timeout: Duration::from_secs(30),
        }
    }
}
