//! `farthing serve`: decisions over HTTP.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use farthing_serve::{Clock, LogConfig, PromptStorage, ServeConfig};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::prices::load_router;
use crate::term;

/// Flags of `farthing serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory
    #[arg(value_name = "DIR")]
    router: PathBuf,
    /// Address to listen on; port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "FARTHING_LISTEN")]
    listen: SocketAddr,
    /// Folder for the log of decisions and reported outcomes; without it neither is kept
    #[arg(long, value_name = "DIR", env = "FARTHING_LOG")]
    log: Option<PathBuf>,
    /// What the log keeps of a request: see the README
    #[arg(long, value_parser = PossibleValuesParser::new(PromptStorage::NAMES), default_value = "hashed", env = "FARTHING_LOG_PROMPTS")]
    log_prompts: String,
    /// Decide at the prices of this table (.csv, .toml or .json) instead of the router's own
    #[arg(long, value_name = "FILE", env = "FARTHING_PRICES")]
    prices: Option<PathBuf>,
    /// What is logged to stderr, as tracing filter directives
    #[arg(long, value_name = "FILTER", default_value = "info", env = "FARTHING_TRACE")]
    trace: String,
    /// Load and verify everything, then exit
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut config = ServeConfig::new(&args.router);
    config.listen = args.listen;
    config.log = args.log.as_ref().map(|dir| args.log_config(dir));
    let router = load_router(&args.router, args.prices.as_deref())?;
    config.prices = router.is_repriced().then(|| router.prices().clone());
    if args.check {
        term::say(&format!("`{}` is sound: {}", args.router.display(), router.digest()));
        return Ok(());
    }
    let filter = EnvFilter::try_new(&args.trace)
        .map_err(|e| Failure::bad_input(format!("`--trace` is not a filter: {e}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(farthing_serve::serve(config, stop_signal(), Clock::system()))?)
}

impl Args {
    fn log_config(&self, dir: &Path) -> LogConfig {
        let defaults = LogConfig::new(dir);
        // clap lets only known names through.
        let prompts = PromptStorage::from_name(&self.log_prompts).unwrap_or(defaults.prompts);
        LogConfig { prompts, ..defaults }
    }
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
