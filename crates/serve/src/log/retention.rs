//! Limits on the size and the age of what is kept: whole sealed segments go, oldest first.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::LogError;
use super::run::list;
use super::segments::{Kind, SEALED};
use crate::clock::from_file_stamp;
use crate::config::LogConfig;

/// A sealed segment, by the time at which it was begun.
struct Sealed {
    began: SystemTime,
    path: PathBuf,
    bytes: u64,
}

/// Deletes sealed segments of any run beyond the limits; how many.
pub(super) fn enforce(config: &LogConfig, now: SystemTime) -> Result<u64, LogError> {
    if config.max_bytes.is_none() && config.max_age.is_none() {
        return Ok(0);
    }
    let mut sealed: Vec<Sealed> = list(&config.dir)?.into_iter().filter_map(as_sealed).collect();
    sealed.sort_by(|a, b| (a.began, &a.path).cmp(&(b.began, &b.path)));
    let mut bytes: u64 = sealed.iter().map(|segment| segment.bytes).sum();
    let mut deleted = 0;
    for segment in sealed {
        let age = now.duration_since(segment.began).unwrap_or_default();
        let too_old = config.max_age.is_some_and(|most| age > most);
        let too_much = config.max_bytes.is_some_and(|most| bytes > most);
        if !too_old && !too_much {
            break;
        }
        bytes -= segment.bytes;
        deleted += u64::from(delete(&segment.path));
    }
    Ok(deleted)
}

fn as_sealed(path: PathBuf) -> Option<Sealed> {
    let name = path.file_name()?.to_str()?.strip_suffix(SEALED)?;
    let (kind, rest) = name.split_once('-')?;
    Kind::ALL.into_iter().find(|known| known.name() == kind)?;
    let began = from_file_stamp(rest.split('-').next()?)?;
    let bytes = path.metadata().ok()?.len();
    Some(Sealed { began, path, bytes })
}

/// Whether it was there to delete: another server on the same folder may have been first.
fn delete(path: &Path) -> bool {
    match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!("cannot delete `{}`: {error}", path.display());
            false
        }
    }
}
