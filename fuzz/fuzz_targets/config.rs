//! Arbitrary text as a configuration file: it gives settings, or mistakes that stand in the file; and what
//! is shown of settings is a configuration file of the same settings.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use farthing_core::PriceTable;
use farthing_serve::{ConfigError, Overrides, Resolved, Sources};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tiny::write_tiny_router;

#[path = "../../crates/serve/tests/http/tiny.rs"]
mod tiny;

/// With a `router` in it, so that names of candidates are looked up.
static DIRECTORY: LazyLock<TempDir> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder for temporary files");
    write_tiny_router(&dir.path().join("router"));
    fs::write(dir.path().join("keys.txt"), "# none\n").expect("the disk has room");
    dir
});

fuzz_target!(|text: &str| {
    match resolve(text) {
        Ok(resolved) => check_shown(&resolved),
        Err(error) => check_mistakes(text, &error),
    }
});

fn resolve(text: &str) -> Result<Resolved, ConfigError> {
    let file = DIRECTORY.path().join("farthing.toml");
    fs::write(&file, text).expect("the disk has room");
    let read_prices = |_: &Path| Ok(PriceTable::default());
    Sources { file: Some(file), overrides: Overrides::default(), read_prices, env: |_| None }
        .resolve()
}

fn check_shown(resolved: &Resolved) {
    let shown = resolved.to_toml();
    // Keys are not shown, and without them only loopback addresses are taken.
    if !resolved.config.auth.keys.is_empty() {
        return;
    }
    let again = resolve(&shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
    assert_eq!(again.config, resolved.config, "{shown}");
    assert_eq!(again.to_toml(), shown);
}

fn check_mistakes(text: &str, error: &ConfigError) {
    assert!(!error.mistakes.is_empty());
    // An empty file, and one that ends in a line feed, has a last line where something is missing.
    let lines: Vec<&str> = text.split('\n').collect();
    for mistake in &error.mistakes {
        assert!(!mistake.message.is_empty());
        if let Some((_, line, column)) = mistake.place {
            assert!((1..=lines.len()).contains(&line), "{mistake}");
            assert!((1..=lines[line - 1].chars().count() + 1).contains(&column), "{mistake}");
        }
    }
    assert!(error.to_string().contains(&error.mistakes[0].message));
}
