//! Bytes back into lines of segments. Nothing here opens files, and no bytes make it panic: what is no
//! line is an error with its reason, and reading goes on behind it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::segment::{
    DecisionRow, LineType, OLDEST_READABLE, OutcomeEvent, Predicted, RouterNames, SCHEMA_VERSION,
    SegmentHeader,
};

/// A line that was understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Line<'a> {
    /// The start of a segment.
    Segment(SegmentHeader<'a>),
    /// The names of a router's candidates.
    Router(RouterNames<'a>),
    /// A decision, and the names of the candidates that its predictions are of.
    Decision(Box<DecisionRow<'a>>, Arc<[String]>),
    /// An outcome, checked.
    Outcome(OutcomeEvent<'a>),
}

/// Why a line was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is the beginning of a line: whoever wrote it was stopped.
    #[error("the line is cut short")]
    Torn,
    /// It is not an object of a known type.
    #[error("the line is not one of a segment: {0}")]
    Shape(String),
    /// It has a version that this build does not know.
    #[error("schema version {0}; hint: this build reads {OLDEST_READABLE} to {SCHEMA_VERSION}")]
    Version(u32),
    /// No line before it names the candidates.
    #[error("no line before it names the candidates of its router")]
    UnknownRouter,
    /// It has predictions for more or fewer candidates than its router has.
    #[error("it does not have one prediction a candidate")]
    Predictions,
    /// An outcome is out of range.
    #[error("{0}")]
    Outcome(String),
}

/// Reads lines; remembers the names of routers that it has come across.
#[derive(Debug, Default)]
pub struct LineReader {
    routers: BTreeMap<String, Arc<[String]>>,
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: LineType,
    schema_version: u32,
}

impl LineReader {
    /// Reads a line, its line feed included if it has one.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<Line<'a>, LineError> {
        let shape = |error: serde_json::Error| {
            if line.ends_with(b"\n") || error.is_data() {
                // serde counts lines too, always 1 here: only the column says something.
                let what = error.to_string().replace(" at line 1 column ", " at column ");
                LineError::Shape(what)
            } else {
                LineError::Torn
            }
        };
        let tag: Tag = serde_json::from_slice(line).map_err(shape)?;
        if !(OLDEST_READABLE..=SCHEMA_VERSION).contains(&tag.schema_version) {
            return Err(LineError::Version(tag.schema_version));
        }
        match tag.kind {
            LineType::Segment => serde_json::from_slice(line).map(Line::Segment).map_err(shape),
            LineType::Router => {
                let names: RouterNames<'_> = serde_json::from_slice(line).map_err(shape)?;
                self.routers.insert(names.router.to_string(), names.candidates.as_ref().into());
                Ok(Line::Router(names))
            }
            LineType::Decision => self.decision(serde_json::from_slice(line).map_err(shape)?),
            LineType::Outcome => {
                let event: OutcomeEvent<'_> = serde_json::from_slice(line).map_err(shape)?;
                let checked = event.outcome.check();
                checked.map_err(|error| LineError::Outcome(error.to_string()))?;
                Ok(Line::Outcome(event))
            }
        }
    }

    fn decision<'a>(&self, row: DecisionRow<'a>) -> Result<Line<'a>, LineError> {
        let names = self.routers.get(row.router.as_ref()).ok_or(LineError::UnknownRouter)?;
        let Predicted { quality, p_above_bar, cost_usd, output_tokens, excluded_by } =
            &row.predicted;
        let lengths = [quality.len(), p_above_bar.len(), cost_usd.len(), output_tokens.len()];
        let excluded = excluded_by.is_empty() || excluded_by.len() == names.len();
        if !excluded || lengths.iter().any(|length| *length != names.len()) {
            return Err(LineError::Predictions);
        }
        Ok(Line::Decision(Box::new(row), Arc::clone(names)))
    }
}

/// Visits every line of a segment with its number, from 1; blank ones are passed over.
pub fn read_segment(bytes: &[u8], visit: &mut dyn FnMut(u64, Result<Line<'_>, LineError>)) {
    let mut reader = LineReader::default();
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        if !line.trim_ascii().is_empty() {
            visit(number, reader.read(line));
        }
    }
}
