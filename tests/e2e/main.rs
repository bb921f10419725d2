//! End-to-end tests: the real binary, from a log to decisions over HTTP.
//!
//! What a single crate promises is tested beside its code. Here stands what only the whole can show.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails like a test")]

mod train_then_serve;

mod add_model;
mod artifact_compat;
mod bad_input;
mod compare;
mod config;
mod crate_graph;
mod decisions;
mod demo;
mod encoder;
mod gate;
mod log;
mod log_killed;
mod prices;
mod real_data;
mod reload;
mod reproducible_fit;
mod rules;
mod simulate;

mod binary;
mod folder;
mod sample;
mod schema;
mod server;
