//! What training and evaluation work on: requests, each with the outcomes of the candidates that
//! answered it.

use farthing_core::{Digest, Request};

/// A log in memory: one record per request, in an order that does not depend on the files' order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Candidate names, sorted; one that was never judged is among them.
    pub candidates: Vec<String>,
    /// Columns that became [`Request::context`].
    pub context_columns: Vec<String>,
    /// Columns that became [`Record::labels`].
    pub label_columns: Vec<String>,
    /// One record per request, sorted by key.
    pub records: Vec<Record>,
}

/// One request and what is known of its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Digest of the request id (or nothing), the exact request and its context.
    pub key: Digest,
    /// [`farthing_core::split_key`] of the request's full text: near-duplicates share it.
    pub group: u64,
    /// The log's own id of the request.
    pub request_id: Option<String>,
    /// What was asked, with its context; a missing value is an absent key.
    pub request: Request,
    /// One value per label column.
    pub labels: Vec<Option<String>>,
    /// The earliest time logged for it, in milliseconds since 1970, UTC.
    pub timestamp_ms: Option<i64>,
    /// Sorted by candidate; candidates that did not answer are absent.
    pub cells: Vec<Cell>,
}

/// How one candidate did on one request: means over its samples of what is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index into [`Dataset::candidates`].
    pub candidate: usize,
    /// Rows that were averaged, judged or not.
    pub samples: u32,
    /// Quality in [0, 1]; `None` is "not judged".
    pub score: Option<f64>,
    /// Billed cost in USD.
    pub cost_usd: Option<f64>,
    /// Billed input tokens.
    pub input_tokens: Option<f64>,
    /// Billed output tokens.
    pub output_tokens: Option<f64>,
    /// Time to the whole answer, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Probability with which this candidate was chosen.
    pub propensity: Option<f64>,
}
