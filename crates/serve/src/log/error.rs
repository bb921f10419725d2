//! Why the log cannot be kept.

use std::io;
use std::path::{Path, PathBuf};

/// Why the decision log, or reported outcomes, cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder cannot be made or listed.
    #[error("cannot create the log folder `{}`; hint: give another one with `--log`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A segment, or the file that says that this server runs, cannot be created.
    #[error("cannot create the log file `{}`; hint: check the folder's permissions", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file of the log cannot be written, synced or moved.
    #[error("cannot write the log file `{}`; hint: check the space on its disk", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A thread that writes cannot be started.
    #[error("cannot start a thread that writes the log")]
    Thread(#[source] io::Error),
    /// A thread that writes panicked.
    #[error("a thread that writes the log failed")]
    Writer,
}

impl LogError {
    pub(super) fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Folder { path: path.to_owned(), source }
    }

    pub(super) fn create(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Create { path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}
