//! The keys of a configuration file. Each section reads its own; what a key is for is said in the
//! example file and beside the settings.

use std::path::{Path, PathBuf};
use std::time::Duration;

use farthing_core::{CandidateFacts, CandidateSettings};
use toml::de::DeValue;
use tracing_subscriber::EnvFilter;

use super::kinds::{
    self, Due, LONGEST_SECONDS, address, at_least_one, flag, millis, one_of, seconds, text, texts,
    whole, within,
};
use super::table::{Placed, Table};
use super::{
    EnvReader, Limits, LogConfig, PromptStorage, ServeConfig, TraceConfig, TraceFormat,
    gateway_file, rules_file,
};

/// What a file says; defaults where it says nothing.
pub(super) struct FromFile {
    /// Everything but what is below.
    pub(super) config: ServeConfig,
    pub(super) router: Option<PathBuf>,
    pub(super) prices: Option<Placed<PathBuf>>,
    pub(super) keys_file: Option<Placed<PathBuf>>,
    /// The log's settings, whose folder is named below.
    pub(super) log: LogConfig,
    pub(super) log_dir: Option<PathBuf>,
    /// Where `listen` and `admin.listen` stand.
    pub(super) listen_at: [Option<usize>; 2],
    /// Every place where a candidate is named.
    pub(super) named: Vec<Placed<String>>,
}

/// How often a router is looked at where the file does not say.
const POLL_SECONDS: u64 = 5;
/// No configuration accepts longer batches.
const MOST_BATCH_REQUESTS: u64 = 1 << 16;

/// Reads a file; relative paths in it start from `base`.
pub(super) fn read(mut root: Table<'_>, base: &Path, env: EnvReader) -> FromFile {
    let mut config = ServeConfig::new("");
    let path = |placed: Placed<String>| Placed { value: base.join(placed.value), at: placed.at };
    let listen = root.read("listen", address);
    config.listen = listen.as_ref().map_or(config.listen, |listen| listen.value);

    let mut router = root.table("router");
    let router_path = router.read("path", text).map(path);
    let prices = router.read("prices", text).map(path);
    let mut poll = POLL_SECONDS;
    router.set("poll_seconds", &mut poll, within(0, LONGEST_SECONDS));
    config.router.poll = unless_zero(poll).map(Duration::from_secs);
    router.finish();

    let mut named = Vec::new();
    config.candidates = candidates(&mut root, &mut named);
    config.rules = rules_file::read(&mut root, &mut named);
    let mut sessions = root.table("sessions");
    let settings = &mut config.sessions;
    sessions.set("entries", &mut settings.entries, whole(0));
    sessions.set("cached_seconds", &mut settings.cached_for, seconds(0));
    sessions.set("cached_tokens", &mut settings.cached_tokens, whole(0));
    sessions.set("turns", &mut settings.turns, at_least_one);
    sessions.finish();
    config.gateway = gateway_file::read(&mut root, base, env);

    let mut log = root.table("log");
    let log_dir = log.read("dir", text).map(path);
    let log = log_settings(log);

    let mut auth = root.table("auth").secret();
    auth.set("keys", &mut config.auth.keys, kinds::digests);
    let keys_file = auth.read("keys_file", text).map(path);
    auth.finish();

    let mut admin = root.table("admin");
    let admin_listen = admin.read("listen", address);
    config.admin_listen = admin_listen.as_ref().map(|placed| placed.value);
    let listen_at = [listen, admin_listen].map(|listen| listen.map(|placed| placed.at));
    admin.finish();

    config.limits = limits(root.table("limits"));
    config.trace = trace(root.table("trace"));
    root.finish();
    let [router, log_dir] = [router_path, log_dir].map(|path| path.map(|path| path.value));
    FromFile { config, router, prices, keys_file, log, log_dir, listen_at, named }
}

/// Directives of a filter for what is traced.
pub(super) fn filter(value: &str) -> Result<String, Due> {
    match EnvFilter::try_new(value) {
        Ok(_) => Ok(value.to_owned()),
        Err(error) => {
            Err(format!("a filter such as \"info\" or \"warn,farthing_serve=debug\" ({error})"))
        }
    }
}

fn candidates(root: &mut Table<'_>, named: &mut Vec<Placed<String>>) -> CandidateSettings {
    let mut policy = root.table("policy");
    let chosen = policy.read("when_none_eligible", text).filter(|name| name.value != "error");
    policy.finish();
    let when_none_eligible = chosen.as_ref().map(|name| name.value.clone());
    named.extend(chosen);

    let tables = root.table("candidates").named_tables().into_iter();
    let facts = tables.map(|(name, table)| {
        let of_one = (name.value.clone(), facts(table));
        named.push(name);
        of_one
    });
    CandidateSettings { facts: facts.collect(), when_none_eligible }
}

fn facts(mut table: Table<'_>) -> CandidateFacts {
    let value = |placed: Placed<_>| placed.value;
    let facts = CandidateFacts {
        context_window: table.read("context_window", whole(1)).map(value),
        max_output_tokens: table.read("max_output_tokens", whole(1)).map(value),
        tools: table.read("tools", flag).map(|placed| placed.value),
        vision: table.read("vision", flag).map(|placed| placed.value),
        json_schema: table.read("json_schema", flag).map(|placed| placed.value),
        region: table.read("region", text).map(|placed| placed.value),
        tags: table.read("tags", texts).into_iter().flat_map(|placed| placed.value).collect(),
    };
    table.finish();
    facts
}

/// All but the folder.
fn log_settings(mut table: Table<'_>) -> LogConfig {
    let mut log = LogConfig::new("");
    let storage = one_of(PromptStorage::NAMES, PromptStorage::from_name);
    table.set("prompts", &mut log.prompts, storage);
    table.set("segment_bytes", &mut log.segment_bytes, whole(1));
    table.set("segment_seconds", &mut log.segment_age, |value: &DeValue<'_>| {
        within(1, LONGEST_SECONDS)(value).map(Duration::from_secs)
    });
    table.set("queue_rows", &mut log.queue_rows, within(1, MOST_AT_ONCE));
    table.set("commit_interval_ms", &mut log.commit_interval, millis(0));
    let (mut max_bytes, mut max_days) = (0, 0);
    table.set("max_bytes", &mut max_bytes, whole(0));
    table.set("max_age_days", &mut max_days, within(0, LONGEST_SECONDS / DAY));
    log.max_bytes = unless_zero(max_bytes);
    log.max_age = unless_zero(max_days).map(|days| Duration::from_secs(days * DAY));
    table.finish();
    log
}

fn limits(mut table: Table<'_>) -> Limits {
    let mut limits = Limits::default();
    table.set("body_bytes", &mut limits.body_bytes, whole(1));
    table.set("batch_requests", &mut limits.batch_requests, within(1, MOST_BATCH_REQUESTS));
    table.set("batches", &mut limits.batches, within(0, MOST_AT_ONCE));
    table.set("concurrent_requests", &mut limits.concurrent_requests, within(1, MOST_AT_ONCE));
    table.set("connections", &mut limits.connections, within(1, MOST_AT_ONCE));
    table.set("request_timeout_ms", &mut limits.request_timeout, millis(1));
    table.set("idle_timeout_ms", &mut limits.idle_timeout, millis(1));
    table.set("drain_grace_ms", &mut limits.drain_grace, millis(0));
    table.set("drain_timeout_ms", &mut limits.drain_timeout, millis(0));
    table.finish();
    limits
}

fn trace(mut table: Table<'_>) -> TraceConfig {
    let mut trace = TraceConfig::default();
    table.set("filter", &mut trace.filter, |value: &DeValue<'_>| filter(&text(value)?));
    table.set("format", &mut trace.format, one_of(TraceFormat::NAMES, TraceFormat::from_name));
    table.finish();
    trace
}

pub(super) const DAY: u64 = 24 * 3600;
/// More at once is a slip; far more could not be counted.
const MOST_AT_ONCE: u64 = 1_000_000;

fn unless_zero(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}
