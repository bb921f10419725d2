//! The endpoints. Handlers only translate: what they answer is made elsewhere.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::batch::BatchRunner;
use crate::body::RequestBody;
use crate::decide::Decider;
use crate::error::ApiError;
use crate::gate::KeyRule;
use crate::gateway::{self, Gateway, Shape};
use crate::loaded::RouterSlot;
use crate::openapi::{self, responses, schemas};
use crate::outcomes::{Accepted, Outcomes};
use crate::serving::Serving;
use crate::state::AdminPlace;
use crate::{App, AppState, ErrorCode, admin};

/// The whole service without a socket; with an address for administration, without that part.
pub fn app(state: &AppState) -> App {
    let routes = match state.admin {
        AdminPlace::Beside => probes().merge(decisions()).merge(admin::routes()),
        AdminPlace::Apart => probes().merge(decisions()),
    };
    whole(routes, state, KeyRule::Needed)
}

/// What is answered at the address for administration.
pub(crate) fn admin_app(state: &AppState, keys: KeyRule) -> App {
    whole(probes().merge(admin::routes()), state, keys)
}

/// Every route with its documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    probes().merge(decisions()).merge(admin::routes())
}

fn whole(routes: OpenApiRouter<AppState>, state: &AppState, keys: KeyRule) -> App {
    let (routes, _) = routes.split_for_parts();
    let routes = routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
    App::new(routes, state, keys)
}

fn decisions() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(route))
        .routes(routes!(route_batch))
        .routes(routes!(outcomes))
        .routes(routes!(chat_completions))
        .routes(routes!(responses_api))
        .routes(routes!(embeddings))
        .routes(routes!(messages))
        .routes(routes!(models))
        .routes(routes!(router))
        .routes(routes!(openapi_json))
}

fn probes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::preamble()).routes(routes!(livez)).routes(routes!(readyz))
}

/// The answer of `GET /v1/models`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// Always `list`.
    pub(crate) object: &'static str,
    /// The candidates, then `auto` and `auto:POLICY` for every policy.
    pub(crate) data: Vec<Model>,
}

/// A name that can stand in a request's `model`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Model {
    /// The name.
    pub(crate) id: String,
    /// Always `model`.
    pub(crate) object: &'static str,
    /// When the router was loaded, in seconds since 1970.
    pub(crate) created: u64,
    /// Always `farthing`.
    pub(crate) owned_by: &'static str,
}

/// The answer of the probes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Status {
    /// Always `ok`.
    status: &'static str,
}

const OK: Json<Status> = Json(Status { status: "ok" });

/// Decides on one request.
///
/// Nothing is forwarded. What was decided also stands in headers: `x-farthing-decision-id`,
/// `x-farthing-model`, `x-farthing-policy`, `x-farthing-reason` and `x-farthing-decision-us`.
#[utoipa::path(post, path = "/v1/route", tag = "decisions",
    request_body(content = schemas::RouteBody, content_type = "application/json"),
    responses((status = 200, description = "the decision", body = schemas::Decision), responses::RouteErrors))]
async fn route(
    State(decider): State<Decider>,
    RequestBody(json): RequestBody,
) -> Result<Response, ApiError> {
    // Microseconds run where they are; an encoder's milliseconds would hold up the other requests.
    let (headers, json) = if decider.is_slow() {
        decider.decide_aside(json).await?
    } else {
        decider.decide_one(&json)?
    };
    Ok((headers, as_json(json)).into_response())
}

/// Decides on many requests.
///
/// The answers come in the order of the requests; a request that cannot be routed gets an error in
/// its place and the others their decisions. Lines and columns in such an error count from the start
/// of its request.
#[utoipa::path(post, path = "/v1/route/batch", tag = "decisions",
    request_body(content = schemas::BatchBody, content_type = "application/json"),
    responses((status = 200, description = "one answer a request", body = schemas::BatchAnswer), responses::BatchErrors))]
async fn route_batch(
    State(batches): State<BatchRunner>,
    RequestBody(json): RequestBody,
) -> Result<Response, ApiError> {
    batches.run(json).await.map(|answer| as_json(answer.into()))
}

/// Takes what happened: how a candidate did on the request of a decision.
///
/// The body is one outcome or a list of up to 1,024; a list with one mistake is refused whole, nothing
/// of it is kept. The answer comes once the outcomes are on disk. Outcomes may come in any order, late
/// and again: of the same (decision, model, source) the last counts, and a second one with the same
/// `idempotency_key` is the first one again. Decision ids are not looked up here but when outcomes are
/// joined with decisions.
#[utoipa::path(post, path = "/v1/outcomes", tag = "outcomes",
    request_body(content = schemas::OutcomesBody, content_type = "application/json"),
    responses((status = 202, description = "they are on disk", body = Accepted), responses::OutcomeErrors))]
async fn outcomes(
    State(outcomes): State<Outcomes>,
    RequestBody(json): RequestBody,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    outcomes.take(json).await.map(|accepted| (StatusCode::ACCEPTED, Json(accepted)))
}

/// Forwards a chat to the model that is chosen for it.
///
/// `model` is `auto`, `auto:POLICY` or the name of a model; a named model is asked as it is. The body is
/// passed on as it came, without `farthing` and `models`. Who answered, what it cost and how it was chosen
/// stand in `x-farthing-*` headers. A stream that breaks off ends with an error event and without `[DONE]`.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "gateway",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "the model's answer, or a stream of it", body = Object), responses::GatewayErrors))]
async fn chat_completions(
    State(gateway): State<Option<Arc<Gateway>>>,
    headers: HeaderMap,
    body: Result<RequestBody, ApiError>,
) -> Response {
    forward(gateway, Shape::Chat, headers, body).await
}

/// Forwards a request to the responses API of a named model.
#[utoipa::path(post, path = "/v1/responses", tag = "gateway",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "the model's answer, or a stream of it", body = Object), responses::GatewayErrors))]
async fn responses_api(
    State(gateway): State<Option<Arc<Gateway>>>,
    headers: HeaderMap,
    body: Result<RequestBody, ApiError>,
) -> Response {
    forward(gateway, Shape::Responses, headers, body).await
}

/// Forwards texts to a named embedding model.
#[utoipa::path(post, path = "/v1/embeddings", tag = "gateway",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "the model's answer", body = Object), responses::GatewayErrors))]
async fn embeddings(
    State(gateway): State<Option<Arc<Gateway>>>,
    headers: HeaderMap,
    body: Result<RequestBody, ApiError>,
) -> Response {
    forward(gateway, Shape::Embeddings, headers, body).await
}

/// Forwards a message in Anthropic's protocol to the model that is chosen for it.
///
/// Upstreams are those that speak it. Errors have its shape.
#[utoipa::path(post, path = "/v1/messages", tag = "gateway",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "the model's answer, or a stream of it", body = Object), responses::GatewayErrors))]
async fn messages(
    State(gateway): State<Option<Arc<Gateway>>>,
    headers: HeaderMap,
    body: Result<RequestBody, ApiError>,
) -> Response {
    forward(gateway, Shape::Messages, headers, body).await
}

async fn forward(
    gateway: Option<Arc<Gateway>>,
    shape: Shape,
    headers: HeaderMap,
    body: Result<RequestBody, ApiError>,
) -> Response {
    match (gateway, body) {
        (None, _) => gateway::not_configured(shape),
        (Some(_), Err(error)) => gateway::error_of(shape, error),
        (Some(gateway), Ok(RequestBody(json))) => gateway.answer(shape, &headers, &json).await,
    }
}

/// Lists the candidates and the virtual names.
#[utoipa::path(get, path = "/v1/models", tag = "router",
    responses((status = 200, description = "the names", body = ModelList), responses::Unready))]
async fn models(State(router): State<RouterSlot>) -> Result<Response, ApiError> {
    Ok(as_json(router.get()?.models.clone()))
}

/// Shows the manifest of the router in service, and what happened to it.
#[utoipa::path(get, path = "/v1/router", tag = "router",
    responses((status = 200, description = "the manifest", body = schemas::RouterAnswer), responses::Unready))]
async fn router(State(serving): State<Serving>) -> Result<Response, ApiError> {
    serving.show()
}

/// Says that the process answers.
#[utoipa::path(get, path = "/livez", tag = "operations",
    responses((status = 200, description = "it does", body = Status)))]
async fn livez() -> Json<Status> {
    OK
}

/// Says that a router is loaded and the server is not about to stop.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "so it is", body = Status), responses::Unready))]
async fn readyz(State(serving): State<Serving>) -> Result<Json<Status>, ApiError> {
    serving.check_ready().map(|()| OK)
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "an OpenAPI document", body = Object)))]
async fn openapi_json() -> Response {
    as_json(openapi::served())
}

async fn not_found(method: Method, uri: Uri) -> ApiError {
    let message = format!("no such path: `{method} {}`; hint: see `/openapi.json`", uri.path());
    ApiError::new(ErrorCode::NotFound, message)
}

async fn method_not_allowed(method: Method, uri: Uri) -> ApiError {
    let message = format!(
        "`{}` does not take {method}; hint: see the `allow` header or `/openapi.json`",
        uri.path()
    );
    ApiError::new(ErrorCode::MethodNotAllowed, message)
}

pub(crate) fn as_json(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], json).into_response()
}
