//! A router in service: the model and what is computed from it once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use axum::body::Bytes;
use axum::http::HeaderValue;
use farthing_core::{CandidateSettings, Digest, Price, PriceTable};
use farthing_model::{Router, RouterError, RulesError, UnknownCandidates};

use crate::api::{Model, ModelList};
use crate::clock::unix_ms;
use crate::error::ApiError;
use crate::health::Health;
use crate::metrics::{DecisionCells, RuleCells};
use crate::source::{self, SourceError};
use crate::{ErrorCode, ServeConfig};

/// Where the router in service is found; every request reads it once, and ends on what it read.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouterSlot(Arc<Slot>);

#[derive(Debug, Default)]
struct Slot {
    current: ArcSwapOption<Loaded>,
    /// Held for the moment of a change, so that no word on health is lost between two routers.
    changing: Mutex<()>,
}

impl RouterSlot {
    /// The router in service.
    pub(crate) fn get(&self) -> Result<Arc<Loaded>, ApiError> {
        self.current().ok_or_else(|| {
            let message = "no router is loaded; hint: the server's log says why";
            ApiError::new(ErrorCode::RouterNotLoaded, message)
        })
    }

    /// The router in service, if there is one.
    pub(crate) fn current(&self) -> Option<Arc<Loaded>> {
        self.0.current.load_full()
    }

    /// Whether a router is in service that reads requests with a sentence encoder, too.
    pub(crate) fn has_encoder(&self) -> bool {
        self.0.current.load().as_ref().is_some_and(|loaded| loaded.router.has_encoder())
    }

    /// Takes another router into service; the one before it. Requests in flight keep theirs.
    pub(crate) fn put(&self, next: Arc<Loaded>) -> Option<Arc<Loaded>> {
        let _changing = self.changing();
        if let Some(current) = self.current() {
            let names = (next.router.candidates(), current.router.candidates());
            next.health.adopt(names.0, &current.health, names.1);
        }
        self.0.current.swap(Some(next))
    }

    /// Takes a candidate out until a time in milliseconds since 1970 (0: it is well), in the router
    /// in service.
    pub(crate) fn set_health(&self, model: &str, until_ms: u64) -> Result<Arc<Loaded>, ApiError> {
        let _changing = self.changing();
        let loaded = self.get()?;
        let names = loaded.router.candidates();
        let Some(candidate) = names.iter().position(|name| name == model) else {
            let known = names.join("`, `");
            let message = format!("unknown candidate: `{model}`; hint: use one of `{known}`");
            return Err(ApiError::new(ErrorCode::UnknownCandidate, message).at("model"));
        };
        loaded.health.set(candidate, until_ms);
        Ok(loaded)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        // There is nothing behind it that a panic could have left half done.
        self.0.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A router in service.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) router: Router,
    pub(crate) cells: DecisionCells,
    pub(crate) rule_cells: RuleCells,
    pub(crate) health: Health,
    /// When it was loaded.
    pub(crate) at: SystemTime,
    /// The answer of `GET /v1/models`, as JSON.
    pub(crate) models: Bytes,
    /// An answer with every candidate is seldom longer.
    pub(crate) usual_answer_bytes: usize,
    policy_digests: BTreeMap<String, Digest>,
    /// Names of the candidates, for headers.
    model_headers: Vec<Option<HeaderValue>>,
    prices: Option<PriceTable>,
    candidates: CandidateSettings,
}

/// Why a router cannot be taken into service.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The path leads nowhere.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The directory holds no sound router.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// The settings are about candidates of another router.
    #[error(transparent)]
    Candidates(#[from] UnknownCandidates),
    /// So are the rules.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// The list of its models cannot be written as JSON.
    #[error("cannot encode the list of models")]
    Encode(#[source] serde_json::Error),
}

/// The router that a server with these settings takes into service.
pub fn load_router(config: &ServeConfig) -> Result<Router, LoadError> {
    with_settings(Router::load(&source::resolve(&config.router.path)?)?, config)
}

fn with_settings(router: Router, config: &ServeConfig) -> Result<Router, LoadError> {
    let router = match &config.prices {
        Some(prices) => router.with_prices(prices),
        None => router.with_own_prices(),
    };
    let router = router.with_candidate_settings(&config.candidates)?;
    Ok(router.with_rules(&config.rules)?)
}

impl Loaded {
    /// Loads the router that the settings name; reads and verifies files, so it blocks.
    pub(crate) fn load(config: &ServeConfig, now: SystemTime) -> Result<Self, LoadError> {
        Self::of(load_router(config)?, config, now)
    }

    /// The same router with other settings; no file is read.
    pub(crate) fn with_settings(
        &self,
        config: &ServeConfig,
        now: SystemTime,
    ) -> Result<Self, LoadError> {
        Self::of(with_settings(self.router.clone(), config)?, config, now)
    }

    fn of(router: Router, config: &ServeConfig, now: SystemTime) -> Result<Self, LoadError> {
        router.warm_up();
        let policies = router.manifest().policies.keys();
        let digest = |name: &String| (name.clone(), router.policy_digest(name));
        let models =
            serde_json::to_vec(&list_models(&router, config, now)).map_err(LoadError::Encode)?;
        let names: usize = router.candidates().iter().map(String::len).sum();
        Ok(Self {
            usual_answer_bytes: 512 + 2 * names + 200 * router.candidates().len(),
            cells: DecisionCells::new(policies.clone(), router.candidates()),
            rule_cells: RuleCells::new(router.rules()),
            health: Health::new(router.candidates().len()),
            at: now,
            models: models.into(),
            policy_digests: policies.map(digest).collect(),
            model_headers: router
                .candidates()
                .iter()
                .map(|n| HeaderValue::from_str(n).ok())
                .collect(),
            prices: config.prices.clone(),
            candidates: config.candidates.clone(),
            router,
        })
    }

    /// Whether these settings would change nothing.
    pub(crate) fn is_made_with(&self, config: &ServeConfig) -> bool {
        self.prices == config.prices
            && self.candidates == config.candidates
            && *self.router.rules() == config.rules
    }

    /// Name of the candidate of that position, where a header can hold it.
    pub(crate) fn model_header(&self, candidate: usize) -> Option<HeaderValue> {
        self.model_headers[candidate].clone()
    }

    /// What a model's tokens cost: a candidate's, or that of another model in the configured table.
    pub(crate) fn price(&self, model: &str) -> Option<Price> {
        let own = self.router.prices().get(model);
        own.or_else(|| self.prices.as_ref()?.get(model)).copied()
    }

    /// Digest of a policy of this router.
    pub(crate) fn policy_digest(&self, name: &str) -> Digest {
        match self.policy_digests.get(name) {
            Some(digest) => digest.clone(),
            None => self.router.policy_digest(name),
        }
    }
}

/// The candidates, what upstreams serve beside them, then the names that stand for "choose for me".
fn list_models(router: &Router, config: &ServeConfig, now: SystemTime) -> ModelList {
    let created = unix_ms(now) / 1000;
    let named = |id: String| Model { id, object: "model", created, owned_by: "farthing" };
    let policies = router.manifest().policies.keys().map(|name| format!("auto:{name}"));
    let virtual_names = ["auto".to_owned()].into_iter().chain(policies);
    let upstreams = config.gateway.iter().flat_map(|gateway| gateway.upstreams.values());
    let served = upstreams.flat_map(|upstream| upstream.models.iter().flat_map(BTreeMap::keys));
    let others: BTreeSet<_> = served.filter(|name| router.position(name).is_none()).collect();
    let own = router.candidates().iter().chain(others).cloned();
    let data = own.chain(virtual_names).map(named).collect();
    ModelList { object: "list", data }
}
