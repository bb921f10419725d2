//! Which files of a folder are a server's log, and how much of each is read.
//!
//! A server may write to the folder all the while: segments grow, are sealed, which renames them, and
//! are deleted for their age. What is read is what was there when the folder was looked at.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::DataError;

/// What a file of the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Decisions,
    Outcomes,
}

/// How it holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// A segment that is never touched again.
    Sealed,
    /// A segment that a server writes to.
    Open,
    /// Parquet made of a sealed segment.
    Compacted,
}

/// A file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogFile {
    pub(super) kind: Kind,
    pub(super) state: State,
    /// Its name without the extension: the same for a segment and what it was compacted to.
    pub(super) stem: String,
    pub(super) path: PathBuf,
    /// How long it was when it was found; what came later is not read.
    pub(super) bytes: u64,
}

const ENDS: [(&str, State); 3] =
    [(".ndjson", State::Sealed), (".ndjson.open", State::Open), (".parquet", State::Compacted)];

impl Kind {
    /// What names of files, and the folders of compacted ones, start with.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Outcomes => "outcomes",
        }
    }
}

/// The log files in these folders and the folders in them, oldest first. What was compacted is left
/// out where its segment is there too.
pub(super) fn find(dirs: &[PathBuf]) -> Result<Vec<LogFile>, DataError> {
    let mut files = Vec::new();
    for dir in dirs {
        let before = files.len();
        // A segment that is renamed while its folder is listed may be listed under neither name, but
        // it is renamed only once.
        for _ in 0..2 {
            walk(dir, &mut files)?;
        }
        if files.len() == before {
            return Err(DataError::NoSegments { path: dir.clone() });
        }
    }
    // Of one path, what was found first.
    files.sort_by(|a, b| (&a.stem, a.state, &a.path).cmp(&(&b.stem, b.state, &b.path)));
    files.dedup_by(|again, first| again.path == first.path);
    let mut best: BTreeMap<String, State> = BTreeMap::new();
    for file in &files {
        best.entry(file.stem.clone()).or_insert(file.state);
    }
    files.retain(|file| best.get(&file.stem) == Some(&file.state));
    Ok(files)
}

fn walk(path: &Path, files: &mut Vec<LogFile>) -> Result<(), DataError> {
    let metadata = fs::metadata(path).map_err(DataError::read(path))?;
    if metadata.is_file() {
        files.extend(of(path, metadata.len()));
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(DataError::read(path))? {
        let path = entry.map_err(DataError::read(path))?.path();
        match walk(&path, files) {
            // Sealed: it is listed under its new name. Deleted: it is not there.
            Err(DataError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {}
            walked => walked?,
        }
    }
    Ok(())
}

fn of(path: &Path, bytes: u64) -> Option<LogFile> {
    let name = path.file_name()?.to_str()?;
    let (stem, state) =
        ENDS.into_iter().find_map(|(end, state)| Some((name.strip_suffix(end)?, state)))?;
    let kind = [Kind::Decisions, Kind::Outcomes]
        .into_iter()
        .find(|kind| stem.strip_prefix(kind.name()).is_some_and(|rest| rest.starts_with('-')))?;
    Some(LogFile { kind, state, stem: stem.to_owned(), path: path.to_owned(), bytes })
}

impl LogFile {
    /// Opens it, under its new name where it was sealed since it was found; `None`: it was deleted.
    pub(super) fn open(&self) -> Result<Option<File>, DataError> {
        let opened = match (File::open(&self.path), self.state) {
            (Err(error), State::Open) if error.kind() == ErrorKind::NotFound => {
                File::open(self.path.with_extension(""))
            }
            (opened, _) => opened,
        };
        there(opened).map_err(DataError::read(&self.path))
    }
}

/// Tells a file that is not there from one that cannot be read.
fn there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_a_file_is() {
        let kind = |name: &str| of(Path::new(name), 0).map(|file| (file.kind, file.state));
        assert_eq!(kind("d/decisions-1-a-0.ndjson"), Some((Kind::Decisions, State::Sealed)));
        assert_eq!(kind("outcomes-1-a-0.ndjson.open"), Some((Kind::Outcomes, State::Open)));
        assert_eq!(kind("decisions-1-a-0.parquet"), Some((Kind::Decisions, State::Compacted)));
        for other in
            ["run-a.json", "decisions.ndjson", "log.parquet", "decisions-1.parquet.partial"]
        {
            assert_eq!(kind(other), None, "{other}");
        }
    }
}
