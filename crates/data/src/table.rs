//! Files as rows of [`Value`]s, whatever their format; only the wanted columns, in bounded memory.

use std::path::Path;

use crate::DataError;
use crate::columns::Wanted;
use crate::value::{Reason, Value};

mod csv;
mod ndjson;
mod parquet;

/// Formats that a log may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Parquet,
    Ndjson,
    Csv,
}

impl Format {
    /// The format that a file's extension names.
    pub(crate) fn of(path: &Path) -> Result<Self, DataError> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "parquet" | "pq" => Ok(Self::Parquet),
            "ndjson" | "jsonl" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err(DataError::Format { path: path.to_owned() }),
        }
    }
}

/// A row: its line in the file (row number in Parquet) and the wanted columns' values in order, or
/// why there are none.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) line: u64,
    pub(crate) values: Result<&'a [Value<'a>], Reason>,
}

/// What is done with each row.
pub(crate) type Visit<'v> = dyn FnMut(Row<'_>) -> Result<(), DataError> + 'v;

/// Visits every row and returns the names of the file's columns, all those wanted among them (of an
/// NDJSON file at most [`MAX_OTHER`](crate::columns::MAX_OTHER) others).
pub(crate) fn scan(
    path: &Path,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<Vec<String>, DataError> {
    match Format::of(path)? {
        Format::Parquet => parquet::scan(path, wanted, visit),
        Format::Ndjson => ndjson::scan(path, wanted, visit),
        Format::Csv => csv::scan(path, wanted, visit),
    }
}

/// The names of the file's columns, all of them; an NDJSON file is read to its end.
pub(crate) fn columns(path: &Path) -> Result<Vec<String>, DataError> {
    match Format::of(path)? {
        Format::Parquet => parquet::columns(path),
        Format::Ndjson => ndjson::columns(path),
        Format::Csv => csv::columns(path),
    }
}

/// Like [`scan`], for a file that is CSV whatever its extension.
pub(crate) fn scan_csv(
    path: &Path,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<Vec<String>, DataError> {
    csv::scan(path, wanted, visit)
}
