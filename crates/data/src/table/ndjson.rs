//! NDJSON: one JSON object a line. A bad line is one reject, with its true number.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::value::RawValue;

use super::{Row, Visit};
use crate::DataError;
use crate::columns::{MAX_OTHER, Wanted};
use crate::value::{Reason, Value};

type VisitLine<'v> = dyn FnMut(u64, &[u8]) -> Result<(), DataError> + 'v;
type Object<'a> = BTreeMap<String, &'a RawValue>;

pub(super) fn scan(
    path: &Path,
    wanted: &Wanted,
    visit: &mut Visit<'_>,
) -> Result<Vec<String>, DataError> {
    let mut seen = vec![false; wanted.names.len()];
    let mut others = BTreeSet::new();
    let mut objects = 0_u64;
    each_line(path, &mut |line, text| {
        let object = match object(text) {
            Ok(object) => object,
            Err(reason) => return visit(Row { line, values: Err(reason) }),
        };
        objects += 1;
        let values: Vec<Value<'_>> = wanted
            .names
            .iter()
            .map(|n| object.get(n).map_or(Value::Null, |raw| value(raw)))
            .collect();
        for (name, seen) in wanted.names.iter().zip(&mut seen) {
            *seen |= object.contains_key(name);
        }
        note_others(object, wanted, &mut others);
        visit(Row { line, values: Ok(&values) })
    })?;
    let named =
        wanted.names.iter().zip(seen).filter(|(_, seen)| *seen).map(|(name, _)| name.clone());
    let columns: Vec<String> = named.chain(others).collect();
    if objects > 0 {
        wanted.check(path, &columns)?;
    }
    Ok(columns)
}

pub(super) fn columns(path: &Path) -> Result<Vec<String>, DataError> {
    let mut columns = BTreeSet::new();
    each_line(path, &mut |_, text| {
        if let Ok(object) = object(text) {
            columns.extend(object.into_keys());
        }
        Ok(())
    })?;
    Ok(columns.into_iter().collect())
}

/// Calls `visit` with every line that is not blank, and its number.
fn each_line(path: &Path, visit: &mut VisitLine<'_>) -> Result<(), DataError> {
    let mut reader = BufReader::new(File::open(path).map_err(DataError::read(path))?);
    let mut buffer = Vec::new();
    let mut line = 0;
    while reader.read_until(b'\n', &mut buffer).map_err(DataError::read(path))? > 0 {
        line += 1;
        let text = buffer.strip_prefix(b"\xEF\xBB\xBF").filter(|_| line == 1).unwrap_or(&buffer);
        let text = text.trim_ascii();
        if !text.is_empty() {
            visit(line, text)?;
        }
        buffer.clear();
    }
    Ok(())
}

fn object(line: &[u8]) -> Result<Object<'_>, Reason> {
    let text =
        std::str::from_utf8(line).map_err(|_| Reason::plain("the line is not valid UTF-8"))?;
    serde_json::from_str(text).map_err(|e| {
        // serde counts lines too, always 1 here: only the column says something.
        let what = e.to_string().replace(" at line 1 column ", " at column ");
        Reason::with("the line is not a JSON object", &what)
    })
}

fn note_others(object: Object<'_>, wanted: &Wanted, others: &mut BTreeSet<String>) {
    for name in object.into_keys() {
        if others.len() < MAX_OTHER && !wanted.names.contains(&name) {
            others.insert(name);
        }
    }
}

fn value(raw: &RawValue) -> Value<'_> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') => string(text),
        Some(b'{' | b'[') => Value::Json(text),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        // A number's own text, because serde_json's numbers may be off by a unit in the last place.
        Some(_) => match (text.parse(), text.parse()) {
            (Ok(int), _) => Value::Int(int),
            (_, Ok(float)) => Value::Float(float),
            _ => Value::Json(text),
        },
    }
}

fn string(quoted: &str) -> Value<'_> {
    if !quoted.contains('\\') {
        return Value::Text(Cow::Borrowed(quoted.trim_matches('"')));
    }
    serde_json::from_str(quoted).map_or(Value::BadText, |text: String| Value::Text(text.into()))
}
