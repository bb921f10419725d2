//! From a router to decisions over HTTP.
//!
//! [`Server`] binds and runs, [`app`] is the same thing without a socket, for tests. A request goes
//! through `layers` (ids, counting, panics), a thin handler in `api`, and `Decider`, the one place
//! that turns a body into a decision; the decision log is written behind a bounded queue by a task of
//! its own. Training, evaluation and polars are not linked here.

mod config;
mod server;
mod trace;

mod api;
mod layers;
mod state;

mod batch;
mod body;
mod decide;

mod closed;
mod error;
mod loaded;
mod source;

mod clock;
mod ids;
mod log;
mod metrics;
mod openapi;

pub use api::app;
pub use clock::Clock;
pub use config::{
    Auth, ConfigError, Limits, LogConfig, Mistake, Overrides, PriceReader, PromptStorage, Resolved,
    RouterSource, ServeConfig, Sources, TraceConfig, TraceFormat,
};
pub use error::ErrorCode;
pub use log::LogError;
pub use openapi::openapi_json;
pub use server::{ServeError, Server, serve};
pub use source::SourceError;
pub use state::{AppState, Background, load_router};
pub use trace::start_trace;

/// The router that the tests of the service share.
#[cfg(test)]
#[path = "../tests/http/tiny.rs"]
mod tiny;
