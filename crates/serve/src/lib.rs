//! From a router to decisions over HTTP.
//!
//! [`Server`] binds and runs, [`app`] is the same thing without a socket, for tests. A request goes
//! through `layers` (ids, counting, panics), a thin handler in `api`, and `Decider`, the one place
//! that turns a body into a decision; decisions and reported outcomes are written behind bounded queues
//! by threads of their own. Training, evaluation and polars are not linked here.

mod config;
mod server;

mod api;
mod layers;
mod state;

mod batch;
mod body;
mod decide;
mod outcomes;

mod closed;
mod error;
mod loaded;

mod clock;
mod ids;
mod log;
mod metrics;
mod openapi;

pub use api::app;
pub use clock::Clock;
pub use config::{Limits, LogConfig, PromptStorage, ServeConfig};
pub use error::ErrorCode;
pub use log::LogError;
pub use openapi::openapi_json;
pub use server::{ServeError, Server, serve};
pub use state::{AppState, Background};

/// The router that the tests of the service share.
#[cfg(test)]
#[path = "../tests/http/tiny.rs"]
mod tiny;
