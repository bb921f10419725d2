//! CSV with a header line. A bad record is one reject, with the line on which it begins.

use std::fs::File;
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
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(csv_error(path))? {
        let line = first_line(&record, reader.position());
        let values = fields(&record, columns.len()).map(|()| {
            let value = |slot: &Option<usize>| slot.map_or(Value::Null, |i| value(&record[i]));
            slots.iter().map(value).collect::<Vec<_>>()
        });
        let values = match &values {
            Ok(values) => Ok(values.as_slice()),
            Err(reason) => Err(span(reason.clone(), line, reader.position())),
        };
        visit(Row { line, values })?;
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

fn csv_error(path: &Path) -> impl FnOnce(csv::Error) -> DataError + '_ {
    move |source| match source.into_kind() {
        csv::ErrorKind::Io(source) => DataError::Read { path: path.to_owned(), source },
        kind => {
            let source = std::io::Error::other(format!("{kind:?}"));
            DataError::Read { path: path.to_owned(), source }
        }
    }
}

fn fields(record: &ByteRecord, expected: usize) -> Result<(), Reason> {
    if record.len() == expected {
        return Ok(());
    }
    let found = format!("{} where the header has {expected}", record.len());
    Err(Reason::with("wrong number of fields", found))
}

fn value(field: &[u8]) -> Value<'_> {
    match std::str::from_utf8(field) {
        Ok("") => Value::Null,
        Ok(text) => Value::Text(text.into()),
        Err(_) => Value::BadText,
    }
}
