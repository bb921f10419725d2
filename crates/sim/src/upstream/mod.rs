//! An upstream that misbehaves on request: an LLM server for tests, load and demonstrations.
//!
//! It speaks the protocols of `OpenAI` and Anthropic over HTTP/1.1 and answers with an echo. The first
//! segment of a path is the [`Scenario`], so that each instance in a gateway's configuration has its own
//! behaviour by its `base_url`, on one port:
//!
//! ```text
//! http://127.0.0.1:PORT/ok/v1
//! http://127.0.0.1:PORT/slow,headers_ms=200,token_ms=5,tokens=40/v1
//! http://127.0.0.1:PORT/cut_stream,events=3,clean=true/v1
//! http://127.0.0.1:PORT/@dying/v1                            what Upstream::set says at the time
//! ```
//!
//! [`Behaviour`] lists the scenarios. Below each are `POST /v1/chat/completions`, `/v1/embeddings`,
//! `/v1/responses` and `/v1/messages`, and `GET /v1/models`. In a test:
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use farthing_sim::upstream::{Behaviour, Upstream};
//!
//! let upstream = Upstream::start().await.unwrap();
//! let base_url = upstream.base_url("rate_limited,retry_after=2");
//! assert!(base_url.ends_with("/rate_limited,retry_after=2/v1"));
//! upstream.set("dying", Behaviour::Ok.into());
//! upstream.set("dying", "error,status=503".parse().unwrap());
//! # });
//! ```
//!
//! `cargo run -p farthing-sim` starts the same server for tests in other languages; `PUT /@name` with a
//! scenario as its body does there what [`Upstream::set`] does here.
//!
//! What it says depends on the request alone: the model and the last text of the user. A token is four
//! bytes of text, rounded up, so that usage can be checked. Nothing here depends on a clock (`created`
//! is a constant) but for the waits that a scenario asks for. What it leaves out: TLS, HTTP/2, other
//! providers' protocols, and any claim to be a model.

mod parameters;
mod scenario;

mod body;
mod received;
mod server;

mod fields;
mod perform;
mod reply;
mod spoil;

mod honest;

mod asked;
mod said;

mod chat;
mod embeddings;
mod messages;
mod responses;

mod events;
mod usage;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;
use tokio::task::JoinSet;

pub use parameters::ScenarioError;
pub use received::Received;
pub use scenario::{Behaviour, Scenario, WrongUsage};

use received::Journal;

/// A running server. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Upstream {
    addr: SocketAddr,
    shared: Arc<Shared>,
    /// The one task that accepts; its own connections end with it.
    _accepting: JoinSet<()>,
}

impl Upstream {
    /// A server on a free port of the loopback interface, on the current tokio runtime.
    pub async fn start() -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// A server at an address, on the current tokio runtime.
    pub async fn listen(addr: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(server::accept(listener, Arc::clone(&shared)));
        Ok(Self { addr, shared, _accepting: accepting })
    }

    /// What a client takes as `base_url` for a scenario, such as `ok` or `@name`.
    pub fn base_url(&self, scenario: &str) -> String {
        format!("http://{}/{scenario}/v1", self.addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How requests to `/@name` are answered from now on. Answers under way go on as they began.
    pub fn set(&self, name: &str, scenario: Scenario) {
        self.shared.set(name, scenario);
    }

    /// The last requests, oldest first: at most 1,024, bodies of at most 1 MiB.
    pub fn received(&self) -> Vec<Received> {
        self.shared.journal.received()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        self.shared.journal.clear();
    }
}

/// What all connections know.
#[derive(Debug, Default)]
struct Shared {
    named: Mutex<BTreeMap<String, Arc<Scenario>>>,
    /// How many requests each flaky scenario has had, by its text.
    flaky: Mutex<BTreeMap<String, u64>>,
    journal: Journal,
}

impl Shared {
    fn set(&self, name: &str, scenario: Scenario) {
        lock(&self.named).insert(name.to_owned(), Arc::new(scenario));
    }
}

/// A guard, whatever happened to whoever had it before: no lock here is held across a panic's half work.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
