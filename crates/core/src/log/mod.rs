//! The log schema: defined here once, written by the server, read by the importer.
//!
//! Here stands the outcome log, the input of training; in [`segment`] the lines that a server writes,
//! and in [`read`] how bytes become such lines again. Files are opened elsewhere.

pub mod read;
pub mod segment;

pub(crate) mod exact;

use std::collections::BTreeMap;

use crate::{Outcome, Request, RequestError, ScoreSource};

/// Column names of the outcome log.
pub mod column {
    /// Rows with one id are answers to one request.
    pub const REQUEST_ID: &str = "request_id";
    /// When, in UTC.
    pub const TIMESTAMP: &str = "timestamp";
    /// What was asked, as text.
    pub const PROMPT: &str = "prompt";
    /// What was asked, as a JSON list of chat messages.
    pub const MESSAGES: &str = "messages";
    /// Candidate name.
    pub const MODEL: &str = "model";
    /// Quality in [0, 1].
    pub const SCORE: &str = "score";
    /// Billed cost in USD.
    pub const COST_USD: &str = "cost_usd";
    /// Billed input tokens.
    pub const INPUT_TOKENS: &str = "input_tokens";
    /// Those of them that came from a cache.
    pub const CACHED_INPUT_TOKENS: &str = "cached_input_tokens";
    /// Billed output tokens.
    pub const OUTPUT_TOKENS: &str = "output_tokens";
    /// Time to the whole answer, in milliseconds.
    pub const LATENCY_MS: &str = "latency_ms";
    /// Probability of the logged choice.
    pub const PROPENSITY: &str = "propensity";
    /// Written by the server.
    pub const DECISION_ID: &str = "decision_id";
    /// Digest of the router that chose.
    pub const ROUTER: &str = "router";
    /// Digest of the policy that chose.
    pub const POLICY: &str = "policy";
    /// Where the score comes from.
    pub const SCORE_SOURCE: &str = "score_source";
    /// An official split.
    pub const SPLIT: &str = "split";

    /// Every column above, in the order in which a log is written.
    pub const ALL: [&str; 17] = [
        REQUEST_ID,
        TIMESTAMP,
        PROMPT,
        MESSAGES,
        MODEL,
        SCORE,
        COST_USD,
        INPUT_TOKENS,
        CACHED_INPUT_TOKENS,
        OUTPUT_TOKENS,
        LATENCY_MS,
        PROPENSITY,
        DECISION_ID,
        ROUTER,
        POLICY,
        SCORE_SOURCE,
        SPLIT,
    ];
}

/// One row of the outcome log: how one candidate did on one request.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRow {
    /// Rows with one id are answers to one request.
    pub request_id: Option<String>,
    /// When, in milliseconds since 1970, UTC.
    pub timestamp_ms: Option<i64>,
    /// What was asked.
    pub asked: Asked,
    /// Candidate name.
    pub model: String,
    /// How it did.
    pub outcome: Outcome,
    /// The decision that led to it.
    pub decision_id: Option<String>,
    /// Digest of the router that chose.
    pub router: Option<String>,
    /// Digest of the policy that chose.
    pub policy: Option<String>,
    /// Where the score comes from.
    pub score_source: Option<ScoreSource>,
    /// An official split.
    pub split: Option<String>,
    /// Columns outside the schema, by name: context and labels.
    pub extra: BTreeMap<String, String>,
}

/// What was asked, as it stands in a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// The `prompt` column.
    Prompt(String),
    /// The `messages` column: a JSON list of chat messages.
    Messages(String),
}

impl Asked {
    /// The checked request.
    pub fn request(&self) -> Result<Request, RequestError> {
        match self {
            Self::Prompt(prompt) => Request::from_prompt(prompt.as_str()),
            Self::Messages(json) => Request::from_messages_json(json),
        }
    }
}
