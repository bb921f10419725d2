//! Parquet through polars, in slices: only the wanted columns, some ten thousand rows at a time.
//!
//! A column is turned into one typed array a slice and read from that: a dynamic value per cell
//! would cost more than the decoding.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use polars::prelude::{
    ArrowDataType, BinaryChunked, BooleanChunked, Column, DataFrame, DataType, FileMetadata,
    Float64Chunked, Int64Chunked, ParquetReader, PolarsError, SerReader as _, Series,
    StringChunked, TimeUnit,
};

use super::{Row, Visit};
use crate::DataError;
use crate::columns::Wanted;
use crate::value::Value;

/// Rows decoded at a time: enough to share the cost of a page, few enough to hold.
const SLICE_ROWS: usize = 50_000;

pub(super) fn scan(
    path: &Path,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<Vec<String>, DataError> {
    let file = Table::open(path)?;
    wanted.check(path, &file.columns)?;
    let present: Vec<String> =
        wanted.names.iter().filter(|name| file.columns.contains(name)).cloned().collect();
    for name in &present {
        file.check_type(path, name)?;
    }
    for (start, rows) in file.slices() {
        let frame = file.slice(path, &present, start, rows)?;
        let columns = wanted
            .names
            .iter()
            .map(|name| frame.column(name).map_or(Ok(Cells::Null), |c| Cells::of(path, c)))
            .collect::<Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(columns.len());
        for i in 0..frame.height() {
            values.clear();
            values.extend(columns.iter().map(|cells| cells.get(i)));
            visit(Row { line: (start + i) as u64 + 1, values: Ok(&values) })?;
        }
    }
    Ok(file.columns)
}

pub(super) fn columns(path: &Path) -> Result<Vec<String>, DataError> {
    Ok(Table::open(path)?.columns)
}

/// An open file and its footer.
struct Table {
    metadata: Arc<FileMetadata>,
    columns: Vec<String>,
    types: Vec<ArrowDataType>,
}

impl Table {
    fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::read(path))?;
        let length = file.metadata().map_err(DataError::read(path))?.len();
        guarded(path, || {
            let mut reader = ParquetReader::new(file);
            let schema = reader.schema()?;
            let metadata = reader.get_metadata()?.clone();
            for group in &metadata.row_groups {
                if group.parquet_columns().iter().any(|column| column.byte_range().end > length) {
                    let what = "a column chunk reaches beyond the end of the file";
                    return Err(PolarsError::ComputeError(what.into()));
                }
            }
            let columns = schema.iter_names().map(ToString::to_string).collect();
            let types = schema.iter_values().map(|field| field.dtype().clone()).collect();
            Ok(Self { metadata, columns, types })
        })
    }

    /// Where slices begin and how many rows they have; none crosses a row group.
    fn slices(&self) -> Vec<(usize, usize)> {
        let mut slices = Vec::new();
        let mut start = 0;
        for group in &self.metadata.row_groups {
            let end = start + group.num_rows();
            while start < end {
                let rows = SLICE_ROWS.min(end - start);
                slices.push((start, rows));
                start += rows;
            }
        }
        slices
    }

    fn slice(
        &self,
        path: &Path,
        columns: &[String],
        start: usize,
        rows: usize,
    ) -> Result<DataFrame, DataError> {
        let file = File::open(path).map_err(DataError::read(path))?;
        guarded(path, || {
            let mut reader = ParquetReader::new(file);
            reader.set_metadata(self.metadata.clone());
            let mut frame = reader
                .with_columns(Some(columns.to_vec()))
                .with_slice(Some((start, rows)))
                .finish()?;
            frame.rechunk_mut_par();
            Ok(frame)
        })
    }

    /// Refuses a type before polars sees it, because it panics on those it was not built for.
    fn check_type(&self, path: &Path, column: &str) -> Result<(), DataError> {
        let dtype = self.columns.iter().position(|c| c == column).map(|i| &self.types[i]);
        match dtype {
            Some(dtype) if !readable(dtype) => {
                Err(column_type(path, column, &format!("{dtype:?}")))
            }
            _ => Ok(()),
        }
    }
}

/// Whether [`Cells::of`] takes columns of this type.
fn readable(dtype: &ArrowDataType) -> bool {
    use ArrowDataType as A;
    if let A::Dictionary(_, values, _) = dtype {
        return matches!(**values, A::Utf8 | A::LargeUtf8 | A::Utf8View);
    }
    matches!(
        dtype,
        A::Null
            | A::Boolean
            | A::Int8
            | A::Int16
            | A::Int32
            | A::Int64
            | A::UInt8
            | A::UInt16
            | A::UInt32
            | A::UInt64
            | A::Float32
            | A::Float64
            | A::Timestamp(..)
            | A::Date32
            | A::Date64
            | A::Utf8
            | A::LargeUtf8
            | A::Utf8View
            | A::Binary
            | A::LargeBinary
            | A::BinaryView
    )
}

fn column_type(path: &Path, column: &str, dtype: &str) -> DataError {
    DataError::ColumnType {
        path: path.to_owned(),
        column: column.to_owned(),
        dtype: dtype.to_owned(),
    }
}

fn parquet_error(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> DataError {
    DataError::Parquet { path: path.to_owned(), source: source.into() }
}

/// Runs polars on a file that may be damaged: some damage makes its decoder panic.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, PolarsError>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|source| parquet_error(path, source)),
        Err(_) => Err(parquet_error(path, "the file is damaged inside")),
    }
}

/// One column of a slice, as one array of its type.
enum Cells {
    Null,
    Text(StringChunked),
    Bytes(BinaryChunked),
    Int(Int64Chunked),
    Float(Float64Chunked),
    Bool(BooleanChunked),
    /// Milliseconds since 1970.
    Time(Int64Chunked, TimeScale),
}

/// From a time column's unit to milliseconds.
#[derive(Clone, Copy)]
struct TimeScale {
    times: i64,
    per: i64,
}

impl Cells {
    fn of(path: &Path, column: &Column) -> Result<Self, DataError> {
        let series = column.as_materialized_series();
        Self::typed(series)
            .map_err(|source| parquet_error(path, source))?
            .ok_or_else(|| column_type(path, series.name(), &format!("{:?}", series.dtype())))
    }

    /// `None` for a type that no log column can have.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "polars gains types; none is a log column's"
    )]
    fn typed(series: &Series) -> Result<Option<Self>, PolarsError> {
        use DataType as D;
        let cells = match series.dtype() {
            D::Null => Self::Null,
            D::String => Self::Text(series.str()?.clone()),
            D::Categorical(..) | D::Enum(..) => Self::Text(series.cast(&D::String)?.str()?.clone()),
            D::Binary => Self::Bytes(series.binary()?.clone()),
            D::Boolean => Self::Bool(series.bool()?.clone()),
            D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 => {
                Self::Int(series.cast(&D::Int64)?.i64()?.clone())
            }
            D::UInt64 | D::Float32 | D::Float64 => {
                Self::Float(series.cast(&D::Float64)?.f64()?.clone())
            }
            D::Date => {
                let days = series.to_physical_repr().cast(&D::Int64)?.i64()?.clone();
                Self::Time(days, TimeScale { times: 86_400_000, per: 1 })
            }
            D::Datetime(unit, _) => {
                let per = match unit {
                    TimeUnit::Milliseconds => 1,
                    TimeUnit::Microseconds => 1_000,
                    TimeUnit::Nanoseconds => 1_000_000,
                };
                let ticks = series.to_physical_repr().cast(&D::Int64)?.i64()?.clone();
                Self::Time(ticks, TimeScale { times: 1, per })
            }
            _ => return Ok(None),
        };
        Ok(Some(cells))
    }

    fn get(&self, i: usize) -> Value<'_> {
        let value = match self {
            Self::Null => None,
            Self::Text(cells) => cells.get(i).map(|text| Value::Text(text.into())),
            Self::Bytes(cells) => cells.get(i).map(|bytes| {
                std::str::from_utf8(bytes).map_or(Value::BadText, |text| Value::Text(text.into()))
            }),
            Self::Int(cells) => cells.get(i).map(Value::Int),
            Self::Float(cells) => cells.get(i).map(Value::Float),
            Self::Bool(cells) => cells.get(i).map(Value::Bool),
            Self::Time(cells, scale) => cells
                .get(i)
                .map(|ticks| Value::Time(ticks.saturating_mul(scale.times).div_euclid(scale.per))),
        };
        value.unwrap_or(Value::Null)
    }
}
