//! Settings as a configuration file, to look at or to start from. Digests of keys are counted, not
//! shown.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use farthing_core::{CandidateFacts, CandidateSettings};
use toml::Value;

use super::file::DAY;
use super::{
    Auth, BreakerConfig, BudgetConfig, CacheConfig, GatewayConfig, Limits, LogConfig, RouterSource,
    ServeConfig, SessionConfig, Timeouts, TraceConfig, UpstreamConfig, shown_rules,
};

/// The settings as TOML; `prices` is the file that the prices are from.
pub(super) fn to_toml(config: &ServeConfig, prices: Option<&Path>) -> String {
    let ServeConfig {
        listen,
        admin_listen,
        router,
        prices: _,
        candidates,
        rules,
        sessions,
        log,
        gateway,
        auth,
        limits,
        trace,
        seed: _,
    } = config;
    let mut file = File(String::new());
    file.key("listen", text(listen));
    file.router(router, prices);
    file.candidates(candidates);
    for (header, keys) in shown_rules::sections(rules) {
        file.section(header);
        keys.into_iter().for_each(|(key, value)| file.key(&key, value));
    }
    let SessionConfig { entries, cached_for, cached_tokens, turns } = sessions;
    file.section("sessions");
    file.key("entries", number(*entries));
    file.key("cached_seconds", number(cached_for.as_secs()));
    file.key("cached_tokens", number(*cached_tokens));
    file.key("turns", *turns);
    if let Some(log) = log {
        file.log(log);
    }
    if let Some(gateway) = gateway {
        file.gateway(gateway);
    }
    file.limits(limits);
    file.auth(auth);
    if let Some(address) = admin_listen {
        file.section("admin");
        file.key("listen", text(address));
    }
    file.trace(trace);
    file.0
}

struct File(String);

impl File {
    fn section(&mut self, name: &str) {
        self.0 += "\n[";
        self.0 += name;
        self.0 += "]\n";
    }

    fn key(&mut self, name: &str, value: impl Into<Value>) {
        self.0 += name;
        self.0 += " = ";
        self.0 += &value.into().to_string();
        self.0 += "\n";
    }

    fn known(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.key(name, value);
        }
    }

    fn router(&mut self, router: &RouterSource, prices: Option<&Path>) {
        self.section("router");
        self.key("path", text(router.path.display()));
        self.known("prices", prices.map(|path| text(path.display())));
        self.key("poll_seconds", number(router.poll.map_or(0, |poll| poll.as_secs())));
    }

    fn candidates(&mut self, candidates: &CandidateSettings) {
        self.section("policy");
        let chosen = candidates.when_none_eligible.as_deref();
        self.key("when_none_eligible", chosen.unwrap_or("error"));
        for (name, facts) in &candidates.facts {
            self.section(&format!("candidates.{}", quoted(name)));
            let CandidateFacts {
                context_window,
                max_output_tokens,
                tools,
                vision,
                json_schema,
                region,
                tags,
            } = facts;
            self.known("context_window", context_window.map(number));
            self.known("max_output_tokens", max_output_tokens.map(number));
            self.known("tools", *tools);
            self.known("vision", *vision);
            self.known("json_schema", *json_schema);
            self.known("region", region.as_deref());
            self.key("tags", tags.iter().cloned().collect::<Vec<_>>());
        }
    }

    fn log(&mut self, log: &LogConfig) {
        let LogConfig {
            dir,
            prompts,
            segment_bytes,
            segment_age,
            queue_rows,
            commit_interval,
            max_bytes,
            max_age,
        } = log;
        self.section("log");
        self.key("dir", text(dir.display()));
        self.key("prompts", prompts.name());
        self.key("segment_bytes", number(*segment_bytes));
        self.key("segment_seconds", number(segment_age.as_secs()));
        self.key("queue_rows", number(*queue_rows as u64));
        self.key("commit_interval_ms", millis(*commit_interval));
        self.key("max_bytes", number(max_bytes.unwrap_or(0)));
        self.key("max_age_days", number(max_age.map_or(0, |age| age.as_secs() / DAY)));
    }

    fn gateway(&mut self, gateway: &GatewayConfig) {
        let GatewayConfig {
            upstreams,
            balance,
            attempts,
            backoff,
            timeouts: Timeouts { connect, headers, first_token, idle, total },
            breaker,
            answer_bytes,
            cache,
            budgets,
            usd_per_second,
        } = gateway;
        self.section("gateway");
        self.key("balance", balance.name());
        self.key("attempts", number(*attempts as u64));
        self.key("backoff_ms", millis(*backoff));
        self.key("connect_timeout_ms", millis(*connect));
        self.key("headers_timeout_ms", millis(*headers));
        self.key("first_token_timeout_ms", millis(*first_token));
        self.key("idle_timeout_ms", millis(*idle));
        self.key("total_timeout_ms", millis(*total));
        self.key("usd_per_second", *usd_per_second);
        self.key("answer_bytes", number(*answer_bytes as u64));
        self.section("gateway.breaker");
        let BreakerConfig {
            window,
            min_requests,
            failed_share,
            consecutive,
            open_for,
            open_at_most,
        } = breaker;
        self.key("window_seconds", number(window.as_secs()));
        self.key("min_requests", number(u64::from(*min_requests)));
        self.key("failed_share", *failed_share);
        self.key("consecutive", number(u64::from(*consecutive)));
        self.key("open_seconds", number(open_for.as_secs()));
        self.key("open_at_most_seconds", number(open_at_most.as_secs()));
        if let Some(CacheConfig { bytes, ttl }) = cache {
            self.section("gateway.cache");
            self.key("bytes", number(*bytes));
            self.key("ttl_seconds", number(ttl.as_secs()));
        }
        for (name, BudgetConfig { usd, per, keys, tags }) in budgets {
            self.section(&format!("budgets.{}", quoted(name)));
            self.key("usd", *usd);
            self.key("per", per.name());
            if !keys.is_empty() {
                self.0 += "# digests of keys, not shown: ";
                self.0 += &keys.len().to_string();
                self.0 += "\n";
            }
            self.key("tags", tags.clone());
        }
        for (name, upstream) in upstreams {
            self.upstream(name, upstream);
        }
    }

    fn upstream(&mut self, name: &str, upstream: &UpstreamConfig) {
        let UpstreamConfig {
            base_url,
            protocol,
            key,
            models,
            weight,
            region,
            in_flight,
            requests_per_minute,
            tokens_per_minute,
        } = upstream;
        self.section(&format!("upstreams.{}", quoted(name)));
        self.key("base_url", text(base_url));
        self.key("protocol", protocol.name());
        if key.is_some() {
            self.0 += "# a key, not shown\n";
        }
        let models = models.as_ref().map(|models| {
            models.iter().map(|(name, other)| (name.clone(), Value::from(other.as_str()))).collect()
        });
        self.known("models", models.map(Value::Table));
        self.key("weight", number(u64::from(*weight)));
        self.known("region", region.as_deref());
        self.known("in_flight", in_flight.map(|most| number(most as u64)));
        self.known("requests_per_minute", requests_per_minute.map(|most| number(most.into())));
        self.known("tokens_per_minute", tokens_per_minute.map(|most| number(most.into())));
    }

    fn limits(&mut self, limits: &Limits) {
        let Limits {
            body_bytes,
            batch_requests,
            batches,
            concurrent_requests,
            connections,
            request_timeout,
            idle_timeout,
            drain_grace,
            drain_timeout,
        } = limits;
        self.section("limits");
        for (name, limit) in [
            ("body_bytes", body_bytes),
            ("batch_requests", batch_requests),
            ("batches", batches),
            ("concurrent_requests", concurrent_requests),
            ("connections", connections),
        ] {
            self.key(name, number(*limit as u64));
        }
        self.key("request_timeout_ms", millis(*request_timeout));
        self.key("idle_timeout_ms", millis(*idle_timeout));
        self.key("drain_grace_ms", millis(*drain_grace));
        self.key("drain_timeout_ms", millis(*drain_timeout));
    }

    fn auth(&mut self, auth: &Auth) {
        if !auth.keys.is_empty() {
            self.section("auth");
            self.0 += "# digests of keys, not shown: ";
            self.0 += &auth.keys.len().to_string();
            self.0 += "\n";
        }
    }

    fn trace(&mut self, trace: &TraceConfig) {
        self.section("trace");
        self.key("filter", trace.filter.as_str());
        self.key("format", trace.format.name());
    }
}

fn text(value: impl Display) -> String {
    value.to_string()
}

fn quoted(name: &str) -> String {
    Value::from(name).to_string()
}

fn millis(duration: Duration) -> Value {
    number(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

/// TOML's integers have a sign; larger ones are as good as infinite.
fn number(number: u64) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}
