//! What handlers share, in parts by who reads them.

use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread::available_parallelism;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use axum::extract::FromRef;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::MissedTickBehavior;

use crate::aside::Aside;
use crate::batch::BatchRunner;
use crate::decide::{Decider, Parts};
use crate::error::chain;
use crate::gate::{Gate, Rules};
use crate::gateway::{self, Budgets, Gateway};
use crate::ids::Ids;
use crate::loaded::RouterSlot;
use crate::log::{self, DecisionLog, Log, Writers};
use crate::metrics::{Gauges, Metrics, UPKEEP_PERIOD};
use crate::outcomes::Outcomes;
use crate::reload::{self, Reloader, Trigger};
use crate::serving::Serving;
use crate::sessions::Sessions;
use crate::{Clock, LogError, ServeConfig, ServeError, Sources};

/// No poll is more frequent, whatever is configured.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// Requests that may wait for each thread that reads them with a sentence encoder: a fraction of a second.
const SLOW_WAITING: usize = 64;

/// The state of a server; clones share it.
#[derive(Debug, Clone)]
pub struct AppState {
    pub(crate) decider: Decider,
    pub(crate) batches: BatchRunner,
    pub(crate) outcomes: Outcomes,
    pub(crate) gateway: Option<Arc<Gateway>>,
    pub(crate) router: RouterSlot,
    pub(crate) serving: Serving,
    pub(crate) exposition: Exposition,
    pub(crate) gate: Arc<Gate>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) admin: AdminPlace,
}

/// Where the endpoints for operators are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminPlace {
    /// Beside the others.
    Beside,
    /// At an address of their own.
    Apart,
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
    decider: Decider, batches: BatchRunner, outcomes: Outcomes, gateway: Option<Arc<Gateway>>, router: RouterSlot, serving: Serving,
    exposition: Exposition, gate: Arc<Gate>
}

/// What `GET /metrics` reads.
#[derive(Debug, Clone)]
pub(crate) struct Exposition {
    pub(crate) metrics: Metrics,
    log: Option<DecisionLog>,
    router: RouterSlot,
    gate: Arc<Gate>,
    gateway: Option<Arc<Gateway>>,
}

impl Exposition {
    pub(crate) fn render(&self) -> String {
        let upstreams = self.gateway.as_ref().map_or_else(String::new, |gateway| gateway.render());
        let loaded = self.router.current();
        let own = self.metrics.render(&Gauges {
            queued_rows: self.log.as_ref().map_or(0, DecisionLog::queued_rows),
            in_flight: self.gate.in_flight(),
            router: loaded.as_ref().map(|loaded| loaded.router.digest().to_string()),
        });
        let rules = loaded.map_or_else(String::new, |loaded| loaded.rule_cells.render());
        own + &rules + &upstreams
    }
}

/// The tasks behind a state: the log writer, the upkeep of metrics, and looking for another router.
#[derive(Debug)]
pub struct Background {
    writers: Option<Writers>,
    budgets: Option<Budgets>,
    tasks: JoinSet<()>,
}

impl AppState {
    /// Starts with settings that do not change; see [`Self::start_with`].
    pub fn start(config: &ServeConfig, clock: Clock) -> Result<(Self, Background), ServeError> {
        Self::start_with(config, None, clock)
    }

    /// Loads the router, opens the log and starts the tasks behind it; `sources` say the settings
    /// when they are to be read again. Call it in a tokio runtime, and [`Background::finish`] when
    /// done.
    pub fn start_with(
        config: &ServeConfig,
        sources: Option<Sources>,
        clock: Clock,
    ) -> Result<(Self, Background), ServeError> {
        let metrics = Metrics::new().map_err(ServeError::Metrics)?;
        let gate = Gate::new(Rules::of(config), metrics.clone());
        let router = RouterSlot::default();
        let reloader = Reloader::new(reload::Parts {
            slot: router.clone(),
            gate: Arc::clone(&gate),
            sources,
            clock: clock.clone(),
            metrics: metrics.clone(),
            state: Mutex::new(reload::State::new(config)),
            last: ArcSwap::default(),
            settings: ArcSwapOption::default(),
        });
        reloader.start()?;
        let ids = Arc::new(Ids::new(config.seed, clock.clone()).map_err(ServeError::Entropy)?);
        let (log, outcomes, writers) = match start_log(config, &ids, &clock, &metrics)? {
            Some(Log { decisions, outcomes, writers }) => {
                (Some(decisions), Some(outcomes), Some(writers))
            }
            None => (None, None, None),
        };
        let threads = available_parallelism().map_or(1, NonZero::get);
        let decider = Decider(Arc::new(Parts {
            router: router.clone(),
            ids: Arc::clone(&ids),
            clock: clock.clone(),
            log: log.clone(),
            metrics: metrics.clone(),
            sessions: Sessions::new(config.sessions.clone()),
            aside: Aside::new(threads, SLOW_WAITING.saturating_mul(threads)),
        }));
        let mut tasks = JoinSet::new();
        let mut budgets = None;
        let log_dir = config.log.as_ref().map(|log| log.dir.as_path());
        let gateway = config.gateway.as_ref().map(|config| {
            let file = log_dir.map(|dir| dir.join("budgets.json"));
            let kept = Budgets::new(&config.budgets, file, clock.clone())?;
            budgets = Some(kept.clone()).filter(Budgets::are_kept);
            let parts = gateway::Parts {
                budgets: kept,
                router: router.clone(),
                decider: decider.clone(),
                ids: Arc::clone(&ids),
                log: outcomes.clone(),
                clock: clock.clone(),
            };
            Gateway::new(config, parts).map(Arc::new)
        });
        let gateway = gateway.transpose()?;
        if let Some(budgets) = &budgets {
            tasks.spawn(save(budgets.clone()));
        }
        tasks.spawn(keep_up(metrics.clone()));
        if let Some(period) = config.router.poll {
            tasks.spawn(look(reloader.clone(), period));
        }
        let state = Self {
            batches: BatchRunner::new(decider.clone(), &config.limits),
            outcomes: Outcomes { log: outcomes, metrics: metrics.clone() },
            decider,
            serving: Serving { slot: router.clone(), reloader, gate: Arc::clone(&gate), clock },
            exposition: Exposition {
                metrics,
                log,
                router: router.clone(),
                gate: Arc::clone(&gate),
                gateway: gateway.clone(),
            },
            gateway,
            router,
            gate,
            ids,
            admin: config.admin_listen.map_or(AdminPlace::Beside, |_| AdminPlace::Apart),
        };
        Ok((state, Background { writers, budgets, tasks }))
    }
}

impl Background {
    /// Ends the tasks: returns once every decision made so far, and every outcome reported, is in the
    /// log and its segments are sealed.
    pub async fn finish(mut self) -> Result<(), LogError> {
        self.tasks.shutdown().await;
        if let Some(budgets) = self.budgets {
            save_once(budgets).await;
        }
        let Some(writers) = self.writers else { return Ok(()) };
        spawn_blocking(move || writers.finish()).await.unwrap_or(Err(LogError::Writer))
    }
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

/// Writes down what is spent, again and again.
async fn save(budgets: Budgets) {
    let mut period = tokio::time::interval(Duration::from_secs(1));
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        save_once(budgets.clone()).await;
    }
}

async fn save_once(budgets: Budgets) {
    let saved = spawn_blocking(move || budgets.save()).await;
    if let Ok(Err(error)) = saved {
        tracing::error!("{}", chain(&error));
    }
}

async fn keep_up(metrics: Metrics) {
    let mut period = tokio::time::interval(UPKEEP_PERIOD);
    loop {
        period.tick().await;
        metrics.upkeep();
    }
}

/// Looks for another router and other settings, again and again.
async fn look(reloader: Reloader, period: Duration) {
    let mut period = tokio::time::interval(period.max(SHORTEST_POLL));
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        period.tick().await;
        let reloader = reloader.clone();
        // What it found is reported where it was found.
        let _found = spawn_blocking(move || reloader.reload(Trigger::Poll)).await;
    }
}
