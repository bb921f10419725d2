//! `farthing key`: a new bearer key, and its digest for the settings.

use std::fmt::Write as _;

use farthing_core::Digest;
use rand_chacha::rand_core::{OsError, OsRng, TryRngCore as _};
use serde::Serialize;

use crate::failure::Failure;
use crate::term;

/// Flags of `farthing key`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print both as JSON
    #[arg(long)]
    json: bool,
}

/// 256 random bits: too many to be guessed, so the digest needs no salt.
#[derive(Debug, Serialize)]
struct Key {
    key: String,
    digest: String,
}

impl Key {
    fn new() -> Result<Self, OsError> {
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random)?;
        let mut key = String::new();
        for byte in random {
            // Writing to a String cannot fail.
            write!(key, "{byte:02x}").unwrap_or_default();
        }
        let digest = Digest::of(key.as_bytes()).to_string();
        Ok(Self { key, digest })
    }
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let new = Key::new().map_err(|error| Failure::Failed(error.into()))?;
    if args.json {
        return term::print_json(&new);
    }
    term::say(
        "the key, which is nowhere kept, and its digest for `auth.keys` or a line of `auth.keys_file`:",
    );
    term::print(&format!("{}\n{}", new.key, new.digest))
}
