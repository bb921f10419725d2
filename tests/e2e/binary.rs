//! The binary under test: built once a test run, as `cargo build -p farthing` builds it.
//!
//! Cargo builds a package's binary for that package's own integration tests only, so this crate asks
//! for it. Where it is built already, that takes half a second. `FARTHING_BIN` names another binary,
//! such as one about to be released.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// Path of the binary.
pub(crate) fn path() -> &'static Path {
    static PATH: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || std::env::var_os("FARTHING_BIN").map_or_else(build, |path| Ok(path.into()));
    PATH.get_or_init(find).as_ref().unwrap()
}

/// Cargo, in this workspace.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo
}

/// Builds into the target directory, and for the profile, that this test comes from.
fn build() -> Result<PathBuf, String> {
    let test = std::env::current_exe().unwrap();
    let profile_dir = test.ancestors().nth(2).unwrap();
    let profile = match profile_dir.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        other => other,
    };
    let mut cargo = cargo();
    cargo.args(["build", "--package", "farthing", "--bin", "farthing", "--profile", profile]);
    cargo.args(["--message-format", "json", "--target-dir"]).arg(profile_dir.parent().unwrap());
    let built = cargo.output().unwrap();
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    Ok(executable(&String::from_utf8(built.stdout).unwrap()))
}

/// The executable that cargo's messages name.
fn executable(messages: &str) -> PathBuf {
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut executables = messages.filter_map(|m| m["executable"].as_str().map(PathBuf::from));
    executables.next().unwrap()
}
