//! What the service costs around a handler: the same answer by axum alone and by the whole service,
//! which adds ids, keys, shedding, counting, timing, the time limit and a guard against panics.
//!
//! Nothing waits, so a request is polled once and no runtime takes part.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a bench that cannot run says why and stops"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Request, Response};
use axum::response::IntoResponse;
use axum::routing::get;
use criterion::{Criterion, criterion_group, criterion_main};
use farthing_core::Digest;
use farthing_serve::{App, AppState, Clock, ServeConfig, app};
use tower::Service;

const PATH: &str = "/v1/models";
const KEY: HeaderValue =
    HeaderValue::from_static("Bearer a key of the usual forty-three characters");

fn around(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime starts");
    let _guard = runtime.enter();
    let open = service(&ServeConfig::new(fixture()));
    let mut with_keys = ServeConfig::new(fixture());
    with_keys.auth.keys = vec![Digest::of(&KEY.as_bytes()["Bearer ".len()..])];
    let with_keys = service(&with_keys);

    let plain = || Request::get(PATH).body(Body::empty()).expect("a request");
    let with_id = || Request::get(PATH).header("x-request-id", "0198-mine").body(Body::empty());
    let with_key = || Request::get(PATH).header("authorization", KEY).body(Body::empty());
    let answer = runtime.block_on(async {
        let body = ask(open.clone(), plain()).into_body();
        axum::body::to_bytes(body, usize::MAX).await.expect("the list of models")
    });
    let alone = Router::new().route(PATH, get(models)).with_state(answer);

    let mut group = criterion.benchmark_group("around");
    group.bench_function("axum alone", |bencher| bencher.iter(|| ask(alone.clone(), plain())));
    group.bench_function("service", |bencher| bencher.iter(|| ask(open.clone(), plain())));
    group.bench_function("service, id given", |bencher| {
        bencher.iter(|| ask(open.clone(), with_id().expect("a request")));
    });
    group.bench_function("service, key", |bencher| {
        bencher.iter(|| ask(with_keys.clone(), with_key().expect("a request")));
    });
    group.finish();
}

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/router-v1")
}

fn service(config: &ServeConfig) -> App {
    let (state, _background) = AppState::start(config, Clock::system()).expect("a service");
    app(&state)
}

async fn models(State(answer): State<Bytes>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], answer)
}

/// The answer, which is there at once.
fn ask<S>(mut service: S, request: Request<Body>) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Error: std::fmt::Debug,
{
    let mut answer = pin!(service.call(black_box(request)));
    let polled = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(answered) = polled else { panic!("no handler here waits") };
    answered.expect("an answer")
}

criterion_group!(benches, around);
criterion_main!(benches);
