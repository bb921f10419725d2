//! The file that says that a run is on, and what a run that died has left.
//!
//! `run-<run>.json` is locked as long as its server lives, so a file that can be locked belongs to a run
//! that died. It says twice which numbers decisions have. No number is `reserved` or more: that is
//! synced well before such numbers are given out, and so holds after a power cut. Numbers up to `next`
//! are given out: that is noted without a sync before a row beyond the last note is taken from the
//! queue, which outlives the process but not the machine. What of the numbers is in no segment is
//! missing; behind the noted ones, only what was in the queue can be.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::FileExt as _;
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
    /// Since when the machine is up, as an id; none where it does not tell.
    #[serde(default)]
    boot: Option<String>,
    /// Rows that may wait in the queue.
    #[serde(default)]
    queue_rows: u64,
    /// Decisions with a smaller number are in sealed segments, or were dropped and counted.
    sealed_to: u64,
    /// No decision has this number or a greater one.
    reserved: u64,
    /// Decisions have all smaller numbers, and no row of a greater one has left the queue.
    #[serde(default)]
    next: u64,
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
    pub(super) fn create(
        dir: &Path,
        run: &Run,
        queue_rows: u64,
        reserved: u64,
    ) -> Result<Self, LogError> {
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
            boot: boot_id(),
            queue_rows,
            sealed_to: 0,
            reserved,
            next: 0,
        };
        let created = Self { file, path, promise };
        created.write_synced()?;
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

    pub(super) fn next(&self) -> u64 {
        self.promise.next
    }

    /// Notes that smaller numbers are given out; not synced.
    pub(super) fn note(&mut self, next: u64) -> Result<(), LogError> {
        let before = std::mem::replace(&mut self.promise.next, next);
        self.write().inspect_err(|_| self.promise.next = before)
    }

    /// Renews the promise; it holds when this returns without an error.
    pub(super) fn reserve(&mut self, sealed_to: u64, reserved: u64) -> Result<(), LogError> {
        let before = self.promise.clone();
        (self.promise.sealed_to, self.promise.reserved) = (sealed_to, reserved);
        self.write_synced().inspect_err(|_| self.promise = before)
    }

    /// The run has ended well.
    pub(super) fn remove(self) -> Result<(), LogError> {
        fs::remove_file(&self.path).map_err(LogError::write(&self.path))
    }

    /// One write of one length or longer: numbers only grow, so the new text covers the old one.
    fn write(&self) -> Result<(), LogError> {
        let mut text = serde_json::to_vec(&self.promise).unwrap_or_default();
        text.push(b'\n');
        self.file.write_all_at(&text, 0).map_err(LogError::write(&self.path))
    }

    fn write_synced(&self) -> Result<(), LogError> {
        self.write()?;
        self.file.sync_data().map_err(LogError::write(&self.path))
    }
}

/// Names the time since the machine was started: what was written in it and not synced is still there.
fn boot_id() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

impl Promise {
    /// What a run has lost that has left rows of these numbers in open segments.
    fn broken(self, rows: &[u64], torn: u64) -> Died {
        let not_found = |to: u64| {
            let due = self.sealed_to..to;
            let found = rows.iter().filter(|seq| due.contains(seq)).count() as u64;
            to.saturating_sub(self.sealed_to).saturating_sub(found)
        };
        let rebooted = self.boot.is_none() || self.boot != boot_id();
        let missing = not_found(self.next);
        let lost_at_most = if rebooted {
            // The last notes may be gone.
            not_found(self.reserved)
        } else {
            missing.saturating_add(self.queue_rows)
        };
        Died { run: self.run, began: self.began, rebooted, missing, lost_at_most, torn }
    }
}

/// What a run that died has left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Died {
    pub(super) run: String,
    pub(super) began: String,
    /// Whether its machine may have gone with it.
    pub(super) rebooted: bool,
    /// Decision rows that are missing for certain.
    pub(super) missing: u64,
    /// The most that can be missing.
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
            Ok(promise) => died.push(promise.broken(&rows, torn)),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a start finds of a run that had made ten decisions, two of them in sealed segments, when it
    /// died with no segment open; `change` is what happened to its file. Other systems tell no boot.
    #[cfg(target_os = "linux")]
    fn died(change: impl FnOnce(String) -> String) -> Died {
        let dir = tempfile::tempdir().unwrap();
        let run = Run::new(Uuid::nil(), "then".to_owned());
        let mut file = RunFile::create(dir.path(), &run, 5, 40).unwrap();
        file.reserve(2, 50).unwrap();
        file.note(10).unwrap();
        let path = file.path.clone();
        drop(file);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
        let [died] = recover(dir.path()).unwrap().try_into().unwrap();
        assert!(!path.exists());
        died
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_kill_only_the_queue_is_not_known() {
        let died = died(|text| text);
        assert_eq!((died.rebooted, died.missing, died.lost_at_most), (false, 8, 8 + 5));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_power_cut_only_what_was_synced_counts() {
        let boot = boot_id().unwrap();
        let died = died(|text| text.replace(&boot, "another"));
        assert_eq!((died.rebooted, died.missing, died.lost_at_most), (true, 8, 48));
    }

    #[test]
    fn rows_that_are_there_are_not_missing() {
        let boot = boot_id();
        let promise = |next| Promise {
            run: String::new(),
            began: String::new(),
            boot: boot.clone(),
            queue_rows: 5,
            sealed_to: 3,
            reserved: 40,
            next,
        };
        // Numbers may be out of order, and a late one may stand behind a segment that is sealed.
        assert_eq!(promise(6).broken(&[2, 5, 3, 4], 0).missing, 0);
        assert_eq!(promise(8).broken(&[7, 3], 0).missing, 3);
    }
}
