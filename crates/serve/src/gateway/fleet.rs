//! The upstreams of the configuration as what requests are sent to: for every candidate and protocol a
//! pool of instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderName, HeaderValue};
use reqwest::Url;

use super::figures::Figures;
use super::pool::{Member, Pool, Quota, QuotaConfig};
use super::protocol::Shape;
use crate::auth::API_KEY;
use crate::config::{GatewayConfig, Protocol, UpstreamConfig};

/// Every way to every candidate.
#[derive(Debug)]
pub(crate) struct Fleet {
    routes: BTreeMap<(Protocol, String), Arc<Route>>,
}

/// The ways to one candidate.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) candidate: String,
    pub(crate) pool: Arc<Pool>,
    /// In the order of the pool's members.
    pub(crate) instances: Vec<Instance>,
}

/// A candidate at an upstream.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) upstream: Arc<Upstream>,
    /// The name that the upstream knows the candidate by.
    pub(crate) model: String,
    pub(super) figures: Figures,
}

/// A place that serves candidates.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) region: Option<String>,
    /// The header that opens it.
    pub(super) key: Option<(HeaderName, HeaderValue)>,
    /// Where requests of each shape go.
    urls: [Url; Shape::ALL.len()],
    quota: Arc<Quota>,
}

impl Fleet {
    /// The fleet of a router with these candidates. Pools of `earlier` that are made of the same instances
    /// go on, with all that they know.
    pub(crate) fn new(
        config: &GatewayConfig,
        candidates: &[String],
        earlier: Option<&Self>,
    ) -> Result<Self, UpstreamError> {
        let mut ways: BTreeMap<_, Vec<(Instance, u32)>> = BTreeMap::new();
        let mut known: BTreeMap<&str, Arc<Upstream>> = BTreeMap::new();
        for route in earlier.iter().flat_map(|fleet| fleet.routes.values()) {
            let upstreams = route.instances.iter().map(|instance| &instance.upstream);
            known.extend(upstreams.map(|upstream| (&*upstream.name, Arc::clone(upstream))));
        }
        for (name, settings) in &config.upstreams {
            let upstream = match known.get(name.as_str()) {
                Some(upstream) => Arc::clone(upstream),
                None => Arc::new(Upstream::new(name, settings)?),
            };
            for (candidate, model) in served(settings, candidates) {
                let upstream = Arc::clone(&upstream);
                let instance = Instance { upstream, model, figures: Figures::default() };
                let way = ways.entry((settings.protocol, candidate)).or_default();
                way.push((instance, settings.weight));
            }
        }
        let route = |(key, instances): ((Protocol, String), Vec<(Instance, u32)>)| {
            let same = earlier.and_then(|fleet| fleet.routes.get(&key));
            let same = same.filter(|route| route.is_made_of(&instances));
            let route =
                same.cloned().unwrap_or_else(|| Arc::new(Route::new(config, &key.1, instances)));
            (key, route)
        };
        Ok(Self { routes: ways.into_iter().map(route).collect() })
    }

    /// The ways to a candidate.
    pub(crate) fn route(&self, protocol: Protocol, candidate: &str) -> Option<&Arc<Route>> {
        // A map of pairs cannot be asked with a borrowed half.
        self.routes.get(&(protocol, candidate.to_owned()))
    }

    /// Names of the candidates that have a way.
    pub(super) fn names(&self, protocol: Protocol) -> impl Iterator<Item = &str> {
        let of_protocol = self.routes.keys().filter(move |(spoken, _)| *spoken == protocol);
        of_protocol.map(|(_, name)| name.as_str())
    }

    /// Every route, by protocol and candidate.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (Protocol, &Arc<Route>)> {
        self.routes.iter().map(|((protocol, _), route)| (*protocol, route))
    }
}

/// What an upstream serves: candidate and the upstream's name for it.
fn served(settings: &UpstreamConfig, candidates: &[String]) -> Vec<(String, String)> {
    match &settings.models {
        Some(models) => models.iter().map(|(name, model)| (name.clone(), model.clone())).collect(),
        None => candidates.iter().map(|name| (name.clone(), name.clone())).collect(),
    }
}

/// An upstream that no request could be sent to.
#[derive(Debug, thiserror::Error)]
#[error(
    "`upstreams.{name}.base_url` is not an address; hint: write one such as `https://api.openai.com/v1`"
)]
pub struct UpstreamError {
    /// Its name.
    pub name: String,
}

impl Upstream {
    fn new(name: &str, settings: &UpstreamConfig) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError { name: name.to_owned() };
        let base_url = Url::parse(&settings.base_url.to_string()).map_err(|_| wrong())?;
        let key = match (&settings.key, settings.protocol) {
            (None, _) => None,
            (Some(key), Protocol::OpenAi) => Some((AUTHORIZATION, format!("Bearer {}", key.0))),
            (Some(key), Protocol::Anthropic) => Some((API_KEY, key.0.clone())),
        };
        let key = key.map(|(header, value)| {
            let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
            value.set_sensitive(true);
            Ok((header, value))
        });
        let quota = QuotaConfig {
            in_flight: settings.in_flight,
            requests_per_minute: settings.requests_per_minute,
            tokens_per_minute: settings.tokens_per_minute,
        };
        Ok(Self {
            name: name.to_owned(),
            region: settings.region.clone(),
            key: key.transpose()?,
            urls: Shape::ALL.map(|shape| below(&base_url, shape)),
            quota: Arc::new(Quota::new(&quota)),
        })
    }

    /// Where requests of a shape go.
    pub(super) fn url(&self, shape: Shape) -> Url {
        self.urls[shape as usize].clone()
    }
}

fn below(base: &Url, shape: Shape) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{}", base.path().trim_end_matches('/'), shape.path()));
    url
}

impl Route {
    fn new(config: &GatewayConfig, candidate: &str, instances: Vec<(Instance, u32)>) -> Self {
        let member = |(instance, weight): &(Instance, u32)| Member {
            weight: *weight,
            quota: Arc::clone(&instance.upstream.quota),
        };
        let members = instances.iter().map(member).collect();
        let pool = Pool::new(members, config.balance, &config.breaker);
        let instances = instances.into_iter().map(|(instance, _)| instance).collect();
        Self { candidate: candidate.to_owned(), pool: Arc::new(pool), instances }
    }

    fn is_made_of(&self, instances: &[(Instance, u32)]) -> bool {
        let same = |(mine, (other, _)): (&Instance, &(Instance, u32))| {
            Arc::ptr_eq(&mine.upstream, &other.upstream) && mine.model == other.model
        };
        self.instances.len() == instances.len() && self.instances.iter().zip(instances).all(same)
    }

    /// Positions of the instances outside these regions; an instance that does not say where it is, is
    /// where its candidate is.
    pub(crate) fn outside(&self, regions: Option<&[String]>) -> Vec<usize> {
        let Some(regions) = regions else { return Vec::new() };
        let is_outside = |instance: &Instance| {
            instance.upstream.region.as_ref().is_some_and(|region| !regions.contains(region))
        };
        let positions = self.instances.iter().enumerate();
        positions.filter(|(_, instance)| is_outside(instance)).map(|(i, _)| i).collect()
    }
}
