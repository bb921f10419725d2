//! The segments of one kind that one run writes.
//!
//! A segment is a file `<kind>-<utc timestamp>-<run>-<n>.ndjson.open`, created with its first group of
//! lines. Once it has its size or age it is sealed, which takes the `.open` off its name, and never
//! touched again. Every group is synced when [`Segments::append`] returns; one that cannot be written is
//! taken back, so that a full disk leaves no half lines.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use farthing_core::log::segment::{LineType, SegmentHeader, write_line};

use super::LogError;
use super::run::Run;
use crate::clock::file_stamp;
use crate::config::LogConfig;

/// What the name of a segment starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Decisions,
    Outcomes,
}

/// The end of a sealed segment's name.
pub(super) const SEALED: &str = ".ndjson";
/// The end of the name of one that is written to.
pub(super) const OPEN: &str = ".ndjson.open";

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Decisions, Self::Outcomes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Outcomes => "outcomes",
        }
    }
}

/// Lines that are written together.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Whole lines.
    pub(super) lines: Vec<u8>,
    /// The routers that they name, by digest, each with the line that a segment needs before them.
    pub(super) routers: Vec<(Arc<str>, Arc<[u8]>)>,
    /// Decisions with a smaller number stand in earlier groups or nowhere.
    pub(super) first_seq: u64,
}

/// The segments of one kind.
#[derive(Debug)]
pub(super) struct Segments {
    kind: Kind,
    config: LogConfig,
    run: Run,
    current: Option<Segment>,
    next: u64,
    head: Vec<u8>,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    began: SystemTime,
    /// Bytes that are written and synced.
    bytes: u64,
    routers: BTreeSet<Arc<str>>,
}

impl Segments {
    pub(super) fn new(kind: Kind, config: &LogConfig, run: Run) -> Self {
        Self { kind, config: config.clone(), run, current: None, next: 0, head: Vec::new() }
    }

    /// Whether there is a segment that is not sealed.
    pub(super) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Appends a group and syncs it.
    pub(super) fn append(&mut self, group: &Group, now: SystemTime) -> Result<(), LogError> {
        let mut segment = match self.current.take() {
            Some(segment) => segment,
            None => self.create(now)?,
        };
        self.head.clear();
        if segment.bytes == 0 {
            let header = SegmentHeader {
                run: self.run.id().into(),
                began: self.run.began().into(),
                first_seq: group.first_seq,
            };
            write_line(LineType::Segment, &header, &mut self.head);
        }
        for (router, line) in &group.routers {
            if segment.routers.insert(Arc::clone(router)) {
                self.head.extend_from_slice(line);
            }
        }
        let appended = segment.append([&self.head, &group.lines]);
        if appended.is_ok() || segment.take_back() {
            self.current = Some(segment);
            return appended;
        }
        // Nothing may follow half a line.
        segment.seal().and(appended)
    }

    /// Seals the segment if it has its size or age; whether it did.
    pub(super) fn rotate(&mut self, now: SystemTime) -> Result<bool, LogError> {
        let Some(segment) = &self.current else { return Ok(false) };
        let age = now.duration_since(segment.began).unwrap_or_default();
        if segment.bytes < self.config.segment_bytes && age < self.config.segment_age {
            return Ok(false);
        }
        self.seal().map(|()| true)
    }

    /// Seals what is open.
    pub(super) fn seal(&mut self) -> Result<(), LogError> {
        self.current.take().map_or(Ok(()), Segment::seal)
    }

    fn create(&mut self, now: SystemTime) -> Result<Segment, LogError> {
        let (kind, stamp, run) = (self.kind.name(), file_stamp(now), self.run.tag());
        let place =
            |n: u64, end: &str| self.config.dir.join(format!("{kind}-{stamp}-{run}-{n:06}{end}"));
        // A run with the seed of an earlier one has its names too, and one that could not be sealed stays.
        while [SEALED, OPEN].iter().any(|end| place(self.next, end).exists()) {
            self.next += 1;
        }
        let path = place(self.next, OPEN);
        let file = File::options().append(true).create_new(true).open(&path);
        let file = file.map_err(LogError::create(&path))?;
        sync_dir(&self.config.dir)?;
        Ok(Segment { file, path, began: now, bytes: 0, routers: BTreeSet::new() })
    }
}

impl Segment {
    fn append(&mut self, parts: [&[u8]; 2]) -> Result<(), LogError> {
        let written = parts.iter().try_for_each(|part| self.file.write_all(part));
        match written.and_then(|()| self.file.sync_data()) {
            Ok(()) => {
                self.bytes += parts.iter().map(|part| part.len() as u64).sum::<u64>();
                Ok(())
            }
            Err(source) => Err(LogError::Write { path: self.path.clone(), source }),
        }
    }

    /// Takes a group back that could not be written; whether that worked. Where it did not, readers
    /// count a line that is cut short.
    fn take_back(&mut self) -> bool {
        // The lines that named them may be gone.
        self.routers.clear();
        let taken = self.file.set_len(self.bytes).inspect_err(|error| {
            tracing::error!("cannot take back a group of `{}`: {error}", self.path.display());
        });
        taken.is_ok()
    }

    fn seal(self) -> Result<(), LogError> {
        let Self { path, bytes, .. } = self;
        let done = if bytes == 0 { fs::remove_file(&path) } else { rename_sealed(&path) };
        done.map_err(LogError::write(&path))
    }
}

/// Seals the segment of that path.
pub(super) fn rename_sealed(path: &Path) -> io::Result<()> {
    let name = path.as_os_str().to_string_lossy();
    let sealed = name.strip_suffix(OPEN).map(|stem| format!("{stem}{SEALED}"));
    sealed.map_or(Ok(()), |sealed| fs::rename(path, sealed))
}

/// Puts the names in a folder on disk, not only what the files hold.
pub(super) fn sync_dir(dir: &Path) -> Result<(), LogError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(LogError::write(dir))
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn nothing_follows_half_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let config = LogConfig::new(dir.path());
        let run = Run::new(uuid::Uuid::nil(), "then".to_owned());
        let mut segments = Segments::new(Kind::Outcomes, &config, run);
        let group = |text: &str| Group { lines: text.into(), ..Group::default() };
        segments.append(&group("one\n"), UNIX_EPOCH).unwrap();
        // A disk that takes half a line, and then neither writes nor cuts.
        let broken = segments.current.as_mut().unwrap();
        broken.file.write_all(b"tw").unwrap();
        broken.file = File::open(&broken.path).unwrap();
        segments.append(&group("two\n"), UNIX_EPOCH).unwrap_err();
        segments.append(&group("three\n"), UNIX_EPOCH).unwrap();
        segments.seal().unwrap();
        let mut texts: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        texts.sort();
        let ends: Vec<_> = texts.iter().map(|text| text.split_once('\n').unwrap().1).collect();
        assert_eq!(ends.len(), 2, "{texts:?}");
        assert!(ends.contains(&"one\ntw") && ends.contains(&"three\n"), "{texts:?}");
    }
}
