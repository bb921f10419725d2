//! The decision log: every row that goes in comes out, or is counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use farthing_core::log::read::{Line, read_segment};
use farthing_core::{Digest, Request};
use farthing_serve::{AppState, Clock, LogConfig, PromptStorage, ServeConfig};
use serde_json::{Value, json};

use crate::harness::{Service, clock, config, service_with};

fn logged(config: &mut ServeConfig, dir: &Path) {
    config.log = Some(LogConfig::new(dir.join("log")));
}

fn with_prompts(prompts: PromptStorage) -> Service {
    service_with(|config, dir| {
        logged(config, dir);
        config.log.as_mut().unwrap().prompts = prompts;
    })
}

/// Names of a folder's files without the random part of the run, and their paths.
fn listed(dir: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut listed: Vec<_> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_run = |part: &&str| part.len() != 12;
            (name.split('-').filter(is_run).collect::<Vec<_>>().join("-"), path)
        })
        .collect();
    listed.sort();
    listed
}

/// Stops the service; the names of its segments.
async fn stop(service: Service) -> (Vec<String>, Vec<Value>) {
    service.background.finish().await.unwrap();
    let files = listed(&service.dir.path().join("log"));
    let mut rows = Vec::new();
    for (_, path) in &files {
        // Each can be read alone.
        let bytes = fs::read(path).unwrap();
        read_segment(&bytes, &mut |_, line| match line.unwrap() {
            Line::Decision(row, _) => rows.push(serde_json::to_value(row).unwrap()),
            Line::Segment(_) | Line::Router(_) | Line::Outcome(_) => {}
        });
    }
    (files.into_iter().map(|(name, _)| name).collect(), rows)
}

/// The value of a metric.
fn metric(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_row_holds_the_decision_and_no_text() {
    let service = with_prompts(PromptStorage::Hashed);
    let body = r#"{"prompt": "my secret", "farthing": {"exclude": ["small"], "context": {"task": "x"}, "session_id": "me"}}"#;
    let answer = service.route(body).await.json();
    let (names, rows) = stop(service).await;
    assert_eq!(names, ["decisions-20260102T030405Z-000000.ndjson"]);
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    for name in
        ["decision_id", "model", "policy", "reason", "bar", "margin", "propensity", "router"]
    {
        assert_eq!(row[name], answer[name], "{name}");
    }
    assert_eq!(row["decision_us"], answer["decision_us"]);
    assert_eq!(row["seq"], 0);
    assert_eq!(row["timestamp"], "2026-01-02T03:04:05.000000Z");
    assert_eq!(row["context"], json!({"task": "x"}));
    assert_eq!(row["session"], Digest::of(b"me").to_string());
    let digest = Request::from_prompt("my secret").unwrap().digest();
    assert_eq!(row["asked"], json!({"digest": digest.to_string()}));
    // Every candidate, eligible or not, in the router's order.
    assert_eq!(row["predicted"]["quality"], json!([0.75, 0.875, 0.5]));
    assert_eq!(row["predicted"]["cost_usd"][2], Value::Null);
    assert_eq!(row["predicted"]["excluded_by"], json!(["excluded", null, "unpriced"]));
    assert!(!row.to_string().contains("secret"));
}

#[tokio::test]
async fn prompts_are_stored_as_configured() {
    let body = r#"{"messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content": "hi there"}]}"#;
    for (prompts, kept) in [
        (PromptStorage::Full, vec!["messages"]),
        (PromptStorage::Hashed, vec!["digest"]),
        (PromptStorage::Features, vec!["digest", "features"]),
        (PromptStorage::None, vec![]),
    ] {
        let service = with_prompts(prompts);
        service.route(body).await;
        let (_, rows) = stop(service).await;
        let asked = rows[0]["asked"].as_object().cloned().unwrap_or_default();
        assert_eq!(asked.keys().collect::<Vec<_>>(), kept, "{prompts:?}");
        if prompts == PromptStorage::Full {
            let turn = |role, content| json!({"role": role, "content": content});
            assert_eq!(
                asked["messages"],
                json!([turn("system", "be brief"), turn("user", "hi there")])
            );
        } else {
            assert!(!rows[0].to_string().contains("hi there"));
        }
        if prompts == PromptStorage::Features {
            // "hi", "there", "hi there"
            assert_eq!(asked["features"]["buckets"].as_array().unwrap().len(), 3);
        }
    }
}

#[tokio::test]
async fn rows_in_are_rows_out() {
    let service = service_with(|config, dir| {
        logged(config, dir);
        let log = config.log.as_mut().unwrap();
        (log.segment_bytes, log.commit_interval) = (2000, Duration::from_millis(1));
    });
    let mut answered = BTreeSet::new();
    for _ in 0..50 {
        let answer = service.route(r#"{"prompt": "hello"}"#).await.json();
        answered.insert(answer["decision_id"].as_str().unwrap().to_owned());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // What is written before the batch comes is more than a segment holds.
    while metric(&service.get("/metrics").await.text, "farthing_log_rows_written_total") < 50 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    service.route("{}").await;
    let requests = vec![r#"{"prompt": "hello"}"#; 50].join(",");
    let batch = format!(r#"{{"requests": [{requests}]}}"#);
    for entry in service.post("/v1/route/batch", batch).await.json()["data"].as_array().unwrap() {
        answered.insert(entry["decision_id"].as_str().unwrap().to_owned());
    }
    let (names, rows) = stop(service).await;
    assert!(names.len() > 1, "{names:?}");
    assert!(names.iter().all(|name| name.ends_with(".ndjson")), "{names:?}");
    let written: BTreeSet<_> =
        rows.iter().map(|row| row["decision_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((rows.len(), written), (100, answered));
    let seqs: BTreeSet<_> = rows.iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (0..100).collect());
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
    let text = service.get("/metrics").await.text;
    let dropped = metric(&text, r#"farthing_log_rows_dropped_total{cause="queue_full"}"#);
    assert!(dropped > 0);
    let (_, rows) = stop(service).await;
    assert_eq!(rows.len() as u64 + dropped, 1000);
}

/// However few rows they are, prompts that wait are bounded.
#[tokio::test]
async fn long_prompts_do_not_pile_up() {
    let service = service_with(|config, dir| {
        logged(config, dir);
        config.log.as_mut().unwrap().commit_interval = Duration::from_hours(1);
    });
    // The writer looks once at the start.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let body = json!({"prompt": "word ".repeat(1 << 20)}).to_string();
    for _ in 0..20 {
        assert_eq!(service.route(body.clone()).await.status, 200);
    }
    let text = service.get("/metrics").await.text;
    assert_eq!(metric(&text, r#"farthing_log_rows_dropped_total{cause="queue_full"}"#), 8);
    let (_, rows) = stop(service).await;
    assert_eq!(rows.len(), 12);
}

/// Context and turns take memory too.
#[tokio::test]
async fn what_is_no_text_does_not_pile_up_either() {
    let service = service_with(|config, dir| {
        logged(config, dir);
        let log = config.log.as_mut().unwrap();
        log.commit_interval = Duration::from_hours(1);
    });
    // The writer looks once at the start.
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Eight megabytes of memory, one byte of text.
    let turns = r#",{"role":"user"}"#.repeat(1 << 18);
    let body = format!(r#"{{"messages":[{{"role":"user","content":"a"}}{turns}]}}"#);
    for _ in 0..12 {
        assert_eq!(service.route(body.clone()).await.status, 200);
    }
    let text = service.get("/metrics").await.text;
    assert!(metric(&text, r#"farthing_log_rows_dropped_total{cause="queue_full"}"#) >= 4);
    let context = format!(
        r#"{{"prompt": "a", "farthing": {{"context": {{"x": "{}"}}}}}}"#,
        "v".repeat(1 << 20)
    );
    let refused = service.route(context).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["param"]),
        (400, &json!("farthing.context"))
    );
}

#[tokio::test]
async fn what_no_run_owns_is_seen_to() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    fs::create_dir(&log).unwrap();
    fs::write(log.join("outcomes-20260101T000000Z-abcdefabcdef-000000.ndjson.open"), "{").unwrap();
    fs::write(log.join("run-abcdefabcdef.new"), "").unwrap();
    let mut config = config(dir.path());
    logged(&mut config, dir.path());
    let (_, background) = AppState::start(&config, clock()).unwrap();
    background.finish().await.unwrap();
    let names: Vec<_> = listed(&log).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["outcomes-20260101T000000Z-000000.ndjson"]);
}

/// A run that died: what is promised in its file and not in its segments may be missing.
#[tokio::test]
async fn what_a_dead_run_left_is_sealed_and_its_loss_is_bounded() {
    let service = service_with(logged);
    for _ in 0..3 {
        service.route(r#"{"prompt": "hello"}"#).await;
    }
    service.background.finish().await.unwrap();
    let log = service.dir.path().join("log");
    let [(_, segment)] = listed(&log).try_into().unwrap();
    let left = fs::read_to_string(&segment).unwrap();
    fs::remove_file(&segment).unwrap();
    let torn = &left[..left.len() - 10];
    fs::write(log.join("decisions-20260101T000000Z-abcdefabcdef-000007.ndjson.open"), torn)
        .unwrap();
    let promise = r#"{"run":"0-abcdefabcdef","began":"then","sealed_to":0,"reserved":40}"#;
    fs::write(log.join("run-abcdefabcdef.json"), promise).unwrap();

    let mut again = ServeConfig::new(service.dir.path().join("router"));
    again.log = Some(LogConfig::new(&log));
    let (state, background) = AppState::start(&again, clock()).unwrap();
    let app = farthing_serve::app(&state);
    let service = Service { app, background, dir: service.dir };
    let text = service.get("/metrics").await.text;
    // Forty promised, two whole lines left.
    assert_eq!(metric(&text, "farthing_log_rows_lost_at_most"), 38);
    service.background.finish().await.unwrap();
    let [(name, path)] = listed(&log).try_into().unwrap();
    assert_eq!(name, "decisions-20260101T000000Z-000007.ndjson");
    assert_eq!(fs::read_to_string(path).unwrap(), torn, "nothing is cut off");
}

#[tokio::test]
async fn a_run_that_lives_is_left_alone() {
    let service = service_with(logged);
    service.route(r#"{"prompt": "hello"}"#).await;
    let mut other = config(service.dir.path());
    logged(&mut other, service.dir.path());
    other.seed = Some(8);
    let (_, background) = AppState::start(&other, clock()).unwrap();
    background.finish().await.unwrap();
    let (names, rows) = stop(service).await;
    assert_eq!((names.len(), rows.len()), (1, 1));
}

#[tokio::test]
async fn old_segments_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    fs::create_dir(&log).unwrap();
    let names = [
        "outcomes-20260101T000000Z-a-000000.ndjson",
        "decisions-20260102T000000Z-a-000000.ndjson",
        "decisions-20260103T000000Z-a-000000.ndjson",
        "decisions-20260103T000000Z-b-000000.ndjson.open",
        "notes.ndjson",
    ];
    for name in names {
        fs::write(log.join(name), "1234567890").unwrap();
    }
    let lives = fs::File::create(log.join("run-b.json")).unwrap();
    lives.lock().unwrap();
    let left = async |change: &dyn Fn(&mut LogConfig)| {
        let mut config = config(dir.path());
        let mut log_config = LogConfig::new(&log);
        change(&mut log_config);
        config.log = Some(log_config);
        let now = Clock::from_fn(|| UNIX_EPOCH + Duration::from_hours(490_964)); // 2026-01-03T20:00:00Z
        let (_, background) = AppState::start(&config, now).unwrap();
        background.finish().await.unwrap();
        names.iter().filter(|name| log.join(name).exists()).count()
    };
    assert_eq!(left(&|_| ()).await, 5);
    assert_eq!(left(&|log| log.max_age = Some(Duration::from_hours(48))).await, 4);
    assert_eq!(left(&|log| log.max_bytes = Some(19)).await, 3);
    assert!(log.join(names[2]).exists());
    assert_eq!(left(&|log| log.max_bytes = Some(0)).await, 2, "only what is a sealed segment");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.log = Some(LogConfig::new(config.router.path.join("manifest.json")));
    let error = AppState::start(&config, clock()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("cannot create the log folder"), "{cause}");
}
