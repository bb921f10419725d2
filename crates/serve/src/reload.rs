//! Exchanging the router and the settings of a running server.
//!
//! Look, load, validate, swap: requests meet the old router or the new one and never wait. What
//! cannot be loaded changes nothing and is reported by the log, a metric and `GET /v1/router`. Router
//! and settings are looked at one after the other and independently: a revoked key takes effect even
//! where the new router is broken. Everything here blocks on files and belongs on the blocking pool;
//! one look runs at a time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use farthing_core::Digest;
use farthing_model::Router;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Unprotected, check_protected};
use crate::clock::rfc3339;
use crate::config::Limits;
use crate::error::chain;
use crate::gate::{Gate, Rules};
use crate::loaded::{LoadError, Loaded, RouterSlot};
use crate::metrics::Metrics;
use crate::source;
use crate::{Clock, ConfigError, ServeConfig, Sources};

/// Exchanges what is in service; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Reloader(Arc<Parts>);

/// What a reloader works on.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) slot: RouterSlot,
    pub(crate) gate: Arc<Gate>,
    pub(crate) sources: Option<Sources>,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) state: Mutex<State>,
    /// The last thing that happened, for those who ask.
    pub(crate) last: ArcSwap<Last>,
}

/// What is remembered from one look to the next.
#[derive(Debug)]
pub(crate) struct State {
    /// As the server was started.
    started: ServeConfig,
    /// As last read.
    config: ServeConfig,
    /// The router before the one in service.
    previous: Option<Arc<Loaded>>,
    /// The router that was rolled back: looking by the clock does not bring it back.
    held: Option<Digest>,
    /// Other settings that the clock has seen once.
    seen: Option<ServeConfig>,
}

impl State {
    pub(crate) fn new(config: &ServeConfig) -> Self {
        let (started, config) = (config.clone(), config.clone());
        Self { started, config, previous: None, held: None, seen: None }
    }
}

/// Who asks for a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The clock, again and again: finding nothing new is not worth a word.
    Poll,
    /// Somebody, now.
    Asked,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Router,
    Config,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Router, Self::Config];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Config => "config",
        }
    }
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Something new is in service.
    Ok,
    /// There was nothing new.
    Unchanged,
    /// The old one stays in service.
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 3] = [Self::Ok, Self::Unchanged, Self::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// Why something was not exchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    #[error("cannot read the settings again")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Unprotected(#[from] Unprotected),
    #[error("cannot load the router")]
    Router(#[source] LoadError),
    #[error(
        "the settings have no keys any more; hint: give `auth.keys`, or restart to let everybody in"
    )]
    NoKeysLeft,
    #[error("another reload is running; hint: ask again in a moment")]
    Busy,
    #[error("no router was in service before this one")]
    NothingBefore,
}

impl ReloadError {
    /// The cause for everybody who may ask: no path, address or name in it.
    fn short(&self) -> &'static str {
        match self {
            Self::Config(_) => "the settings have mistakes",
            Self::Unprotected(_) | Self::NoKeysLeft => "the settings have no keys any more",
            Self::Router(LoadError::Source(_)) => "the path leads to no router",
            Self::Router(LoadError::Router(_)) => "there is no sound router",
            Self::Router(LoadError::Candidates(_)) => {
                "the settings name candidates that the router does not have"
            }
            Self::Router(LoadError::Encode(_)) => "the router cannot be described",
            Self::Busy => "another reload was running",
            Self::NothingBefore => "no router was in service before this one",
        }
    }
}

/// The last look that found something, or was asked for, or the last rollback.
#[derive(Debug, Clone, Default)]
pub(crate) struct Last {
    /// Digest of the router before the one in service.
    pub(crate) previous: Option<Digest>,
    pub(crate) reload: Option<LastReload>,
    /// Why it failed, with causes, paths included.
    cause: Option<String>,
}

/// When it was, and what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LastReload {
    /// When, in UTC.
    pub(crate) at: String,
    /// What came of it.
    pub(crate) result: Outcome,
    /// Why it failed, in short; the server's log has the causes.
    #[schema(required)]
    pub(crate) error: Option<String>,
}

/// What came of a look at everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reloaded {
    pub(crate) router: Outcome,
    pub(crate) config: Outcome,
}

impl Reloader {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Loads the first router. A server that looks for routers by itself may start without one.
    pub(crate) fn start(&self) -> Result<(), LoadError> {
        let Ok(mut state) = self.lock() else { return Ok(()) };
        let at = self.0.clock.now();
        let Err(error) = self.0.load(&mut state, at) else { return Ok(()) };
        if state.config.router.poll.is_none() {
            return Err(error);
        }
        let failed = Err(ReloadError::Router(error));
        self.0.report(&state, Trigger::Asked, at, [(Part::Router, &failed)]);
        Ok(())
    }

    /// Looks at the settings and at the router, and takes into service what is new.
    pub(crate) fn reload(&self, trigger: Trigger) -> Result<Reloaded, ReloadError> {
        let state = self.lock()?;
        self.look(state, trigger)
    }

    /// The same, asked for by somebody who gets no answer and so cannot ask again: waits for a look
    /// that is running.
    pub(crate) fn reload_in_turn(&self) -> Result<Reloaded, ReloadError> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(state, Trigger::Asked)
    }

    fn look(
        &self,
        mut state: MutexGuard<'_, State>,
        trigger: Trigger,
    ) -> Result<Reloaded, ReloadError> {
        let at = self.0.clock.now();
        let config = self.0.look_at_config(&mut state, trigger);
        let router = self.0.look_at_router(&mut state, trigger, at).map_err(ReloadError::Router);
        self.0.report(&state, trigger, at, [(Part::Router, &router), (Part::Config, &config)]);
        Ok(Reloaded { router: router?, config: config? })
    }

    /// Puts the previous router back into service, with the settings of now, and keeps the clock from
    /// undoing that until the path leads to yet another one.
    pub(crate) fn rollback(&self) -> Result<(), ReloadError> {
        let mut state = self.lock()?;
        let at = self.0.clock.now();
        let previous = state.previous.clone().ok_or(ReloadError::NothingBefore)?;
        let done = previous.with_settings(&state.config, at).map_err(ReloadError::Router);
        let done = done.map(|previous| {
            state.held = self.0.slot.current().map(|loaded| loaded.router.digest().clone());
            self.0.exchange(&mut state, previous);
            Outcome::Ok
        });
        self.0.report(&state, Trigger::Asked, at, [(Part::Router, &done)]);
        done.map(|_| ())
    }

    /// What was last done.
    pub(crate) fn last(&self) -> Arc<Last> {
        self.0.last.load_full()
    }

    fn lock(&self) -> Result<MutexGuard<'_, State>, ReloadError> {
        match self.0.state.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(state)) => Ok(state.into_inner()),
            Err(TryLockError::WouldBlock) => Err(ReloadError::Busy),
        }
    }
}

impl Parts {
    /// The clock may meet files that are being written, so it believes what it saw twice.
    fn look_at_config(&self, state: &mut State, trigger: Trigger) -> Result<Outcome, ReloadError> {
        let Some(sources) = &self.sources else { return Ok(Outcome::Unchanged) };
        let seen = state.seen.take();
        let config = sources.resolve()?.config;
        if config == state.config {
            return Ok(Outcome::Unchanged);
        }
        if trigger == Trigger::Poll && seen.as_ref() != Some(&config) {
            state.seen = Some(config);
            return Ok(Outcome::Unchanged);
        }
        if config.auth.keys.is_empty() && !state.config.auth.keys.is_empty() {
            return Err(ReloadError::NoKeysLeft);
        }
        check_protected(&state.started, &config.auth)?;
        let fixed = needs_restart(&state.started, &config);
        if !fixed.is_empty() {
            tracing::warn!("changed settings that only a restart applies: {}", fixed.join(", "));
        }
        self.gate.set_rules(Rules::of(&config));
        state.config = config;
        Ok(Outcome::Ok)
    }

    fn look_at_router(
        &self,
        state: &mut State,
        trigger: Trigger,
        at: SystemTime,
    ) -> Result<Outcome, LoadError> {
        let dir = source::resolve(&state.config.router.path)?;
        let stored = Router::stored_digest(&dir)?;
        let is_held = trigger == Trigger::Poll && state.held.as_ref() == Some(&stored);
        if !is_held {
            state.held = None;
        }
        match self.slot.current() {
            Some(current) if is_held || *current.router.digest() == stored => {
                if current.is_made_with(&state.config) {
                    return Ok(Outcome::Unchanged);
                }
                let next = current.with_settings(&state.config, at)?;
                self.exchange(state, next);
            }
            _ => self.load(state, at)?,
        }
        Ok(Outcome::Ok)
    }

    fn load(&self, state: &mut State, at: SystemTime) -> Result<(), LoadError> {
        let loaded = Loaded::load(&state.config, at)?;
        self.exchange(state, loaded);
        Ok(())
    }

    /// A router with other settings is not another router: a rollback still leads behind it.
    fn exchange(&self, state: &mut State, next: Loaded) {
        let digest = next.router.digest().clone();
        let replaced = self.slot.put(Arc::new(next));
        if let Some(replaced) = replaced.filter(|replaced| *replaced.router.digest() != digest) {
            state.previous = Some(replaced);
        }
    }

    /// Tells the log, the metrics and `GET /v1/router` what came of a look.
    fn report<const N: usize>(
        &self,
        state: &State,
        trigger: Trigger,
        at: SystemTime,
        parts: [(Part, &Result<Outcome, ReloadError>); N],
    ) {
        let errors: Vec<_> = parts.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
        let joined = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join("; "));
        let error = joined(errors.iter().map(|error| chain(*error)).collect());
        let short = joined(errors.iter().map(|error| error.short().to_owned()).collect());
        let changed = parts.iter().any(|(_, result)| matches!(result, Ok(Outcome::Ok)));
        let result = match &error {
            Some(_) => Outcome::Failed,
            None if changed => Outcome::Ok,
            None => Outcome::Unchanged,
        };
        for (part, result) in parts {
            let outcome = *result.as_ref().unwrap_or(&Outcome::Failed);
            if trigger == Trigger::Asked || outcome != Outcome::Unchanged {
                self.metrics.reload(part, outcome);
            }
        }
        let last = self.last.load();
        let before = last.cause.as_deref();
        if trigger == Trigger::Poll && result == Outcome::Unchanged && before.is_none() {
            return;
        }
        let router = self.slot.current().map(|loaded| loaded.router.digest().to_string());
        match &error {
            Some(error) if trigger == Trigger::Poll && before == Some(error) => {
                tracing::debug!("still not reloaded: {error}");
            }
            Some(error) if router.is_none() => tracing::error!("no router is loaded: {error}"),
            Some(error) => tracing::error!(router, "not reloaded, the old one stays: {error}"),
            None => tracing::info!(router, "reloaded: {}", result.name()),
        }
        let previous = state.previous.as_ref().map(|loaded| loaded.router.digest().clone());
        let reload = Some(LastReload { at: rfc3339(at), result, error: short });
        self.last.store(Arc::new(Last { previous, reload, cause: error }));
    }
}

/// Names of the settings that differ and that a running server does not exchange.
fn needs_restart(started: &ServeConfig, read: &ServeConfig) -> Vec<&'static str> {
    let ServeConfig {
        listen,
        admin_listen,
        router,
        prices: _,
        candidates: _,
        log,
        auth: _,
        limits,
        trace,
        seed,
    } = started;
    let Limits {
        batch_requests,
        batches,
        connections,
        idle_timeout,
        drain_grace,
        drain_timeout,
        ..
    } = limits;
    let differs = [
        ("listen", *listen != read.listen),
        ("admin.listen", *admin_listen != read.admin_listen),
        ("router.poll_seconds", router.poll != read.router.poll),
        ("log", *log != read.log),
        ("trace", *trace != read.trace),
        ("seed", *seed != read.seed),
        ("limits.batch_requests", *batch_requests != read.limits.batch_requests),
        ("limits.batches", *batches != read.limits.batches),
        ("limits.connections", *connections != read.limits.connections),
        ("limits.idle_timeout_ms", *idle_timeout != read.limits.idle_timeout),
        ("limits.drain_grace_ms", *drain_grace != read.limits.drain_grace),
        ("limits.drain_timeout_ms", *drain_timeout != read.limits.drain_timeout),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
