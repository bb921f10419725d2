//! What a server says of itself, on stderr: which events, and in which form.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::{TraceConfig, TraceFormat};

/// Starts to say what the settings ask for; once a process, before a server is bound.
pub fn start_trace(config: &TraceConfig) -> Result<(), ParseError> {
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&config.filter)?)
        .with_writer(io::stderr);
    match config.format {
        TraceFormat::Text => subscriber.with_ansi(io::stderr().is_terminal()).init(),
        TraceFormat::Json => subscriber.json().init(),
    }
    Ok(())
}
