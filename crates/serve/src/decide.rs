//! From a body to a decision: the one place where requests are routed, timed, counted and logged.

use std::sync::Arc;
use std::time::Instant;

use farthing_core::{Decision, RouteBody};

use crate::Clock;
use crate::body;
use crate::error::ApiError;
use crate::ids::{Ids, draw};
use crate::loaded::RouterSlot;
use crate::log::{DecisionLog, Entry};
use crate::metrics::{Made, Metrics};

/// Decides on requests.
#[derive(Debug, Clone)]
pub(crate) struct Decider(pub(crate) Arc<Parts>);

/// What deciding needs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) router: RouterSlot,
    pub(crate) ids: Arc<Ids>,
    pub(crate) clock: Clock,
    pub(crate) log: Option<DecisionLog>,
    pub(crate) metrics: Metrics,
}

impl Decider {
    /// The decision on the request that a JSON body describes, on the thread that asks.
    pub(crate) fn decide(&self, json: &[u8]) -> Result<Decision, ApiError> {
        let decision = self.try_decide(json);
        if let Err(error) = &decision {
            self.0.metrics.refusal(error.code());
        }
        decision
    }

    /// Whether a decision takes milliseconds: the router reads requests with a sentence encoder.
    pub(crate) fn is_slow(&self) -> bool {
        self.0.router.load().router.has_encoder()
    }

    fn try_decide(&self, json: &[u8]) -> Result<Decision, ApiError> {
        let Parts { router, ids, clock, log, metrics } = &*self.0;
        let (request, options) = body::parse::<RouteBody>(json)?.check()?;
        let loaded = router.load_full();
        let id = ids.next();

        let start = Instant::now();
        let decided = loaded.router.route(&request, &options, draw(id));
        let took = start.elapsed();

        let decided =
            decided.map_err(|error| ApiError::from_route(error, loaded.router.candidates()))?;
        let (model, reason) = (decided.choice.ranked[0], decided.choice.reason);
        metrics.decision(&loaded.cells, Made { policy: &decided.policy, model, reason }, took);
        let decision_us = took.as_nanos() as f64 / 1e3;
        if let Some(log) = log {
            log.push(Entry {
                at: clock.now(),
                loaded: Arc::clone(&loaded),
                decided: decided.clone(),
                id,
                decision_us,
                request,
                session: options.session_id,
            });
        }
        Ok(decided.into_decision(&loaded.router, id.to_string(), decision_us, options.explain))
    }
}
