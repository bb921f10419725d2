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
        self.current = Some(segment);
        appended
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
        let place = |n: u64, end| self.config.dir.join(format!("{kind}-{stamp}-{run}-{n:06}{end}"));
        // A run with the seed of an earlier one has its names too.
        while place(self.next, SEALED).exists() {
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
            Err(source) => {
                self.take_back();
                Err(LogError::Write { path: self.path.clone(), source })
            }
        }
    }

    /// Where even this fails, readers count a line that is cut short.
    fn take_back(&mut self) {
        if let Err(error) = self.file.set_len(self.bytes) {
            tracing::error!("cannot take back a group of `{}`: {error}", self.path.display());
        }
        // The lines that named them may be gone.
        self.routers.clear();
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
