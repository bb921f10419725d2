//! One cell of a table, whatever format it comes from, and its checked conversions.

use std::borrow::Cow;
use std::fmt::Display;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// A cell as its format types it. Text that is empty counts as missing in every conversion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Text(Cow<'a, str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Milliseconds since 1970, UTC.
    Time(i64),
    /// A JSON list or object, as written.
    Json(&'a str),
    /// Text that is not UTF-8, or whose escapes are wrong.
    BadText,
}

/// Why a row cannot be used: what kind of mistake (for counting) and the value that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) kind: String,
    detail: Option<String>,
}

impl Reason {
    pub(crate) fn plain(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), detail: None }
    }

    pub(crate) fn with(kind: impl Into<String>, detail: &dyn Display) -> Self {
        Self { kind: kind.into(), detail: Some(shorten(&detail.to_string())) }
    }

    /// The same reason, with where in the row it holds.
    pub(crate) fn about(mut self, what: &str) -> Self {
        let detail = self.detail.map_or_else(String::new, |d| format!("{d} "));
        self.detail = Some(format!("{detail}({})", shorten(what)));
        self
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.detail {
            Some(detail) => write!(f, "{}: {detail}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

/// A value may be megabytes long; a reason is one line.
fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

impl Value<'_> {
    /// Null, or text that is empty.
    pub(crate) fn is_missing(&self) -> bool {
        *self == Self::Null || matches!(self, Self::Text(text) if text.is_empty())
    }

    /// Text; numbers, times and lists are refused.
    pub(crate) fn text(&self, column: &str) -> Result<Option<&str>, Reason> {
        match self {
            Self::Null => Ok(None),
            Self::Text(text) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Self::Int(_)
            | Self::Float(_)
            | Self::Bool(_)
            | Self::Time(_)
            | Self::Json(_)
            | Self::BadText => Err(self.not(column, "text")),
        }
    }

    /// A name, label or id: text, or what is written as such.
    pub(crate) fn name(&self, column: &str) -> Result<Option<String>, Reason> {
        match self {
            Self::Int(n) => Ok(Some(n.to_string())),
            // What some writers mean by it in a column of numbers with gaps.
            Self::Float(n) if n.is_nan() => Ok(None),
            Self::Float(n) => Ok(Some(n.to_string())),
            Self::Bool(b) => Ok(Some(b.to_string())),
            Self::Time(ms) => Ok(Some(rfc3339(*ms))),
            Self::Null | Self::Text(_) | Self::Json(_) | Self::BadText => {
                self.text(column).map(|text| text.map(str::to_owned))
            }
        }
    }

    /// A JSON list, given as text or as itself.
    pub(crate) fn json(&self, column: &str) -> Result<Option<&str>, Reason> {
        if let Self::Json(json) = self { Ok(Some(json)) } else { self.text(column) }
    }

    /// A number, given as such or as text.
    pub(crate) fn number(&self, column: &str) -> Result<Option<f64>, Reason> {
        match self {
            Self::Int(n) => Ok(Some(*n as f64)),
            Self::Float(n) => Ok(Some(*n)),
            Self::Text(text) if !text.trim().is_empty() => {
                text.trim().parse().map(Some).map_err(|_| self.not(column, "a number"))
            }
            Self::Null | Self::Text(_) => Ok(None),
            Self::Bool(_) | Self::Time(_) | Self::Json(_) | Self::BadText => {
                Err(self.not(column, "a number"))
            }
        }
    }

    /// A number, or a yes or no as 1 or 0.
    pub(crate) fn score(&self, column: &str) -> Result<Option<f64>, Reason> {
        match self {
            Self::Bool(yes) => Ok(Some(f64::from(u8::from(*yes)))),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Ok(Some(1.0)),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Ok(Some(0.0)),
            Self::Null
            | Self::Text(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Time(_)
            | Self::Json(_)
            | Self::BadText => self.number(column),
        }
    }

    /// A count. A mean of counts, as some logs hold, is rounded.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked first"
    )]
    pub(crate) fn count(&self, column: &str) -> Result<Option<u64>, Reason> {
        const MOST: f64 = 9e15; // every integer below it is an f64
        match self.number(column)? {
            None => Ok(None),
            Some(n) if (0.0..MOST).contains(&n) => Ok(Some(n.round() as u64)),
            Some(_) => Err(self.not(column, "a count of at least 0")),
        }
    }

    /// A time in milliseconds: a datetime, RFC 3339 text, or an epoch in s, ms, us or ns by its size.
    pub(crate) fn time(&self, column: &str) -> Result<Option<i64>, Reason> {
        let time = match self {
            Self::Null => return Ok(None),
            Self::Text(text) if text.trim().is_empty() => return Ok(None),
            Self::Time(ms) => Some(*ms),
            Self::Int(n) => Some(from_epoch(*n as f64)),
            Self::Float(n) => n.is_finite().then(|| from_epoch(*n)),
            Self::Text(text) => from_text(text.trim()),
            Self::Bool(_) | Self::Json(_) | Self::BadText => None,
        };
        time.map(Some).ok_or_else(|| self.not(column, "a time"))
    }

    fn not(&self, column: &str, what: &str) -> Reason {
        if *self == Self::BadText {
            return Reason::plain(format!("{column} is not valid UTF-8"));
        }
        let detail: &dyn Display = match self {
            Self::Null | Self::BadText => &"null",
            Self::Text(text) => text,
            Self::Int(n) | Self::Time(n) => n,
            Self::Float(n) => n,
            Self::Bool(b) => b,
            Self::Json(json) => json,
        };
        Reason::with(format!("{column} is not {what}"), detail)
    }
}

/// The time that a text says, in milliseconds.
pub(crate) fn time_of(text: &str, column: &str) -> Result<i64, Reason> {
    let time = Value::Text(text.into()).time(column)?;
    time.ok_or_else(|| Reason::plain(format!("no {column}")))
}

/// RFC 3339 in UTC with milliseconds; a time that no calendar reaches is its number.
pub(crate) fn rfc3339(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).map_or_else(
        || ms.to_string(),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a far time means")]
fn from_epoch(n: f64) -> i64 {
    // Seconds until the year 5138; each finer unit from there on.
    let ms = match n.abs() {
        size if size < 1e11 => n * 1e3,
        size if size < 1e14 => n,
        size if size < 1e17 => n / 1e3,
        _ => n / 1e6,
    };
    ms.round() as i64
}

fn from_text(text: &str) -> Option<i64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_millis());
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then(|| from_epoch(number));
    }
    // Without a zone: UTC, as the schema says.
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let date = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    naive.or_else(date).map(|time| time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::Text(text.into())
    }

    #[test]
    fn scores() {
        let score = |v: Value<'_>| v.score("score").map_err(|e| e.to_string());
        assert_eq!(score(Value::Bool(true)), Ok(Some(1.0)));
        assert_eq!(score(text("False")), Ok(Some(0.0)));
        assert_eq!(score(text(" 0.25 ")), Ok(Some(0.25)));
        assert_eq!(score(Value::Int(1)), Ok(Some(1.0)));
        assert_eq!(score(text("")), Ok(None));
        assert_eq!(score(text("good")), Err("score is not a number: good".into()));
        assert_eq!(score(Value::Json("[1]")), Err("score is not a number: [1]".into()));
    }

    #[test]
    fn times_in_every_unit_are_one_time() {
        let at = 1_714_564_800_000;
        for value in [
            text("2024-05-01T12:00:00Z"),
            text("2024-05-01T14:00:00+02:00"),
            text("2024-05-01 12:00:00"),
            text("1714564800"),
            Value::Int(1_714_564_800),
            Value::Int(1_714_564_800_000),
            Value::Int(1_714_564_800_000_000),
            Value::Int(1_714_564_800_000_000_000),
            Value::Float(1_714_564_800.0),
            Value::Time(at),
        ] {
            assert_eq!(value.time("timestamp"), Ok(Some(at)), "{value:?}");
        }
        assert_eq!(text("2024-05-01").time("timestamp"), Ok(Some(at - 12 * 3_600_000)));
        assert!(text("yesterday").time("timestamp").is_err());
        assert_eq!(rfc3339(at), "2024-05-01T12:00:00.000Z");
    }

    #[test]
    fn counts_and_names() {
        assert_eq!(Value::Float(12.6).count("output_tokens"), Ok(Some(13)));
        assert!(Value::Int(-1).count("output_tokens").is_err());
        assert!(Value::Float(f64::NAN).count("output_tokens").is_err());
        assert_eq!(Value::Int(7).name("id"), Ok(Some("7".into())));
        assert_eq!(text("").name("id"), Ok(None));
        let long = Value::Text("x".repeat(1000).into()).number("score").unwrap_err();
        assert!(long.to_string().len() < 200);
    }
}
