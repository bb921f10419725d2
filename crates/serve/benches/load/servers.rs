//! The two servers, each as a process of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::serve::ListenerExt as _;
use farthing_serve::{Clock, GatewayConfig, LogConfig, ServeConfig, Server, UpstreamConfig};
use farthing_sim::upstream::Upstream;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::this_program;

/// A server that listens.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Time from its start until it listened with its router loaded.
    pub(crate) ready: Duration,
}

impl Running {
    pub(crate) fn empty(answer_bytes: usize) -> Result<Self> {
        Self::start(on_core(0)?.args(["empty", &answer_bytes.to_string()]))
    }

    pub(crate) fn farthing(router: &Path, log: &Path) -> Result<Self> {
        Self::start(on_core(0)?.arg("farthing").args([router, log]))
    }

    /// An upstream that answers at once, beside the generator.
    pub(crate) fn upstream() -> Result<Self> {
        Self::start(on_core(1)?.arg("upstream"))
    }

    pub(crate) fn proxy(upstream: &Self) -> Result<Self> {
        Self::start(on_core(0)?.args(["proxy", &upstream.address.to_string()]))
    }

    /// A gateway whose candidates are served by an instance that is well and by one for each fault.
    pub(crate) fn gateway(
        router: &Path,
        log: &Path,
        upstream: &Self,
        faults: &[&str],
    ) -> Result<Self> {
        let upstream = format!("http://{}", upstream.address);
        Self::start(on_core(0)?.arg("gateway").args([router, log]).arg(upstream).args(faults))
    }

    fn start(command: &mut Command) -> Result<Self> {
        let start = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut address)?;
        let address = address.trim().parse().context("the server did not start")?;
        Ok(Self { child, address, ready: start.elapsed() })
    }

    /// Memory that the process holds.
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no RSS")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes << 10)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(|_| ()).unwrap_or_default();
    }
}

/// This program again, on one core where that can be had.
pub(crate) fn on_core(core: usize) -> Result<Command> {
    let core = core.to_string();
    let mut pinned = Command::new("taskset");
    pinned.args(["-c", &core]);
    // Tried out: how many cores there are says nothing to a process that is pinned itself.
    let tried = Command::new("taskset").args(["-c", &core, "true"]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        return this_program();
    }
    pinned.arg(std::env::current_exe()?);
    Ok(pinned)
}

/// Serves an empty handler that parses its body and answers so many bytes.
pub(crate) fn empty(answer_bytes: usize) -> Result<()> {
    let answer = axum::body::Bytes::from(vec![b'x'; answer_bytes]);
    let handler = move |Json(_): Json<Value>| {
        let answer = answer.clone();
        async move { ([(CONTENT_TYPE, "application/json")], answer) }
    };
    let app = axum::Router::new().route("/v1/route", post(handler));
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?)?;
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        Ok(axum::serve(listener, app).await?)
    })
}

/// Serves decisions, logging on.
pub(crate) fn farthing(router: &Path, log: &Path) -> Result<()> {
    let mut config = ServeConfig::new(router);
    config.listen = "127.0.0.1:0".parse()?;
    config.log = Some(LogConfig::new(log));
    config.limits.drain_timeout = Duration::ZERO;
    run(async move {
        let server = Server::bind(&config, Clock::system()).await?;
        announce(server.address())?;
        Ok(server.run(std::future::pending()).await?)
    })
}

/// Serves the gateway, logging on; every candidate is served by every instance.
pub(crate) fn gateway(router: &Path, log: &Path, upstream: &str, faults: &[&str]) -> Result<()> {
    let mut config = ServeConfig::new(router);
    config.listen = "127.0.0.1:0".parse()?;
    config.log = Some(LogConfig::new(log));
    config.limits.drain_timeout = Duration::ZERO;
    let mut gateway = GatewayConfig::new();
    for scenario in ["ok"].iter().chain(faults) {
        let instance = UpstreamConfig::new(format!("{upstream}/{scenario}/v1").parse()?);
        gateway.upstreams.insert((*scenario).to_owned(), instance);
    }
    config.gateway = Some(gateway);
    run(async move {
        let server = Server::bind(&config, Clock::system()).await?;
        announce(server.address())?;
        Ok(server.run(std::future::pending()).await?)
    })
}

/// Serves answers at once.
pub(crate) fn upstream() -> Result<()> {
    run(async {
        let upstream = Upstream::start().await?;
        announce(upstream.addr())?;
        std::future::pending().await
    })
}

/// Serves what another server answers, and does nothing else: what forwarding costs anybody who uses
/// the same libraries.
pub(crate) fn proxy(upstream: SocketAddr) -> Result<()> {
    run(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build::<_, Incoming>(connector);
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            while connections.try_join_next().is_some() {}
            let client = client.clone();
            let forward = service_fn(move |mut request: Request<Incoming>| {
                let path = format!("http://{upstream}/ok{}", request.uri().path());
                let client = client.clone();
                async move {
                    *request.uri_mut() = path.parse()?;
                    anyhow::Ok(client.request(request).await?)
                }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), forward);
            // A connection that ends is no matter.
            connections.spawn(async { connection.await.unwrap_or_default() });
        }
    })
}

fn announce(address: SocketAddr) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    Ok(out.flush()?)
}

fn run(server: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(server)
}
