//! The OpenAPI description: what the handlers' annotations do not say.
//!
//! Core knows no framework, so the schemas of its types stand in `schemas`, and a test holds them to
//! what the types really serialize to.

pub(crate) mod responses;
pub(crate) mod schemas;

use std::sync::LazyLock;

use axum::body::Bytes;
use utoipa::OpenApi;

use crate::api;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Farthing",
        description = "Which LLM is the cheapest one that is good enough for a prompt.",
    ),
    tags(
        (name = "decisions", description = "From a request to a choice"),
        (name = "outcomes", description = "From what happened to the next router"),
        (name = "router", description = "What decides"),
        (name = "operations", description = "For those who run the server"),
    )
)]
struct Preamble;

/// Title, version and tags.
pub(crate) fn preamble() -> utoipa::openapi::OpenApi {
    Preamble::openapi()
}

/// The description as served.
pub(crate) fn served() -> Bytes {
    static SERVED: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(openapi_json()));
    SERVED.clone()
}

/// The OpenAPI description of the service, as JSON.
pub fn openapi_json() -> String {
    // Its maps have string keys, the only thing that JSON could refuse.
    api::routes().to_openapi().to_pretty_json().unwrap_or_default()
}
