//! Numbers as they were written: `serde_json` reads a decimal to within a unit in the last place, and a
//! log must give back what was put in. What single precision cannot hold it makes infinite, which no log can
//! hold.

use std::borrow::Cow;

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

/// Finite numbers in single precision.
pub(crate) fn singles<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, [f32]>, D::Error> {
    let numbers = Vec::<f32>::deserialize(deserializer)?;
    check_finite(numbers.iter())?;
    Ok(numbers.into())
}

/// Finite numbers in single precision or nulls.
pub(crate) fn single_options<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Cow<'static, [Option<f32>]>, D::Error> {
    let numbers = Vec::<Option<f32>>::deserialize(deserializer)?;
    check_finite(numbers.iter().flatten())?;
    Ok(numbers.into())
}

fn check_finite<'a, E: Error>(mut numbers: impl Iterator<Item = &'a f32>) -> Result<(), E> {
    let all = numbers.all(|number| number.is_finite());
    if all { Ok(()) } else { Err(E::custom("number out of range of single precision")) }
}

fn parse<E: Error>(raw: &RawValue) -> Result<f64, E> {
    let text = raw.get();
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(E::custom(format!("number out of range: `{text}`"))),
        Err(_) => Err(E::custom("not a number")),
    }
}
