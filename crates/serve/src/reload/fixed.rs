//! Settings that a running server does not exchange.

use crate::ServeConfig;
use crate::config::Limits;

/// Names of the settings that differ and that a running server does not exchange.
pub(super) fn needs_restart(started: &ServeConfig, read: &ServeConfig) -> Vec<&'static str> {
    let ServeConfig {
        listen,
        admin_listen,
        router,
        prices: _,
        candidates: _,
        rules: _,
        sessions,
        log,
        gateway,
        auth: _,
        limits,
        trace,
        seed,
    } = started;
    let Limits {
        batch_requests,
        batches,
        connections,
        idle_timeout,
        drain_grace,
        drain_timeout,
        ..
    } = limits;
    let differs = [
        ("listen", *listen != read.listen),
        ("admin.listen", *admin_listen != read.admin_listen),
        ("router.poll_seconds", router.poll != read.router.poll),
        ("sessions", *sessions != read.sessions),
        ("log", *log != read.log),
        ("gateway or upstreams", *gateway != read.gateway),
        ("trace", *trace != read.trace),
        ("seed", *seed != read.seed),
        ("limits.batch_requests", *batch_requests != read.limits.batch_requests),
        ("limits.batches", *batches != read.limits.batches),
        ("limits.connections", *connections != read.limits.connections),
        ("limits.idle_timeout_ms", *idle_timeout != read.limits.idle_timeout),
        ("limits.drain_grace_ms", *drain_grace != read.limits.drain_grace),
        ("limits.drain_timeout_ms", *drain_timeout != read.limits.drain_timeout),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
