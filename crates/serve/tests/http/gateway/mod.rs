//! The gateway in front of upstreams that do what they are told to.

mod cache;
mod faults;
mod log;
mod money;
mod passing;
mod secrets;
mod streams;

use std::collections::BTreeMap;
use std::time::Duration;

use farthing_serve::{GatewayConfig, LogConfig, PromptStorage, Protocol, UpstreamConfig};
use farthing_sim::upstream::Upstream;
use serde_json::{Value, json};

use crate::harness::{Answer, Service, service_with};

/// A gateway and the upstreams behind it.
pub(crate) struct Gateway {
    pub(crate) service: Service,
    pub(crate) upstream: Upstream,
}

impl Gateway {
    /// Candidates, each with the scenarios of its instances.
    pub(crate) async fn new(candidates: &[(&str, &[&str])]) -> Self {
        Self::with(candidates, |_| ()).await
    }

    pub(crate) async fn with(
        candidates: &[(&str, &[&str])],
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let upstream = Upstream::start().await.unwrap();
        let mut gateway = quick();
        for (candidate, scenarios) in candidates {
            for (n, scenario) in scenarios.iter().enumerate() {
                let name = format!("{candidate}-{n}");
                gateway.upstreams.insert(name, serving(&upstream, scenario, &[candidate]));
            }
        }
        change(&mut gateway);
        let service = service_with(|config, dir| {
            config.gateway = Some(gateway);
            let mut log = LogConfig::new(dir.join("log"));
            log.prompts = PromptStorage::Hashed;
            config.log = Some(log);
        });
        Self { service, upstream }
    }

    pub(crate) async fn chat(&self, body: &Value) -> Answer {
        self.service.post("/v1/chat/completions", body.to_string()).await
    }

    /// Bodies that upstreams got.
    pub(crate) fn sent(&self) -> Vec<Value> {
        self.upstream.received().into_iter().map(|received| received.body).collect()
    }
}

/// Time limits for tests.
pub(crate) fn quick() -> GatewayConfig {
    let mut gateway = GatewayConfig::new();
    gateway.backoff = Duration::from_millis(5);
    gateway.attempts = 4;
    gateway.timeouts.headers = Duration::from_millis(300);
    gateway.timeouts.first_token = Duration::from_millis(300);
    gateway.timeouts.idle = Duration::from_millis(300);
    gateway.timeouts.total = Duration::from_secs(3);
    gateway
}

pub(crate) fn serving(upstream: &Upstream, scenario: &str, models: &[&str]) -> UpstreamConfig {
    let mut config = UpstreamConfig::new(upstream.base_url(scenario).parse().unwrap());
    let models = models.iter().map(|&name| (name.to_owned(), format!("{name}-2026")));
    config.models = Some(models.collect::<BTreeMap<_, _>>());
    config
}

pub(crate) fn speaking(mut config: UpstreamConfig, protocol: Protocol) -> UpstreamConfig {
    config.protocol = protocol;
    config
}

pub(crate) fn hello(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello there"}]})
}

pub(crate) fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}
