//! `farthing serve`: decisions over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use farthing_data::read_prices;
use farthing_serve::{
    Clock, Overrides, PromptStorage, Resolved, ServeError, Sources, load_router, start_trace,
};

use crate::failure::Failure;
use crate::prices::say_prices;
use crate::term;

/// Flags of `farthing serve`; they win over the configuration file.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory, or a text file that names one; without it, `router.path` of the
    /// configuration file
    #[arg(value_name = "DIR")]
    router: Option<PathBuf>,
    /// The configuration file; `deploy/farthing.toml` shows every key
    #[arg(long, value_name = "FILE", env = "FARTHING_CONFIG")]
    config: Option<PathBuf>,
    /// Address to listen on; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", env = "FARTHING_LISTEN")]
    listen: Option<SocketAddr>,
    /// Folder for the log of decisions and reported outcomes; without it neither is kept
    #[arg(long, value_name = "DIR", env = "FARTHING_LOG")]
    log: Option<PathBuf>,
    /// What the log keeps of a request: see the README [default: hashed]
    #[arg(long, value_parser = PossibleValuesParser::new(PromptStorage::NAMES), env = "FARTHING_LOG_PROMPTS")]
    log_prompts: Option<String>,
    /// Decide at the prices of this table (.csv, .toml or .json) instead of the router's own
    #[arg(long, value_name = "FILE", env = "FARTHING_PRICES")]
    prices: Option<PathBuf>,
    /// What is logged to stderr, as tracing filter directives [default: info]
    #[arg(long, value_name = "FILTER", env = "FARTHING_TRACE")]
    trace: Option<String>,
    /// Load and verify everything, print the settings that result, then exit
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let sources = sources(args);
    let resolved = sources.resolve()?;
    if args.check {
        return check(&resolved);
    }
    let config = &resolved.config;
    start_trace(&config.trace)
        .map_err(|e| Failure::bad_input(format!("`trace.filter` is not a filter: {e}")))?;
    tracing::info!("settings:\n{}", resolved.to_toml());
    // A router that cannot be loaded is the server's to report, or to wait for.
    if let (Some(prices), Ok(router)) = (&config.prices, load_router(config)) {
        say_prices(prices, &router);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let server =
        farthing_serve::serve(resolved.config, Some(sources), stop_signal(), Clock::system());
    Ok(runtime.block_on(server)?)
}

fn sources(args: &Args) -> Sources {
    Sources {
        file: args.config.clone(),
        overrides: Overrides {
            router: args.router.clone(),
            prices: args.prices.clone(),
            listen: args.listen,
            log: args.log.clone(),
            // clap lets only known names through.
            log_prompts: args.log_prompts.as_deref().and_then(PromptStorage::from_name),
            trace: args.trace.clone(),
        },
        ..sources_of(None, None)
    }
}

/// The settings of a configuration file, for a router if one is given.
pub(crate) fn sources_of(file: Option<PathBuf>, router: Option<PathBuf>) -> Sources {
    Sources {
        file,
        overrides: Overrides { router, ..Overrides::default() },
        read_prices: |path| Ok(read_prices(path)?),
        env: variable,
    }
}

/// Does what a start does, short of serving.
fn check(resolved: &Resolved) -> Result<(), Failure> {
    let router = load_router(&resolved.config).map_err(ServeError::from)?;
    if let Some(prices) = &resolved.config.prices {
        say_prices(prices, &router);
    }
    let path = resolved.config.router.path.display();
    term::say(&format!("`{path}` is sound: {}", router.digest()));
    term::print(&resolved.to_toml())
}

/// Ready on SIGINT or SIGTERM.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without the handler SIGTERM still ends the process, only less gently.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// The value of an environment variable that the configuration file names.
#[expect(
    clippy::disallowed_methods,
    reason = "which ones there are is said by the file, not by clap"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
