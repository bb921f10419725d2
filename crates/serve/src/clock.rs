//! The time of day, as an argument.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// Tells the time of day. Durations are measured with `Instant`, not with it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The clock of the operating system.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the edge: every other clock is an argument")]
        Self::from_fn(SystemTime::now)
    }

    /// A clock that tells what the function says.
    pub fn from_fn(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// Milliseconds since 1970; 0 for times before.
pub(crate) fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-01-02T03:04:05.678901Z`
pub(crate) fn rfc3339(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// `2026-01-02T03:04:05`, of seconds since 1970.
pub(crate) fn rfc3339_second(seconds: u64) -> String {
    let time = UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    DateTime::<Utc>::from(time).format("%Y-%m-%dT%H:%M:%S").to_string()
}

/// How times stand in file names.
const FILE_STAMP: &str = "%Y%m%dT%H%M%SZ";

/// `20260102T030405Z`: sorts by time and is a file name everywhere.
pub(crate) fn file_stamp(time: SystemTime) -> String {
    DateTime::<Utc>::from(time).format(FILE_STAMP).to_string()
}

/// The time that [`file_stamp`] wrote.
pub(crate) fn from_file_stamp(stamp: &str) -> Option<SystemTime> {
    let time = NaiveDateTime::parse_from_str(stamp, FILE_STAMP).ok()?;
    Some(time.and_utc().into())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn forms() {
        let time = UNIX_EPOCH + Duration::from_micros(1_767_323_045_678_901);
        assert_eq!(unix_ms(time), 1_767_323_045_678);
        assert_eq!(rfc3339(time), "2026-01-02T03:04:05.678901Z");
        assert_eq!(rfc3339_second(1_767_323_045), "2026-01-02T03:04:05");
        assert_eq!(file_stamp(time), "20260102T030405Z");
        assert_eq!(unix_ms(from_file_stamp("20260102T030405Z").unwrap()), 1_767_323_045_000);
        assert_eq!(from_file_stamp("20260102"), None);
        assert_eq!(unix_ms(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
