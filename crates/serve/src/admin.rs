//! Endpoints for those who operate the server.
//!
//! They are on a listener of their own where one is configured, else beside the others.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Json, Response};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::body::{self, RequestBody};
use crate::clock::unix_ms;
use crate::error::{ApiError, chain};
use crate::openapi::responses;
use crate::reload::{Outcome, ReloadError, Trigger};
use crate::serving::{Serving, Unhealthy};
use crate::state::Exposition;
use crate::{AppState, ErrorCode};

/// The routes with their documentation.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(reload))
        .routes(routes!(rollback))
        .routes(routes!(health, set_health))
        .routes(routes!(metrics))
}

/// What came of a reload or rollback.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReloadAnswer {
    /// Always `farthing.reload`.
    object: &'static str,
    /// What came of looking at the router.
    router: Outcome,
    /// What came of looking at the settings.
    config: Outcome,
    /// Digest of the router in service.
    digest: String,
    /// Digest of the router before it; null: there was none.
    #[schema(required)]
    previous: Option<String>,
}

/// A word on a candidate's health.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HealthBody {
    /// The candidate.
    model: String,
    /// False: it is not chosen for some time. True: it is well again.
    healthy: bool,
    /// How long it is not chosen.
    #[serde(default = "default_seconds")]
    #[schema(default = default_seconds)]
    seconds: u32,
}

const fn default_seconds() -> u32 {
    60
}

/// Which candidates are out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthAnswer {
    /// Always `farthing.health`.
    object: &'static str,
    /// Those that are not chosen now.
    unhealthy: Vec<Unhealthy>,
}

/// Looks for another router and other settings now.
///
/// What cannot be loaded changes nothing. After a rollback this takes the path's router into service
/// again.
#[utoipa::path(post, path = "/admin/reload", tag = "operations",
    responses((status = 200, description = "what came of it", body = ReloadAnswer), responses::ReloadErrors))]
async fn reload(State(serving): State<Serving>) -> Result<Json<ReloadAnswer>, ApiError> {
    let reloader = serving.reloader.clone();
    let reloaded = spawn_blocking(move || reloader.reload(Trigger::Asked)).await;
    let reloaded = reloaded.map_err(ApiError::internal)?.map_err(not_reloaded)?;
    answer(&serving, reloaded.router, reloaded.config)
}

/// Puts the router before the one in service back.
///
/// It stays until the configured path leads to yet another one, or until a reload is asked for.
#[utoipa::path(post, path = "/admin/rollback", tag = "operations",
    responses((status = 200, description = "it is back", body = ReloadAnswer), responses::ReloadErrors))]
async fn rollback(State(serving): State<Serving>) -> Result<Json<ReloadAnswer>, ApiError> {
    serving.reloader.rollback().map_err(not_reloaded)?;
    answer(&serving, Outcome::Ok, Outcome::Unchanged)
}

/// Shows which candidates are out.
#[utoipa::path(get, path = "/admin/health", tag = "operations",
    responses((status = 200, description = "those", body = HealthAnswer), responses::Unready))]
async fn health(State(serving): State<Serving>) -> Result<Json<HealthAnswer>, ApiError> {
    let unhealthy = serving.unhealthy(&*serving.slot.get()?);
    Ok(Json(HealthAnswer { object: "farthing.health", unhealthy }))
}

/// Takes a candidate out for some time, or back in.
///
/// Where no candidate that a request could get is well, decisions are made as if all were.
#[utoipa::path(post, path = "/admin/health", tag = "operations",
    request_body(content = HealthBody, content_type = "application/json"),
    responses((status = 200, description = "which are out now", body = HealthAnswer), responses::HealthErrors))]
async fn set_health(
    State(serving): State<Serving>,
    RequestBody(json): RequestBody,
) -> Result<Json<HealthAnswer>, ApiError> {
    let HealthBody { model, healthy, seconds } = body::parse(&json)?;
    let until = serving.clock.now() + Duration::from_secs(seconds.into());
    let loaded = serving.slot.set_health(&model, if healthy { 0 } else { unix_ms(until) })?;
    tracing::info!(model, healthy, seconds, "health of a candidate");
    Ok(Json(HealthAnswer { object: "farthing.health", unhealthy: serving.unhealthy(&loaded) }))
}

/// Metrics, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "the text exposition", body = String, content_type = "text/plain")))]
async fn metrics(State(exposition): State<Exposition>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], exposition.render())
        .into_response()
}

fn answer(
    serving: &Serving,
    router: Outcome,
    config: Outcome,
) -> Result<Json<ReloadAnswer>, ApiError> {
    let digest = serving.slot.get()?.router.digest().to_string();
    let previous = serving.reloader.last().previous.as_ref().map(ToString::to_string);
    Ok(Json(ReloadAnswer { object: "farthing.reload", router, config, digest, previous }))
}

/// Administration may know causes, paths included.
#[expect(clippy::needless_pass_by_value, reason = "an error that is turned into another ends here")]
fn not_reloaded(error: ReloadError) -> ApiError {
    ApiError::new(ErrorCode::NotReloaded, format!("{}; what was in service stays", chain(&error)))
}
