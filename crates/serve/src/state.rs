//! What handlers share, in parts by who reads them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::FromRef;
use farthing_model::Router;
use tokio::task::JoinSet;

use crate::batch::BatchRunner;
use crate::body::BodyLimit;
use crate::decide::{Decider, Parts};
use crate::ids::{Ids, RequestIds};
use crate::loaded::{Loaded, RouterSlot};
use crate::log::{DecisionLog, WriterTask};
use crate::metrics::{Metrics, UPKEEP_PERIOD};
use crate::source;
use crate::{Clock, LogError, ServeConfig, ServeError};

/// The state of a server; clones share it.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) decider: Decider,
    pub(crate) batches: BatchRunner,
    pub(crate) router: RouterSlot,
    pub(crate) exposition: Exposition,
    pub(crate) body_limit: BodyLimit,
    pub(crate) request_ids: RequestIds,
}

macro_rules! handed_out {
    ($($field:ident: $part:ty),*) => {$(
        impl FromRef<AppState> for $part {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        }
    )*};
}

handed_out! {
    decider: Decider, batches: BatchRunner, router: RouterSlot, exposition: Exposition,
    body_limit: BodyLimit
}

/// What `GET /metrics` reads.
#[derive(Debug, Clone)]
pub(crate) struct Exposition {
    pub(crate) metrics: Metrics,
    log: Option<DecisionLog>,
}

impl Exposition {
    pub(crate) fn render(&self) -> String {
        self.metrics.render(self.log.as_ref().map_or(0, DecisionLog::queued_rows))
    }
}

/// The tasks behind a state: the log writer and the upkeep of metrics.
#[derive(Debug)]
pub struct Background {
    writer: Option<WriterTask>,
    upkeep: JoinSet<()>,
}

impl AppState {
    /// Loads the router, opens the log and starts the tasks behind it. Call it in a tokio runtime, and
    /// [`Background::finish`] when done.
    pub fn start(config: &ServeConfig, clock: Clock) -> Result<(Self, Background), ServeError> {
        let metrics = Metrics::new().map_err(ServeError::Metrics)?;
        let router =
            Loaded::new(load_router(config)?, clock.now()).map_err(ServeError::Manifest)?;
        metrics.router(&router.router.digest().to_string());
        let router: RouterSlot = Arc::new(ArcSwap::from_pointee(router));
        let ids = Arc::new(Ids::new(config.seed, clock.clone()).map_err(ServeError::Entropy)?);
        let (log, writer) = start_log(config, &clock, &metrics)?.unzip();
        let decider = Decider(Arc::new(Parts {
            router: Arc::clone(&router),
            ids: Arc::clone(&ids),
            clock,
            log: log.clone(),
            metrics: metrics.clone(),
        }));
        let state = Self {
            batches: BatchRunner::new(decider.clone(), &config.limits),
            decider,
            router,
            exposition: Exposition { metrics: metrics.clone(), log },
            body_limit: BodyLimit(config.limits.body_bytes),
            request_ids: RequestIds(ids),
        };
        Ok((state, Background { writer, upkeep: start_upkeep(metrics) }))
    }
}

impl Background {
    /// Ends the tasks: returns once every decision made so far is in the log and synced.
    pub async fn finish(mut self) -> Result<(), LogError> {
        self.upkeep.shutdown().await;
        match self.writer {
            Some(writer) => writer.finish().await,
            None => Ok(()),
        }
    }
}

/// The router that a server with these settings starts with.
pub fn load_router(config: &ServeConfig) -> Result<Router, ServeError> {
    let mut router =
        Router::load(&source::resolve(&config.router.path).map_err(ServeError::Source)?)
            .map_err(ServeError::Router)?;
    if let Some(prices) = &config.prices {
        router = router.with_prices(prices);
    }
    router.with_candidate_settings(&config.candidates).map_err(ServeError::Candidates)
}

fn start_log(
    config: &ServeConfig,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<Option<(DecisionLog, WriterTask)>, ServeError> {
    let Some(config) = &config.log else { return Ok(None) };
    let log = DecisionLog::start(config, clock.clone(), metrics.clone());
    log.map(Some).map_err(ServeError::Log)
}

fn start_upkeep(metrics: Metrics) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut period = tokio::time::interval(UPKEEP_PERIOD);
        loop {
            period.tick().await;
            metrics.upkeep();
        }
    });
    tasks
}
