//! Logs in, datasets out: bad input, round trips, imports and the recipes on real files.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails like a test")]
#![expect(clippy::print_stderr, reason = "a test that was left out says so")]

use std::path::{Path, PathBuf};

use farthing_data::{Dataset, ReadOptions, ReadReport, Rejects, read_log};
use tempfile::TempDir;

mod bad_input;
mod capped;
mod imports;
mod parquet_types;
mod reading;
mod recipes;
mod round_trip;
mod server_log;

/// A folder with one file of this text.
fn file(name: &str, text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

/// What came of reading one log: the result, and the rejects file's lines as `line: reason`.
struct Got {
    result: Result<(Dataset, ReadReport), String>,
    rejects: Vec<String>,
}

impl Got {
    fn dataset(&self) -> &Dataset {
        &self.result.as_ref().unwrap().0
    }

    fn report(&self) -> &ReadReport {
        &self.result.as_ref().unwrap().1
    }

    fn error(&self) -> &str {
        self.result.as_ref().unwrap_err()
    }
}

/// Reads a log of this text; the folder's name is left out of messages.
fn read(name: &str, text: impl AsRef<[u8]>, options: &ReadOptions) -> Got {
    let (dir, path) = file(name, text);
    read_path(&dir, &path, options)
}

fn read_path(dir: &TempDir, path: &Path, options: &ReadOptions) -> Got {
    let rejects_path = dir.path().join("rejects.ndjson");
    let mut rejects = Rejects::to_file(&rejects_path);
    let result = read_log(&[path.to_owned()], options, &mut rejects, &|_| {});
    let folder = format!("{}/", dir.path().display());
    Got {
        result: result.map_err(|error| chain(&error).replace(&folder, "")),
        rejects: rejected_lines(&rejects_path),
    }
}

/// The error and its causes, as a command prints them.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn rejected_lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = |line: &str| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{}: {}", object["line"], object["reason"].as_str().unwrap())
    };
    text.lines().map(line).collect()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
