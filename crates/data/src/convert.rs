//! A row of values into a checked [`OutcomeRow`]: the one place that says what a row may hold.

use std::collections::BTreeMap;

use farthing_core::log::{Asked, OutcomeRow, column};
use farthing_core::{Outcome, OutcomeError, Request, RequestError, ScoreSource};

use crate::value::{Reason, Value};

/// Where the values of an outcome row stand among the values of a table's row; `None`: nowhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) request_id: Option<usize>,
    pub(crate) timestamp: Option<usize>,
    pub(crate) prompt: Option<usize>,
    pub(crate) messages: Option<usize>,
    pub(crate) model: Option<usize>,
    pub(crate) outcome: OutcomeLayout,
    pub(crate) decision_id: Option<usize>,
    pub(crate) router: Option<usize>,
    pub(crate) policy: Option<usize>,
    pub(crate) score_source: Option<usize>,
    pub(crate) split: Option<usize>,
    /// Columns outside the schema, by the name that they get.
    pub(crate) extra: Vec<(String, usize)>,
}

/// Where the values of an [`Outcome`] stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutcomeLayout {
    pub(crate) score: Option<usize>,
    pub(crate) cost_usd: Option<usize>,
    pub(crate) input_tokens: Option<usize>,
    pub(crate) cached_input_tokens: Option<usize>,
    pub(crate) output_tokens: Option<usize>,
    pub(crate) latency_ms: Option<usize>,
    pub(crate) propensity: Option<usize>,
    /// Scores are divided by this.
    pub(crate) score_scale: Option<f64>,
}

impl Layout {
    /// Asks for the slot of each schema column.
    pub(crate) fn of(mut slot: impl FnMut(&'static str) -> Option<usize>) -> Self {
        Self {
            request_id: slot(column::REQUEST_ID),
            timestamp: slot(column::TIMESTAMP),
            prompt: slot(column::PROMPT),
            messages: slot(column::MESSAGES),
            model: slot(column::MODEL),
            outcome: OutcomeLayout::of(&mut slot),
            decision_id: slot(column::DECISION_ID),
            router: slot(column::ROUTER),
            policy: slot(column::POLICY),
            score_source: slot(column::SCORE_SOURCE),
            split: slot(column::SPLIT),
            extra: Vec::new(),
        }
    }

    /// The checked row.
    pub(crate) fn row(&self, values: &[Value<'_>]) -> Result<OutcomeRow, Reason> {
        let model = name(values, self.model, column::MODEL)?;
        let model = model.ok_or_else(|| Reason::plain("no model"))?;
        self.row_of(values, model, self.outcome.outcome(values)?)
    }

    /// The checked row, but for model and outcome, which come from elsewhere.
    pub(crate) fn row_of(
        &self,
        values: &[Value<'_>],
        model: String,
        outcome: Outcome,
    ) -> Result<OutcomeRow, Reason> {
        Ok(OutcomeRow {
            request_id: name(values, self.request_id, column::REQUEST_ID)?,
            timestamp_ms: at(values, self.timestamp).time(column::TIMESTAMP)?,
            asked: self.asked(values)?,
            model,
            outcome,
            decision_id: name(values, self.decision_id, column::DECISION_ID)?,
            router: name(values, self.router, column::ROUTER)?,
            policy: name(values, self.policy, column::POLICY)?,
            score_source: self.score_source(values)?,
            split: name(values, self.split, column::SPLIT)?,
            extra: self.extra(values)?,
        })
    }

    fn asked(&self, values: &[Value<'_>]) -> Result<Asked, Reason> {
        let prompt = at(values, self.prompt).text(column::PROMPT)?;
        let messages = at(values, self.messages).json(column::MESSAGES)?;
        match (prompt, messages) {
            (Some(_), Some(_)) => Err(Reason::plain("both prompt and messages")),
            (None, None) => Err(Reason::plain("neither prompt nor messages")),
            (Some(text), None) if text.trim().is_empty() => Err(Reason::plain("empty prompt")),
            (Some(text), None) => Ok(Asked::Prompt(text.to_owned())),
            (None, Some(json)) => Ok(Asked::Messages(json.to_owned())),
        }
    }

    fn score_source(&self, values: &[Value<'_>]) -> Result<Option<ScoreSource>, Reason> {
        let Some(name) = name(values, self.score_source, column::SCORE_SOURCE)? else {
            return Ok(None);
        };
        let known = ScoreSource::NAMES.join(", ");
        ScoreSource::from_name(&name)
            .map(Some)
            .ok_or_else(|| Reason::with(format!("score_source is none of {known}"), &name))
    }

    fn extra(&self, values: &[Value<'_>]) -> Result<BTreeMap<String, String>, Reason> {
        let mut extra = BTreeMap::new();
        for (column, slot) in &self.extra {
            if let Some(value) = name(values, Some(*slot), column)? {
                extra.insert(column.clone(), value);
            }
        }
        Ok(extra)
    }
}

impl OutcomeLayout {
    /// Asks for the slot of each of an outcome's columns.
    pub(crate) fn of(mut slot: impl FnMut(&'static str) -> Option<usize>) -> Self {
        Self {
            score: slot(column::SCORE),
            cost_usd: slot(column::COST_USD),
            input_tokens: slot(column::INPUT_TOKENS),
            cached_input_tokens: slot(column::CACHED_INPUT_TOKENS),
            output_tokens: slot(column::OUTPUT_TOKENS),
            latency_ms: slot(column::LATENCY_MS),
            propensity: slot(column::PROPENSITY),
            score_scale: None,
        }
    }

    /// The checked outcome.
    pub(crate) fn outcome(&self, values: &[Value<'_>]) -> Result<Outcome, Reason> {
        let score = at(values, self.score).score(column::SCORE)?;
        let number = |slot, column| at(values, slot).number(column);
        let count = |slot, column| at(values, slot).count(column);
        let outcome = Outcome {
            score: score.map(|score| score / self.score_scale.unwrap_or(1.0)),
            cost_usd: number(self.cost_usd, column::COST_USD)?,
            input_tokens: count(self.input_tokens, column::INPUT_TOKENS)?,
            cached_input_tokens: count(self.cached_input_tokens, column::CACHED_INPUT_TOKENS)?,
            output_tokens: count(self.output_tokens, column::OUTPUT_TOKENS)?,
            latency_ms: number(self.latency_ms, column::LATENCY_MS)?,
            propensity: number(self.propensity, column::PROPENSITY)?,
        };
        outcome.check().map_err(|error| out_of_range(&error))
    }
}

/// The request that was asked, checked.
pub(crate) fn request(asked: &Asked) -> Result<Request, Reason> {
    asked.request().map_err(|error| {
        if error == RequestError::Empty {
            return Reason::plain("empty prompt");
        }
        // The hint is for those who send requests, not for those who have a log of them.
        let text = error.to_string();
        let what = text.split("; hint").next().unwrap_or_default();
        Reason::with("messages are not chat messages", &what)
    })
}

fn out_of_range(error: &OutcomeError) -> Reason {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((kind, value)) => Reason::with(kind, &value),
        None => Reason::plain(text),
    }
}

fn at<'v, 'a>(values: &'v [Value<'a>], slot: Option<usize>) -> &'v Value<'a> {
    slot.and_then(|slot| values.get(slot)).unwrap_or(&Value::Null)
}

fn name(values: &[Value<'_>], slot: Option<usize>, column: &str) -> Result<Option<String>, Reason> {
    at(values, slot).name(column)
}
