//! Rows that cannot be used: written to a file with their place and reason, and counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::DataError;
use crate::value::Reason;

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
    file: &'a str,
    line: u64,
    reason: &'a str,
}

impl Rejects {
    /// Rejects that are written to an NDJSON file of `file`, `line` (of a Parquet file: row) and
    /// `reason`.
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
        self.path.as_deref().filter(|_| !self.counts.is_empty())
    }

    /// The counts as one line, the most frequent reason first.
    pub fn summary(&self) -> String {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(kind, n)| (std::cmp::Reverse(**n), kind.as_str()));
        counts.iter().map(|(kind, n)| format!("{kind} ({n})")).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn add(&mut self, file: &Path, line: u64, reason: &Reason) -> Result<(), DataError> {
        *self.counts.entry(reason.kind.clone()).or_default() += 1;
        let Some(path) = &self.path else { return Ok(()) };
        let writer = match &mut self.file {
            Some(writer) => writer,
            None => self
                .file
                .insert(BufWriter::new(File::create(path).map_err(DataError::write(path))?)),
        };
        let (file, reason) = (file.to_string_lossy(), reason.to_string());
        let line = RejectLine { file: &file, line, reason: &reason };
        serde_json::to_writer(&mut *writer, &line)
            .map_err(std::io::Error::from)
            .and_then(|()| writer.write_all(b"\n"))
            .map_err(DataError::write(path))
    }

    /// Puts on disk what is buffered, so that a failure is reported and not lost on drop.
    pub(crate) fn flush(&mut self) -> Result<(), DataError> {
        match (&mut self.file, &self.path) {
            (Some(file), Some(path)) => file.flush().map_err(DataError::write(path)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_created_by_the_first_reject() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects.ndjson");
        let mut rejects = Rejects::to_file(&path);
        rejects.flush().unwrap();
        assert!(!path.exists());
        assert_eq!(rejects.path(), None);

        let log = Path::new("log.csv");
        rejects.add(log, 3, &Reason::with("score is not in [0, 1]", &1.7)).unwrap();
        rejects.add(log, 9, &Reason::plain("no model")).unwrap();
        rejects.add(log, 10, &Reason::plain("no model")).unwrap();
        rejects.flush().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text.lines().next().unwrap(),
            r#"{"file":"log.csv","line":3,"reason":"score is not in [0, 1]: 1.7"}"#
        );
        assert_eq!(rejects.summary(), "no model (2), score is not in [0, 1] (1)");
        assert_eq!((rejects.total(), rejects.path()), (3, Some(path.as_path())));
    }
}
