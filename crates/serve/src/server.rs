//! Binding, serving, and stopping without losing anything.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use metrics_exporter_prometheus::BuildError;
use rand_chacha::rand_core::OsError;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinSet, spawn_blocking};

use crate::accept::Accept;
use crate::api::admin_app;
use crate::auth::{Unprotected, check_protected};
use crate::config::Limits;
use crate::gate::KeyRule;
use crate::loaded::LoadError;
use crate::reload::Reloader;
use crate::{AppState, Background, Clock, GatewayError, LogError, ServeConfig, Sources, app};

/// Why a server cannot start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The router cannot be loaded.
    #[error("cannot load the router")]
    Router(#[from] LoadError),
    /// Strangers could ask.
    #[error(transparent)]
    Unprotected(#[from] Unprotected),
    /// The decision log cannot be written.
    #[error("cannot keep the decision log")]
    Log(#[source] LogError),
    /// Nothing can be forwarded.
    #[error("cannot set up the gateway")]
    Gateway(#[from] GatewayError),
    /// The metrics cannot be set up.
    #[error("cannot set up the metrics")]
    Metrics(#[source] BuildError),
    /// The operating system gives no random numbers.
    #[error("cannot seed the decision ids")]
    Entropy(#[source] OsError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}; hint: is another server running there? choose another address with `--listen`"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The operating system passes no signals on.
    #[error("cannot listen for SIGHUP")]
    Signals(#[source] io::Error),
}

/// A server that is bound, and not yet running.
#[derive(Debug)]
pub struct Server {
    main: Listener,
    admin: Option<Listener>,
    limits: Limits,
    state: AppState,
    background: Background,
}

/// Binds and runs until `shutdown` is ready; see [`Server::run`].
pub async fn serve(
    config: ServeConfig,
    sources: Option<Sources>,
    shutdown: impl Future<Output = ()>,
    clock: Clock,
) -> Result<(), ServeError> {
    Server::bind_with(&config, sources, clock).await?.run(shutdown).await
}

impl Server {
    /// Binds with settings that do not change; see [`Self::bind_with`].
    pub async fn bind(config: &ServeConfig, clock: Clock) -> Result<Self, ServeError> {
        Self::bind_with(config, None, clock).await
    }

    /// Binds the addresses, loads the router and opens the log; `sources` say the settings when they
    /// are to be read again.
    pub async fn bind_with(
        config: &ServeConfig,
        sources: Option<Sources>,
        clock: Clock,
    ) -> Result<Self, ServeError> {
        check_protected(config, &config.auth)?;
        let main = Listener::bind(config.listen).await?;
        let admin = match config.admin_listen {
            Some(address) => Some(Listener::bind(address).await?),
            None => None,
        };
        let (state, background) = AppState::start_with(config, sources, clock)?;
        Ok(Self { main, admin, limits: config.limits.clone(), state, background })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.main.address
    }

    /// The address for administration that was bound.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// Answers until `shutdown` is ready. Then `/readyz` fails, and after the grace time no more
    /// connections are accepted, requests in flight finish and the log is written out. SIGHUP asks
    /// for a reload.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self { main, admin, limits, state, background } = self;
        let router = state.router.current().map(|loaded| loaded.router.digest().to_string());
        tracing::info!(router, "listening on http://{}", main.address);
        let mut tasks = JoinSet::new();
        let hangups = signal(SignalKind::hangup()).map_err(ServeError::Signals)?;
        tasks.spawn(reload_at(hangups, state.serving.reloader.clone()));
        if let Some(admin) = admin {
            tracing::info!("administration on http://{}", admin.address);
            let loopback = admin.address.ip().is_loopback();
            let keys = if loopback { KeyRule::NotNeeded } else { KeyRule::Needed };
            let accept =
                Accept::new(admin_app(&state, keys), &limits, state.exposition.metrics.clone());
            tasks.spawn(accept.run(admin.listener, std::future::pending()));
        }
        let stop = async {
            shutdown.await;
            tracing::info!("stopping: requests in flight finish first");
            state.gate.drain();
            tokio::time::sleep(limits.drain_grace).await;
        };
        let accept = Accept::new(app(&state), &limits, state.exposition.metrics.clone());
        accept.run(main.listener, stop).await;
        tasks.shutdown().await;
        let logged = background.finish().await.map_err(ServeError::Log);
        tracing::info!("stopped");
        logged
    }
}

#[derive(Debug)]
struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    async fn bind(address: SocketAddr) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, address })
    }
}

/// Looks for another router and other settings whenever the signal comes.
async fn reload_at(mut hangups: Signal, reloader: Reloader) {
    while hangups.recv().await.is_some() {
        let reloader = reloader.clone();
        // What it found is reported where it was found.
        let _found = spawn_blocking(move || reloader.reload_in_turn()).await;
    }
}
