//! From the configured path to a router directory.
//!
//! The path is a directory, a symbolic link to one, or a small text file that names one. Such a
//! pointer is replaced in one step by any tool that can rename a file, and rolling back is writing the
//! old name again. What is in the directory is the business of `farthing_model`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// No path is longer; a larger file is no pointer.
const LONGEST_POINTER: u64 = 4096;

/// Why a path does not lead to a router directory.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is a file that cannot be read as text.
    #[error("cannot read `{}`; hint: give a router directory, or a text file that names one", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It is a file that names no directory.
    #[error("`{}` is no pointer to a router; hint: write the path of a router directory into it, relative to its own folder, and nothing else", path.display())]
    Pointer {
        /// The file.
        path: PathBuf,
    },
}

/// The router directory that a path leads to; whether there is a router is not looked at.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, SourceError> {
    if !path.is_file() {
        return Ok(path.to_owned());
    }
    let read = |source| SourceError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = File::open(path).map_err(read)?;
    file.take(LONGEST_POINTER + 1).read_to_string(&mut text).map_err(read)?;
    let name = text.trim();
    if name.is_empty() || name.contains('\n') || text.len() as u64 > LONGEST_POINTER {
        return Err(SourceError::Pointer { path: path.to_owned() });
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok(folder.join(name))
}

/// How the files of a directory look from outside: whether they may be others than before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    dir: PathBuf,
    /// Name, length in bytes and time of the last change.
    files: Vec<(OsString, u64, Option<SystemTime>)>,
}

/// How the files of a directory look now. What cannot be read looks like nothing.
pub(crate) fn stamp(dir: &Path) -> Stamp {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            // What a link leads to, not the link.
            let metadata = fs::metadata(entry.path()).ok()?;
            Some((entry.file_name(), metadata.len(), metadata.modified().ok()))
        })
        .collect();
    files.sort();
    Stamp { dir: dir.to_owned(), files }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn directories_stand_for_themselves_and_pointers_for_what_they_name() {
        let dir = tempfile::tempdir().unwrap();
        let pointer = dir.path().join("current");
        assert_eq!(resolve(dir.path()).unwrap(), dir.path());
        fs::write(&pointer, "routers/a\n").unwrap();
        assert_eq!(resolve(&pointer).unwrap(), dir.path().join("routers/a"));
        fs::write(&pointer, "/routers/b").unwrap();
        assert_eq!(resolve(&pointer).unwrap(), Path::new("/routers/b"));
    }

    #[test]
    fn what_names_nothing_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let pointer = dir.path().join("current");
        let check = |content: &[u8], expected: &str| {
            fs::write(&pointer, content).unwrap();
            let error = resolve(&pointer).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(b"", "is no pointer to a router; hint:");
        check(b"a\nb\n", "is no pointer to a router; hint:");
        check(&[b'a'; 5000], "is no pointer to a router; hint:");
        check(b"\xff", "cannot read");
    }
}
