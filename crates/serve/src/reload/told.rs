//! What is told of a look: its outcome, why it failed, and when it was.

use std::sync::Arc;

use farthing_core::Digest;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ConfigError;
use crate::auth::Unprotected;
use crate::loaded::LoadError;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Router,
    Config,
}

impl Part {
    pub(crate) const ALL: [Self; 2] = [Self::Router, Self::Config];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Router => "router",
            Self::Config => "config",
        }
    }
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Something new is in service.
    Ok,
    /// There was nothing new.
    Unchanged,
    /// The old one stays in service.
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 3] = [Self::Ok, Self::Unchanged, Self::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// Why something was not exchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReloadError {
    #[error("cannot read the settings again")]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Unprotected(#[from] Unprotected),
    #[error("cannot load the router")]
    Router(#[source] Arc<LoadError>),
    #[error(
        "the settings have no keys any more; hint: give `auth.keys`, or restart to let everybody in"
    )]
    NoKeysLeft,
    #[error("another reload is running; hint: ask again in a moment")]
    Busy,
    #[error("no router was in service before this one")]
    NothingBefore,
}

impl ReloadError {
    /// The cause for everybody who may ask: no path, address or name in it.
    pub(super) fn short(&self) -> &'static str {
        match self {
            Self::Config(_) => "the settings have mistakes",
            Self::Unprotected(_) | Self::NoKeysLeft => "the settings have no keys any more",
            Self::Router(error) => match **error {
                LoadError::Source(_) => "the path leads to no router",
                LoadError::Router(_) => "there is no sound router",
                LoadError::Candidates(_) => {
                    "the settings name candidates that the router does not have"
                }
                LoadError::Rules(_) => "the rules ask of the router what it does not have",
                LoadError::Encode(_) => "the router cannot be described",
            },
            Self::Busy => "another reload was running",
            Self::NothingBefore => "no router was in service before this one",
        }
    }
}

/// The last look that found something, or was asked for, or the last rollback.
#[derive(Debug, Clone, Default)]
pub(crate) struct Last {
    /// Digest of the router before the one in service.
    pub(crate) previous: Option<Digest>,
    pub(crate) reload: Option<LastReload>,
    /// Why it failed, with causes, paths included.
    pub(super) cause: Option<String>,
}

/// When it was, and what came of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LastReload {
    /// When, in UTC.
    pub(crate) at: String,
    /// What came of it.
    pub(crate) result: Outcome,
    /// Why it failed, in short; the server's log has the causes.
    #[schema(required)]
    pub(crate) error: Option<String>,
}

/// What came of a look at everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reloaded {
    pub(crate) router: Outcome,
    pub(crate) config: Outcome,
}

/// The settings in force.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SettingsReport {
    /// Digest of the configuration file; null: there is none.
    #[schema(required)]
    pub(crate) digest: Option<String>,
    /// Since when they are in force, in UTC.
    pub(crate) applied_at: String,
}
