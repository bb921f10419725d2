//! What handlers share, in parts by who reads them.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use axum::extract::FromRef;
use farthing_model::Router;
use tokio::task::{JoinSet, spawn_blocking};

use crate::batch::BatchRunner;
use crate::body::BodyLimit;
use crate::decide::{Decider, Parts};
use crate::ids::{Ids, RequestIds};
use crate::loaded::{Loaded, RouterSlot};
use crate::log::{self, DecisionLog, Log, Writers};
use crate::metrics::{Metrics, UPKEEP_PERIOD};
use crate::outcomes::Outcomes;
use crate::{Clock, LogError, ServeConfig, ServeError};

/// The state of a server; clones share it.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) decider: Decider,
    pub(crate) batches: BatchRunner,
    pub(crate) outcomes: Outcomes,
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
    body_limit: BodyLimit, outcomes: Outcomes
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
    writers: Option<Writers>,
    upkeep: JoinSet<()>,
}

impl AppState {
    /// Loads the router, opens the log and starts the tasks behind it. Call it in a tokio runtime, and
    /// [`Background::finish`] when done.
    pub fn start(config: &ServeConfig, clock: Clock) -> Result<(Self, Background), ServeError> {
        let metrics = Metrics::new().map_err(ServeError::Metrics)?;
        let router = load(config, clock.now())?;
        metrics.router(&router.router.digest().to_string());
        let router: RouterSlot = Arc::new(ArcSwap::from_pointee(router));
        let ids = Arc::new(Ids::new(config.seed, clock.clone()).map_err(ServeError::Entropy)?);
        let (log, outcomes, writers) = match start_log(config, &ids, &clock, &metrics)? {
            Some(Log { decisions, outcomes, writers }) => {
                (Some(decisions), Some(outcomes), Some(writers))
            }
            None => (None, None, None),
        };
        let decider = Decider(Arc::new(Parts {
            router: Arc::clone(&router),
            ids: Arc::clone(&ids),
            clock,
            log: log.clone(),
            metrics: metrics.clone(),
        }));
        let state = Self {
            batches: BatchRunner::new(decider.clone(), &config.limits),
            outcomes: Outcomes { log: outcomes, metrics: metrics.clone() },
            decider,
            router,
            exposition: Exposition { metrics: metrics.clone(), log },
            body_limit: BodyLimit(config.limits.body_bytes),
            request_ids: RequestIds(ids),
        };
        Ok((state, Background { writers, upkeep: start_upkeep(metrics) }))
    }
}

impl Background {
    /// Ends the tasks: returns once every decision made so far, and every outcome reported, is in the
    /// log and its segments are sealed.
    pub async fn finish(mut self) -> Result<(), LogError> {
        self.upkeep.shutdown().await;
        let Some(writers) = self.writers else { return Ok(()) };
        spawn_blocking(move || writers.finish()).await.unwrap_or(Err(LogError::Writer))
    }
}

fn load(config: &ServeConfig, now: SystemTime) -> Result<Loaded, ServeError> {
    let mut router = Router::load(&config.router_dir).map_err(ServeError::Router)?;
    if let Some(prices) = &config.prices {
        router = router.with_prices(prices);
    }
    Loaded::new(router, now).map_err(ServeError::Manifest)
}

fn start_log(
    config: &ServeConfig,
    ids: &Ids,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<Option<Log>, ServeError> {
    let Some(config) = &config.log else { return Ok(None) };
    log::start(config, ids.next(), clock, metrics).map(Some).map_err(ServeError::Log)
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
