//! The binary under test: built once a test run, as `cargo build -p farthing` builds it.
//!
//! Cargo builds a package's binary for that package's own integration tests only, so this crate asks
//! for it. Where it is built already, that takes half a second.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Path of the binary.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(build)
}

/// Cargo, in this workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// Builds into the target directory, and for the profile, that this test comes from.
fn build() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let profile_dir = test.ancestors().nth(2).unwrap();
    let target_dir = profile_dir.parent().unwrap();
    let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let args =
        ["build", "-p", "farthing", "--bin", "farthing", "--message-format", "json", "--profile"];
    let built =
        cargo().args(args).arg(profile).arg("--target-dir").arg(target_dir).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    executable(&String::from_utf8(built.stdout).unwrap())
}

/// The executable that cargo's messages name.
fn executable(messages: &str) -> PathBuf {
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut executables = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from));
    executables.next().unwrap()
}
