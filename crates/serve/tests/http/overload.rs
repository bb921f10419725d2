//! Too much of everything, too slowly, and a stop in the middle of it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use hyper::body::Frame;
use serde_json::json;
use tokio::task::{JoinSet, spawn_blocking};

use crate::harness::{config, service_with};
use crate::socket::{Client, head, run};

#[tokio::test]
async fn requests_without_room_are_shed_and_probes_are_not() {
    let service = service_with(|config, _| config.limits.concurrent_requests = 0);
    let answer = service.route(r#"{"prompt": "hello"}"#).await;
    assert_eq!(answer.headers["retry-after"], "1");
    insta::assert_snapshot!(answer.shown(), @r#"
    503
    {
      "error": {
        "code": "overloaded",
        "message": "too many requests at once; hint: send it again in a second",
        "param": null,
        "type": "server_error"
      }
    }
    "#);
    for path in ["/livez", "/readyz", "/admin/health"] {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    let metrics = service.get("/metrics").await.text;
    for line in [
        r#"farthing_shed_total{what="requests"} 1"#,
        r#"farthing_http_requests_total{path="/v1/route",code="overloaded"} 1"#,
        r#"farthing_http_request_duration_seconds_count{path="/v1/route"} 1"#,
        "farthing_http_requests_in_flight 0",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_queue_that_stands_is_turned_away_until_it_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.limits.queue_time = Duration::from_millis(1);
    let running = run(&config).await;
    let address = running.address;
    // The only thread of the server, kept busy.
    let mut hog = JoinSet::new();
    hog.spawn(async {
        loop {
            std::thread::sleep(Duration::from_millis(5));
            tokio::task::yield_now().await;
        }
    });
    spawn_blocking(move || {
        let answered = |status: &str| {
            (0..1000).any(|_| {
                let mut client = Client::connect(address);
                client.send(head(19));
                client.send(r#"{"prompt": "hello"}"#);
                client.read().starts_with(&format!("HTTP/1.1 {status}"))
            })
        };
        assert!(answered("200"));
        assert!(answered("503"));
        assert!(Client::connect(address).get("/livez").starts_with("HTTP/1.1 200"));
        hog.abort_all();
        assert!(answered("200"));
        let metrics = Client::connect(address).get("/metrics");
        assert!(metrics.contains(r#"farthing_shed_total{what="queue"}"#), "{metrics}");
    })
    .await
    .unwrap();
    running.stop().await;
}

/// A body of which nothing arrives.
struct Never;

impl HttpBody for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let service = service_with(|config, _| {
        config.limits.request_timeout = Duration::from_millis(30);
    });
    let request = Request::post("/v1/route").body(Body::new(Never)).unwrap();
    let answer = service.send(request).await;
    assert_eq!(answer.status, 408);
    let error = answer.json()["error"].clone();
    let message = "the body did not arrive in 30 ms; hint: send it again";
    assert_eq!((&error["code"], &error["message"]), (&json!("request_timeout"), &json!(message)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_say_too_little_are_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.limits.idle_timeout = Duration::from_millis(100);
    config.limits.request_timeout = Duration::from_millis(300);
    let running = run(&config).await;
    let address = running.address;
    spawn_blocking(move || {
        let (mut silent, mut slow) = (Client::connect(address), Client::connect(address));
        slow.send("POST /v1/route HTTP/1.1\r\nho");
        silent.wait_for_end();
        slow.wait_for_end();

        let mut kept = Client::connect(address);
        assert!(kept.get("/livez").starts_with("HTTP/1.1 200"));
        kept.wait_for_end();

        // A request in flight is no idle connection, however long it takes.
        let mut waiting = Client::connect(address);
        waiting.send(head(20));
        waiting.send("{");
        assert!(waiting.read().starts_with("HTTP/1.1 408"));
    })
    .await
    .unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_allowed_are_closed_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.limits.connections = 2;
    let running = run(&config).await;
    let address = running.address;
    spawn_blocking(move || {
        let mut first = Client::connect(address);
        assert!(first.get("/livez").starts_with("HTTP/1.1 200"));
        let mut second = Client::connect(address);
        assert!(second.get("/livez").starts_with("HTTP/1.1 200"));
        Client::connect(address).wait_for_end();
        assert!(first.get("/metrics").contains(r#"farthing_shed_total{what="connections"} 1"#));
        drop(second);
        // Once the server has noticed, there is room again.
        let room = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            Client::connect(address).is_answered()
        });
        assert!(room);
    })
    .await
    .unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_on_their_way_share_a_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.limits.body_bytes = 1000;
    let running = run(&config).await;
    let address = running.address;
    spawn_blocking(move || {
        let body = json!({"prompt": "a".repeat(900)}).to_string();
        let (most, last) = body.split_at(body.len() - 1);
        let begin = || {
            let mut client = Client::connect(address);
            client.send(head(body.len()) + most);
            client
        };
        // The bodies of 32 greatest lengths fit, 35 of these, and no more.
        let mut clients: Vec<Client> = (0..35).map(|_| begin()).collect();
        let mut operator = Client::connect(address);
        while !operator.get("/metrics").contains("farthing_http_requests_in_flight 35\n") {}
        assert!(begin().read().contains(r#""code":"overloaded""#));
        for client in &mut clients {
            client.send(last);
            assert!(client.read().starts_with("HTTP/1.1 200"));
        }
        // What was taken is given back.
        let mut again = begin();
        again.send(last);
        assert!(again.read().starts_with("HTTP/1.1 200"));
    })
    .await
    .unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_announced_before_it_happens() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(dir.path());
    config.limits.drain_grace = Duration::from_millis(400);
    config.limits.drain_timeout = Duration::from_millis(200);
    let running = run(&config).await;
    let address = running.address;
    let mut stuck = Client::connect(address);
    stuck.send(head(20));
    let began = Instant::now();
    let ended = running.stopping();
    spawn_blocking(move || {
        let mut balancer = Client::connect(address);
        while balancer.get("/readyz").starts_with("HTTP/1.1 200") {
            assert!(began.elapsed() < Duration::from_millis(300), "still ready");
        }
        let answer = balancer.get("/readyz");
        assert!(answer.contains(r#""code":"draining""#), "{answer}");
        assert!(balancer.get("/livez").starts_with("HTTP/1.1 200"));
        assert!(balancer.post("/v1/route", r#"{"prompt": "a"}"#).starts_with("HTTP/1.1 200"));
        let mut late = Client::connect(address);
        assert!(late.post("/v1/route", r#"{"prompt": "a"}"#).starts_with("HTTP/1.1 200"));
        late.wait_for_end();
    })
    .await
    .unwrap();
    ended.await.unwrap().unwrap();
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(600), "the stuck request had its time: {took:?}");
    stuck.wait_for_end();
}
