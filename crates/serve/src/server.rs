//! Binding, serving, and stopping without losing anything.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use farthing_model::{RouterError, UnknownCandidates};
use metrics_exporter_prometheus::BuildError;
use rand_chacha::rand_core::OsError;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{AppState, Background, Clock, LogError, ServeConfig, SourceError, app};

/// Why a server cannot start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configured path does not lead to a router.
    #[error("cannot find the router")]
    Source(#[source] SourceError),
    /// The router cannot be loaded.
    #[error("cannot load the router")]
    Router(#[source] RouterError),
    /// The settings are about candidates of another router.
    #[error("the settings do not fit the router")]
    Candidates(#[source] UnknownCandidates),
    /// The manifest cannot be written as JSON.
    #[error("cannot encode the manifest of the router")]
    Manifest(#[source] serde_json::Error),
    /// The decision log cannot be written.
    #[error("cannot keep the decision log")]
    Log(#[source] LogError),
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
    /// Accepting connections failed.
    #[error("cannot accept connections")]
    Accept(#[source] io::Error),
}

/// A server that is bound, and not yet running.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    state: AppState,
    background: Background,
    drain_timeout: Duration,
}

/// Binds and runs until `shutdown` is ready; see [`Server::run`].
pub async fn serve(
    config: ServeConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
    clock: Clock,
) -> Result<(), ServeError> {
    Server::bind(&config, clock).await?.run(shutdown).await
}

impl Server {
    /// Loads the router, opens the log and binds the address.
    pub async fn bind(config: &ServeConfig, clock: Clock) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let (state, background) = AppState::start(config, clock)?;
        Ok(Self {
            listener,
            address,
            state,
            background,
            drain_timeout: config.limits.drain_timeout,
        })
    }

    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is ready, then accepts no more, lets requests in flight finish and
    /// writes the log out.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self { listener, address, state, background, drain_timeout } = self;
        let digest = state.router.load().router.digest().to_string();
        tracing::info!(router = digest, "listening on http://{address}");
        // Answers are small and complete; waiting for more to send only delays them.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!("cannot set TCP_NODELAY: {error}");
            }
        });
        let (stopping, stopped) = oneshot::channel();
        let server = axum::serve(listener, app(state)).with_graceful_shutdown(async move {
            shutdown.await;
            tracing::info!("stopping: requests in flight finish first");
            // Nobody listens only where the server has ended already.
            let _ended = stopping.send(());
        });
        let drained = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(drain_timeout).await;
        };
        let served = tokio::select! {
            served = server => served.map_err(ServeError::Accept),
            () = drained => {
                tracing::warn!("some requests did not finish in {drain_timeout:?} and were cut off");
                Ok(())
            }
        };
        let logged = background.finish().await.map_err(ServeError::Log);
        tracing::info!("stopped");
        served.and(logged)
    }
}
