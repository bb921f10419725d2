//! From a body to a decision: the one place where requests are routed, timed, counted and logged.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use farthing_core::{Exclusion, RouteBody};
use farthing_model::{Circumstances, RouteError, Scorer};

use crate::Clock;
use crate::aside::Aside;
use crate::body;
use crate::clock::unix_ms;
use crate::error::ApiError;
use crate::headers::DecisionHeaders;
use crate::ids::{Ids, draw};
use crate::loaded::RouterSlot;
use crate::log::{DecisionLog, Entry};
use crate::metrics::{Made, Metrics, Shed};

thread_local! {
    /// A decision never waits, so a thread makes one at a time.
    static SCORER: RefCell<Scorer> = RefCell::default();
}

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
    /// Where decisions of a slow router are made.
    pub(crate) aside: Aside,
}

impl Decider {
    /// The decision on the request that a JSON body describes, as JSON at the end of `answer`; on the
    /// thread that asks.
    pub(crate) fn decide(
        &self,
        json: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<DecisionHeaders, ApiError> {
        let before = answer.len();
        let decision = self.try_decide(json, answer);
        if let Err(error) = &decision {
            answer.truncate(before);
            self.0.metrics.refusal(error.code());
        }
        decision
    }

    /// The same in memory of its own.
    pub(crate) fn decide_one(&self, json: &[u8]) -> Result<(DecisionHeaders, Bytes), ApiError> {
        let mut answer = Vec::new();
        let headers = self.decide(json, &mut answer)?;
        Ok((headers, answer.into()))
    }

    /// The same on a thread that may take its time.
    pub(crate) async fn decide_aside(
        &self,
        json: Bytes,
    ) -> Result<(DecisionHeaders, Bytes), ApiError> {
        let decider = self.clone();
        let done = self.0.aside.run(move || decider.decide_one(&json)).await;
        done.inspect_err(|_| self.0.metrics.shed(Shed::Requests))?
    }

    /// Whether a decision takes milliseconds: the router reads requests with a sentence encoder.
    pub(crate) fn is_slow(&self) -> bool {
        self.0.router.has_encoder()
    }

    fn try_decide(&self, json: &[u8], answer: &mut Vec<u8>) -> Result<DecisionHeaders, ApiError> {
        let Parts { router, ids, clock, log, metrics, aside: _ } = &*self.0;
        let (request, options) = body::parse::<RouteBody>(json)?.check()?;
        let loaded = router.get()?;
        let id = ids.next();

        let start = Instant::now();
        let out = loaded.health.out(|| unix_ms(clock.now()));
        let circumstances = Circumstances { draw: draw(id), unhealthy: &out };
        let decided = SCORER.with_borrow_mut(|kept| {
            // Taken out, so that a panic leaves a new one behind and not one that is half through.
            let mut scorer = std::mem::take(kept);
            let decided = match loaded.router.route(&mut scorer, &request, &options, circumstances)
            {
                // Better one that may not answer than none at all.
                Err(RouteError::NoneEligible(none))
                    if none.excluded.contains(&Some(Exclusion::Unhealthy)) =>
                {
                    let all_well = Circumstances { unhealthy: &[], ..circumstances };
                    let decided = loaded.router.route(&mut scorer, &request, &options, all_well);
                    decided.inspect(|_| metrics.health_ignored())
                }
                decided => decided,
            };
            *kept = scorer;
            decided
        });
        let took = start.elapsed();

        let decided = decided
            .map_err(|error| ApiError::from_route(error, &options, loaded.router.candidates()))?;
        let (model, reason) = (decided.choice.ranked[0], decided.choice.reason);
        metrics.decision(&loaded.cells, Made { policy: &decided.policy, model, reason }, took);
        let decision_us = took.as_nanos() as f64 / 1e3;
        let mut text = uuid::Uuid::encode_buffer();
        let written = id.hyphenated().encode_lower(&mut text);
        let decision = decided.decision(&loaded.router, &*written, decision_us, options.explain);
        answer.reserve(loaded.usual_answer_bytes);
        serde_json::to_writer(answer, &decision).map_err(ApiError::internal)?;
        let policy = Arc::clone(&decided.policy);
        let headers =
            DecisionHeaders { id, model: loaded.model_header(model), policy, reason, decision_us };
        if let Some(log) = log {
            log.push(Entry {
                at: clock.now(),
                loaded,
                decided,
                id,
                decision_us,
                request,
                session: options.session_id,
            });
        }
        Ok(headers)
    }
}
