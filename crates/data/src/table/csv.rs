//! CSV with a header line. A bad record is one reject, with the line on which it begins.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::{Row, Visit};
use crate::DataError;
use crate::columns::Wanted;
use crate::value::{Reason, Value};

pub(super) fn scan(
    path: &Path,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<Vec<String>, DataError> {
    let mut reader = open(path)?;
    let columns = header(&mut reader, path)?;
    if columns.is_empty() {
        return Ok(columns); // an empty file has no rows to miss a column
    }
    wanted.check(path, &columns)?;
    let slots: Vec<_> =
        wanted.names.iter().map(|name| columns.iter().position(|c| c == name)).collect();
    let mut lines = LineFinder::open(path)?;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(csv_error(path))? {
        let line = lines.first_line(record.position()).map_err(DataError::read(path))?;
        if record.len() == columns.len() {
            let value = |slot: &Option<usize>| slot.map_or(Value::Null, |i| value(&record[i]));
            let values: Vec<_> = slots.iter().map(value).collect();
            visit(Row { line, values: Ok(&values) })?;
        } else {
            let reason = wrong_width(record.len(), columns.len(), line, reader.position());
            visit(Row { line, values: Err(reason) })?;
        }
    }
    Ok(columns)
}

pub(super) fn columns(path: &Path) -> Result<Vec<String>, DataError> {
    header(&mut open(path)?, path)
}

fn open(path: &Path) -> Result<Reader<File>, DataError> {
    let file = File::open(path).map_err(DataError::read(path))?;
    Ok(ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file))
}

fn header(reader: &mut Reader<File>, path: &Path) -> Result<Vec<String>, DataError> {
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record).map_err(csv_error(path))?;
    let columns: Vec<String> = record
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    for (i, name) in columns.iter().enumerate() {
        if columns[..i].contains(name) && !name.is_empty() {
            return Err(DataError::DuplicateColumn { path: path.to_owned(), column: name.clone() });
        }
    }
    Ok(columns)
}

pub(crate) fn csv_error(path: &Path) -> impl FnOnce(csv::Error) -> DataError + '_ {
    move |source| DataError::Csv { path: path.to_owned(), source }
}

/// An open quote swallows the lines after it, so how far the record reaches is part of the reason.
fn wrong_width(found: usize, expected: usize, first: u64, end: &Position) -> Reason {
    let last = end.line().saturating_sub(1);
    let reach = if last > first {
        format!(", up to line {last}: is a quote left open?")
    } else {
        String::new()
    };
    let detail = format!("{found} where the header has {expected}{reach}");
    Reason::with("wrong number of fields", &detail)
}

fn value(field: &[u8]) -> Value<'_> {
    match std::str::from_utf8(field) {
        Ok("") => Value::Null,
        Ok(text) => Value::Text(text.into()),
        Err(_) => Value::BadText,
    }
}

/// Finds the line on which a record begins. The csv crate's position is where the record before it
/// ended, which is one line too early after `\r\n` and more after blank lines; so the same bytes are
/// looked at once more.
struct LineFinder {
    reader: BufReader<File>,
    at: u64,
}

impl LineFinder {
    fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(DataError::read(path))?;
        Ok(Self { reader: BufReader::new(file), at: 0 })
    }

    fn first_line(&mut self, position: Option<&Position>) -> std::io::Result<u64> {
        let Some(position) = position else { return Ok(0) };
        self.reader.seek_relative(position.byte().saturating_sub(self.at).cast_signed())?;
        self.at = position.byte();
        let mut line = position.line();
        while let Some(byte @ (b'\r' | b'\n')) = self.reader.fill_buf()?.first() {
            line += u64::from(*byte == b'\n');
            self.reader.consume(1);
            self.at += 1;
        }
        Ok(line)
    }
}
