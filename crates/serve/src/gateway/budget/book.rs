//! What is spent of one budget, and the file where that is written down.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::config::Period;

/// What is spent of one budget.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Book {
    /// Start of the period, in seconds since 1970.
    from: u64,
    /// In USD.
    spent: f64,
    /// What requests in flight are expected to cost.
    #[serde(skip)]
    reserved: f64,
}

/// A period, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A file of budgets that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BudgetError {
    /// It cannot be read.
    #[error("cannot read what is spent from `{}`; hint: let the server read it, or move it away", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what a server writes.
    #[error("`{}` is not what a server wrote down; hint: move it away, then nothing is spent", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// It cannot be written.
    #[error("cannot write what is spent to `{}`; hint: look for room and permissions there", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Book {
    /// Begins another period where that is due.
    fn turn(&mut self, span: Span) {
        if self.from < span.start {
            (self.from, self.spent) = (span.start, 0.0);
        }
    }

    /// What is spent in a period.
    pub(super) fn spent(&mut self, span: Span) -> f64 {
        self.turn(span);
        self.spent
    }

    /// Reserves so much of a limit; whether there is room. Nothing fits in a budget that is spent.
    pub(super) fn reserve(&mut self, usd: f64, limit: f64, span: Span) -> bool {
        self.turn(span);
        let fits = self.spent < limit && self.spent + self.reserved + usd <= limit;
        if fits {
            self.reserved += usd;
        }
        fits
    }

    pub(super) fn release(&mut self, usd: f64) {
        self.reserved = (self.reserved - usd).max(0.0);
    }

    /// Without what is in flight.
    pub(super) fn settled(&self) -> Self {
        Self { reserved: 0.0, ..self.clone() }
    }

    pub(super) fn spend(&mut self, usd: f64, span: Span) {
        self.turn(span);
        self.spent += usd;
    }
}

impl Span {
    /// The period that a time is in, UTC.
    pub(super) fn of(per: Period, now: u64) -> Self {
        const HOUR: u64 = 3600;
        let every = |seconds: u64| {
            let start = now - now % seconds;
            Self { start, end: start + seconds }
        };
        match per {
            Period::Hour => every(HOUR),
            Period::Day => every(24 * HOUR),
            // A time that no calendar has is in a month of its own.
            Period::Month => Self::month(now).unwrap_or_else(|| every(30 * 24 * HOUR)),
        }
    }

    fn month(now: u64) -> Option<Self> {
        let day = DateTime::from_timestamp(i64::try_from(now).ok()?, 0)?.date_naive();
        let first = NaiveDate::from_ymd_opt(day.year(), day.month(), 1)?;
        let next = first.checked_add_months(Months::new(1))?;
        let seconds =
            |day: NaiveDate| u64::try_from(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp()).ok();
        Some(Self { start: seconds(first)?, end: seconds(next)? })
    }
}

/// The books that a server left; none where there is no file.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Book>, BudgetError> {
    let path = || path.to_owned();
    let bytes = match fs::read(path()) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(source) => return Err(BudgetError::Read { path: path(), source }),
    };
    serde_json::from_slice(&bytes).map_err(|source| BudgetError::Shape { path: path(), source })
}

/// Writes all books at once: a reader sees the old ones or the new ones.
pub(super) fn write(path: &Path, books: &BTreeMap<String, Book>) -> Result<(), BudgetError> {
    let written = || {
        let beside = path.with_extension("json.next");
        let mut file = fs::File::create(&beside)?;
        serde_json::to_writer_pretty(&mut file, books)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    written().map_err(|source| BudgetError::Write { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_those_of_the_calendar() {
        // 2028-02-29T12:34:56Z
        let now = 1_835_440_496;
        let length = |per| {
            let Span { start, end } = Span::of(per, now);
            assert!(start <= now && now < end);
            assert_eq!(Span::of(per, start), Span { start, end });
            assert_eq!(Span::of(per, end).start, end);
            end - start
        };
        assert_eq!(length(Period::Hour), 3600);
        assert_eq!(length(Period::Day), 24 * 3600);
        assert_eq!(length(Period::Month), 29 * 24 * 3600);
    }
}
