//! A router in service: the model and what is computed from it once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use axum::body::Bytes;
use farthing_core::Digest;
use farthing_model::Router;

use crate::api::{Model, ModelList};
use crate::clock::unix_ms;
use crate::metrics::DecisionCells;

/// Where the router in service is found; every request reads it once.
pub(crate) type RouterSlot = Arc<ArcSwap<Loaded>>;

/// A router in service.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) router: Router,
    pub(crate) cells: DecisionCells,
    /// The manifest, as JSON.
    pub(crate) manifest: Bytes,
    /// The answer of `GET /v1/models`, as JSON.
    pub(crate) models: Bytes,
    /// An answer with every candidate is seldom longer.
    pub(crate) usual_answer_bytes: usize,
    policy_digests: BTreeMap<String, Digest>,
}

impl Loaded {
    /// Prepares a router that was loaded at that time.
    pub(crate) fn new(router: Router, now: SystemTime) -> Result<Self, serde_json::Error> {
        let policies = router.manifest().policies.keys();
        let digest = |name: &String| (name.clone(), router.policy_digest(name));
        let names: usize = router.candidates().iter().map(String::len).sum();
        Ok(Self {
            usual_answer_bytes: 512 + 2 * names + 200 * router.candidates().len(),
            cells: DecisionCells::new(policies.clone(), router.candidates()),
            manifest: serde_json::to_vec(router.manifest())?.into(),
            models: serde_json::to_vec(&list_models(&router, now))?.into(),
            policy_digests: policies.map(digest).collect(),
            router,
        })
    }

    /// Digest of a policy of this router.
    pub(crate) fn policy_digest(&self, name: &str) -> Digest {
        match self.policy_digests.get(name) {
            Some(digest) => digest.clone(),
            None => self.router.policy_digest(name),
        }
    }
}

/// The candidates, then the names that stand for "choose for me".
fn list_models(router: &Router, now: SystemTime) -> ModelList {
    let created = unix_ms(now) / 1000;
    let named = |id: String| Model { id, object: "model", created, owned_by: "farthing" };
    let policies = router.manifest().policies.keys().map(|name| format!("auto:{name}"));
    let virtual_names = ["auto".to_owned()].into_iter().chain(policies);
    let data = router.candidates().iter().cloned().chain(virtual_names).map(named).collect();
    ModelList { object: "list", data }
}
