//! `farthing-sim`: the upstream that fails as it is told to, as a process, for tests in any language.
//!
//! The address is the only line on stdout, so that whoever starts it can read where it listens.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command talks on its terminal")]

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser;
use farthing_sim::upstream::Upstream;

const EXAMPLES: &str = "\
A client's base_url can be, for example:
  http://ADDR/ok/v1
  http://ADDR/slow,headers_ms=200,token_ms=5,tokens=40/v1
  http://ADDR/@NAME/v1         as the text says that was sent with PUT http://ADDR/@NAME
The documentation of farthing_sim::upstream::Behaviour lists the scenarios.";

/// An LLM server for tests: echoes, and fails as the first segment of a request's path says
#[derive(Debug, Parser)]
#[command(name = "farthing-sim", version, max_term_width = 100, after_help = EXAMPLES)]
struct Args {
    /// Where to listen; port 0 is any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match tokio::runtime::Runtime::new().and_then(|runtime| runtime.block_on(serve(&args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot listen at {}: {error}", args.listen);
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal comes.
async fn serve(args: &Args) -> io::Result<()> {
    let stopped = stopped()?;
    let upstream = Upstream::listen(args.listen).await?;
    eprintln!("a simulated upstream, not a model; base_url, for one: {}", upstream.base_url("ok"));
    println!("{}", upstream.addr());
    stopped.await
}

/// SIGTERM or SIGINT, listened for from now on.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}
