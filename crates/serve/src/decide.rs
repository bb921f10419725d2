//! From a body to a decision: the one place where requests are routed, timed, counted and logged.

use std::sync::Arc;
use std::time::Instant;

use farthing_core::{Decision, Digest, Exclusion, RouteBody};
use farthing_model::{Circumstances, RouteError};

use crate::Clock;
use crate::body;
use crate::clock::unix_ms;
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
        self.0.router.current().is_some_and(|loaded| loaded.router.has_encoder())
    }

    fn try_decide(&self, json: &[u8]) -> Result<Decision, ApiError> {
        let Parts { router, ids, clock, log, metrics } = &*self.0;
        let (request, options) = body::parse::<RouteBody>(json)?.check()?;
        let loaded = router.get()?;
        let id = ids.next();

        let out = loaded.health.out(|| unix_ms(clock.now()));

        let start = Instant::now();
        let circumstances = Circumstances { draw: draw(id), unhealthy: &out };
        let decided = match loaded.router.route(&request, &options, circumstances) {
            // Better one that may not answer than none at all.
            Err(RouteError::NoneEligible(none))
                if none.excluded.contains(&Some(Exclusion::Unhealthy)) =>
            {
                let all_well = Circumstances { unhealthy: &[], ..circumstances };
                let decided = loaded.router.route(&request, &options, all_well);
                decided.inspect(|_| metrics.health_ignored())
            }
            decided => decided,
        };
        let took = start.elapsed();

        let decided = decided
            .map_err(|error| ApiError::from_route(error, &options, loaded.router.candidates()))?;
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
                request_digest: Digest::of(request.full_text().as_bytes()),
            });
        }
        Ok(decided.into_decision(&loaded.router, id.to_string(), decision_us, options.explain))
    }
}
