//! The scenarios: what goes wrong, with which parameters, and how they are written in a path.
//!
//! What each does to an answer is said here and done in `perform`.

use std::fmt;
use std::str::FromStr;

use super::parameters::{Parameters, ScenarioError, bad_value};

/// How requests are answered: `NAME[,key=value...]`, as in `slow,token_ms=5,tokens=40`.
///
/// `tokens`, `cached` and `written` go with every scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What goes wrong.
    pub behaviour: Behaviour,
    /// `tokens`: the answer is a filler of so many tokens instead of an echo.
    pub tokens: Option<u32>,
    /// `cached`: so many input tokens came from the upstream's prompt cache, if there were as many.
    pub cached: u64,
    /// `written`: so many more input tokens were written to it (`cache_write_tokens` in the `OpenAI`
    /// shapes).
    pub written: u64,
}

/// What goes wrong, if anything. `events` counts the events of a stream that still come; the last event of
/// a stream never does.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// `ok`: the answer, at once.
    Ok,
    /// `slow`: headers after `headers_ms` (200), then each token after `token_ms` (5). Without streaming
    /// everything comes after the sum of those.
    Slow {
        /// Time before the headers, in milliseconds.
        headers_ms: u64,
        /// Time before each token, in milliseconds.
        token_ms: u64,
    },
    /// `stall_headers`: takes the request and never answers.
    StallHeaders,
    /// `stall_first_token`: headers, then nothing.
    StallFirstToken,
    /// `stall_stream`: `events` (3) events, or half a body, then nothing on an open connection.
    StallStream {
        /// Events that come.
        events: usize,
    },
    /// `cut_stream`: `events` (3) events, or half a body, then the end: of the connection in the middle of
    /// the chunked body, or with `clean=true` of the chunked body, as if that were all.
    CutStream {
        /// Events that come.
        events: usize,
        /// Whether HTTP ends as it should.
        clean: bool,
    },
    /// `malformed_sse`: after `events` (3) events a `data:` line that is not JSON, then the rest. Without
    /// streaming as `ok`.
    MalformedSse {
        /// Events before it.
        events: usize,
    },
    /// `error_event`: after `events` (3) events an error object as the last event. Without streaming the
    /// error object with status 200.
    ErrorEvent {
        /// Events before it.
        events: usize,
    },
    /// `wrong_usage,kind=KIND`: the answer, but its usage cannot be believed.
    WrongUsage {
        /// What is wrong with it; `missing` by default.
        kind: WrongUsage,
    },
    /// `usage_everywhere`: each chunk of a chat stream has the usage so far and a choice, asked for or not,
    /// and no chunk without choices follows. Elsewhere as `ok`.
    UsageEverywhere,
    /// `rate_limited`: 429 with `x-ratelimit-*`, and `retry-after` if `retry_after` is given.
    RateLimited {
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// `error`: `status` (500) and an error object, with `code` and `retry-after` if given.
    Error {
        /// From 400 to 599.
        status: u16,
        /// The error's `code`, such as `context_length_exceeded`.
        code: Option<String>,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// `html_error`: `status` (502) and a page of HTML, as from a proxy in between.
    HtmlError {
        /// From 400 to 599.
        status: u16,
    },
    /// `slow_body`: headers at once, then `bytes` (16) of the body each `ms` (20), whatever they cut apart.
    SlowBody {
        /// Bytes at a time.
        bytes: usize,
        /// Time before each, in milliseconds.
        ms: u64,
    },
    /// `reset`: the connection is reset (TCP RST) once the request has been read.
    Reset,
    /// `huge`: the answer's text has `bytes` (16 MiB) bytes; in a stream it is one event.
    Huge {
        /// Bytes of text.
        bytes: usize,
    },
    /// `not_json`: 200, and plain text that only says it is JSON.
    NotJson,
    /// `flaky`: a share `ratio` (0.5) of requests fails with 500. Which ones follows from `seed` (0) and
    /// how many requests this server has had with the same text of a scenario.
    Flaky {
        /// In [0, 1].
        ratio: f64,
        /// Another seed, other failures.
        seed: u64,
    },
    /// `empty`: 200 and no body.
    Empty,
    /// `refuse_field`: 400 if the body has a top-level field that the protocol does not know.
    RefuseField,
    /// `need_key,key=KEY`: 401 unless the key comes as `authorization: Bearer KEY` or `x-api-key: KEY`.
    NeedKey {
        /// The key.
        key: String,
    },
}

/// What is wrong with a usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongUsage {
    /// `missing`: there is none.
    Missing,
    /// `null`: it is null.
    Null,
    /// `negative`: its numbers are below zero.
    Negative,
    /// `strings`: its numbers are strings.
    Strings,
}

impl WrongUsage {
    const ALL: [Self; 4] = [Self::Missing, Self::Null, Self::Negative, Self::Strings];

    fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Negative => "negative",
            Self::Strings => "strings",
        }
    }
}

impl FromStr for WrongUsage {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| bad_value("kind", &text))
    }
}

impl From<Behaviour> for Scenario {
    fn from(behaviour: Behaviour) -> Self {
        Self { behaviour, tokens: None, cached: 0, written: 0 }
    }
}

impl Scenario {
    /// Whether answers depend on how many requests came before.
    pub(super) fn is_flaky(&self) -> bool {
        matches!(self.behaviour, Behaviour::Flaky { .. })
    }
}

impl FromStr for Scenario {
    type Err = ScenarioError;

    fn from_str(text: &str) -> Result<Self, ScenarioError> {
        let mut given = Parameters::read(text)?;
        let scenario = Self {
            behaviour: Behaviour::read(&mut given)?,
            tokens: given.take("tokens")?,
            cached: given.or("cached", 0)?,
            written: given.or("written", 0)?,
        };
        given.finish()?;
        Ok(scenario)
    }
}

impl Behaviour {
    fn read(given: &mut Parameters<'_>) -> Result<Self, ScenarioError> {
        Ok(match given.name {
            "ok" => Self::Ok,
            "slow" => Self::Slow {
                headers_ms: given.or("headers_ms", 200)?,
                token_ms: given.or("token_ms", 5)?,
            },
            "stall_headers" => Self::StallHeaders,
            "stall_first_token" => Self::StallFirstToken,
            "stall_stream" => Self::StallStream { events: given.or("events", 3)? },
            "cut_stream" => {
                Self::CutStream { events: given.or("events", 3)?, clean: given.or("clean", false)? }
            }
            "malformed_sse" => Self::MalformedSse { events: given.or("events", 3)? },
            "error_event" => Self::ErrorEvent { events: given.or("events", 3)? },
            "wrong_usage" => Self::WrongUsage { kind: given.or("kind", WrongUsage::Missing)? },
            "usage_everywhere" => Self::UsageEverywhere,
            "rate_limited" => Self::RateLimited { retry_after: given.take("retry_after")? },
            "error" => Self::Error {
                status: status(given, 500)?,
                code: given.take("code")?,
                retry_after: given.take("retry_after")?,
            },
            "html_error" => Self::HtmlError { status: status(given, 502)? },
            "slow_body" => {
                Self::SlowBody { bytes: positive(given, "bytes", 16)?, ms: given.or("ms", 20)? }
            }
            "reset" => Self::Reset,
            "huge" => Self::Huge { bytes: positive(given, "bytes", 16 << 20)? },
            "not_json" => Self::NotJson,
            "flaky" => Self::Flaky { ratio: ratio(given)?, seed: given.or("seed", 0)? },
            "empty" => Self::Empty,
            "refuse_field" => Self::RefuseField,
            "need_key" => Self::NeedKey { key: given.need("key")? },
            unknown => return Err(ScenarioError::UnknownName(unknown.to_owned())),
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow { .. } => "slow",
            Self::StallHeaders => "stall_headers",
            Self::StallFirstToken => "stall_first_token",
            Self::StallStream { .. } => "stall_stream",
            Self::CutStream { .. } => "cut_stream",
            Self::MalformedSse { .. } => "malformed_sse",
            Self::ErrorEvent { .. } => "error_event",
            Self::WrongUsage { .. } => "wrong_usage",
            Self::UsageEverywhere => "usage_everywhere",
            Self::RateLimited { .. } => "rate_limited",
            Self::Error { .. } => "error",
            Self::HtmlError { .. } => "html_error",
            Self::SlowBody { .. } => "slow_body",
            Self::Reset => "reset",
            Self::Huge { .. } => "huge",
            Self::NotJson => "not_json",
            Self::Flaky { .. } => "flaky",
            Self::Empty => "empty",
            Self::RefuseField => "refuse_field",
            Self::NeedKey { .. } => "need_key",
        }
    }
}

fn status(given: &mut Parameters<'_>, without: u16) -> Result<u16, ScenarioError> {
    let status = given.or("status", without)?;
    if (400..600).contains(&status) { Ok(status) } else { Err(bad_value("status", &status)) }
}

fn ratio(given: &mut Parameters<'_>) -> Result<f64, ScenarioError> {
    let ratio = given.or("ratio", 0.5)?;
    if (0.0..=1.0).contains(&ratio) { Ok(ratio) } else { Err(bad_value("ratio", &ratio)) }
}

fn positive(given: &mut Parameters<'_>, key: &str, without: usize) -> Result<usize, ScenarioError> {
    let number = given.or(key, without)?;
    if number > 0 { Ok(number) } else { Err(bad_value(key, &number)) }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.behaviour)?;
        parameter(f, "tokens", self.tokens.as_ref())?;
        parameter(f, "cached", Some(&self.cached).filter(|tokens| **tokens > 0))?;
        parameter(f, "written", Some(&self.written).filter(|tokens| **tokens > 0))
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Ok
            | Self::StallHeaders
            | Self::StallFirstToken
            | Self::UsageEverywhere
            | Self::Reset
            | Self::NotJson
            | Self::Empty
            | Self::RefuseField => Ok(()),
            Self::Slow { headers_ms, token_ms } => {
                write!(f, ",headers_ms={headers_ms},token_ms={token_ms}")
            }
            Self::CutStream { events, clean } => write!(f, ",events={events},clean={clean}"),
            Self::StallStream { events }
            | Self::MalformedSse { events }
            | Self::ErrorEvent { events } => write!(f, ",events={events}"),
            Self::WrongUsage { kind } => write!(f, ",kind={}", kind.name()),
            Self::RateLimited { retry_after } => parameter(f, "retry_after", retry_after.as_ref()),
            Self::Error { status, code, retry_after } => {
                write!(f, ",status={status}")?;
                parameter(f, "code", code.as_ref())?;
                parameter(f, "retry_after", retry_after.as_ref())
            }
            Self::HtmlError { status } => write!(f, ",status={status}"),
            Self::SlowBody { bytes, ms } => write!(f, ",bytes={bytes},ms={ms}"),
            Self::Huge { bytes } => write!(f, ",bytes={bytes}"),
            Self::Flaky { ratio, seed } => write!(f, ",ratio={ratio},seed={seed}"),
            Self::NeedKey { key } => write!(f, ",key={key}"),
        }
    }
}

fn parameter<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    key: &str,
    value: Option<&T>,
) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, ",{key}={value}"))
}
