//! Numbers as they were written: `serde_json` reads a decimal to within a unit in the last place, and a
//! log must give back what was put in.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::value::RawValue;

/// A finite number.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    parse(<&RawValue>::deserialize(deserializer)?)
}

/// A finite number or null.
pub(crate) fn option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Option::<&RawValue>::deserialize(deserializer)?.map(parse).transpose()
}

fn parse<E: Error>(raw: &RawValue) -> Result<f64, E> {
    let text = raw.get();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(E::custom(format!("number out of range: `{text}`"))),
        Err(_) => Err(E::custom("not a number")),
    }
}
