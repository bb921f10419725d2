//! Kinds of values: each takes a TOML value or says what is due instead.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::Uri;
use farthing_core::Digest;
use toml::de::DeValue;

/// What is due where a value is of another kind.
pub(super) type Due = String;

pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, Due> {
    value.as_bool().ok_or_else(|| "true or false".to_owned())
}

pub(super) fn text(value: &DeValue<'_>) -> Result<String, Due> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| "a text in quotes".to_owned())
}

pub(super) fn texts(value: &DeValue<'_>) -> Result<Vec<String>, Due> {
    list(value, text).ok_or_else(|| "a list of texts such as [\"a\", \"b\"]".to_owned())
}

/// A text, or any of several.
pub(super) fn text_or_texts(value: &DeValue<'_>) -> Result<Vec<String>, Due> {
    let one = text(value).map(|text| vec![text]);
    let any = one.or_else(|_| texts(value)).ok().filter(|any| !any.is_empty());
    any.ok_or_else(|| "a text in quotes, or a list of them".to_owned())
}

/// A list of some names.
pub(super) fn one_of_each<T, const N: usize>(
    names: [&'static str; N],
    named: impl Fn(&str) -> Option<T>,
) -> impl Fn(&DeValue<'_>) -> Result<Vec<T>, Due> {
    move |value| {
        let each = list(value, one_of(names, &named)).filter(|list| !list.is_empty());
        each.ok_or_else(|| {
            format!("a list of {}", names.map(|name| format!("\"{name}\"")).join(", "))
        })
    }
}

pub(super) fn address(value: &DeValue<'_>) -> Result<SocketAddr, Due> {
    let address = value.as_str().and_then(|text| text.parse().ok());
    address.ok_or_else(|| "an address with a port such as \"127.0.0.1:8080\"".to_owned())
}

pub(super) fn digests(value: &DeValue<'_>) -> Result<Vec<Digest>, Due> {
    let digest = |value: &DeValue<'_>| Digest::try_from(text(value)?).map_err(|e| e.to_string());
    list(value, digest)
        .ok_or_else(|| "a list of digests of the form \"sha256:<64 hex digits>\"".to_owned())
}

/// A whole number of at least `least`.
pub(super) fn whole<T: TryFrom<u64>>(least: u64) -> impl Fn(&DeValue<'_>) -> Result<T, Due> {
    within(least, u64::MAX)
}

/// A whole number in a range with both ends.
pub(super) fn within<T: TryFrom<u64>>(
    least: u64,
    most: u64,
) -> impl Fn(&DeValue<'_>) -> Result<T, Due> {
    move |value| {
        let number = value.as_integer();
        let number = number.and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.filter(|number| (least..=most).contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| match most {
            u64::MAX => format!("a whole number of at least {least}"),
            _ => format!("a whole number from {least} to {most}"),
        })
    }
}

/// A number of milliseconds.
pub(super) fn millis(least: u64) -> impl Fn(&DeValue<'_>) -> Result<Duration, Due> {
    move |value| within(least, LONGEST_MS)(value).map(Duration::from_millis)
}

/// No duration is longer, 32 years: timers count on from now.
pub(super) const LONGEST_SECONDS: u64 = 1_000_000_000;
const LONGEST_MS: u64 = LONGEST_SECONDS * 1000;

/// A number of seconds.
pub(super) fn seconds(least: u64) -> impl Fn(&DeValue<'_>) -> Result<Duration, Due> {
    move |value| within(least, LONGEST_SECONDS)(value).map(Duration::from_secs)
}

/// A number above 0, and no more than 1.
pub(super) fn share(value: &DeValue<'_>) -> Result<f64, Due> {
    let inside = not_negative(value).ok().filter(|number| *number > 0.0 && *number <= 1.0);
    inside.ok_or_else(|| "a number above 0 and at most 1".to_owned())
}

/// A number of at least 0.
pub(super) fn not_negative(value: &DeValue<'_>) -> Result<f64, Due> {
    let whole = || value.as_integer().and_then(|number| number.as_str().parse().ok());
    let number = value.as_float().and_then(|number| number.as_str().parse().ok()).or_else(whole);
    let fits = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
    fits.ok_or_else(|| "a number of at least 0".to_owned())
}

/// A number of at least 1.
pub(super) fn at_least_one(value: &DeValue<'_>) -> Result<f64, Due> {
    let fits = not_negative(value).ok().filter(|number| *number >= 1.0);
    fits.ok_or_else(|| "a number of at least 1".to_owned())
}

/// An address that requests are sent to, without a query; a slash at its end changes nothing.
pub(super) fn base_url(value: &DeValue<'_>) -> Result<Uri, Due> {
    let uri = value.as_str().and_then(|text| text.trim_end_matches('/').parse::<Uri>().ok());
    let fits =
        |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
    uri.filter(fits).ok_or_else(|| "an address such as \"https://api.openai.com/v1\"".to_owned())
}

/// One of some names.
pub(super) fn one_of<T, const N: usize>(
    names: [&'static str; N],
    named: impl Fn(&str) -> Option<T>,
) -> impl Fn(&DeValue<'_>) -> Result<T, Due> {
    move |value| {
        let due = || format!("one of {}", names.map(|name| format!("\"{name}\"")).join(", "));
        value.as_str().and_then(&named).ok_or_else(due)
    }
}

fn list<T>(value: &DeValue<'_>, item: impl Fn(&DeValue<'_>) -> Result<T, Due>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(|value| item(value.get_ref()).ok()).collect()
}
