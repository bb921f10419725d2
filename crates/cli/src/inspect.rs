//! `farthing inspect`: what a router directory holds.

use std::path::PathBuf;

use farthing_model::Router;

use crate::failure::Failure;
use crate::term;

/// Flags of `farthing inspect`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The router directory
    #[arg(value_name = "DIR")]
    router: PathBuf,
    /// Print the manifest as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let router = Router::load(&args.router)?;
    if args.json {
        return term::print_json(router.manifest());
    }
    // The model card says it all, and its digest has just been verified.
    let card = std::fs::read_to_string(args.router.join("README.md"))?;
    term::print(&format!("{}\n\n{card}", router.digest()))
}
