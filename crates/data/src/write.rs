//! Outcome logs out of rows, in bounded memory: Parquet, NDJSON or CSV.
//!
//! A log is written beside its place and moved there when it is complete, so that a name never
//! holds half a log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use farthing_core::log::{Asked, OutcomeRow, column};
use farthing_core::{Outcome, ScoreSource};

use crate::DataError;
use crate::table::Format;

mod parquet;
mod text;

pub(crate) use parquet::{Cell, Kind, ParquetSink};

/// Writes an outcome log; the extension is the format.
pub struct LogWriter {
    path: PathBuf,
    partial: PathBuf,
    extra: Vec<String>,
    sink: Option<Sink>,
}

enum Sink {
    Parquet(Box<ParquetSink>),
    Ndjson(text::NdjsonSink),
    Csv(Box<text::CsvSink>),
}

impl LogWriter {
    /// Starts a log with the schema's columns and, after them, the `extra` ones by name.
    pub fn create(path: &Path, extra: &[String]) -> Result<Self, DataError> {
        let format = Format::of(path)?;
        let mut extra = extra.to_vec();
        extra.sort();
        extra.dedup();
        if let Some(taken) = extra.iter().find(|name| column::ALL.contains(&name.as_str())) {
            let what = format!(
                "the extra column `{taken}` has the name of a column of every log; hint: rename it"
            );
            return Err(DataError::Mapping { what });
        }
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(".partial");
        let partial = path.with_file_name(name);
        let file = File::create(&partial).map_err(DataError::write(path))?;
        let sink = match format {
            Format::Parquet => {
                let sink = ParquetSink::new(file, schema(&extra), path)?;
                Sink::Parquet(Box::new(sink))
            }
            Format::Ndjson => Sink::Ndjson(text::NdjsonSink::new(file)),
            Format::Csv => Sink::Csv(Box::new(text::CsvSink::new(file, &extra, path)?)),
        };
        Ok(Self { path: path.to_owned(), partial, extra, sink: Some(sink) })
    }

    /// Appends a row.
    pub fn write(&mut self, row: &OutcomeRow) -> Result<(), DataError> {
        if let Some(column) = row.extra.keys().find(|name| self.extra.binary_search(name).is_err())
        {
            let (path, column) = (self.path.clone(), column.clone());
            return Err(DataError::UndeclaredColumn { path, column });
        }
        match &mut self.sink {
            Some(Sink::Parquet(sink)) => {
                let extra = self.extra.iter().map(|name| row.extra.get(name).map(String::as_str));
                let cells = fields(row).into_iter().chain(extra.map(Field::Text)).map(Cell::from);
                sink.write(cells, &self.path)
            }
            Some(Sink::Ndjson(sink)) => {
                sink.write(row, &self.extra).map_err(DataError::write(&self.path))
            }
            Some(Sink::Csv(sink)) => sink.write(row, &self.extra, &self.path),
            None => Ok(()),
        }
    }

    /// Completes the file and puts it in its place.
    pub fn finish(mut self) -> Result<(), DataError> {
        match self.sink.take() {
            Some(Sink::Parquet(sink)) => sink.finish(&self.path)?,
            Some(Sink::Ndjson(sink)) => sink.finish().map_err(DataError::write(&self.path))?,
            Some(Sink::Csv(sink)) => sink.finish().map_err(DataError::write(&self.path))?,
            None => {}
        }
        std::fs::rename(&self.partial, &self.path).map_err(DataError::write(&self.path))
    }
}

impl std::fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        // Only a log that was given up has its sink still; nothing more can be done about a failure.
        if self.sink.is_some() {
            std::fs::remove_file(&self.partial).unwrap_or_default();
        }
    }
}

/// The columns of a log as Parquet, of the types that [`fields`] gives them.
fn schema(extra: &[String]) -> Vec<(String, Kind)> {
    let row = OutcomeRow {
        request_id: None,
        timestamp_ms: None,
        asked: Asked::Prompt(String::new()),
        model: String::new(),
        outcome: Outcome::default(),
        decision_id: None,
        router: None,
        policy: None,
        score_source: None,
        split: None,
        extra: BTreeMap::new(),
    };
    let log = column::ALL.iter().zip(fields(&row));
    let log = log.map(|(name, field)| ((*name).to_owned(), field.kind()));
    log.chain(extra.iter().map(|name| (name.clone(), Kind::Text))).collect()
}

/// One value of a row, by the type of its column.
#[derive(Debug, Clone, Copy)]
enum Field<'a> {
    Text(Option<&'a str>),
    Float(Option<f64>),
    Count(Option<u64>),
    Time(Option<i64>),
}

/// The row's values in the order of [`column::ALL`].
fn fields(row: &OutcomeRow) -> [Field<'_>; column::ALL.len()] {
    let (prompt, messages) = match &row.asked {
        Asked::Prompt(text) => (Some(text.as_str()), None),
        Asked::Messages(json) => (None, Some(json.as_str())),
    };
    let outcome: &Outcome = &row.outcome;
    [
        Field::Text(row.request_id.as_deref()),
        Field::Time(row.timestamp_ms),
        Field::Text(prompt),
        Field::Text(messages),
        Field::Text(Some(&row.model)),
        Field::Float(outcome.score),
        Field::Float(outcome.cost_usd),
        Field::Count(outcome.input_tokens),
        Field::Count(outcome.cached_input_tokens),
        Field::Count(outcome.output_tokens),
        Field::Float(outcome.latency_ms),
        Field::Float(outcome.propensity),
        Field::Text(row.decision_id.as_deref()),
        Field::Text(row.router.as_deref()),
        Field::Text(row.policy.as_deref()),
        Field::Text(row.score_source.map(ScoreSource::name)),
        Field::Text(row.split.as_deref()),
    ]
}
