//! Parquet columns as other writers type them.

use std::fs::File;

use farthing_data::ReadOptions;
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn as _, NamedFrom as _, ParquetWriter, Series, TimeUnit,
    TimeZone,
};

use crate::{Got, read_path, strings};

/// Reads a log of two rows by `m`, with this column in it.
fn read(column: Column, context: &[&str]) -> Got {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    let mut columns = vec![
        Series::new("prompt".into(), ["p", "q"]).into_column(),
        Series::new("model".into(), ["m", "m"]).into_column(),
    ];
    columns.retain(|c| c.name() != column.name());
    columns.push(column);
    let mut frame = DataFrame::new(2, columns).unwrap();
    ParquetWriter::new(File::create(&path).unwrap()).finish(&mut frame).unwrap();
    read_path(&dir, &path, &ReadOptions { context: strings(context), ..ReadOptions::default() })
}

fn column(name: &str, dtype: &DataType) -> Column {
    Series::new(name.into(), [0_i64, 1]).cast(dtype).unwrap().into_column()
}

#[test]
fn scores_of_every_numeric_type() {
    use DataType as D;
    let types = [
        D::Int8,
        D::Int16,
        D::Int32,
        D::Int64,
        D::UInt8,
        D::UInt16,
        D::UInt32,
        D::UInt64,
        D::Float32,
        D::Float64,
        D::Boolean,
        D::String,
    ];
    for dtype in types {
        let got = read(column("score", &dtype), &[]);
        let mut scores: Vec<_> =
            got.dataset().records.iter().map(|r| r.cells[0].score.unwrap()).collect();
        scores.sort_by(f64::total_cmp);
        assert_eq!(scores, [0.0, 1.0], "{dtype:?}");
    }
}

#[test]
fn times_of_every_unit() {
    let zones = [None, TimeZone::opt_try_new(Some("UTC")).unwrap()];
    let units = [
        (TimeUnit::Milliseconds, 1_i64),
        (TimeUnit::Microseconds, 1_000),
        (TimeUnit::Nanoseconds, 1_000_000),
    ];
    for zone in zones {
        for (unit, per_ms) in units {
            let ticks = Series::new("timestamp".into(), [5 * per_ms, 5 * per_ms]);
            let times = ticks.cast(&DataType::Datetime(unit, zone.clone())).unwrap();
            let got = read(times.into_column(), &[]);
            assert_eq!(got.dataset().records[0].timestamp_ms, Some(5), "{unit:?} {zone:?}");
        }
    }
    let days = Series::new("timestamp".into(), [1_i32, 1]).cast(&DataType::Date).unwrap();
    assert_eq!(read(days.into_column(), &[]).dataset().records[0].timestamp_ms, Some(86_400_000));
}

#[test]
fn text_of_every_type() {
    let text = Series::new("feature".into(), ["0", "1"]);
    let categories = DataType::from_categories(polars::prelude::Categories::global());
    for dtype in [DataType::String, DataType::Binary, categories, DataType::Int32] {
        let got = read(text.cast(&dtype).unwrap().into_column(), &["feature"]);
        let mut seen: Vec<_> =
            got.dataset().records.iter().map(|r| r.request.context["feature"].as_str()).collect();
        seen.sort_unstable();
        assert_eq!(seen, ["0", "1"], "{dtype:?}");
    }
}

#[test]
fn bytes_that_are_no_text_cost_their_row_only() {
    let prompts = Series::new("prompt".into(), [b"ok".as_slice(), b"\xff".as_slice()]);
    let got = read(prompts.into_column(), &[]);
    assert_eq!(got.rejects, ["2: prompt is not valid UTF-8"]);
    assert_eq!(got.dataset().records.len(), 1);
}

#[test]
fn an_unsupported_type_is_named_where_it_matters() {
    let lists = || {
        let item = Series::new("".into(), [1_i64]);
        Series::new("messages".into(), [item.clone(), item]).into_column()
    };
    let got = read(lists(), &[]);
    assert!(got.error().starts_with("column `messages` of `log.parquet` has the type LargeList"));
    assert!(got.error().contains("hint: write it as string, integer, double"), "{}", got.error());
    let elsewhere = read(lists().with_name("other".into()), &[]);
    assert_eq!(elsewhere.dataset().records.len(), 2, "nobody asked for that column");
}

#[test]
fn a_column_of_nothing() {
    let got = read(Series::new_null("score".into(), 2).into_column(), &[]);
    assert_eq!(got.report().not_judged, 2);
}
