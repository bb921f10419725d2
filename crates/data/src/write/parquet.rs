//! Logs as Parquet, compressed with zstd, a row group at a time.

use std::fs::File;
use std::path::Path;

use farthing_core::log::{OutcomeRow, column};
use farthing_core::{Outcome, log::Asked};
use polars::prelude::{
    BatchedWriter, ChunkedBuilder as _, Column, DataFrame, DataType, Float64Type, Int64Type,
    IntoSeries as _, ParquetCompression, ParquetWriter, PlSmallStr, PolarsError,
    PrimitiveChunkedBuilder, StringChunkedBuilder, TimeUnit,
};

use super::{Field, fields};
use crate::DataError;

/// A row group is closed at so many rows, or sooner at so many bytes of text.
const GROUP_ROWS: usize = 50_000;
const GROUP_BYTES: usize = 64 << 20;

pub(super) struct ParquetSink {
    writer: BatchedWriter<File>,
    extra: Vec<String>,
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
}

enum Builder {
    Text(StringChunkedBuilder),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Count(PrimitiveChunkedBuilder<Int64Type>),
    Time(PrimitiveChunkedBuilder<Int64Type>),
}

impl ParquetSink {
    pub(super) fn new(file: File, extra: &[String], path: &Path) -> Result<Self, DataError> {
        let parquet = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None));
        let writer = frame(builders(extra), 0)
            .and_then(|empty| parquet.batched(empty.schema()))
            .map_err(write_error(path))?;
        let builders = builders(extra);
        Ok(Self { writer, extra: extra.to_vec(), builders, rows: 0, bytes: 0 })
    }

    pub(super) fn write(&mut self, row: &OutcomeRow, path: &Path) -> Result<(), DataError> {
        let extra = self.extra.iter().map(|name| row.extra.get(name).map(String::as_str));
        let values = fields(row).into_iter().chain(extra.map(Field::Text));
        for (builder, field) in self.builders.iter_mut().zip(values) {
            self.bytes += builder.push(field);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group().map_err(write_error(path))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<(), DataError> {
        self.write_group().and_then(|()| self.writer.finish()).map_err(write_error(path))?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), PolarsError> {
        if self.rows == 0 {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.builders, builders(&self.extra));
        self.writer.write_batch(&frame(full, self.rows)?)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn frame(builders: Vec<Builder>, rows: usize) -> Result<DataFrame, PolarsError> {
    let columns = builders.into_iter().map(Builder::finish).collect::<Result<Vec<_>, _>>()?;
    DataFrame::new(rows, columns)
}

/// One per column, of the type that [`fields`] gives it.
fn builders(extra: &[String]) -> Vec<Builder> {
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
        extra: std::collections::BTreeMap::new(),
    };
    let schema = column::ALL.iter().zip(fields(&row)).map(|(name, field)| Builder::of(name, field));
    schema.chain(extra.iter().map(|name| Builder::of(name, Field::Text(None)))).collect()
}

impl Builder {
    fn of(name: &str, field: Field<'_>) -> Self {
        let name = PlSmallStr::from_str(name);
        match field {
            Field::Text(_) => Self::Text(StringChunkedBuilder::new(name, 0)),
            Field::Float(_) => Self::Float(PrimitiveChunkedBuilder::new(name, 0)),
            Field::Count(_) => Self::Count(PrimitiveChunkedBuilder::new(name, 0)),
            Field::Time(_) => Self::Time(PrimitiveChunkedBuilder::new(name, 0)),
        }
    }

    /// Appends a value and says how many bytes of text it holds.
    fn push(&mut self, field: Field<'_>) -> usize {
        match (self, field) {
            (Self::Text(builder), Field::Text(text)) => {
                builder.append_option(text);
                return text.map_or(0, str::len);
            }
            (Self::Float(builder), Field::Float(number)) => builder.append_option(number),
            (Self::Count(builder), Field::Count(count)) => {
                builder.append_option(count.and_then(|count| i64::try_from(count).ok()));
            }
            (Self::Time(builder), Field::Time(ms)) => builder.append_option(ms),
            // Builders are made from fields, so the types agree; a null keeps the lengths equal.
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Float(builder), _) => builder.append_null(),
            (Self::Count(builder) | Self::Time(builder), _) => builder.append_null(),
        }
        0
    }

    fn finish(self) -> Result<Column, PolarsError> {
        let series = match self {
            Self::Text(builder) => builder.finish().into_series(),
            Self::Float(builder) => builder.finish().into_series(),
            Self::Count(builder) => builder.finish().into_series(),
            Self::Time(builder) => builder.finish().into_series().cast(&TIME)?,
        };
        Ok(series.into())
    }
}

/// UTC, which polars' own type cannot say without its time-zone tables.
const TIME: DataType = DataType::Datetime(TimeUnit::Milliseconds, None);

fn write_error(path: &Path) -> impl FnOnce(PolarsError) -> DataError + '_ {
    move |source| DataError::WriteParquet { path: path.to_owned(), source: Box::new(source) }
}
