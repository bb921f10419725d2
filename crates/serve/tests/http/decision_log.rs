//! The decision log: every row that goes in comes out, or is counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use farthing_core::Digest;
use farthing_core::log::{DecisionRow, SCHEMA_VERSION};
use farthing_serve::{LogConfig, ServeConfig};

use crate::harness::{Service, service_with};

fn logged(config: &mut ServeConfig, dir: &Path) {
    config.log = Some(LogConfig::new(dir.join("log")));
}

/// Stops the service; its segments and their rows.
async fn stop(service: Service) -> (Vec<String>, Vec<DecisionRow<'static>>) {
    service.background.finish().await.unwrap();
    let folder = fs::read_dir(service.dir.path().join("log")).unwrap();
    let mut names: Vec<_> =
        folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let read = |name: &String| fs::read_to_string(service.dir.path().join("log").join(name));
    let text: String = names.iter().map(|name| read(name).unwrap()).collect();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (names, rows)
}

#[tokio::test]
async fn a_row_holds_the_decision_and_no_text() {
    let service = service_with(logged);
    let answer = service.route(r#"{"prompt": "my secret", "farthing": {"exclude": ["small"]}}"#);
    let answer = answer.await.json();
    assert_eq!(answer["candidates"].as_array().unwrap().len(), 1);
    let (names, rows) = stop(service).await;
    assert_eq!(names, ["decisions-20260102T030405Z-0.ndjson"]);

    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.schema_version, SCHEMA_VERSION);
    assert_eq!(row.timestamp, "2026-01-02T03:04:05.000000Z");
    assert_eq!(row.request_digest, Digest::of(b"my secret"));
    assert_eq!(row.decision.decision_id, answer["decision_id"].as_str().unwrap());
    assert_eq!(serde_json::json!(row.decision.decision_us), answer["decision_us"]);
    assert_eq!(row.decision.candidates.len(), 3, "every candidate is listed");
    assert!(!serde_json::to_string(row).unwrap().contains("secret"));
}

#[tokio::test]
async fn rows_in_are_rows_out() {
    let service = service_with(|config, dir| {
        logged(config, dir);
        config.log.as_mut().unwrap().segment_bytes = 2000;
    });
    let mut answered = BTreeSet::new();
    for _ in 0..50 {
        let answer = service.route(r#"{"prompt": "hello"}"#).await.json();
        answered.insert(answer["decision_id"].as_str().unwrap().to_owned());
    }
    service.route("{}").await;
    let requests = vec![r#"{"prompt": "hello"}"#; 50].join(",");
    let batch = format!(r#"{{"requests": [{requests}]}}"#);
    for entry in service.post("/v1/route/batch", batch).await.json()["data"].as_array().unwrap() {
        answered.insert(entry["decision_id"].as_str().unwrap().to_owned());
    }
    let (names, rows) = stop(service).await;
    assert!(names.len() > 1, "{names:?}");
    assert_eq!(rows.len(), 100);
    let written: BTreeSet<_> =
        rows.into_iter().map(|row| row.decision.decision_id.into_owned()).collect();
    assert_eq!(written, answered);
}

#[tokio::test]
async fn rows_without_room_are_dropped_and_counted() {
    let service = service_with(|config, dir| {
        logged(config, dir);
        config.log.as_mut().unwrap().queue_rows = 1;
    });
    let requests = vec![r#"{"prompt": "hello"}"#; 1000].join(",");
    let batch = format!(r#"{{"requests": [{requests}]}}"#);
    assert_eq!(service.post("/v1/route/batch", batch).await.status, 200);
    let count = |text: &str, name: &str| -> usize {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let text = service.get("/metrics").await.text;
    let dropped = count(&text, "farthing_log_rows_dropped_total");
    let (_, rows) = stop(service).await;
    assert_eq!(rows.len() + dropped, 1000);
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::harness::config(dir.path());
    config.log = Some(LogConfig::new(config.router.path.join("manifest.json")));
    let error = farthing_serve::AppState::start(&config, crate::harness::clock()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("cannot create the log folder"), "{cause}");
}
