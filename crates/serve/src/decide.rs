//! From a body to a decision: the one place where requests are routed, timed, counted and logged.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use farthing_core::{Exclusion, Pin, Request, RouteBody, RouteOptions};
use farthing_model::{Circumstances, Decided, RouteError, Scorer};
use uuid::Uuid;

use crate::Clock;
use crate::aside::Aside;
use crate::body;
use crate::clock::unix_ms;
use crate::error::ApiError;
use crate::headers::DecisionHeaders;
use crate::ids::{Ids, draw};
use crate::loaded::{Loaded, RouterSlot};
use crate::log::{DecisionLog, Entry};
use crate::metrics::{Made, Metrics, Shed};
use crate::sessions::{Sessions, Turn};

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
    pub(crate) sessions: Sessions,
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

    /// Writes down that somebody else answered than was chosen.
    pub(crate) fn answered_by(&self, made: &mut DecisionMade, model: &str) {
        if let Some(turn) = made.turn.as_ref().filter(|_| !made.is_pinned_to(model)) {
            made.pin = Some(self.0.sessions.pin(turn, model));
        }
    }

    /// Whether a decision takes milliseconds: the router reads requests with a sentence encoder.
    pub(crate) fn is_slow(&self) -> bool {
        self.0.router.has_encoder()
    }

    /// A logged decision for callers that write no answer; on a thread that may take its time where the
    /// router is slow.
    pub(crate) async fn make(&self, ask: Ask) -> Result<DecisionMade, ApiError> {
        let decider = self.clone();
        let make = move || {
            let made = decider.try_make(ask);
            let made = made.inspect_err(|error| decider.0.metrics.refusal(error.code()))?;
            decider.log(made.clone());
            Ok(made)
        };
        if self.is_slow() {
            let done = self.0.aside.run(make).await;
            return done.inspect_err(|_| self.0.metrics.shed(Shed::Requests))?;
        }
        make()
    }

    fn try_decide(&self, json: &[u8], answer: &mut Vec<u8>) -> Result<DecisionHeaders, ApiError> {
        let (request, options) = body::parse::<RouteBody>(json)?.check()?;
        let made = self.try_make(Ask::new(request, options))?;
        let DecisionMade { id, loaded, decided, decision_us, explain, .. } = &made;
        let mut text = Uuid::encode_buffer();
        let written = id.hyphenated().encode_lower(&mut text);
        let decision = decided.decision(&loaded.router, &*written, *decision_us, *explain);
        answer.reserve(loaded.usual_answer_bytes);
        serde_json::to_writer(answer, &decision).map_err(ApiError::internal)?;
        let headers = made.headers();
        self.log(made);
        Ok(headers)
    }

    fn try_make(&self, ask: Ask) -> Result<DecisionMade, ApiError> {
        let Parts { router, ids, clock, log: _, metrics, sessions, aside: _ } = &*self.0;
        let Ask { request, options, barred, unhealthy, waiting_usd, requested } = ask;
        let loaded = router.get()?;
        let id = ids.next();

        let start = Instant::now();
        let mut out = loaded.health.out(|| unix_ms(clock.now()));
        let asks_time = !loaded.router.rules().is_empty();
        let seconds = || unix_ms(clock.now()) / 1000;
        let is_session = options.session_id.is_some() || options.pin.is_some();
        let turn = is_session.then(|| sessions.turn(&request, &options, seconds())).flatten();
        out.extend(unhealthy);
        let circumstances = Circumstances {
            draw: draw(id),
            unhealthy: &out,
            barred: &barred,
            waiting_usd: &waiting_usd,
            session: turn.as_ref().and_then(|turn| sessions.session(turn, &loaded.router)),
            unix_seconds: asks_time.then(seconds),
        };
        let decided = SCORER.with_borrow_mut(|kept| {
            // Taken out, so that a panic leaves a new one behind and not one that is half through.
            let mut scorer = std::mem::take(kept);
            let named = requested.and_then(|name| loaded.router.position(&name));
            let decided = match named {
                Some(candidate) => loaded.router.requested(&mut scorer, &request, candidate),
                None => self.choose(&loaded, &mut scorer, (&request, &options), circumstances),
            };
            *kept = scorer;
            decided
        });
        let took = start.elapsed();

        let decided = decided
            .map_err(|error| ApiError::from_route(error, &options, loaded.router.candidates()))?;
        let (model, reason) = (decided.choice.ranked[0], decided.choice.reason);
        metrics.decision(&loaded.cells, Made { policy: &decided.policy, model, reason }, took);
        loaded.rule_cells.count(&decided);
        let RouteOptions { session_id: session, explain, .. } = options;
        let decision_us = took.as_nanos() as f64 / 1e3;
        let name = &loaded.router.candidates()[model];
        let pin = turn.as_ref().map(|turn| sessions.pin(turn, name));
        Ok(DecisionMade { id, loaded, decided, decision_us, request, session, turn, pin, explain })
    }

    fn choose(
        &self,
        loaded: &Loaded,
        scorer: &mut Scorer,
        (request, options): (&Request, &RouteOptions),
        circumstances: Circumstances<'_>,
    ) -> Result<Decided, RouteError> {
        match loaded.router.route(scorer, request, options, circumstances) {
            // Better one that may not answer than none at all.
            Err(RouteError::NoneEligible(none))
                if none.excluded.contains(&Some(Exclusion::Unhealthy)) =>
            {
                let all_well = Circumstances { unhealthy: &[], ..circumstances };
                let decided = loaded.router.route(scorer, request, options, all_well);
                decided.inspect(|_| self.0.metrics.health_ignored())
            }
            decided => decided,
        }
    }

    fn log(&self, made: DecisionMade) {
        let Some(log) = &self.0.log else { return };
        let DecisionMade { id, loaded, decided, decision_us, request, session, .. } = made;
        log.push(Entry {
            at: self.0.clock.now(),
            loaded,
            decided,
            id,
            decision_us,
            request,
            session,
        });
    }
}

/// What is to be decided.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) request: Request,
    pub(crate) options: RouteOptions,
    /// Candidates that may not be chosen for reasons outside the request.
    pub(crate) barred: Vec<(usize, Exclusion)>,
    /// Candidates whose upstreams do not answer at present.
    pub(crate) unhealthy: Vec<usize>,
    /// What waiting for each candidate is worth, in USD; none: nothing.
    pub(crate) waiting_usd: Vec<f64>,
    /// The candidate that the client named, if it did; one that the router lacks is as if it had not.
    pub(crate) requested: Option<String>,
}

impl Ask {
    /// What a request alone asks.
    pub(crate) fn new(request: Request, options: RouteOptions) -> Self {
        let (barred, unhealthy, waiting_usd) = (Vec::new(), Vec::new(), Vec::new());
        Self { request, options, barred, unhealthy, waiting_usd, requested: None }
    }
}

/// A decision with all that it was made of.
#[derive(Debug, Clone)]
pub(crate) struct DecisionMade {
    pub(crate) id: Uuid,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) decided: Decided,
    pub(crate) decision_us: f64,
    request: Request,
    session: Option<String>,
    turn: Option<Turn>,
    pin: Option<Arc<Pin>>,
    explain: bool,
}

impl DecisionMade {
    fn is_pinned_to(&self, model: &str) -> bool {
        self.pin.as_ref().is_some_and(|pin| pin.model == model)
    }

    /// It in headers.
    pub(crate) fn headers(&self) -> DecisionHeaders {
        let choice = &self.decided.choice;
        DecisionHeaders {
            id: self.id,
            model: self.loaded.model_header(choice.ranked[0]),
            policy: Arc::clone(&self.decided.policy),
            reason: choice.reason,
            decision_us: self.decision_us,
            arm: self.decided.arm.clone(),
            pin: self.pin.clone(),
        }
    }
}
