//! Tables as Parquet, compressed with zstd, a row group at a time.

use std::fs::File;
use std::path::Path;

use polars::prelude::{
    BatchedWriter, BooleanChunkedBuilder, ChunkedBuilder as _, Column, DataFrame, DataType,
    Float32Type, Float64Type, Int64Type, IntoSeries as _, ListBuilderTrait as _,
    ListPrimitiveChunkedBuilder, ListStringChunkedBuilder, ParquetCompression, ParquetWriter,
    PlSmallStr, PolarsError, PrimitiveChunkedBuilder, StringChunkedBuilder, TimeUnit,
};

use super::Field;
use crate::DataError;

/// A row group is closed at so many rows, or sooner at so many bytes of text.
const GROUP_ROWS: usize = 50_000;
const GROUP_BYTES: usize = 64 << 20;

/// A file that rows are appended to.
pub(crate) struct ParquetSink {
    writer: BatchedWriter<File>,
    schema: Vec<(String, Kind)>,
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
}

/// The type of a column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Text,
    Float,
    Count,
    Time,
    Bool,
    Texts,
    Floats,
}

/// One value.
#[derive(Debug, Clone)]
pub(crate) enum Cell<'a> {
    Text(Option<&'a str>),
    Float(Option<f64>),
    Count(Option<u64>),
    /// Milliseconds since 1970.
    Time(Option<i64>),
    Bool(bool),
    Texts(Vec<Option<&'a str>>),
    Floats(Vec<Option<f32>>),
}

impl<'a> From<Field<'a>> for Cell<'a> {
    fn from(field: Field<'a>) -> Self {
        match field {
            Field::Text(text) => Self::Text(text),
            Field::Float(number) => Self::Float(number),
            Field::Count(count) => Self::Count(count),
            Field::Time(ms) => Self::Time(ms),
        }
    }
}

impl Field<'_> {
    /// The type of its column.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Float(_) => Kind::Float,
            Self::Count(_) => Kind::Count,
            Self::Time(_) => Kind::Time,
        }
    }
}

enum Builder {
    Text(StringChunkedBuilder),
    Float(PrimitiveChunkedBuilder<Float64Type>),
    Count(PrimitiveChunkedBuilder<Int64Type>),
    Time(PrimitiveChunkedBuilder<Int64Type>),
    Bool(BooleanChunkedBuilder),
    Texts(ListStringChunkedBuilder),
    Floats(ListPrimitiveChunkedBuilder<Float32Type>),
}

impl ParquetSink {
    /// Starts a table of these columns; `path` is what errors name.
    pub(crate) fn new(
        file: File,
        schema: Vec<(String, Kind)>,
        path: &Path,
    ) -> Result<Self, DataError> {
        let parquet = ParquetWriter::new(file).with_compression(ParquetCompression::Zstd(None));
        let writer = frame(builders(&schema), 0)
            .and_then(|empty| parquet.batched(empty.schema()))
            .map_err(write_error(path))?;
        let builders = builders(&schema);
        Ok(Self { writer, schema, builders, rows: 0, bytes: 0 })
    }

    /// Appends a row: a cell a column, of its type.
    pub(crate) fn write<'a>(
        &mut self,
        row: impl Iterator<Item = Cell<'a>>,
        path: &Path,
    ) -> Result<(), DataError> {
        for (builder, cell) in self.builders.iter_mut().zip(row) {
            self.bytes += builder.push(cell);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group().map_err(write_error(path))?;
        }
        Ok(())
    }

    /// Completes the file.
    pub(crate) fn finish(mut self, path: &Path) -> Result<(), DataError> {
        self.write_group().and_then(|()| self.writer.finish()).map_err(write_error(path))?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), PolarsError> {
        if self.rows == 0 {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.builders, builders(&self.schema));
        self.writer.write_batch(&frame(full, self.rows)?)?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn frame(builders: Vec<Builder>, rows: usize) -> Result<DataFrame, PolarsError> {
    let columns = builders.into_iter().map(Builder::finish).collect::<Result<Vec<_>, _>>()?;
    DataFrame::new(rows, columns)
}

fn builders(schema: &[(String, Kind)]) -> Vec<Builder> {
    schema.iter().map(|(name, kind)| Builder::of(name, *kind)).collect()
}

impl Builder {
    fn of(name: &str, kind: Kind) -> Self {
        let name = PlSmallStr::from_str(name);
        match kind {
            Kind::Text => Self::Text(StringChunkedBuilder::new(name, 0)),
            Kind::Float => Self::Float(PrimitiveChunkedBuilder::new(name, 0)),
            Kind::Count => Self::Count(PrimitiveChunkedBuilder::new(name, 0)),
            Kind::Time => Self::Time(PrimitiveChunkedBuilder::new(name, 0)),
            Kind::Bool => Self::Bool(BooleanChunkedBuilder::new(name, 0)),
            Kind::Texts => Self::Texts(ListStringChunkedBuilder::new(name, 0, 0)),
            Kind::Floats => {
                Self::Floats(ListPrimitiveChunkedBuilder::new(name, 0, 0, DataType::Float32))
            }
        }
    }

    /// Appends a value and says how many bytes of text it holds.
    fn push(&mut self, cell: Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Text(builder), Cell::Text(text)) => {
                builder.append_option(text);
                return text.map_or(0, str::len);
            }
            (Self::Float(builder), Cell::Float(number)) => builder.append_option(number),
            (Self::Count(builder), Cell::Count(count)) => {
                builder.append_option(count.and_then(|count| i64::try_from(count).ok()));
            }
            (Self::Time(builder), Cell::Time(ms)) => builder.append_option(ms),
            (Self::Bool(builder), Cell::Bool(yes)) => builder.append_value(yes),
            (Self::Texts(builder), Cell::Texts(texts)) => {
                builder.append_trusted_len_iter(texts.into_iter());
            }
            (Self::Floats(builder), Cell::Floats(numbers)) => {
                builder.append_iter(numbers.into_iter());
            }
            // Cells are of their column's type; a null keeps the lengths equal.
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Float(builder), _) => builder.append_null(),
            (Self::Count(builder) | Self::Time(builder), _) => builder.append_null(),
            (Self::Bool(builder), _) => builder.append_null(),
            (Self::Texts(builder), _) => builder.append_null(),
            (Self::Floats(builder), _) => builder.append_null(),
        }
        0
    }

    fn finish(self) -> Result<Column, PolarsError> {
        let series = match self {
            Self::Text(builder) => builder.finish().into_series(),
            Self::Float(builder) => builder.finish().into_series(),
            Self::Count(builder) => builder.finish().into_series(),
            Self::Time(builder) => builder.finish().into_series().cast(&TIME)?,
            Self::Bool(builder) => builder.finish().into_series(),
            Self::Texts(mut builder) => builder.finish().into_series(),
            Self::Floats(mut builder) => builder.finish().into_series(),
        };
        Ok(series.into())
    }
}

/// UTC, which polars' own type cannot say without its time-zone tables.
const TIME: DataType = DataType::Datetime(TimeUnit::Milliseconds, None);

fn write_error(path: &Path) -> impl FnOnce(PolarsError) -> DataError + '_ {
    move |source| DataError::WriteParquet { path: path.to_owned(), source: Box::new(source) }
}
