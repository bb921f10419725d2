//! Logs as NDJSON and CSV.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use farthing_core::log::{OutcomeRow, column};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::{Field, fields};
use crate::DataError;
use crate::value::rfc3339;

/// One object a line; what is unknown is left out, but for the extra columns: a log that was made
/// with a column has it, even where no row has a value.
pub(super) struct NdjsonSink(BufWriter<File>);

impl NdjsonSink {
    pub(super) fn new(file: File) -> Self {
        Self(BufWriter::new(file))
    }

    pub(super) fn write(&mut self, row: &OutcomeRow, extra: &[String]) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, &Line { row, extra })?;
        self.0.write_all(b"\n")
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

struct Line<'a> {
    row: &'a OutcomeRow,
    extra: &'a [String],
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, field) in column::ALL.iter().zip(&fields(self.row)) {
            match field {
                Field::Text(Some(text)) => map.serialize_entry(name, text)?,
                Field::Float(Some(number)) => map.serialize_entry(name, number)?,
                Field::Count(Some(count)) => map.serialize_entry(name, count)?,
                Field::Time(Some(ms)) => map.serialize_entry(name, &rfc3339(*ms))?,
                Field::Text(None) | Field::Float(None) | Field::Count(None) | Field::Time(None) => {
                }
            }
        }
        for name in self.extra {
            map.serialize_entry(name, &self.row.extra.get(name))?;
        }
        map.end()
    }
}

/// One record a line under a header; what is unknown is empty.
pub(super) struct CsvSink(csv::Writer<File>);

impl CsvSink {
    pub(super) fn new(file: File, extra: &[String], path: &Path) -> Result<Self, DataError> {
        let mut writer = csv::Writer::from_writer(file);
        let names = column::ALL.iter().copied().chain(extra.iter().map(String::as_str));
        writer.write_record(names).map_err(csv_error(path))?;
        Ok(Self(writer))
    }

    pub(super) fn write(
        &mut self,
        row: &OutcomeRow,
        extra: &[String],
        path: &Path,
    ) -> Result<(), DataError> {
        for field in fields(row) {
            self.0.write_field(field.csv().as_bytes()).map_err(csv_error(path))?;
        }
        for name in extra {
            let value = row.extra.get(name).map_or("", String::as_str);
            self.0.write_field(value).map_err(csv_error(path))?;
        }
        self.0.write_record(None::<&[u8]>).map_err(csv_error(path))
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Field<'_> {
    /// As it stands in CSV.
    fn csv(&self) -> Cow<'_, str> {
        match self {
            Self::Text(Some(text)) => Cow::Borrowed(*text),
            Self::Float(Some(number)) => number.to_string().into(),
            Self::Count(Some(count)) => count.to_string().into(),
            Self::Time(Some(ms)) => rfc3339(*ms).into(),
            Self::Text(None) | Self::Float(None) | Self::Count(None) | Self::Time(None) => {
                Cow::Borrowed("")
            }
        }
    }
}

fn csv_error(path: &Path) -> impl FnOnce(csv::Error) -> DataError + '_ {
    move |source| DataError::Write { path: path.to_owned(), source: source.into() }
}
