//! The server under load, beside an empty handler that parses the same body and answers as many bytes.
//!
//! ```text
//! cargo bench -p farthing-serve --bench load [-- ROUTER_DIR]
//! cargo bench -p farthing-serve --bench load -- forwarding
//! cargo bench -p farthing-serve --bench load -- dying
//! cargo bench -p farthing-serve --bench load -- soak [SECONDS]
//! ```
//!
//! Each server is a process of its own on the first core, logging on; the generator has the second core
//! (with `taskset`, where there is one). For each length of body it finds the throughput at saturation,
//! then sends at fixed times, half as often, whether answers have come or not, and counts latency from
//! when a request was due: a slow answer delays no later request, so none is left out. At last it sends
//! three times as much as can be answered, over as many connections as a crowd of clients has; with none
//! free for a millisecond a request is not sent, and counted so.
//!
//! `forwarding` measures the gateway instead, see `gateway`; in `dying` one of its upstream's instances dies; `soak`
//! has it work for an hour.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

mod dying;
mod gateway;
mod generator;
mod servers;
mod soak;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use generator::{Arrivals, Load, Outcome, To};
use servers::Running;

const CONNECTIONS: usize = 32;
/// Connections of a crowd of clients.
const CROWD: usize = 128;
const PATIENCE: Duration = Duration::from_millis(1);
const DURATION: Duration = Duration::from_secs(6);
/// English prose has about so many bytes in ten tokens.
const TEN_TOKENS_BYTES: usize = 37;
const PINNED: &str = "--pinned";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["empty", bytes] => servers::empty(bytes.parse()?),
        ["farthing", router, log] => servers::farthing(Path::new(router), Path::new(log)),
        ["upstream"] => servers::upstream(),
        ["proxy", upstream] => servers::proxy(upstream.parse()?),
        ["gateway", router, log, upstream, faults @ ..] => {
            servers::gateway(Path::new(router), Path::new(log), upstream, faults)
        }
        [PINNED, "forwarding"] => gateway::measure(&fixture()),
        [PINNED, "dying"] => dying::measure(&fixture()),
        [PINNED, "soak"] => soak::measure(&fixture(), 3600),
        [PINNED, "soak", seconds] => soak::measure(&fixture(), seconds.parse()?),
        [PINNED, router @ ..] => measure(router.first().copied()),
        [_] | [] | ["soak", _] => pinned(&args),
        _ => bail!("usage: load [ROUTER_DIR | forwarding | dying | soak [SECONDS]]"),
    }
}

/// Runs the generator on the second core.
fn pinned(args: &[&str]) -> Result<()> {
    let status = servers::on_core(1)?.arg(PINNED).args(args).status()?;
    if status.success() { Ok(()) } else { bail!("the measurement failed: {status}") }
}

fn measure(router: Option<&str>) -> Result<()> {
    let router = router.map_or_else(fixture, PathBuf::from);
    println!("{}", Outcome::HEADER);
    for tokens in [200, 2_000] {
        let body = body(tokens);
        let dir = tempfile::tempdir()?;
        let farthing = Running::farthing(&router, dir.path())?;
        let answer_bytes = generator::ask(route(&farthing, &body))?;
        let saturated = load(&farthing, &body, CONNECTIONS, Arrivals::AtOnce)?;
        let half = saturated.per_second() / 2.0;
        let name = |what: &str| format!("{tokens} tokens, {what}");
        saturated.print(&name("farthing, saturated"));
        load(&farthing, &body, CONNECTIONS, Arrivals::Every(1.0 / half))?
            .print(&name("farthing, half of that"));
        let (ready, before) = (farthing.ready, farthing.resident_bytes()?);
        load(&farthing, &body, CROWD, Arrivals::Every(1.0 / (6.0 * half)))?
            .print(&name("farthing, three times that"));
        let after = farthing.resident_bytes()?;
        drop(farthing);
        let empty = Running::empty(answer_bytes)?;
        let bare = load(&empty, &body, CONNECTIONS, Arrivals::AtOnce)?;
        bare.print(&name("empty, saturated"));
        load(&empty, &body, CONNECTIONS, Arrivals::Every(1.0 / half))?
            .print(&name("empty, as often as farthing"));
        println!(
            "{tokens} tokens: {:.2} of the throughput of an empty handler; ready after {ready:.0?}; resident memory {} MB, {} MB after three times the load; {answer_bytes} bytes an answer\n",
            saturated.per_second() / bare.per_second(),
            before >> 20,
            after >> 20,
        );
    }
    Ok(())
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/router-v1")
}

fn load(server: &Running, body: &str, connections: usize, arrivals: Arrivals) -> Result<Outcome> {
    let patience = (connections == CROWD).then_some(PATIENCE);
    let load = Load { connections, arrivals, patience, duration: DURATION };
    generator::run(route(server, body), &load).context("the generator failed")
}

fn route<'a>(server: &Running, body: &'a str) -> To<'a> {
    To { address: server.address, path: "/v1/route", body }
}

/// A chat body with so many tokens in its last turn.
fn body(tokens: usize) -> String {
    let prose: String = include_str!("../../../../README.md").repeat(4);
    let end = prose.floor_char_boundary(tokens * TEN_TOKENS_BYTES / 10);
    serde_json::json!({
        "model": "auto",
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": &prose[..end]},
        ],
        "temperature": 0.2,
        "max_tokens": 512,
    })
    .to_string()
}

/// This program again.
fn this_program() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}
