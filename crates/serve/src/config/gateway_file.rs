//! The keys of a configuration file that are about the gateway.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use toml::de::DeValue;

use super::EnvReader;
use super::gateway::{
    Balance, BudgetConfig, CacheConfig, GatewayConfig, Period, Protocol, Secret, UpstreamConfig,
};
use super::kinds::{
    Due, base_url, digests, millis, not_negative, one_of, seconds, share, text, texts, whole,
    within,
};
use super::table::Table;

/// Settings of the gateway; `None` where the file names no upstream. Relative paths start from `base`, and
/// `env` knows the environment.
pub(super) fn read(root: &mut Table<'_>, base: &Path, env: EnvReader) -> Option<GatewayConfig> {
    let mut config = GatewayConfig::new();
    let mut gateway = root.table("gateway");
    let balance = one_of(Balance::NAMES, Balance::from_name);
    gateway.set("balance", &mut config.balance, balance);
    gateway.set("attempts", &mut config.attempts, within(1, MOST_ATTEMPTS));
    gateway.set("backoff_ms", &mut config.backoff, millis(0));
    gateway.set("answer_bytes", &mut config.answer_bytes, whole(1));
    gateway.set("usd_per_second", &mut config.usd_per_second, not_negative);
    let timeouts = &mut config.timeouts;
    gateway.set("connect_timeout_ms", &mut timeouts.connect, millis(1));
    gateway.set("headers_timeout_ms", &mut timeouts.headers, millis(1));
    gateway.set("first_token_timeout_ms", &mut timeouts.first_token, millis(1));
    gateway.set("idle_timeout_ms", &mut timeouts.idle, millis(1));
    gateway.set("total_timeout_ms", &mut timeouts.total, millis(1));
    let mut breaker = gateway.table("breaker");
    let settings = &mut config.breaker;
    breaker.set("window_seconds", &mut settings.window, seconds(1));
    breaker.set("min_requests", &mut settings.min_requests, within(1, MOST_COUNTED));
    breaker.set("failed_share", &mut settings.failed_share, share);
    breaker.set("consecutive", &mut settings.consecutive, within(1, MOST_COUNTED));
    breaker.set("open_seconds", &mut settings.open_for, seconds(1));
    breaker.set("open_at_most_seconds", &mut settings.open_at_most, seconds(1));
    breaker.finish();
    let mut cache = gateway.table("cache");
    let mut settings = CacheConfig::new(0);
    cache.set("bytes", &mut settings.bytes, whole(0));
    cache.set("ttl_seconds", &mut settings.ttl, seconds(1));
    cache.finish();
    config.cache = (settings.bytes > 0).then_some(settings);
    gateway.finish();

    let budgets = root.table("budgets").named_tables();
    let first_budget = budgets.first().map(|(name, _)| name.at);
    for (name, table) in budgets {
        if let Some(budget) = budget(table.secret()) {
            config.budgets.insert(name.value, budget);
        }
    }
    for (name, table) in root.table("upstreams").named_tables() {
        if let Some(upstream) = upstream(table, base, env) {
            config.upstreams.insert(name.value, upstream);
        }
    }
    if let (Some(at), true) = (first_budget, config.upstreams.is_empty()) {
        let message = "there is nothing to spend where no upstream is named; hint: add `upstreams`";
        root.mistake(at, message.to_owned());
    }
    (!config.upstreams.is_empty()).then_some(config)
}

fn budget(mut table: Table<'_>) -> Option<BudgetConfig> {
    let usd = table.need("usd", not_negative);
    let per = table.need("per", one_of(Period::NAMES, Period::from_name));
    let keys = table.read("keys", digests).map_or_else(Vec::new, |placed| placed.value);
    let tags = table.read("tags", texts).map_or_else(Vec::new, |placed| placed.value);
    table.finish();
    Some(BudgetConfig { usd: usd?, per: per?, keys, tags })
}

/// Attempts cost money.
const MOST_ATTEMPTS: u64 = 100;
const MOST_COUNTED: u64 = 1_000_000;

fn upstream(mut table: Table<'_>, base: &Path, env: EnvReader) -> Option<UpstreamConfig> {
    let base_url = table.need("base_url", base_url);
    let mut protocol = Protocol::OpenAi;
    table.set("protocol", &mut protocol, one_of(Protocol::NAMES, Protocol::from_name));
    let of_env = table.read("key_env", |value| key_of_env(&text(value)?, env));
    let of_file = table.read("key_file", |value| key_of_file(&base.join(text(value)?)));
    let models = table.read("models", names).map(|placed| placed.value);
    let mut weight = 1;
    table.set("weight", &mut weight, within(1, MOST_COUNTED));
    let region = table.read("region", text).map(|placed| placed.value);
    let in_flight = table.read("in_flight", within(1, MOST_COUNTED)).map(|placed| placed.value);
    let mut per_minute =
        |key| table.read(key, within(1, u64::from(u32::MAX))).map(|placed| placed.value);
    let (requests, tokens) = (per_minute("requests_per_minute"), per_minute("tokens_per_minute"));
    table.finish();
    Some(UpstreamConfig {
        base_url: base_url?,
        protocol,
        key: of_env.or(of_file).map(|placed| placed.value),
        models,
        weight,
        region,
        in_flight,
        requests_per_minute: requests,
        tokens_per_minute: tokens,
    })
}

/// The value of an environment variable, fit for a header.
fn key_of_env(name: &str, env: EnvReader) -> Result<Secret, Due> {
    let due = || format!("the name of an environment variable that holds a key; `{name}` does not");
    env(name).as_deref().and_then(Secret::new).ok_or_else(due)
}

/// What a file holds, fit for a header.
fn key_of_file(path: &Path) -> Result<Secret, Due> {
    let due = || format!("a file that holds a key; `{}` does not", path.display());
    let key = fs::read_to_string(path).ok();
    key.as_deref().and_then(Secret::new).ok_or_else(due)
}

/// Candidates, as a list where an upstream knows them by the same name or as a table from name to name.
fn names(value: &DeValue<'_>) -> Result<BTreeMap<String, String>, Due> {
    let due = || "a list of candidates, or a table from candidate to the upstream's name for it";
    let names = if let Some(list) = value.as_array() {
        let same = |value: &toml::Spanned<DeValue<'_>>| {
            text(value.get_ref()).map(|name| (name.clone(), name))
        };
        list.iter().map(same).collect::<Result<BTreeMap<_, _>, _>>()
    } else if let Some(table) = value.as_table() {
        let entries = table.iter().map(|(name, other)| {
            text(other.get_ref()).map(|other| (name.get_ref().to_string(), other))
        });
        entries.collect()
    } else {
        Err(String::new())
    };
    names.ok().filter(|names| !names.is_empty()).ok_or_else(|| due().to_owned())
}
