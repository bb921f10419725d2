//! Exchanging the router of a service: by hand, by the clock, back again, and under load.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use farthing_core::Digest;
use farthing_serve::{Overrides, ServeConfig, Sources};
use serde_json::{Value, json};
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::{Service, service_with, service_with_sources};
use crate::socket::{Client, run};
use crate::tiny::write_tiny_router_with;

/// Two routers, `a` and `b`, and a pointer `current` to the first.
fn two_routers(dir: &Path) -> (Digest, Digest) {
    let a = write_tiny_router_with(&dir.join("a"), "cheapest_above_bar");
    let b = write_tiny_router_with(&dir.join("b"), "best_quality");
    point_to(dir, "a");
    (a, b)
}

fn point_to(dir: &Path, name: &str) {
    let pending = dir.join("current.pending");
    fs::write(&pending, name).unwrap();
    fs::rename(pending, dir.join("current")).unwrap();
}

fn pointed(config: &mut ServeConfig, dir: &Path) {
    two_routers(dir);
    config.router.path = dir.join("current");
}

fn service() -> Service {
    service_with(pointed)
}

async fn policy_in_force(service: &Service) -> String {
    let decision = service.route(r#"{"prompt": "hello"}"#).await.json();
    decision["policy"].as_str().unwrap().to_owned()
}

async fn serving(service: &Service) -> Value {
    service.get("/v1/router").await.json()["serving"].clone()
}

async fn wait_for(mut happened: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !happened().await {
        assert!(start.elapsed() < Duration::from_secs(20), "it did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn another_router_is_taken_when_asked_and_the_old_one_on_rollback() {
    let service = service();
    let (a, b) = two_routers(service.dir.path());
    let (a, b) = (json!(a), json!(b));
    assert_eq!(serving(&service).await["last_reload"], Value::Null);

    let answer = service.post("/admin/reload", "").await.json();
    let expected = json!({"object": "farthing.reload", "router": "unchanged", "config": "unchanged",
        "digest": a, "previous": null});
    assert_eq!(answer, expected);

    point_to(service.dir.path(), "b");
    let answer = service.post("/admin/reload", "").await.json();
    let expected = json!({"object": "farthing.reload", "router": "ok", "config": "unchanged",
        "digest": b, "previous": a});
    assert_eq!(answer, expected);
    assert_eq!(policy_in_force(&service).await, "best_quality");
    let expected = json!({"loaded_at": "2026-01-02T03:04:05.000000Z", "digest": b, "previous": a,
        "last_reload": {"at": "2026-01-02T03:04:05.000000Z", "result": "ok", "error": null},
        "settings": {"digest": null, "applied_at": "2026-01-02T03:04:05.000000Z"}, "unhealthy": []});
    assert_eq!(serving(&service).await, expected);

    let answer = service.post("/admin/rollback", "").await.json();
    assert_eq!((&answer["digest"], &answer["previous"]), (&a, &b));
    assert_eq!(policy_in_force(&service).await, "cheapest_above_bar");
    let metrics = service.get("/metrics").await.text;
    for line in [
        r#"farthing_reloads_total{what="router",result="ok"} 2"#,
        r#"farthing_reloads_total{what="router",result="unchanged"} 1"#,
        &format!("farthing_router_info{{digest={a}}} 1"),
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains(b.as_str().unwrap()), "{metrics}");
}

#[tokio::test]
async fn a_broken_router_changes_nothing_and_is_reported() {
    let service = service();
    let before = serving(&service).await;
    fs::write(service.dir.path().join("b/model.safetensors"), "nothing").unwrap();
    point_to(service.dir.path(), "b");
    let answer = service.post("/admin/reload", "").await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (409, Some("not_reloaded"))
    );
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("cannot load the router: `"), "{message}");
    assert!(message.contains("b/model.safetensors` was changed after training"), "{message}");
    assert!(message.ends_with("; what was in service stays"), "{message}");

    assert_eq!(policy_in_force(&service).await, "cheapest_above_bar");
    assert_eq!(service.get("/readyz").await.status, 200);
    let after = serving(&service).await;
    assert_eq!(after["digest"], before["digest"]);
    assert_eq!(after["last_reload"]["result"], "failed");
    assert_eq!(after["last_reload"]["error"], "there is no sound router");
    let line = r#"farthing_reloads_total{what="router",result="failed"} 1"#;
    assert!(service.get("/metrics").await.text.contains(line));

    let answer = service.post("/admin/rollback", "").await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (409, Some("not_reloaded"))
    );
}

#[tokio::test]
async fn the_clock_finds_other_routers_and_leaves_a_rollback_alone() {
    let service = service_with(|config, dir| {
        pointed(config, dir);
        config.router.poll = Some(Duration::from_millis(20));
    });
    point_to(service.dir.path(), "b");
    wait_for(async || policy_in_force(&service).await == "best_quality").await;
    service.post("/admin/rollback", "").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(policy_in_force(&service).await, "cheapest_above_bar");

    // The path leads elsewhere and back: now it is meant.
    point_to(service.dir.path(), "a");
    tokio::time::sleep(Duration::from_millis(100)).await;
    point_to(service.dir.path(), "b");
    wait_for(async || policy_in_force(&service).await == "best_quality").await;
    service.background.finish().await.unwrap();
}

#[tokio::test]
async fn a_server_that_looks_for_routers_may_start_without_one() {
    let service = service_with(|config, dir| {
        pointed(config, dir);
        point_to(dir, "not/there");
        config.router.poll = Some(Duration::from_millis(20));
    });
    for path in ["/v1/models", "/v1/router", "/admin/health"] {
        let answer = service.get(path).await;
        let code = answer.json()["error"]["code"].clone();
        assert_eq!((answer.status, code), (503, json!("router_not_loaded")), "{path}");
    }
    let answer = service.route(r#"{"prompt": "hello"}"#).await;
    assert_eq!((answer.status, answer.headers["retry-after"].as_bytes()), (503, &b"1"[..]));
    assert_eq!(service.get("/livez").await.status, 200);
    let unready = service.get("/readyz").await;
    assert_eq!(unready.status, 503);
    assert_eq!(unready.json()["error"]["code"], "router_not_loaded");
    // Anybody may ask, so neither causes nor paths are told.
    let message = "no router is loaded; hint: the server's log says why";
    assert_eq!(unready.json()["error"]["message"], message);

    point_to(service.dir.path(), "a");
    wait_for(async || service.get("/readyz").await.status == 200).await;
    assert_eq!(policy_in_force(&service).await, "cheapest_above_bar");
    service.background.finish().await.unwrap();
}

#[tokio::test]
async fn settings_are_read_again_and_all_or_nothing_of_them_counts() {
    let write = |dir: &Path, text: &str| {
        let rest = "\n[router]\npath = \"current\"\n[candidates.small]\nvision = false\n";
        fs::write(dir.join("farthing.toml"), text.to_owned() + rest).unwrap();
    };
    let service = service_with_sources(pointed, |dir| {
        write(dir, "[limits]\nconcurrent_request = 1");
        Sources {
            file: Some(dir.join("farthing.toml")),
            overrides: Overrides::default(),
            read_prices: |_| Err("no prices are configured".into()),
            env: |_| None,
        }
    });
    let answer = service.post("/admin/reload", "").await;
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(answer.status, 409);
    assert!(message.starts_with("cannot read the settings again: "), "{message}");
    assert!(message.contains("did you mean `limits.concurrent_requests`?"), "{message}");
    assert_eq!(service.route(r#"{"prompt": "hello"}"#).await.status, 200);

    // Facts are part of what decides, so the router is made again with them.
    let key = Digest::of(b"a key");
    write(service.dir.path(), &format!("[auth]\nkeys = [\"{key}\"]"));
    let answer = service.post("/admin/reload", "").await.json();
    assert_eq!((&answer["config"], &answer["router"]), (&json!("ok"), &json!("ok")));
    assert_eq!(service.route(r#"{"prompt": "hello"}"#).await.status, 401);
    assert_eq!(service.post("/admin/reload", "").await.status, 401);
}

/// A service that reads `farthing.toml` in its folder, which has only a pointer to a router.
fn configured(poll: Option<Duration>) -> Service {
    service_with_sources(
        |config, dir| {
            pointed(config, dir);
            config.router.poll = poll;
            configure(dir, "");
        },
        |dir| Sources {
            file: Some(dir.join("farthing.toml")),
            overrides: Overrides::default(),
            read_prices: |path| Ok(serde_json::from_slice(&fs::read(path)?)?),
            env: |_| None,
        },
    )
}

/// Writes its settings.
fn configure(dir: &Path, more: &str) {
    fs::write(dir.join("farthing.toml"), settings(more)).unwrap();
}

fn settings(more: &str) -> String {
    format!("router.path = \"current\"\n{more}")
}

const BLIND: &str = "candidates.small.vision = false\n";

/// Whether `small` is known not to see.
async fn is_blind(service: &Service) -> bool {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let content = json!([{"type": "text", "text": "what is this?"}, image]);
    let body = json!({"messages": [{"role": "user", "content": content}],
        "farthing": {"explain": true}});
    let decision = service.route(body.to_string()).await.json();
    decision["candidates"][0]["excluded_by"] == "vision"
}

#[tokio::test]
async fn other_facts_are_not_another_router() {
    let service = configured(None);
    let (a, b) = two_routers(service.dir.path());
    point_to(service.dir.path(), "b");
    service.post("/admin/reload", "").await;
    let digest = |more: &str| json!(Digest::of(settings(more).as_bytes()));
    assert_eq!(serving(&service).await["settings"]["digest"], digest(""));
    configure(service.dir.path(), BLIND);
    let answer = service.post("/admin/reload", "").await.json();
    assert_eq!((&answer["digest"], &answer["previous"]), (&json!(b), &json!(a)));
    assert!(is_blind(&service).await);
    assert_eq!(serving(&service).await["settings"]["digest"], digest(BLIND));
    // What is refused is not in force; the same in other words is.
    configure(service.dir.path(), "nonsense = true\n");
    service.post("/admin/reload", "").await;
    assert_eq!(serving(&service).await["settings"]["digest"], digest(BLIND));
    let remark = format!("# a remark\n{BLIND}");
    configure(service.dir.path(), &remark);
    service.post("/admin/reload", "").await;
    assert_eq!(serving(&service).await["settings"]["digest"], digest(&remark));

    // The router of before comes back, the facts of before do not.
    let answer = service.post("/admin/rollback", "").await.json();
    assert_eq!((&answer["digest"], &answer["previous"]), (&json!(a), &json!(b)));
    assert!(is_blind(&service).await);
}

#[tokio::test]
async fn settings_count_while_a_rollback_holds() {
    let service = configured(Some(Duration::from_millis(20)));
    let (a, _) = two_routers(service.dir.path());
    point_to(service.dir.path(), "b");
    wait_for(async || policy_in_force(&service).await == "best_quality").await;
    service.post("/admin/rollback", "").await;
    assert!(!is_blind(&service).await);
    configure(service.dir.path(), BLIND);
    wait_for(async || is_blind(&service).await).await;
    assert_eq!(serving(&service).await["digest"], json!(a));
    service.background.finish().await.unwrap();
}

#[tokio::test]
async fn keys_do_not_vanish_from_a_running_server() {
    let key = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let service = configured(None);
    configure(service.dir.path(), &format!("auth.keys = [\"{key}\"]\n"));
    assert_eq!(service.post("/admin/reload", "").await.status, 200);
    configure(service.dir.path(), "");
    let request = Request::post("/admin/reload").header("authorization", "Bearer test");
    let answer = service.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("the settings have no keys any more; hint:"), "{}", answer.text);
    assert_eq!(service.route(r#"{"prompt": "a"}"#).await.status, 401);
}

/// Four clients on kept connections, a hundred exchanges, and not one request that fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_reloads_under_load_fail_no_request() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::harness::config(dir.path());
    pointed(&mut config, dir.path());
    let running = run(&config).await;
    let address = running.address;
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = JoinSet::new();
    for _ in 0..4 {
        let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
        clients.spawn_blocking(move || {
            let mut client = Client::connect(address);
            let mut seen = [0, 0];
            while !done.load(Relaxed) {
                let answer = client.post("/v1/route", r#"{"prompt": "hello"}"#);
                assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
                seen[usize::from(answer.contains(r#""policy":"best_quality""#))] += 1;
                answered.fetch_add(1, Relaxed);
            }
            seen
        });
    }
    let path = dir.path().to_owned();
    let reload = move |round: usize| {
        point_to(&path, ["b", "a"][round % 2]);
        let answer = Client::connect(address).post("/admin/reload", "");
        assert!(answer.contains(r#""router":"ok""#), "{answer}");
    };
    for round in 0..100 {
        let before = answered.load(Relaxed);
        let reload = reload.clone();
        spawn_blocking(move || reload(round)).await.unwrap();
        wait_for(async || answered.load(Relaxed) > before).await;
    }
    done.store(true, Relaxed);
    while let Some(seen) = clients.join_next().await {
        assert!(seen.unwrap().iter().all(|answers| *answers > 0), "both routers answered");
    }
    running.stop().await;
}
