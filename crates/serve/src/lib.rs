//! From a router to decisions over HTTP.
//!
//! [`Server`] binds and runs, [`app`] is the same thing without a socket, for tests. A request comes in
//! by `accept`, passes [`App`] (ids, keys, shedding, counting, panics), a thin handler in `api` or
//! `admin`, and `Decider`, the one place that turns a body into a decision; decisions and reported
//! outcomes are written behind bounded queues by threads of their own. `reload` exchanges the router
//! while requests come in. Training, evaluation and polars are not linked here.

mod config;
mod server;
mod trace;

mod accept;
mod service;
mod sessions;

mod admin;
mod api;
mod aside;
mod headers;
mod serving;
mod state;

mod batch;
mod body;
mod browser;
mod decide;
mod outcomes;

mod auth;
mod endpoint;
mod entries;
mod gate;
mod gateway;
mod origin;

mod health;
mod loaded;
mod reload;
mod source;

mod clock;
mod closed;
mod error;
mod ids;
mod log;
mod metrics;
mod openapi;

pub use api::app;
pub use auth::Unprotected;
pub use clock::Clock;
pub use config::{
    Auth, Balance, BreakerConfig, BudgetConfig, CacheConfig, ConfigError, EnvReader, GatewayConfig,
    Limits, LogConfig, Mistake, Overrides, Period, PriceReader, PromptStorage, Protocol, Resolved,
    RouterSource, Secret, ServeConfig, SessionConfig, Sources, Timeouts, TraceConfig, TraceFormat,
    UpstreamConfig,
};
pub use error::ErrorCode;
pub use gateway::{BudgetError, GatewayError, UpstreamError};
pub use loaded::{LoadError, load_router};
pub use log::LogError;
pub use openapi::openapi_json;
pub use server::{ServeError, Server, serve};
pub use service::{Answering, App};
pub use source::SourceError;
pub use state::{AppState, Background};
pub use trace::start_trace;

/// The router that the tests of the service share.
#[cfg(test)]
#[path = "../tests/http/tiny.rs"]
mod tiny;
