//! What training and evaluation work on: requests, each with the outcomes of the candidates that
//! answered it.

use farthing_core::{Digest, Request, split_key};

/// A log in memory: one record per request, in an order that does not depend on the files' order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Candidate names, sorted; one that was never judged is among them.
    pub candidates: Vec<String>,
    /// Columns that became [`Request::context`].
    pub context_columns: Vec<String>,
    /// Columns that became [`Record::labels`].
    pub label_columns: Vec<String>,
    /// The column whose values [`Record::group`] keeps together.
    pub group_column: Option<String>,
    /// What a cap on requests left out; `None`: nothing.
    pub left_out: Option<LeftOut>,
    /// One record per request, sorted by key.
    pub records: Vec<Record>,
}

/// Requests that a log has and a [`Dataset`] has not, because there was no room for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// The cap on requests.
    pub max_requests: u64,
    /// Requests left out; from a million on an estimate, to about 0.1 %.
    pub requests: u64,
    /// Their rows.
    pub rows: u64,
}

impl LeftOut {
    /// What to say where nothing at all found room.
    pub(crate) fn whole_log(&self) -> String {
        let Self { max_requests, requests, rows } = self;
        format!(
            "{rows} of {requests} near-duplicate requests, too many for a cap of {max_requests}; hint: raise --max-requests"
        )
    }
}

/// One request and what is known of its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Digest of the request id (or nothing), the exact request and its context.
    pub key: Digest,
    /// Requests of one group are never split. Near-duplicates share it, as do requests with the same
    /// value of the group column, and those that are linked by any chain of the two.
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

impl Record {
    /// [`split_key`] of the request's full text: near-duplicates share it, whatever their group.
    pub fn prompt_key(&self) -> u64 {
        split_key(&self.request.full_text())
    }
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
