//! What surrounds every handler: request ids, counting and logging of outcomes, panics.

use std::any::Any;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{PropagateRequestIdLayer, RequestId, SetRequestIdLayer};

use crate::AppState;
use crate::error::{ApiError, Carried};
use crate::metrics::Metrics;

/// Puts the layers around routes; the last one added is the first that a request meets.
pub(crate) fn wrap(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    let metrics = state.exposition.metrics.clone();
    routes
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn_with_state(metrics, observe))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(state.request_ids.clone()))
}

/// Counts a request by its route and outcome, and logs its error.
async fn observe(
    State(metrics): State<Metrics>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let error = response.extensions().get::<Carried>().map(|carried| &carried.0);
    metrics.http_request(path.as_ref().map(MatchedPath::as_str), error.map(|error| error.code()));
    if let Some(error) = error {
        error.log(id.as_ref().and_then(|id| id.header_value().to_str().ok()));
    }
    response
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer asks for")]
fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    ApiError::internal(format!("a handler panicked: {text}")).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::{Clock, ServeConfig};

    #[tokio::test]
    async fn a_panic_is_answered_and_the_next_request_too() {
        let dir = tempfile::tempdir().unwrap();
        crate::tiny::write_tiny_router(dir.path());
        let (state, background) =
            AppState::start(&ServeConfig::new(dir.path()), Clock::system()).unwrap();
        let routes = Router::new()
            .route("/panic", get(|| async { panic!("a secret") as () }))
            .route("/fine", get(|| async { "fine" }));
        let app = wrap(routes, &state).with_state(state.clone());
        let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();

        let response = app.clone().oneshot(get("/panic")).await.unwrap();
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key("x-request-id"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = std::str::from_utf8(&body).unwrap();
        insta::assert_snapshot!(body, @r#"{"error":{"message":"an internal error; hint: give the `x-request-id` of the answer to those who run this server","type":"server_error","param":null,"code":"internal"}}"#);
        assert_eq!(app.oneshot(get("/fine")).await.unwrap().status(), 200);

        let metrics = state.exposition.render();
        assert!(
            metrics.contains(r#"farthing_http_requests_total{path="other",code="internal"} 1"#),
            "{metrics}"
        );
        background.finish().await.unwrap();
    }
}
