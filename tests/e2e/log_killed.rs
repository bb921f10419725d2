//! `kill -9`: what was acknowledged is there, little else is missing, and what is said of it is true.
//!
//! Under load five times, or as often as `FARTHING_KILLS` says.

#![expect(clippy::print_stderr, reason = "the figures are what a long run is for")]

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::folder::{Folder, files};
use crate::sample;
use crate::server::{Client, Server};

/// Threads that send.
const CLIENTS: usize = 3;
/// Requests of a batch.
const BATCH: usize = 8;
/// Decisions that were made and perhaps not answered when the server went.
const IN_FLIGHT: u64 = (BATCH * CLIENTS) as u64;
/// Rows that may wait for the disk: more than come while it syncs, or rows are dropped.
const QUEUE_ROWS: u64 = 1024;
/// Rows are written so often.
const COMMIT_INTERVAL_MS: u64 = 20;
/// What comes in so long may be lost; a busy disk takes some times an interval.
const MOST_LOST: Duration = Duration::from_millis(10 * COMMIT_INTERVAL_MS);

/// What a client was told before the server went.
#[derive(Default)]
struct Told {
    decisions: Vec<String>,
    /// Decision ids of outcomes that were acknowledged.
    outcomes: Vec<String>,
}

/// Asks for decisions and reports outcomes until the server is gone.
fn client(server: Client) -> Told {
    let mut told = Told::default();
    let requests = vec![json!({"prompt": "How many farthings are in a shilling?"}); BATCH];
    let batch = json!({ "requests": requests }).to_string();
    while let Ok(answer) = server.post("/v1/route/batch", &batch) {
        let answer = answer.json(200);
        let ids = answer["data"].as_array().unwrap().iter();
        let ids: Vec<String> =
            ids.map(|entry| entry["decision_id"].as_str().unwrap().to_owned()).collect();
        told.decisions.extend(ids.iter().cloned());
        let outcomes: Vec<Value> =
            ids.iter().map(|id| json!({"decision_id": id, "model": "m", "score": 1})).collect();
        let Ok(answer) = server.post("/v1/outcomes", json!(outcomes).to_string()) else { break };
        assert_eq!(answer.json(202)["accepted"], BATCH);
        told.outcomes.extend(ids);
    }
    told
}

/// A server with these settings.
fn start(folder: &Folder) -> Server {
    let log = format!("queue_rows = {QUEUE_ROWS}\ncommit_interval_ms = {COMMIT_INTERVAL_MS}\n");
    folder.write("farthing.toml", format!("[log]\n{log}"));
    Server::start_with(folder, &sample::router(0).dir(), &["--config", "farthing.toml"])
}

/// Loads the server from several threads and kills it after a while.
fn load_and_kill(server: Server, after: Duration) -> Told {
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| server.client).map(|to| thread::spawn(move || client(to))).collect();
    thread::sleep(after);
    server.kill();
    let mut all = Told::default();
    for client in clients {
        let told = client.join().unwrap();
        all.decisions.extend(told.decisions);
        all.outcomes.extend(told.outcomes);
    }
    all
}

/// The decision ids in the segments: of decisions, and of outcomes.
fn logged(folder: &Folder) -> [BTreeSet<String>; 2] {
    let mut found = [BTreeSet::new(), BTreeSet::new()];
    for (_, bytes) in files(&folder.path("decisions")) {
        for line in String::from_utf8_lossy(&bytes).lines() {
            // The last line of a killed server's segment may be cut short.
            let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
            let mut note = |at: usize, id: &Value| {
                found[at].insert(id.as_str().unwrap().to_owned());
            };
            match line["type"].as_str() {
                Some("decision") => note(0, &line["decision_id"]),
                Some("outcome") => note(1, &line["outcome"]["decision_id"]),
                _ => {}
            }
        }
    }
    found
}

/// How many of these are not there.
fn missing(ids: &[String], logged: &BTreeSet<String>) -> u64 {
    ids.iter().filter(|id| !logged.contains(*id)).count() as u64
}

/// A number of the log's.
fn metric(server: &Server, name: &str) -> u64 {
    let name = format!("farthing_log_rows_{name} ");
    let metrics = server.get("/metrics").body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap().parse().unwrap()
}

/// What a server says that those before it have lost: at least, and at most.
fn said_lost(server: &Server) -> [u64; 2] {
    ["missing", "lost_at_most"].map(|name| metric(server, name))
}

#[test]
fn what_was_acknowledged_survives() {
    let kills = std::env::var_os("FARTHING_KILLS")
        .map_or(5, |times| times.to_str().unwrap().parse().unwrap());
    let folder = Folder::new();
    let mut server = start(&folder);
    assert_eq!(said_lost(&server), [0, 0]);
    let mut moment = 1_u64;
    let (mut decisions, mut outcomes, mut lost_in_all, mut most_lost, mut most_bound) =
        (0, 0, 0, 0, 0);
    for kill in 0..kills {
        // Knuth's generator, for moments that are the same in every run.
        moment =
            moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_millis(300 + (moment >> 33) % 400);
        let told = load_and_kill(server, after);
        server = start(&folder);
        let [missing_at_least, bound] = said_lost(&server);
        let [logged_decisions, logged_outcomes] = logged(&folder);
        let lost = missing(&told.decisions, &logged_decisions);
        assert_eq!(missing(&told.outcomes, &logged_outcomes), 0, "kill {kill}");
        assert!(
            (missing_at_least.saturating_sub(IN_FLIGHT)..=bound).contains(&lost),
            "kill {kill}: {lost} rows are missing, {missing_at_least} to {bound} were said to be"
        );
        let rate = told.decisions.len() as f64 / after.as_secs_f64();
        let most = rate * MOST_LOST.as_secs_f64() + IN_FLIGHT as f64;
        assert!(lost as f64 <= most, "kill {kill}: {lost} rows are missing at {rate:.0} a second");
        decisions += told.decisions.len();
        outcomes += told.outcomes.len();
        lost_in_all += lost;
        most_lost = most_lost.max(lost);
        most_bound = most_bound.max(bound);
    }
    eprintln!(
        "{kills} kills: {outcomes} outcomes acknowledged, all there; {decisions} decisions answered, \
         {lost_in_all} rows lost, at most {most_lost} by one kill; greatest bound {most_bound}"
    );
    assert!(outcomes > 0);
    let said = server.stop();
    let leftover =
        files(&folder.path("decisions")).into_iter().filter(|(name, _)| !name.ends_with(".ndjson"));
    assert_eq!(leftover.count(), 0, "every segment is sealed and no run is on");
    assert!(said.contains("decision rows are missing"), "{said}");
}

#[test]
fn an_idle_server_loses_nothing() {
    let folder = Folder::new();
    let server = start(&folder);
    for _ in 0..3 {
        server.post("/v1/route", r#"{"prompt": "hello"}"#).json(200);
    }
    let deadline = Instant::now() + Duration::from_mins(1);
    while metric(&server, "written_total") < 3 {
        assert!(Instant::now() < deadline, "the rows are not written");
        thread::sleep(Duration::from_millis(COMMIT_INTERVAL_MS));
    }
    server.kill();
    let left = files(&folder.path("decisions"));
    let (_, note) = left.iter().find(|(name, _)| name.starts_with("run-")).unwrap();
    let note: Value = serde_json::from_slice(note).unwrap();
    assert_eq!((&note["next"], &note["queue_rows"]), (&json!(3), &json!(QUEUE_ROWS)));
    let server = start(&folder);
    assert_eq!(
        said_lost(&server),
        [0, QUEUE_ROWS],
        "none for certain, and what may have been queued"
    );
    assert_eq!(logged(&folder)[0].len(), 3);
    server.stop();
}
