//! What is wrong with a configuration: every mistake, with its place, in the order of the file.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

/// A configuration that is refused, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the file; those without a place come last.
    pub mistakes: Vec<Mistake>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file with line and column, both from 1; `None`: it stands in no file.
    pub place: Option<(PathBuf, usize, usize)>,
    /// The key, what is wrong with it, and what to do.
    pub message: String,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.len() {
            1 => f.write_str("the configuration has a mistake:")?,
            many => write!(f, "the configuration has {many} mistakes:")?,
        }
        self.mistakes.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((file, line, column)) = &self.place {
            write!(f, "{}:{line}:{column}: ", file.display())?;
        }
        f.write_str(&self.message)
    }
}

/// Mistakes as they are found. Shared by all who read a file, so that none stops the others.
#[derive(Debug)]
pub(super) struct Mistakes<'a> {
    file: &'a Path,
    text: &'a str,
    found: RefCell<Vec<Found>>,
}

#[derive(Debug)]
struct Found {
    /// Line and column; `None` sorts last.
    place: Option<(usize, usize)>,
    is_syntax: bool,
    message: String,
}

impl<'a> Mistakes<'a> {
    /// None yet, in a file with this text.
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// A mistake at a byte of the text.
    pub(super) fn add(&self, at: usize, message: impl Into<String>) {
        self.push(Some(at), false, message.into());
    }

    /// Text that is not TOML.
    pub(super) fn add_syntax(&self, at: usize, message: impl Into<String>) {
        self.push(Some(at), true, message.into());
    }

    /// A mistake that stands nowhere in the file.
    pub(super) fn add_elsewhere(&self, message: impl Into<String>) {
        self.add_anywhere(None, message);
    }

    /// A mistake at a byte of the text, or nowhere in it.
    pub(super) fn add_anywhere(&self, at: Option<usize>, message: impl Into<String>) {
        self.push(at, false, message.into());
    }

    fn push(&self, at: Option<usize>, is_syntax: bool, message: String) {
        let place = at.map(|at| {
            let before = &self.text[..self.text.floor_char_boundary(at)];
            let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
            (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
        });
        self.found.borrow_mut().push(Found { place, is_syntax, message });
    }

    /// The text between two bytes.
    pub(super) fn source(&self, span: std::ops::Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// The value, if no mistake was found. Of a line that is not TOML only that is told, once: the
    /// rest follows from it.
    pub(super) fn unless_any<T>(self, value: T) -> Result<T, ConfigError> {
        let mut found = self.found.take();
        if found.is_empty() {
            return Ok(value);
        }
        let line = |found: &Found| found.place.map_or(usize::MAX, |(line, _)| line);
        found.sort_by_key(|found| {
            (line(found), !found.is_syntax, found.place.map(|(_, column)| column))
        });
        found.dedup_by(|next, kept| kept.is_syntax && line(kept) == line(next));
        let mistakes = found.into_iter().map(|Found { place, message, .. }| Mistake {
            place: place.map(|(line, column)| (self.file.to_owned(), line, column)),
            message,
        });
        Err(ConfigError { mistakes: mistakes.collect() })
    }
}

/// The name that somebody who wrote `wrong` probably meant.
pub(super) fn nearest<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in three letters; more is another word.
    let limit = (wrong.chars().count() / 3).max(1);
    let distance = |name: &'a str| (strsim::damerau_levenshtein(wrong, name), name);
    names.map(distance).filter(|(distance, _)| *distance <= limit).min().map(|(_, name)| name)
}

/// Names in backticks, with commas.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
