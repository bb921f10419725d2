//! A folder of its own for each test, in which the binary runs: paths in messages are then literals.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::binary;

/// A temporary folder.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder in another one than the system's for temporary files.
    pub(crate) fn within(parent: &Path) -> Self {
        Self(tempfile::tempdir_in(parent).unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn read_json(&self, name: &str) -> Value {
        serde_json::from_str(&self.read(name)).unwrap()
    }

    /// `farthing` in this folder, untouched by the caller's environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary::path());
        command.current_dir(self.0.path()).stdin(Stdio::null());
        for name in ["CONFIG", "LISTEN", "LOG", "PRICES", "TRACE"] {
            command.env_remove(format!("FARTHING_{name}"));
        }
        command.env_remove("RAYON_NUM_THREADS");
        command
    }

    /// Runs `farthing` with arguments that are separated by spaces.
    pub(crate) fn run(&self, args: &str) -> Ran {
        self.run_args(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `farthing` with arguments that may hold spaces.
    pub(crate) fn run_args(&self, args: &[&str]) -> Ran {
        Ran::of(self.command().args(args))
    }
}

/// What a command did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Runs the command to its end; nothing may panic.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let ran = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        ran
    }

    /// It worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.ended(0, &[])
    }

    /// It ended with this exit code and said all of this on stderr.
    #[track_caller]
    pub(crate) fn ended(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        for part in said {
            assert!(self.stderr.contains(part), "no {part:?} in:\n{}", self.stderr);
        }
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// Names and bytes of the files of a directory, by name.
pub(crate) fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Copies the files of a directory.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for (name, bytes) in files(from) {
        std::fs::write(to.join(name), bytes).unwrap();
    }
}
