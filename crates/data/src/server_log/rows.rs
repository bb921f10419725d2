//! The rows of a log file, segment or Parquet, as far as a join needs them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};

use farthing_core::log::Asked;
use farthing_core::log::column;
use farthing_core::log::read::{Line, LineError, LineReader};
use farthing_core::log::segment::{DecisionRow, OutcomeEvent, StoredMessage};
use farthing_core::{OutcomeBody, ScoreSource};

use super::compact::{
    ARM, CONTEXT, IDEMPOTENCY_KEY, POLICY_DIGEST, RECEIVED, REQUEST_DIGEST, SOURCE,
};
use super::files::{Kind, LogFile, State};
use crate::columns::{Required, Wanted};
use crate::table::{Row, scan};
use crate::value::{Reason, Value, time_of};
use crate::{DataError, Rejects};

/// What a join needs of a decision.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoggedDecision {
    pub(super) decision_id: String,
    pub(super) timestamp_ms: i64,
    pub(super) router: String,
    pub(super) policy: String,
    /// The choice.
    pub(super) model: String,
    pub(super) propensity: f64,
    pub(super) context: BTreeMap<String, String>,
    pub(super) asked: Option<Asked>,
    /// Digest of what was asked.
    pub(super) digest: Option<String>,
}

/// A report and when it came.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LoggedOutcome {
    pub(super) received_ms: i64,
    pub(super) body: OutcomeBody,
}

/// One of them.
pub(super) enum Logged {
    Decision(Box<LoggedDecision>),
    Outcome(LoggedOutcome),
}

/// Called with the number of each line, in Parquet row, and what it holds.
type Visit<'v> = dyn FnMut(u64, Logged) -> Result<(), DataError> + 'v;

/// Visits the rows of a file; what cannot be used goes to the rejects. Whether it was still there.
pub(super) fn visit(
    file: &LogFile,
    rejects: &mut Rejects,
    visit: &mut Visit<'_>,
) -> Result<bool, DataError> {
    if file.state == State::Compacted {
        return visit_parquet(file, rejects, visit);
    }
    each_line(file, rejects, &mut |number, line| {
        let logged = match line {
            Line::Decision(row, _) => Logged::Decision(Box::new(LoggedDecision::of(&row)?)),
            Line::Outcome(event) => Logged::Outcome(LoggedOutcome::of(event)?),
            Line::Segment(_) | Line::Router(_) => return Ok(Ok(())),
        };
        Ok(visit(number, logged))
    })
}

/// What is done with a line; the outer error is about the line, the inner one ends the reading.
type VisitLine<'v> = dyn FnMut(u64, Line<'_>) -> Result<Result<(), DataError>, Reason> + 'v;

/// Visits the lines that a segment had when it was found; those that cannot be used go to the rejects.
/// Whether it was still there.
pub(super) fn each_line(
    file: &LogFile,
    rejects: &mut Rejects,
    visit: &mut VisitLine<'_>,
) -> Result<bool, DataError> {
    let path = &file.path;
    let Some(opened) = file.open()? else { return Ok(false) };
    let mut lines = BufReader::new(opened.take(file.bytes));
    let mut reader = LineReader::default();
    let (mut line, mut number) = (Vec::new(), 0);
    while lines.read_until(b'\n', &mut line).map_err(DataError::read(path))? > 0 {
        number += 1;
        // Not cut short, but still being written when the file was found.
        if file.state == State::Open && !line.ends_with(b"\n") {
            break;
        }
        let read = reader.read(&line).map_err(|error| reason_of(&error));
        let used = read.and_then(|line| visit(number, line));
        match used {
            Ok(done) => done?,
            Err(reason) => rejects.add(path, number, &reason)?,
        }
        line.clear();
    }
    Ok(true)
}

/// The reason for which lines are counted that are cut short.
pub(super) const TORN: &str = "the line is cut short";

fn reason_of(error: &LineError) -> Reason {
    match error {
        LineError::Torn => Reason::plain(TORN),
        LineError::Shape(what) => Reason::with("the line is not one of a segment", what),
        LineError::Version(version) => Reason::with("unknown schema version", version),
        LineError::Outcome(what) => Reason::with("the outcome is out of range", what),
        LineError::UnknownRouter | LineError::Predictions => Reason::plain(error.to_string()),
    }
}

impl LoggedDecision {
    fn of(row: &DecisionRow<'_>) -> Result<Self, Reason> {
        Ok(Self {
            decision_id: row.decision_id.to_string(),
            timestamp_ms: time_of(&row.timestamp, column::TIMESTAMP)?,
            router: row.router.to_string(),
            policy: row.policy_digest.to_string(),
            model: row.model.to_string(),
            propensity: row.propensity,
            context: with_arm(row.context.clone().into_owned(), row.arm.as_deref()),
            asked: row.asked.messages.as_deref().map(asked),
            digest: row.asked.digest.as_deref().map(str::to_owned),
        })
    }
}

/// One user turn is a prompt, as an outcome log has it.
pub(super) fn asked(messages: &[StoredMessage<'_>]) -> Asked {
    match messages {
        [only] if only.role == "user" => Asked::Prompt(only.content.to_string()),
        // Neither strings nor lists can be refused as JSON.
        turns => Asked::Messages(serde_json::to_string(turns).unwrap_or_default()),
    }
}

impl LoggedOutcome {
    fn of(event: OutcomeEvent<'_>) -> Result<Self, Reason> {
        let received_ms = time_of(&event.received, RECEIVED)?;
        Ok(Self { received_ms, body: event.outcome.into_owned() })
    }
}

/// The arm of an experiment is known before the call, as context is.
fn with_arm(mut context: BTreeMap<String, String>, arm: Option<&str>) -> BTreeMap<String, String> {
    if let Some(arm) = arm {
        context.entry(ARM.to_owned()).or_insert_with(|| arm.to_owned());
    }
    context
}

const DECISION_COLUMNS: [&str; 11] = [
    column::DECISION_ID,
    column::TIMESTAMP,
    column::ROUTER,
    POLICY_DIGEST,
    column::MODEL,
    column::PROPENSITY,
    CONTEXT,
    column::PROMPT,
    column::MESSAGES,
    REQUEST_DIGEST,
    ARM,
];
const OUTCOME_COLUMNS: [&str; 11] = [
    column::DECISION_ID,
    RECEIVED,
    column::MODEL,
    column::SCORE,
    column::COST_USD,
    column::INPUT_TOKENS,
    column::CACHED_INPUT_TOKENS,
    column::OUTPUT_TOKENS,
    column::LATENCY_MS,
    SOURCE,
    IDEMPOTENCY_KEY,
];

fn visit_parquet(
    file: &LogFile,
    rejects: &mut Rejects,
    visit: &mut Visit<'_>,
) -> Result<bool, DataError> {
    if file.open()?.is_none() {
        return Ok(false);
    }
    let columns: &[&str] = match file.kind {
        Kind::Decisions => &DECISION_COLUMNS,
        Kind::Outcomes => &OUTCOME_COLUMNS,
    };
    let read = |values: &[Value<'_>]| match file.kind {
        Kind::Decisions => decision(values),
        Kind::Outcomes => outcome(values),
    };
    let wanted = Wanted {
        names: columns.iter().map(|&name| name.to_owned()).collect(),
        // Files of earlier versions have no arms.
        required: columns.iter().filter(|&&n| n != ARM).map(|n| Required::named(n)).collect(),
    };
    scan(&file.path, &wanted, &mut |Row { line, values }| match values.and_then(read) {
        Ok(logged) => visit(line, logged),
        Err(reason) => rejects.add(&file.path, line, &reason),
    })?;
    Ok(true)
}

fn due<T>(value: Option<T>, column: &str) -> Result<T, Reason> {
    value.ok_or_else(|| Reason::plain(format!("no {column}")))
}

fn text(values: &[Value<'_>], at: usize, columns: &[&str]) -> Result<Option<String>, Reason> {
    Ok(values[at].text(columns[at])?.map(str::to_owned))
}

/// A row of [`DECISION_COLUMNS`].
fn decision(values: &[Value<'_>]) -> Result<Logged, Reason> {
    let text = |at| text(values, at, &DECISION_COLUMNS);
    let name = |at: usize| due(text(at)?, DECISION_COLUMNS[at]);
    let context = text(6)?.unwrap_or_else(|| "{}".to_owned());
    let context = serde_json::from_str(&context)
        .map_err(|error| Reason::with("context is not a map of texts", &error))?;
    let prompt = text(7)?.map(Asked::Prompt);
    Ok(Logged::Decision(Box::new(LoggedDecision {
        decision_id: name(0)?,
        timestamp_ms: due(values[1].time(column::TIMESTAMP)?, column::TIMESTAMP)?,
        router: name(2)?,
        policy: name(3)?,
        model: name(4)?,
        propensity: due(values[5].number(column::PROPENSITY)?, column::PROPENSITY)?,
        context: with_arm(context, text(10)?.as_deref()),
        asked: prompt.or(text(8)?.map(Asked::Messages)),
        digest: text(9)?,
    })))
}

/// A row of [`OUTCOME_COLUMNS`].
fn outcome(values: &[Value<'_>]) -> Result<Logged, Reason> {
    let text = |at| text(values, at, &OUTCOME_COLUMNS);
    let number = |at: usize| values[at].number(OUTCOME_COLUMNS[at]);
    let count = |at: usize| values[at].count(OUTCOME_COLUMNS[at]);
    let body = OutcomeBody {
        decision_id: due(text(0)?, column::DECISION_ID)?,
        model: due(text(2)?, column::MODEL)?,
        score: number(3)?,
        cost_usd: number(4)?,
        input_tokens: count(5)?,
        cached_input_tokens: count(6)?,
        output_tokens: count(7)?,
        latency_ms: number(8)?,
        source: text(9)?.and_then(|name| ScoreSource::from_name(&name)),
        idempotency_key: text(10)?,
    };
    body.check().map_err(|error| Reason::with("the outcome is out of range", &error))?;
    let received_ms = due(values[1].time(RECEIVED)?, RECEIVED)?;
    Ok(Logged::Outcome(LoggedOutcome { received_ms, body }))
}
