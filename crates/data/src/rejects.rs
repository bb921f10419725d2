//! Rows that cannot be used: written to a file with their place and reason, and counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::DataError;

/// Where rejected rows go. The file is created by the first of them, so a clean log leaves none.
#[derive(Debug, Default)]
pub struct Rejects {
    path: Option<PathBuf>,
    file: Option<BufWriter<File>>,
    counts: BTreeMap<String, u64>,
}

/// One line of the rejects file.
#[derive(Serialize)]
struct RejectLine<'a> {
    file: String,
    line: u64,
    reason: &'a str,
}

impl Rejects {
    /// Rejects that are written to an NDJSON file.
    pub fn to_file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// Rejects that are only counted.
    pub fn count_only() -> Self {
        Self::default()
    }

    /// How many rows were rejected.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// How many rows were rejected, by kind of reason.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// The file that holds them; `None` while there are none, and when they are only counted.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref().filter(|_| self.total() > 0)
    }
}
