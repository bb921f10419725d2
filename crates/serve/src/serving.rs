//! What is in service, shown to those who ask: `GET /v1/router` and `/readyz`.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::response::{IntoResponse as _, Json, Response};
use farthing_model::Manifest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::{rfc3339, unix_ms};
use crate::error::ApiError;
use crate::gate::Gate;
use crate::loaded::{Loaded, RouterSlot};
use crate::reload::{LastReload, Reloader, SettingsReport};
use crate::{Clock, ErrorCode};

/// Tells what is in service.
#[derive(Debug, Clone)]
pub(crate) struct Serving {
    pub(crate) slot: RouterSlot,
    pub(crate) reloader: Reloader,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Clock,
}

/// The manifest, and what is not in it.
#[derive(Serialize)]
struct RouterAnswer<'a> {
    #[serde(flatten)]
    manifest: &'a Manifest,
    serving: ServingReport,
}

/// How the router came into service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServingReport {
    /// When it was loaded, in UTC.
    loaded_at: String,
    /// Its digest.
    digest: String,
    /// Digest of the router before it, to which a rollback returns; null: there was none.
    #[schema(required)]
    previous: Option<String>,
    /// The last reload that was asked for or found something; null: there was none.
    #[schema(required)]
    last_reload: Option<LastReload>,
    /// The settings in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<SettingsReport>,
    /// The candidates that operators took out, while they are out.
    unhealthy: Vec<Unhealthy>,
}

/// A candidate that is out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Unhealthy {
    /// Its name.
    model: String,
    /// Until when, in UTC.
    until: String,
}

impl Serving {
    /// The answer of `GET /v1/router`.
    pub(crate) fn show(&self) -> Result<Response, ApiError> {
        let loaded = self.slot.get()?;
        let last = self.reloader.last();
        let serving = ServingReport {
            loaded_at: rfc3339(loaded.at),
            digest: loaded.router.digest().to_string(),
            previous: last.previous.as_ref().map(ToString::to_string),
            last_reload: last.reload.clone(),
            settings: self.reloader.settings().map(|settings| (*settings).clone()),
            unhealthy: self.unhealthy(&loaded),
        };
        Ok(Json(RouterAnswer { manifest: loaded.router.manifest(), serving }).into_response())
    }

    /// The candidates that are out now.
    pub(crate) fn unhealthy(&self, loaded: &Loaded) -> Vec<Unhealthy> {
        let now_ms = unix_ms(self.clock.now());
        let names = loaded.router.candidates().iter().enumerate();
        let out = names.filter_map(|(candidate, name)| {
            let until = loaded.health.out_until(candidate, now_ms)?;
            let until = rfc3339(UNIX_EPOCH + Duration::from_millis(until));
            Some(Unhealthy { model: name.clone(), until })
        });
        out.collect()
    }

    /// That requests should be sent here.
    pub(crate) fn check_ready(&self) -> Result<(), ApiError> {
        if self.gate.is_draining() {
            let message = "the server is about to stop; hint: send requests to another one";
            return Err(ApiError::new(ErrorCode::Draining, message));
        }
        if self.slot.current().is_some() {
            return Ok(());
        }
        let message = "no router is loaded; hint: the server's log says why";
        Err(ApiError::new(ErrorCode::RouterNotLoaded, message))
    }
}
