//! Who may come in, and how many at once: what every request passes before a handler sees it.
//!
//! All of it is atomics and one read of the rules in force: no lock, no queue. A request that finds
//! no room is turned away at once, because a queue in front of microseconds of work would only make
//! every answer late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use arc_swap::{ArcSwap, Guard};
use axum::http::HeaderMap;

use crate::auth::Keys;
use crate::browser;
use crate::config::Limits;
use crate::endpoint::Endpoint;
use crate::error::ApiError;
use crate::metrics::{Metrics, Shed};
use crate::{ErrorCode, ServeConfig};

/// The way in of one server; its listeners share it.
#[derive(Debug)]
pub(crate) struct Gate {
    rules: ArcSwap<Rules>,
    in_flight: AtomicUsize,
    /// Bytes of bodies that are not there as a whole yet.
    buffered: AtomicUsize,
    draining: AtomicBool,
    metrics: Metrics,
}

/// Bodies of the greatest length that may be on their way at once; all others together may not take
/// more memory than these.
const WHOLE_BODIES: usize = 32;

/// Settings that a reload exchanges.
#[derive(Debug)]
pub(crate) struct Rules {
    keys: Keys,
    pub(crate) limits: Limits,
}

impl Rules {
    pub(crate) fn of(config: &ServeConfig) -> Self {
        Self { keys: Keys::of(&config.auth), limits: config.limits.clone() }
    }
}

impl Gate {
    pub(crate) fn new(rules: Rules, metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            rules: ArcSwap::from_pointee(rules),
            in_flight: AtomicUsize::new(0),
            buffered: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            metrics,
        })
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> Guard<Arc<Rules>> {
        self.rules.load()
    }

    /// Puts other rules in force, for requests to come.
    pub(crate) fn set_rules(&self, rules: Rules) {
        self.rules.store(Arc::new(rules));
    }

    /// Lets a request in, or says why not.
    pub(crate) fn enter(
        self: &Arc<Self>,
        endpoint: Endpoint,
        headers: &HeaderMap,
        keys: KeyRule,
    ) -> Result<Option<Permit>, ApiError> {
        let rules = self.rules();
        let passes = keys == KeyRule::NotNeeded || endpoint.is_open() || rules.keys.admit(headers);
        if !passes {
            let message = "no accepted key; hint: send `authorization: Bearer KEY` or `x-api-key: KEY` with a key \
                           that this server was configured with";
            return Err(ApiError::new(ErrorCode::Unauthorized, message));
        }
        if keys == KeyRule::NotNeeded || rules.keys.is_empty() {
            browser::check_own(headers)?;
        }
        if !endpoint.is_sheddable() {
            return Ok(None);
        }
        let permit = Permit(Arc::clone(self));
        if self.in_flight.fetch_add(1, Relaxed) >= rules.limits.concurrent_requests {
            self.metrics.shed(Shed::Requests);
            let message = "too many requests at once; hint: send it again in a second";
            return Err(ApiError::new(ErrorCode::Overloaded, message));
        }
        Ok(Some(permit))
    }

    /// Whether there is memory for so much more of a body; if so it is taken.
    pub(crate) fn buffer(&self, bytes: usize) -> bool {
        let room = self.rules().limits.body_bytes.saturating_mul(WHOLE_BODIES);
        if self.buffered.fetch_add(bytes, Relaxed).saturating_add(bytes) <= room {
            return true;
        }
        self.unbuffer(bytes);
        self.metrics.shed(Shed::Bodies);
        false
    }

    /// Gives memory of a body back.
    pub(crate) fn unbuffer(&self, bytes: usize) {
        self.buffered.fetch_sub(bytes, Relaxed);
    }

    /// Requests in flight, probes and operations aside.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// From now on the server is about to stop.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Relaxed)
    }
}

/// Whether a listener asks for keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyRule {
    /// Where there are keys, a request needs one.
    Needed,
    /// Whoever can connect may ask.
    NotNeeded,
}

/// Room for one request, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit(Arc<Gate>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
