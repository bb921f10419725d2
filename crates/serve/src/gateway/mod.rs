//! The gateway: requests to models, forwarded to whoever answers them best.
//!
//! `call` reads what a client asks, `plan` says who may answer, `forward` goes through candidates and
//! instances (`fleet`, `pool`) by `attempt` until there is an `answer`; a stream goes on as `relay`.
//! `account` writes down what it cost. What upstreams say is read by `protocol` and `sse`.

mod account;
mod answer;
mod attempt;
mod budget;
mod cache;
mod call;
mod failure;
mod figures;
mod fleet;
mod forward;
mod headers;
mod hints;
mod plan;
mod pool;
mod protocol;
mod relay;
mod sse;
mod stream;

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use farthing_core::Digest;
use tokio::time::Instant;

use crate::config::GatewayConfig;
use crate::decide::Decider;
use crate::error::ApiError;
use crate::ids::Ids;
use crate::loaded::{Loaded, RouterSlot};
use crate::log::OutcomeLog;
use crate::origin::REQUEST_ID;
use crate::{Clock, ErrorCode};
use answer::{Answer, AnswerBody};
use attempt::{Patience, Sender};
pub use budget::BudgetError;
pub(crate) use budget::Budgets;
use cache::{Cache, Keep, Lookup};
use call::Call;
use fleet::Fleet;
pub use fleet::UpstreamError;
use forward::{Forward, Undelivered};
use headers::Told;
pub(crate) use headers::error_of;
use plan::Plan;
pub(crate) use protocol::Shape;
use relay::Relay;

/// Forwards requests.
#[derive(Debug)]
pub(crate) struct Gateway {
    config: GatewayConfig,
    http: reqwest::Client,
    fleet: ArcSwap<Built>,
    /// Held while another fleet is made.
    building: Mutex<()>,
    cache: Option<Cache>,
    budgets: Budgets,
    router: RouterSlot,
    decider: Decider,
    ids: Arc<Ids>,
    log: Option<OutcomeLog>,
    clock: Clock,
}

/// A client's request.
#[derive(Debug, Clone, Copy)]
struct Client<'a> {
    shape: Shape,
    headers: &'a HeaderMap,
    json: &'a Bytes,
    came: Instant,
}

/// A fleet and the router that it was made for.
#[derive(Debug)]
struct Built {
    fleet: Arc<Fleet>,
    router: Option<Digest>,
}

/// What a gateway works with.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) budgets: Budgets,
    pub(crate) router: RouterSlot,
    pub(crate) decider: Decider,
    pub(crate) ids: Arc<Ids>,
    pub(crate) log: Option<OutcomeLog>,
    pub(crate) clock: Clock,
}

/// Why there can be no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// An upstream cannot be reached by anybody.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// What is spent cannot be told.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// There is no HTTP client.
    #[error("cannot set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Gateway {
    pub(crate) fn new(config: &GatewayConfig, parts: Parts) -> Result<Self, GatewayError> {
        // It is installed already where another server runs in this process.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(config.timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(GatewayError::Client)?;
        let Parts { budgets, router, decider, ids, log, clock } = parts;
        let built = Built::new(config, router.current().as_deref(), None)?;
        let (config, fleet) = (config.clone(), ArcSwap::from_pointee(built));
        let building = Mutex::new(());
        let cache = config.cache.as_ref().map(Cache::new);
        Ok(Self { config, http, fleet, building, cache, budgets, router, decider, ids, log, clock })
    }

    /// The fleet for the router in service.
    fn fleet(&self, loaded: Option<&Loaded>) -> Result<Arc<Fleet>, ApiError> {
        let digest = loaded.map(|loaded| loaded.router.digest());
        let current = self.fleet.load();
        if current.router.as_ref() == digest {
            return Ok(Arc::clone(&current.fleet));
        }
        // There is nothing behind it that a panic could have left half done.
        let _building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        let current = self.fleet.load();
        if current.router.as_ref() == digest {
            return Ok(Arc::clone(&current.fleet));
        }
        let built = Built::new(&self.config, loaded, Some(&current.fleet));
        let built = built.map_err(ApiError::internal)?;
        let fleet = Arc::clone(&built.fleet);
        self.fleet.store(Arc::new(built));
        Ok(fleet)
    }

    /// What is counted, as an exposition.
    pub(crate) fn render(&self) -> String {
        let mut text = figures::render(&self.fleet.load().fleet, std::time::Instant::now());
        if let Some(cache) = &self.cache {
            figures::render_cache(&cache.figures(), &mut text);
        }
        text + &self.budgets.render()
    }

    /// The answer to a client's request; errors have the shape of its protocol.
    pub(crate) async fn answer(&self, shape: Shape, headers: &HeaderMap, json: &Bytes) -> Response {
        let client = Client { shape, headers, json, came: Instant::now() };
        let answer = self.answer_or_kept(client).await;
        answer.unwrap_or_else(|error| error_of(shape, error))
    }

    async fn answer_or_kept(&self, client: Client<'_>) -> Result<Response, ApiError> {
        let Client { shape, headers, json, .. } = client;
        let call = Call::parse(shape, json)?;
        let ask = async |keep| {
            let answer = self.forward(client, &call, keep).await;
            answer.unwrap_or_else(|error| error_of(shape, error))
        };
        let Some(cache) = &self.cache else { return Ok(ask(None).await) };
        let router = self.router.current();
        let router = router.as_ref().map(|loaded| loaded.router.digest());
        Ok(match Lookup::of(shape, headers, &call, router)? {
            Some(lookup) => cache.answer(lookup, ask).await,
            None => cache.bypassed(ask(None).await),
        })
    }

    /// Has a request answered by an upstream; a stream is kept where a cache wants it.
    async fn forward(
        &self,
        client: Client<'_>,
        call: &Call<'_>,
        keep: Option<Keep>,
    ) -> Result<Response, ApiError> {
        let Client { shape, headers, json, came } = client;
        let Plan { targets, mut decision, tokens, explain } =
            self.plan(shape, headers, call, json).await?;
        let expected_usd = targets.first().and_then(|target| target.predicted_usd);
        let allowance = self.budgets.admit(headers, expected_usd)?;
        let timeouts = self.config.timeouts;
        let patience = Patience { timeouts, deadline: came + timeouts.total };
        let none = HeaderValue::from_static("none");
        let mut forward = Forward {
            config: &self.config,
            sender: Sender {
                http: &self.http,
                patience,
                shape,
                headers,
                request_id: headers.get(REQUEST_ID).unwrap_or(&none),
                answer_bytes: self.config.answer_bytes,
                clock: &self.clock,
            },
            call,
            decision: decision.as_ref().map(|made| made.id),
            tokens,
            allowance,
            log: self.log.clone(),
            random: &|| self.ids.next_request().as_u64_pair().1,
            progress: forward::Progress::default(),
        };
        let answer = forward.run(&targets).await;
        if let (Some(made), Ok(answer)) = (&mut decision, &answer) {
            self.decider.answered_by(made, answer.account.candidate());
        }
        let told = Told { decision: decision.as_ref(), progress: &forward.progress, came };
        let mut response = match answer {
            Ok(Answer { headers, body: AnswerBody::Whole(body), mut account }) => {
                let cost = account.answered();
                let response = headers::passed_down(StatusCode::OK, &headers, Body::from(body));
                headers::tell(response, &account, cost)
            }
            Ok(Answer { headers, body: AnswerBody::Stream(stream), account }) => {
                let response = headers::passed_down(StatusCode::OK, &headers, Body::empty());
                let expected = account.expected_cost();
                let response = headers::tell(response, &account, expected);
                let mut keep = keep;
                if let Some(keep) = &mut keep {
                    keep.head(response.headers());
                }
                let relay = Relay { stream, account, patience, shape, explain, keep };
                response.map(|_| relay.into_body())
            }
            Err(Undelivered::Refused(refusal)) => {
                let body = Body::from(refusal.body);
                headers::passed_down(refusal.status, &refusal.headers, body)
            }
            Err(Undelivered::Failed(error)) => error_of(shape, error),
        };
        told.on_every(&mut response);
        Ok(response)
    }
}

/// The answer of a server without upstreams.
pub(crate) fn not_configured(shape: Shape) -> Response {
    let message = "this server forwards nothing; hint: name an upstream in its configuration, or ask \
                   `/v1/route` for a decision";
    error_of(shape, ApiError::new(ErrorCode::GatewayNotConfigured, message))
}

impl Built {
    fn new(
        config: &GatewayConfig,
        loaded: Option<&Loaded>,
        earlier: Option<&Fleet>,
    ) -> Result<Self, UpstreamError> {
        let candidates = loaded.map_or(&[][..], |loaded| loaded.router.candidates());
        let fleet = Arc::new(Fleet::new(config, candidates, earlier)?);
        Ok(Self { fleet, router: loaded.map(|loaded| loaded.router.digest().clone()) })
    }
}
