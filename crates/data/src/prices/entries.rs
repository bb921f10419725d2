//! A file of one table a model, JSON or TOML, as written: neither keys nor values are judged yet, and
//! a key that stands twice is still there twice.

use std::fmt;
use std::fs;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::DataError;

/// What a file says of one model.
#[derive(Debug)]
pub(super) enum Entry {
    /// Keys with their values, in the file's order.
    Fields(Vec<(String, Field)>),
    /// Not a table.
    Other(String),
}

/// A value of an entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Field {
    Number(f64),
    Text(String),
    /// JSON's `null`: as good as absent.
    Null,
    /// What holds no number.
    Other(&'static str),
}

/// Why an entry cannot be used, and what to do.
#[derive(Debug, PartialEq)]
pub(super) struct Problem(pub(super) String);

/// The entries of a JSON object, in the file's order.
pub(super) fn from_json(path: &Path) -> Result<Vec<(String, Entry)>, DataError> {
    let text = read(path)?;
    let entries: Entries = serde_json::from_str(&text).map_err(|source| refuse(path, source))?;
    Ok(entries.0)
}

/// The tables of a TOML file.
pub(super) fn from_toml(path: &Path) -> Result<Vec<(String, Entry)>, DataError> {
    let entries: Entries = toml::from_str(&read(path)?).map_err(|source| refuse(path, source))?;
    Ok(entries.0)
}

fn read(path: &Path) -> Result<String, DataError> {
    let text = fs::read_to_string(path).map_err(DataError::read(path))?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

fn refuse(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> DataError {
    DataError::PriceFile { path: path.to_owned(), source: Box::new(source) }
}

impl Entry {
    /// The number under a key; `None` where it is absent. Numbers in quotes are read too.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, Problem> {
        let mut found = self.fields().iter().filter(|(name, _)| name == key);
        let Some((_, field)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(Problem(format!(
                "`{key}` stands twice in it; hint: keep the one that holds"
            )));
        }
        let (number, shown) = match field {
            Field::Null => return Ok(None),
            Field::Number(number) => (Some(*number), number.to_string()),
            Field::Text(text) => (text.trim().parse().ok(), text.clone()),
            Field::Other(what) => (None, (*what).to_owned()),
        };
        match number.filter(|number| number.is_finite() && *number >= 0.0) {
            Some(number) => Ok(Some(number)),
            None => Err(Problem(format!(
                "`{key}` is not a number of at least 0: `{shown}`; hint: leave an unpriced model out, 0 means free"
            ))),
        }
    }

    /// Its keys with their values.
    pub(super) fn fields(&self) -> &[(String, Field)] {
        match self {
            Self::Fields(fields) => fields,
            Self::Other(_) => &[],
        }
    }
}

/// Every entry of a file. A map type would keep only the last of two entries with one name.
struct Entries(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor).map(Self)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Vec<(String, Entry)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one table of prices a model")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor { top: true }).map(|value| match value {
            Value::Fields(fields) => Self::Fields(fields),
            Value::Leaf(Field::Number(number)) => Self::Other(number.to_string()),
            Value::Leaf(Field::Text(text)) => Self::Other(text),
            Value::Leaf(Field::Null) => Self::Other("null".to_owned()),
            Value::Leaf(Field::Other(what)) => Self::Other(what.to_owned()),
        })
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor { top: false }).map(|value| match value {
            Value::Leaf(field) => field,
            Value::Fields(_) => Self::Other("a table"),
        })
    }
}

/// Any value of either format.
enum Value {
    Fields(Vec<(String, Field)>),
    Leaf(Field),
}

struct ValueVisitor {
    /// Whether the value is an entry, whose fields are kept; below it only numbers count.
    top: bool,
}

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of prices")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        if self.top {
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
        } else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        }
        Ok(Value::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Leaf(Field::Other("a list")))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Leaf(Field::Number(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Leaf(Field::Text(text.to_owned())))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Leaf(Field::Other(if truth { "true" } else { "false" })))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Leaf(Field::Null))
    }
}
