//! The service around all handlers: every request passes it once, every answer leaves through it.
//!
//! One service instead of a stack of layers: ids, the gate, counting, timing, the time limit and
//! panics in one future without an allocation of its own. The timer of the time limit is only started
//! for requests that wait for something, so most never touch it.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse as _;
use axum::routing::future::RouteFuture;
use http_body_util::BodyExt as _;
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower::Service;

use crate::endpoint::Endpoint;
use crate::error::{ApiError, Carried};
use crate::gate::{Gate, KeyRule, Permit};
use crate::ids::Ids;
use crate::metrics::Metrics;
use crate::origin::{Origin, REQUEST_ID};
use crate::{AppState, ErrorCode};

/// The whole service without a socket; clones share it.
#[derive(Debug, Clone)]
pub struct App {
    router: Router,
    around: Arc<Around>,
    keys: KeyRule,
}

#[derive(Debug)]
struct Around {
    gate: Arc<Gate>,
    ids: Arc<Ids>,
    metrics: Metrics,
}

impl App {
    pub(crate) fn new(router: Router<AppState>, state: &AppState, keys: KeyRule) -> Self {
        let around = Around {
            gate: Arc::clone(&state.gate),
            ids: Arc::clone(&state.ids),
            metrics: state.exposition.metrics.clone(),
        };
        Self { router: router.with_state(state.clone()), around: Arc::new(around), keys }
    }
}

impl Service<Request<Body>> for App {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Answering {
        let endpoint = Endpoint::of(request.uri().path());
        let origin = Origin::of(request.headers(), &self.around.ids);
        let entered = self.around.gate.enter(endpoint, request.headers(), self.keys);
        if endpoint.is_forwarded() {
            // What the handler passes on is what the client is told.
            request.headers_mut().insert(REQUEST_ID, origin.request_id().clone());
        }
        let (handler, permit, refused) = match entered {
            Ok(permit) => (Some(self.router.call(request)), permit, None),
            Err(error) => (None, None, Some(error)),
        };
        Answering {
            handler,
            refused,
            deadline: None,
            timeout: (!endpoint.is_forwarded())
                .then(|| self.around.gate.rules().limits.request_timeout),
            passage: Passage { around: Arc::clone(&self.around), endpoint, origin, permit },
            started: Instant::now(),
        }
    }
}

pin_project! {
    /// An answer in the making.
    pub struct Answering {
        #[pin]
        handler: Option<RouteFuture<Infallible>>,
        refused: Option<ApiError>,
        #[pin]
        deadline: Option<Sleep>,
        timeout: Option<Duration>,
        passage: Passage,
        started: Instant,
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answering").field("passage", &self.passage).finish_non_exhaustive()
    }
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(handler) = this.handler.as_mut().as_pin_mut() else {
            let error = this.refused.take();
            let error = error.unwrap_or_else(|| ApiError::internal("polled after its answer"));
            return Poll::Ready(Ok(this.passage.leave(error.into_response(), *this.started)));
        };
        let response = match catch_unwind(AssertUnwindSafe(|| handler.poll(cx))) {
            Ok(Poll::Ready(Ok(response))) => response,
            Err(panic) => answer_panic(panic.as_ref()),
            Ok(Poll::Pending) => {
                // Upstreams have time limits of their own.
                let Some(timeout) = *this.timeout else { return Poll::Pending };
                if this.deadline.is_none() {
                    this.deadline.set(Some(tokio::time::sleep(timeout)));
                }
                if let Some(deadline) = this.deadline.as_mut().as_pin_mut() {
                    ready!(deadline.poll(cx));
                }
                answer_timeout(timeout)
            }
        };
        // What a handler holds is given back before its answer is on its way.
        this.handler.set(None);
        Poll::Ready(Ok(this.passage.leave(response, *this.started)))
    }
}

/// One request on its way through.
#[derive(Debug)]
struct Passage {
    around: Arc<Around>,
    endpoint: Endpoint,
    origin: Origin,
    permit: Option<Permit>,
}

impl Passage {
    /// Counts and times an answer, logs its error and puts the request's id on it.
    fn leave(&mut self, mut response: Response<Body>, started: Instant) -> Response<Body> {
        let error = response.extensions_mut().remove::<Carried>().map(|carried| carried.0);
        let code = error.as_ref().map(|error| error.code());
        self.around.metrics.answered(self.endpoint, code, started.elapsed());
        if let Some(error) = error {
            error.log(Some(&self.origin));
        }
        response.headers_mut().insert(REQUEST_ID, self.origin.request_id().clone());
        // A stream is in flight until its body is at its end.
        match self.permit.take() {
            Some(permit) if self.endpoint.is_forwarded() => response.map(|body| held(body, permit)),
            _ => response,
        }
    }
}

/// A body that holds its request's place.
fn held(body: Body, permit: Permit) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _held = &permit;
        frame
    }))
}

fn answer_timeout(timeout: Duration) -> Response<Body> {
    let message = format!(
        "no answer in {} ms; hint: send it again in a second, or smaller batches",
        timeout.as_millis()
    );
    ApiError::new(ErrorCode::Timeout, message).into_response()
}

fn answer_panic(panic: &(dyn Any + Send)) -> Response<Body> {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{Background, Clock, ServeConfig};

    /// A service of its own with these handlers.
    fn app(
        routes: Router<AppState>,
        change: impl FnOnce(&mut ServeConfig),
    ) -> (App, AppState, Background) {
        let dir = tempfile::tempdir().unwrap();
        crate::tiny::write_tiny_router(dir.path());
        let mut config = ServeConfig::new(dir.path());
        change(&mut config);
        let (state, background) = AppState::start(&config, Clock::system()).unwrap();
        (App::new(routes, &state, KeyRule::Needed), state, background)
    }

    async fn get_text(app: &App, path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-request-id"));
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_panic_is_answered_and_the_next_request_too() {
        let routes = Router::new()
            .route("/panic", get(|| async { panic!("a secret") as () }))
            .route("/fine", get(|| async { "fine" }));
        let (app, state, background) = app(routes, |_| ());
        let (status, body) = get_text(&app, "/panic").await;
        assert_eq!(status, 500);
        insta::assert_snapshot!(body, @r#"{"error":{"message":"an internal error; hint: give the `x-request-id` of the answer to those who run this server","type":"server_error","param":null,"code":"internal"}}"#);
        assert_eq!(get_text(&app, "/fine").await.0, 200);
        let metrics = state.exposition.render();
        assert!(
            metrics.contains(r#"farthing_http_requests_total{path="other",code="internal"} 1"#),
            "{metrics}"
        );
        assert_eq!(state.gate.in_flight(), 0);
        background.finish().await.unwrap();
    }

    #[tokio::test]
    async fn a_handler_that_takes_too_long_is_given_up() {
        let routes = Router::new().route("/slow", get(std::future::pending::<()>));
        let (app, state, background) =
            app(routes, |config| config.limits.request_timeout = Duration::from_millis(30));
        let (status, body) = get_text(&app, "/slow").await;
        assert_eq!(status, 503);
        assert!(body.contains(r#""code":"timeout""#), "{body}");
        assert_eq!(state.gate.in_flight(), 0);
        background.finish().await.unwrap();
    }

    #[tokio::test]
    async fn what_does_not_fit_is_shed_and_probes_are_not() {
        let routes = Router::new()
            .route("/slow", get(std::future::pending::<()>))
            .route("/livez", get(|| async { "ok" }));
        let (app, state, background) = app(routes, |config| config.limits.concurrent_requests = 1);
        let mut slow = app.clone();
        let in_flight = slow.call(Request::get("/slow").body(Body::empty()).unwrap());
        assert_eq!(state.gate.in_flight(), 1);
        let (status, body) = get_text(&app, "/slow").await;
        assert_eq!(status, 503);
        assert!(body.contains(r#""code":"overloaded""#), "{body}");
        assert_eq!(get_text(&app, "/livez").await.0, 200);
        // A client that goes away takes its request with it.
        drop(in_flight);
        assert_eq!(state.gate.in_flight(), 0);
        background.finish().await.unwrap();
    }
}
