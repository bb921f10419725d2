//! Exchanging the router and the settings of a running server.
//!
//! Look, load, validate, swap: requests meet the old router or the new one and never wait. What
//! cannot be loaded changes nothing and is reported by the log, a metric and `GET /v1/router`. Router
//! and settings are looked at one after the other and independently: a revoked key takes effect even
//! where the new router is broken. Everything here blocks on files and belongs on the blocking pool;
//! one look runs at a time.

mod fixed;
#[cfg(test)]
mod tests;
mod told;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::SystemTime;

use arc_swap::{ArcSwap, ArcSwapOption};
use farthing_core::Digest;
use farthing_model::Router;

use crate::auth::check_protected;
use crate::clock::rfc3339;
use crate::error::chain;
use crate::gate::{Gate, Rules};
use crate::loaded::{LoadError, Loaded, RouterSlot};
use crate::metrics::Metrics;
use crate::source::{self, Stamp};
use crate::{Clock, Resolved, ServeConfig, Sources};
use fixed::needs_restart;
pub(crate) use told::{Last, LastReload, Outcome, Part, ReloadError, Reloaded, SettingsReport};

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
    /// The settings in force, for those who ask.
    pub(crate) settings: ArcSwapOption<SettingsReport>,
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
    /// A router that could not be loaded, and why: looking by the clock does not load it again while its
    /// files are the same.
    refused: Option<(Stamp, Arc<LoadError>)>,
    /// Other settings that the clock has seen once.
    seen: Option<ServeConfig>,
}

impl State {
    pub(crate) fn new(config: &ServeConfig) -> Self {
        let (started, config) = (config.clone(), config.clone());
        Self { started, config, previous: None, held: None, refused: None, seen: None }
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

impl Reloader {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Loads the first router. A server that looks for routers by itself may start without one.
    pub(crate) fn start(&self) -> Result<(), LoadError> {
        let Ok(mut state) = self.lock() else { return Ok(()) };
        let at = self.0.clock.now();
        let read = self.0.sources.as_ref().and_then(|sources| sources.resolve().ok());
        let digest = read.filter(|read| read.config == state.config).and_then(|read| read.digest);
        self.0.show_settings(digest, rfc3339(at));
        let Err(error) = self.0.load(&mut state, at) else { return Ok(()) };
        if state.config.router.poll.is_none() {
            return Err(error);
        }
        let failed = Err(ReloadError::Router(Arc::new(error)));
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
        let config = self.0.look_at_config(&mut state, trigger, at);
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
        let done = previous.with_settings(&state.config, at);
        let done = done.map_err(|error| ReloadError::Router(Arc::new(error))).map(|previous| {
            state.held = self.0.slot.current().map(|loaded| loaded.router.digest().clone());
            self.0.exchange(&mut state, previous);
            Outcome::Ok
        });
        self.0.report(&state, Trigger::Asked, at, [(Part::Router, &done)]);
        done.map(|_| ())
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> Option<Arc<SettingsReport>> {
        self.0.settings.load_full()
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
    fn look_at_config(
        &self,
        state: &mut State,
        trigger: Trigger,
        at: SystemTime,
    ) -> Result<Outcome, ReloadError> {
        let Some(sources) = &self.sources else { return Ok(Outcome::Unchanged) };
        let seen = state.seen.take();
        let Resolved { config, digest, .. } = sources.resolve()?;
        if config == state.config {
            // The file may say the same in other words.
            if let Some(shown) = &*self.settings.load() {
                self.show_settings(digest, shown.applied_at.clone());
            }
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
        // Another router may be meant, or other facts about its candidates.
        state.refused = None;
        self.show_settings(digest, rfc3339(at));
        Ok(Outcome::Ok)
    }

    fn show_settings(&self, digest: Option<Digest>, applied_at: String) {
        let digest = digest.map(|digest| digest.to_string());
        self.settings.store(Some(Arc::new(SettingsReport { digest, applied_at })));
    }

    fn look_at_router(
        &self,
        state: &mut State,
        trigger: Trigger,
        at: SystemTime,
    ) -> Result<Outcome, Arc<LoadError>> {
        let dir = source::resolve(&state.config.router.path).map_err(LoadError::from)?;
        let stamp = source::stamp(&dir);
        match &state.refused {
            Some((refused, error)) if trigger == Trigger::Poll && *refused == stamp => {
                return Err(Arc::clone(error));
            }
            _ => state.refused = None,
        }
        self.take_router(state, trigger, &dir, at).map_err(|error| {
            let error = Arc::new(error);
            state.refused = Some((stamp, Arc::clone(&error)));
            error
        })
    }

    /// Takes the router of a directory into service, unless it is there or was rolled back.
    fn take_router(
        &self,
        state: &mut State,
        trigger: Trigger,
        dir: &Path,
        at: SystemTime,
    ) -> Result<Outcome, LoadError> {
        let stored = Router::stored_digest(dir)?;
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
        let in_service = self.slot.current();
        let known: Vec<_> =
            in_service.iter().chain(&state.previous).map(|one| &one.cells).collect();
        self.metrics.keep_decisions_of(&known);
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
