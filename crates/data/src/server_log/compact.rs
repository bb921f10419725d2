//! Sealed segments into Parquet, a file a segment and UTC day: `OUT/decisions/day=2026-01-02/…`.
//!
//! A sealed segment never changes and gives its name to what is made of it, so compacting twice writes
//! the same files again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use farthing_core::ScoreSource;
use farthing_core::log::read::Line;
use farthing_core::log::segment::{DecisionRow, OutcomeEvent};
use farthing_core::log::{Asked, column};
use serde::Serialize;

use super::files::{Kind, LogFile, State, find};
use super::rows::{TORN, asked, each_line};
use crate::value::{rfc3339, time_of};
use crate::write::{Cell, Kind as Type, ParquetSink};
use crate::{DataError, Rejects};

/// Columns that an outcome log does not have.
pub(super) const CONTEXT: &str = "context";
pub(super) const ARM: &str = "arm";
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency_key";
pub(super) const POLICY_DIGEST: &str = "policy_digest";
pub(super) const RECEIVED: &str = "received";
pub(super) const REQUEST_DIGEST: &str = "request_digest";
pub(super) const SOURCE: &str = "source";

/// What a compaction did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// Sealed segments that were read.
    pub segments: u64,
    /// Segments that a server still writes to, which were left alone.
    pub open: u64,
    /// Segments that were deleted before they could be read.
    pub gone: u64,
    /// Decisions written.
    pub decisions: u64,
    /// Outcomes written.
    pub outcomes: u64,
    /// Parquet files written.
    pub files: u64,
    /// Lines that are cut short.
    pub torn: u64,
    /// Other lines that went to the rejects.
    pub rejected: u64,
}

/// Compacts the sealed segments of a folder; `progress` is called with the number of rows so far.
pub fn compact(
    dir: &Path,
    output: &Path,
    rejects: &mut Rejects,
    progress: &dyn Fn(u64),
) -> Result<CompactReport, DataError> {
    let mut report = CompactReport::default();
    for file in find(&[dir.to_owned()])? {
        match file.state {
            State::Sealed => {
                let mut days = Days::new(&file, output);
                if each_line(&file, rejects, &mut |_, line| days.write(&line))? {
                    report.segments += 1;
                } else {
                    report.gone += 1;
                }
                days.finish(&mut report)?;
                progress(report.decisions + report.outcomes);
            }
            State::Open => report.open += 1,
            State::Compacted => {}
        }
    }
    rejects.flush()?;
    report.torn = rejects.counts().get(TORN).copied().unwrap_or(0);
    report.rejected = rejects.total() - report.torn;
    Ok(report)
}

/// The Parquet files of one segment.
struct Days<'f> {
    file: &'f LogFile,
    output: &'f Path,
    sinks: BTreeMap<String, (PathBuf, ParquetSink)>,
    decisions: u64,
    outcomes: u64,
}

impl<'f> Days<'f> {
    fn new(file: &'f LogFile, output: &'f Path) -> Self {
        Self { file, output, sinks: BTreeMap::new(), decisions: 0, outcomes: 0 }
    }

    /// Writes a line where its day is; the outer error is about the line.
    fn write(&mut self, line: &Line<'_>) -> Result<Result<(), DataError>, crate::value::Reason> {
        let written = match line {
            Line::Decision(row, names) => {
                let time = time_of(&row.timestamp, column::TIMESTAMP)?;
                self.decisions += 1;
                let asked = row.asked.messages.as_deref().map(asked);
                let texts = DecisionTexts::of(row, asked.as_ref());
                self.append(Kind::Decisions, time, decision_cells(row, names, time, &texts))
            }
            Line::Outcome(event) => {
                let time = time_of(&event.received, RECEIVED)?;
                self.outcomes += 1;
                self.append(Kind::Outcomes, time, outcome_cells(event, time))
            }
            Line::Segment(_) | Line::Router(_) => Ok(()),
        };
        Ok(written)
    }

    fn append<const N: usize>(
        &mut self,
        kind: Kind,
        time_ms: i64,
        cells: [(&'static str, Type, Cell<'_>); N],
    ) -> Result<(), DataError> {
        let day = rfc3339(time_ms).chars().take("2026-01-02".len()).collect::<String>();
        if !self.sinks.contains_key(&day) {
            let dir = self.output.join(kind.name()).join(format!("day={day}"));
            fs::create_dir_all(&dir).map_err(DataError::write(&dir))?;
            let path = dir.join(format!("{}.parquet", self.file.stem));
            let partial = partial(&path);
            let file = File::create(&partial).map_err(DataError::write(&partial))?;
            let schema = cells.iter().map(|(name, kind, _)| ((*name).to_owned(), *kind)).collect();
            let sink = ParquetSink::new(file, schema, &path)?;
            self.sinks.insert(day.clone(), (path, sink));
        }
        match self.sinks.get_mut(&day) {
            Some((path, sink)) => sink.write(cells.into_iter().map(|(_, _, cell)| cell), path),
            None => Ok(()),
        }
    }

    fn finish(self, report: &mut CompactReport) -> Result<(), DataError> {
        for (path, sink) in self.sinks.into_values() {
            sink.finish(&path)?;
            fs::rename(partial(&path), &path).map_err(DataError::write(&path))?;
            report.files += 1;
        }
        report.decisions += self.decisions;
        report.outcomes += self.outcomes;
        Ok(())
    }
}

/// Where a file is until it is complete.
fn partial(path: &Path) -> PathBuf {
    path.with_extension("parquet.partial")
}

/// Texts of a decision that its row does not hold as such.
struct DecisionTexts<'a> {
    reason: String,
    context: String,
    features: Option<String>,
    asked: Option<&'a Asked>,
    excluded_by: Vec<Option<String>>,
}

impl<'a> DecisionTexts<'a> {
    fn of(row: &DecisionRow<'_>, asked: Option<&'a Asked>) -> Self {
        Self {
            reason: name_of(&row.reason),
            // Maps of texts and lists of numbers are never refused.
            context: serde_json::to_string(&row.context).unwrap_or_default(),
            features: row
                .asked
                .features
                .as_ref()
                .map(|features| serde_json::to_string(features).unwrap_or_default()),
            asked,
            excluded_by: row
                .predicted
                .excluded_by
                .iter()
                .map(|e| e.as_ref().map(name_of))
                .collect(),
        }
    }
}

/// A name of a closed set, as rows have it.
fn name_of(name: &impl Serialize) -> String {
    let json = serde_json::to_value(name).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}

/// The columns of decisions.
fn decision_cells<'a>(
    row: &'a DecisionRow<'_>,
    names: &'a [String],
    time: i64,
    texts: &'a DecisionTexts<'a>,
) -> [(&'static str, Type, Cell<'a>); 28] {
    let text = |name, value: &'a str| (name, Type::Text, Cell::Text(Some(value)));
    let maybe = |name, value: Option<&'a str>| (name, Type::Text, Cell::Text(value));
    let float = |name, value| (name, Type::Float, Cell::Float(value));
    let floats = |name, values| (name, Type::Floats, Cell::Floats(values));
    let known = |values: &[f32]| values.iter().copied().map(Some).collect();
    let (prompt, messages) = match texts.asked {
        Some(Asked::Prompt(text)) => (Some(text.as_str()), None),
        Some(Asked::Messages(json)) => (None, Some(json.as_str())),
        None => (None, None),
    };
    let excluded = texts.excluded_by.iter().map(|name| name.as_deref()).collect();
    let predicted = &row.predicted;
    [
        text("run", &row.run),
        ("seq", Type::Count, Cell::Count(Some(row.seq))),
        (column::TIMESTAMP, Type::Time, Cell::Time(Some(time))),
        text(column::DECISION_ID, &row.decision_id),
        text(column::ROUTER, &row.router),
        text(column::POLICY, &row.policy),
        text(POLICY_DIGEST, &row.policy_digest),
        float("bar", Some(row.bar)),
        text("reason", &texts.reason),
        text(column::MODEL, &row.model),
        float(column::PROPENSITY, Some(row.propensity)),
        float("margin", row.margin),
        ("truncated", Type::Bool, Cell::Bool(row.truncated)),
        float("decision_us", Some(row.decision_us)),
        text(CONTEXT, &texts.context),
        maybe("session", row.session.as_deref()),
        maybe(ARM, row.arm.as_deref()),
        ("rules", Type::Texts, Cell::Texts(row.rules.iter().map(|name| Some(&**name)).collect())),
        maybe(column::PROMPT, prompt),
        maybe(column::MESSAGES, messages),
        maybe(REQUEST_DIGEST, row.asked.digest.as_deref()),
        maybe("features", texts.features.as_deref()),
        ("candidates", Type::Texts, Cell::Texts(names.iter().map(|n| Some(n.as_str())).collect())),
        floats("quality", known(&predicted.quality)),
        floats("p_above_bar", known(&predicted.p_above_bar)),
        floats("cost_usd", predicted.cost_usd.to_vec()),
        floats("predicted_output_tokens", predicted.output_tokens.to_vec()),
        ("excluded_by", Type::Texts, Cell::Texts(excluded)),
    ]
}

/// The columns of outcomes.
fn outcome_cells<'a>(
    event: &'a OutcomeEvent<'_>,
    time: i64,
) -> [(&'static str, Type, Cell<'a>); 11] {
    let body = &event.outcome;
    let text = |name, value: Option<&'a str>| (name, Type::Text, Cell::Text(value));
    let float = |name, value| (name, Type::Float, Cell::Float(value));
    let count = |name, value| (name, Type::Count, Cell::Count(value));
    [
        (RECEIVED, Type::Time, Cell::Time(Some(time))),
        text(column::DECISION_ID, Some(&body.decision_id)),
        text(column::MODEL, Some(&body.model)),
        float(column::SCORE, body.score),
        float(column::COST_USD, body.cost_usd),
        count(column::INPUT_TOKENS, body.input_tokens),
        count(column::CACHED_INPUT_TOKENS, body.cached_input_tokens),
        count(column::OUTPUT_TOKENS, body.output_tokens),
        float(column::LATENCY_MS, body.latency_ms),
        text(SOURCE, body.source.map(ScoreSource::name)),
        text(IDEMPOTENCY_KEY, body.idempotency_key.as_deref()),
    ]
}
