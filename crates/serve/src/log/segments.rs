//! The files of the decision log: `decisions-<utc timestamp>-<n>.ndjson`, one JSON row a line.
//!
//! A segment is appended to until it has its size, then synced and never touched again. A segment that
//! could not be written is left as it is, its last line perhaps cut short, and a new one is begun.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::LogError;
use crate::Clock;
use crate::clock::file_stamp;
use crate::config::LogConfig;

/// The segments of one writer.
#[derive(Debug)]
pub(super) struct Segments {
    dir: PathBuf,
    segment_bytes: u64,
    clock: Clock,
    current: Option<Segment>,
    next: u64,
}

#[derive(Debug)]
struct Segment {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Segments {
    /// Begins the first segment, so that a folder that cannot be written to is noticed at once.
    pub(super) fn open(config: &LogConfig, clock: Clock) -> Result<Self, LogError> {
        let LogConfig { dir, segment_bytes, .. } = config.clone();
        fs::create_dir_all(&dir)
            .map_err(|source| LogError::Folder { path: dir.clone(), source })?;
        let mut segments = Self { dir, segment_bytes, clock, current: None, next: 0 };
        let first = segments.create()?;
        segments.current = Some(first);
        Ok(segments)
    }

    /// Appends whole lines.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), LogError> {
        let mut segment = match self.current.take() {
            Some(segment) => segment,
            None => self.create()?,
        };
        if let Err(source) = segment.file.write_all(lines) {
            return Err(LogError::Write { path: segment.path, source });
        }
        segment.bytes += lines.len() as u64;
        if segment.bytes >= self.segment_bytes {
            return segment.seal();
        }
        self.current = Some(segment);
        Ok(())
    }

    /// Syncs what is open; an empty segment is removed.
    pub(super) fn finish(&mut self) -> Result<(), LogError> {
        match self.current.take() {
            None => Ok(()),
            Some(segment) if segment.bytes > 0 => segment.seal(),
            Some(Segment { path, .. }) => {
                fs::remove_file(&path).map_err(|source| LogError::Write { path, source })
            }
        }
    }

    /// Another server may write to the same folder, so a name that exists is passed over.
    fn create(&mut self) -> Result<Segment, LogError> {
        loop {
            let stamp = file_stamp(self.clock.now());
            let path = self.dir.join(format!("decisions-{stamp}-{}.ndjson", self.next));
            self.next += 1;
            match File::options().append(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Segment { file, path, bytes: 0 }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => return Err(LogError::Create { path, source }),
            }
        }
    }
}

impl Segment {
    fn seal(self) -> Result<(), LogError> {
        self.file.sync_all().map_err(|source| LogError::Write { path: self.path, source })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::UNIX_EPOCH;

    use super::*;

    fn open(dir: &Path) -> Segments {
        let clock = Clock::from_fn(|| UNIX_EPOCH);
        let config = LogConfig { segment_bytes: 10, ..LogConfig::new(dir) };
        Segments::open(&config, clock).unwrap()
    }

    fn files(dir: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn a_full_segment_is_followed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let mut segments = open(dir.path());
        for line in ["aaaa\n", "bbbbbb\n", "cc\n"] {
            segments.append(line.as_bytes()).unwrap();
        }
        segments.finish().unwrap();
        let name = |n| format!("decisions-19700101T000000Z-{n}.ndjson");
        assert_eq!(
            files(dir.path()),
            [(name(0), "aaaa\nbbbbbb\n".to_owned()), (name(1), "cc\n".to_owned())]
        );
    }

    #[test]
    fn nothing_written_leaves_no_file_and_nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).finish().unwrap();
        assert_eq!(files(dir.path()), []);

        let (mut one, mut other) = (open(dir.path()), open(dir.path()));
        one.append(b"1\n").unwrap();
        other.append(b"2\n").unwrap();
        let texts: Vec<String> = files(dir.path()).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["1\n", "2\n"]);
    }

    #[test]
    fn a_folder_that_is_a_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "").unwrap();
        let clock = Clock::from_fn(|| UNIX_EPOCH);
        let error = Segments::open(&LogConfig::new(path), clock);
        assert!(error.unwrap_err().to_string().contains("file`; hint: give another one"));
    }
}
