//! Who may answer a request, best first: the router's ranking, or the names that a client gave.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use farthing_core::{Exclusion, Request, RouteBody, RouteOptions, estimated_input_tokens};

use super::Gateway;
use super::call::{Call, Wanted};
use super::fleet::Fleet;
use super::forward::Target;
use super::hints;
use super::protocol::Shape;
use crate::ErrorCode;
use crate::body;
use crate::decide::{Ask, DecisionMade};
use crate::error::ApiError;
use crate::loaded::Loaded;

/// Who may answer.
#[derive(Debug)]
pub(super) struct Plan {
    /// Best first; at least one.
    pub(super) targets: Vec<Target>,
    /// What the router says of it; `None`: it does not know the model, or cannot read the request.
    pub(super) decision: Option<DecisionMade>,
    /// Tokens that the request is expected to take.
    pub(super) tokens: u64,
    pub(super) explain: bool,
}

/// An answer's length, in tokens, where nothing is known of it.
const USUAL_OUTPUT: f64 = 400.0;

impl Gateway {
    pub(super) async fn plan(
        &self,
        shape: Shape,
        headers: &HeaderMap,
        call: &Call<'_>,
        json: &[u8],
    ) -> Result<Plan, ApiError> {
        let loaded = self.router.current();
        let fleet = self.fleet(loaded.as_deref())?;
        let read = body::parse::<RouteBody>(json).and_then(|body| {
            let (request, mut options) = body.check()?;
            hints::add(headers, &mut options)?;
            Ok((request, options))
        });
        match call.wanted() {
            Wanted::Auto if !shape.is_routed() => {
                let message = "no model is chosen here; hint: name one in `model`";
                Err(ApiError::new(ErrorCode::ModelNotFound, message).at("model"))
            }
            Wanted::Auto => {
                let (request, options) = read?;
                self.routed(shape, &fleet, request, options).await
            }
            Wanted::Named(names) => self.named(shape, &fleet, &names, read.ok()).await,
        }
    }

    /// The router's ranking.
    async fn routed(
        &self,
        shape: Shape,
        fleet: &Fleet,
        request: Request,
        options: RouteOptions,
    ) -> Result<Plan, ApiError> {
        let loaded = self.router.get()?;
        let now = Instant::now();
        let most_ms = options.max_latency_ms;
        let is_late = |expected: Option<Duration>| {
            most_ms.zip(expected).is_some_and(|(most, e)| e.as_secs_f64() * 1e3 > most)
        };
        let (mut barred, mut unhealthy) = (Vec::new(), Vec::new());
        let usd_per_second = self.config.usd_per_second;
        let mut waiting_usd = Vec::new();
        for (candidate, name) in loaded.router.candidates().iter().enumerate() {
            let route = fleet.route(shape.protocol(), name);
            let expected = route.and_then(|route| route.pool.expected_latency(now));
            if usd_per_second > 0.0 {
                // A candidate of which nothing is known yet is not held back.
                waiting_usd.push(expected.map_or(0.0, |time| time.as_secs_f64() * usd_per_second));
            }
            let Some(route) = route else {
                barred.push((candidate, Exclusion::NoUpstream));
                continue;
            };
            let outside = route.outside(options.regions.as_deref()).len();
            if outside == route.instances.len() {
                barred.push((candidate, Exclusion::Region));
            } else if is_late(expected) {
                barred.push((candidate, Exclusion::MaxLatency));
            } else if !route.pool.is_available(now) {
                unhealthy.push(candidate);
            }
        }
        let explain = options.explain;
        let regions = options.regions.clone();
        let text_bytes = request.text_bytes();
        let ask = Ask { request, options, barred, unhealthy, waiting_usd, requested: None };
        let made = self.decider.make(ask).await?;
        let Some(best) = made.decided.choice.ranked.first() else {
            return Err(ApiError::internal("a decision without a choice"));
        };
        let output = made.decided.predictions[*best].output_tokens.unwrap_or(USUAL_OUTPUT);
        let names = made.loaded.router.candidates();
        let of_choice = |&candidate: &usize| {
            let target = target(shape, fleet, &names[candidate], Some(&made.loaded))?;
            let barred = target.route.outside(regions.as_deref());
            let predicted_usd = made.decided.predictions[candidate].cost_usd;
            Some(Target { predicted_usd, barred, ..target })
        };
        Ok(Plan {
            targets: made.decided.choice.ranked.iter().filter_map(of_choice).collect(),
            tokens: whole(estimated_input_tokens(text_bytes) + output),
            decision: Some(made),
            explain,
        })
    }

    /// What the client named, in its order. The router is asked what it expects, so that what comes can be
    /// learned from; a request that it cannot read goes its way all the same.
    async fn named(
        &self,
        shape: Shape,
        fleet: &Fleet,
        names: &[String],
        read: Option<(Request, RouteOptions)>,
    ) -> Result<Plan, ApiError> {
        let loaded = self.router.current();
        let targets = names.iter().filter_map(|n| target(shape, fleet, n, loaded.as_deref()));
        let targets: Vec<_> = targets.collect();
        let Some(first) = targets.first() else {
            let known = fleet.names(shape.protocol()).collect::<Vec<_>>().join("`, `");
            let message = format!("no upstream serves `{}`; hint: use `auto`, `{known}`", names[0]);
            return Err(ApiError::new(ErrorCode::ModelNotFound, message).at("model"));
        };
        let mut plan = Plan { tokens: 0, decision: None, explain: false, targets: Vec::new() };
        let is_known = |loaded: &Arc<Loaded>| loaded.router.position(&first.route.candidate);
        if let (Some(_), Some((request, options))) = (loaded.as_ref().and_then(is_known), read) {
            let requested = Some(first.route.candidate.clone());
            plan.explain = options.explain;
            plan.tokens = whole(estimated_input_tokens(request.text_bytes()) + USUAL_OUTPUT);
            let ask = Ask { requested, ..Ask::new(request, options) };
            plan.decision = self.decider.make(ask).await.ok();
        }
        plan.targets = targets;
        Ok(plan)
    }
}

fn target(shape: Shape, fleet: &Fleet, name: &str, loaded: Option<&Loaded>) -> Option<Target> {
    let route = Arc::clone(fleet.route(shape.protocol(), name)?);
    let price = loaded.and_then(|loaded| loaded.price(name));
    Some(Target { route, price, predicted_usd: None, barred: Vec::new() })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0")]
fn whole(tokens: f64) -> u64 {
    tokens.ceil() as u64
}
