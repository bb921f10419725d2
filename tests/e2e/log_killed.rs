//! `kill -9` under load: what was acknowledged is there, and what is missing is bounded.
//!
//! Five times, or as often as `FARTHING_KILLS` says.

#![expect(clippy::print_stderr, reason = "the figures are what a long run is for")]

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::folder::{Folder, files};
use crate::sample;
use crate::server::{Client, Server};

/// Threads that send.
const CLIENTS: usize = 3;
/// Requests of a batch.
const BATCH: usize = 32;
/// Rows that may wait for the disk, by default.
const QUEUE_ROWS: u64 = 8192;

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

/// What a server says that the one before it has lost at most.
fn lost_at_most(server: &Server) -> u64 {
    let metrics = server.get("/metrics").body;
    let line = metrics.lines().find(|line| line.starts_with("farthing_log_rows_lost_at_most "));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn what_was_acknowledged_survives() {
    let kills = std::env::var_os("FARTHING_KILLS")
        .map_or(5, |times| times.to_str().unwrap().parse().unwrap());
    let folder = Folder::new();
    let router = sample::router(0).dir();
    let mut server = Server::start(&folder, &router);
    assert_eq!(lost_at_most(&server), 0);
    let mut moment = 1_u64;
    let (mut decisions, mut outcomes, mut lost_in_all, mut most_lost, mut most_bound) =
        (0, 0, 0, 0, 0);
    for kill in 0..kills {
        // Knuth's generator, for moments that are the same in every run.
        moment =
            moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let told = load_and_kill(server, Duration::from_millis(30 + (moment >> 33) % 400));
        server = Server::start(&folder, &router);
        let bound = lost_at_most(&server);
        let [logged_decisions, logged_outcomes] = logged(&folder);
        let lost = missing(&told.decisions, &logged_decisions);
        assert_eq!(missing(&told.outcomes, &logged_outcomes), 0, "kill {kill}");
        assert!(
            lost <= bound,
            "kill {kill}: {lost} rows are missing, at most {bound} were said to be"
        );
        assert!(
            lost <= QUEUE_ROWS + (BATCH * CLIENTS) as u64,
            "kill {kill}: {lost} rows are missing"
        );
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
