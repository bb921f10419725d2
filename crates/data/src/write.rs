//! Outcome logs out of rows, in bounded memory.

use std::path::Path;

use farthing_core::log::OutcomeRow;

use crate::DataError;

/// Writes an outcome log: Parquet, NDJSON or CSV by extension.
#[derive(Debug)]
pub struct LogWriter {}

impl LogWriter {
    /// Starts a log with the schema's columns and `extra` ones.
    pub fn create(path: &Path, extra: &[String]) -> Result<Self, DataError> {
        let _ = (path, extra);
        Ok(Self {})
    }

    /// Appends a row.
    pub fn write(&mut self, row: &OutcomeRow) -> Result<(), DataError> {
        let _ = row;
        Ok(())
    }

    /// Completes the file and puts it in its place.
    pub fn finish(self) -> Result<(), DataError> {
        Ok(())
    }
}
