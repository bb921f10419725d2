//! What a server is told, and where that comes from.
//!
//! [`Sources`] are a file, flags and the environment; they are resolved, once a (re)load, into one
//! [`ServeConfig`], which is all that the rest of the crate sees. A mistake anywhere refuses the whole,
//! and all of them are reported together.

mod gateway;
mod settings;
mod sources;

mod file;
mod gateway_file;
mod kinds;
mod mistakes;
mod rules_file;
mod shown;
mod shown_rules;
mod table;

pub use gateway::{
    Balance, BreakerConfig, BudgetConfig, CacheConfig, GatewayConfig, Period, Protocol, Secret,
    Timeouts, UpstreamConfig,
};
pub use mistakes::{ConfigError, Mistake};
pub use settings::{
    Auth, Limits, LogConfig, PromptStorage, RouterSource, ServeConfig, SessionConfig, TraceConfig,
    TraceFormat,
};
pub use sources::{EnvReader, Overrides, PriceReader, Resolved, Sources};

#[cfg(test)]
mod tests;
