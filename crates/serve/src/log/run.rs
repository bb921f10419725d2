//! The file that says that a run is on, and what a run that died has left.
//!
//! `run-<run>.json` is locked as long as its server lives, so a file that can be locked belongs to a run
//! that died. It promises that no decision has a number of `reserved` or more; the promise is renewed
//! and synced well before the numbers run out, by the thread that writes. What of the promised numbers
//! is in no segment is the most that can be missing.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use farthing_core::log::read::{Line, LineReader};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::LogError;
use super::segments::{Kind, OPEN, rename_sealed, sync_dir};

const PREFIX: &str = "run-";
const SUFFIX: &str = ".json";
/// The end of the name that the file is made with.
const UNNAMED: &str = ".new";

/// The names of a run.
#[derive(Debug, Clone)]
pub(crate) struct Run(Arc<(String, String)>);

impl Run {
    /// A run of that id that begins at that time, in RFC 3339.
    pub(crate) fn new(id: Uuid, began: String) -> Self {
        Self(Arc::new((id.to_string(), began)))
    }

    pub(super) fn id(&self) -> &str {
        &self.0.0
    }

    pub(super) fn began(&self) -> &str {
        &self.0.1
    }

    /// The random end of the id, as the names of files have it.
    pub(super) fn tag(&self) -> &str {
        tag(self.id())
    }
}

fn tag(id: &str) -> &str {
    id.rsplit('-').next().unwrap_or(id)
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Promise {
    run: String,
    began: String,
    /// Decisions with a smaller number are in sealed segments, or were dropped and counted.
    sealed_to: u64,
    /// No decision has this number or a greater one.
    reserved: u64,
}

/// The file of the run that is on.
#[derive(Debug)]
pub(super) struct RunFile {
    file: File,
    path: PathBuf,
    promise: Promise,
}

impl RunFile {
    /// Creates the file, locked before it has its name and on disk when this returns.
    pub(super) fn create(dir: &Path, run: &Run, reserved: u64) -> Result<Self, LogError> {
        let path = run_file(dir, run.tag());
        if path.exists() {
            return Err(LogError::create(&path)(io::ErrorKind::AlreadyExists.into()));
        }
        let unnamed = path.with_extension("new");
        let file = loop {
            let file = File::create(&unnamed).map_err(LogError::create(&unnamed))?;
            file.lock().map_err(LogError::create(&unnamed))?;
            // Another start may have taken it for that of a dead run before it was locked.
            if unnamed.exists() {
                break file;
            }
        };
        let promise = Promise {
            run: run.id().to_owned(),
            began: run.began().to_owned(),
            sealed_to: 0,
            reserved,
        };
        let mut created = Self { file, path, promise };
        created.write()?;
        fs::rename(&unnamed, &created.path).map_err(LogError::create(&created.path))?;
        sync_dir(dir)?;
        Ok(created)
    }

    pub(super) fn reserved(&self) -> u64 {
        self.promise.reserved
    }

    pub(super) fn sealed_to(&self) -> u64 {
        self.promise.sealed_to
    }

    /// Renews the promise; it holds when this returns without an error.
    pub(super) fn reserve(&mut self, sealed_to: u64, reserved: u64) -> Result<(), LogError> {
        let before = self.promise.clone();
        (self.promise.sealed_to, self.promise.reserved) = (sealed_to, reserved);
        self.write().inspect_err(|_| self.promise = before)
    }

    /// The run has ended well.
    pub(super) fn remove(self) -> Result<(), LogError> {
        fs::remove_file(&self.path).map_err(LogError::write(&self.path))
    }

    /// One write of one length or longer: numbers only grow, so the new text covers the old one.
    fn write(&mut self) -> Result<(), LogError> {
        let mut text = serde_json::to_vec(&self.promise).unwrap_or_default();
        text.push(b'\n');
        let written = self.file.rewind().and_then(|()| self.file.write_all(&text));
        written.and_then(|()| self.file.sync_data()).map_err(LogError::write(&self.path))
    }
}

/// What a run that died has left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Died {
    pub(super) run: String,
    pub(super) began: String,
    /// The most decision rows that are missing.
    pub(super) lost_at_most: u64,
    /// Lines that are cut short.
    pub(super) torn: u64,
}

/// Seals what runs that died have left in a folder, and says what each may have lost.
pub(super) fn recover(dir: &Path) -> Result<Vec<Died>, LogError> {
    let mut died = Vec::new();
    for path in list(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(UNNAMED) {
            remove_unnamed(&path)?;
        }
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        let Ok(mut file) = File::open(&path) else { continue };
        // Locked: its server lives. Gone: another server has just seen to it.
        if file.try_lock().is_err() || !path.exists() {
            continue;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(LogError::write(&path))?;
        let run = name.trim_start_matches(PREFIX).trim_end_matches(SUFFIX);
        let (rows, torn) = seal_segments(dir, run)?;
        match serde_json::from_str::<Promise>(&text) {
            Ok(promise) => {
                let found = rows.iter().filter(|seq| **seq >= promise.sealed_to).count() as u64;
                let due = promise.reserved.saturating_sub(promise.sealed_to);
                died.push(Died {
                    run: promise.run,
                    began: promise.began,
                    lost_at_most: due.saturating_sub(found),
                    torn,
                });
            }
            Err(error) => tracing::error!(
                "`{}` does not say how many rows its run may have lost: {error}",
                path.display()
            ),
        }
        fs::remove_file(&path).map_err(LogError::write(&path))?;
    }
    seal_orphans(dir)?;
    Ok(died)
}

/// Seals open segments of runs of which there is no file. A run has its file before its first segment
/// and until its last is sealed, so nobody writes to these.
fn seal_orphans(dir: &Path) -> Result<(), LogError> {
    for path in list(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_open =
            Kind::ALL.iter().any(|kind| name.starts_with(kind.name())) && name.ends_with(OPEN);
        let Some(run) = name.split('-').nth(2).filter(|_| is_open) else { continue };
        // Gone: its server has sealed it since the folder was listed.
        if run_file(dir, run).exists() || !path.exists() {
            continue;
        }
        tracing::warn!(
            "`{}` was left open by a run of which nothing is known: sealed",
            path.display()
        );
        rename_sealed(&path).map_err(LogError::write(&path))?;
    }
    sync_dir(dir)
}

/// Deletes a file that a run did not live to give its name.
fn remove_unnamed(path: &Path) -> Result<(), LogError> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    // Locked: its server is about to name it.
    if file.try_lock().is_err() || !path.exists() {
        return Ok(());
    }
    fs::remove_file(path).map_err(LogError::write(path))
}

fn run_file(dir: &Path, tag: &str) -> PathBuf {
    dir.join(format!("{PREFIX}{tag}{SUFFIX}"))
}

/// Seals the open segments of a run; the numbers of the decisions in them, and how many lines of any
/// kind are cut short.
fn seal_segments(dir: &Path, run: &str) -> Result<(Vec<u64>, u64), LogError> {
    let (mut seqs, mut torn) = (Vec::new(), 0);
    for path in list(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let kind = Kind::ALL.into_iter().find(|kind| name.starts_with(kind.name()));
        if kind.is_none() || !name.ends_with(OPEN) || !name.contains(&format!("-{run}-")) {
            continue;
        }
        let mut reader = LineReader::default();
        let mut file = BufReader::new(File::open(&path).map_err(LogError::write(&path))?);
        let mut line = Vec::new();
        while file.read_until(b'\n', &mut line).map_err(LogError::write(&path))? > 0 {
            match reader.read(&line) {
                Ok(Line::Decision(row, _)) => seqs.push(row.seq),
                Ok(Line::Segment(_) | Line::Router(_) | Line::Outcome(_)) => {}
                Err(_) => torn += 1,
            }
            line.clear();
        }
        rename_sealed(&path).map_err(LogError::write(&path))?;
    }
    sync_dir(dir)?;
    Ok((seqs, torn))
}

/// The files of a folder, by name.
pub(super) fn list(dir: &Path) -> Result<Vec<PathBuf>, LogError> {
    let entries = fs::read_dir(dir).map_err(LogError::folder(dir))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(LogError::folder(dir))?;
    paths.sort();
    Ok(paths)
}
