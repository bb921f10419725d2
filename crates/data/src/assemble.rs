//! Checked rows into a [`Dataset`]. Each request's text is held once, however many rows repeat it,
//! and nothing in the result depends on the order of the rows.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use farthing_core::log::{Asked, OutcomeRow};
use farthing_core::{Digest, Message, Outcome, Request, Role, split_key};

use crate::convert;
use crate::dataset::{Cell, Dataset, Record};
use crate::value::Reason;

/// Collects rows.
#[derive(Debug)]
pub(crate) struct Assembler {
    context_columns: Vec<String>,
    label_columns: Vec<String>,
    index: BTreeMap<Digest, usize>,
    records: Vec<Record>,
    labels_disagree: Vec<bool>,
    candidates: BTreeMap<String, usize>,
    samples: Vec<Sample>,
    key: Vec<u8>,
}

/// What the assembler noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Noticed {
    pub(crate) repeated_pairs: u64,
    pub(crate) repeated_rows: u64,
    pub(crate) disagreeing_pairs: u64,
    pub(crate) ambiguous_ids: u64,
    pub(crate) disagreeing_labels: u64,
}

/// One row's outcome; record and candidate are numbered in the order in which they were first seen.
#[derive(Debug, Clone, Copy)]
struct Sample {
    record: usize,
    candidate: usize,
    outcome: Outcome,
}

impl Assembler {
    pub(crate) fn new(context_columns: &[String], label_columns: &[String]) -> Self {
        Self {
            context_columns: context_columns.to_vec(),
            label_columns: label_columns.to_vec(),
            index: BTreeMap::new(),
            records: Vec::new(),
            labels_disagree: Vec::new(),
            candidates: BTreeMap::new(),
            samples: Vec::new(),
            key: Vec::new(),
        }
    }

    /// Adds a row. Its messages are checked here, because here they are parsed.
    pub(crate) fn add(&mut self, row: OutcomeRow) -> Result<(), Reason> {
        let record = self.record(&row)?;
        let next = self.candidates.len();
        let candidate = match self.candidates.get(&row.model) {
            Some(candidate) => *candidate,
            None => *self.candidates.entry(row.model).or_insert(next),
        };
        self.samples.push(Sample { record, candidate, outcome: row.outcome });
        Ok(())
    }

    /// The number of the row's record, made if it is new.
    fn record(&mut self, row: &OutcomeRow) -> Result<usize, Reason> {
        let parsed = match &row.asked {
            Asked::Prompt(_) => None, // parsed only when it turns out to be new
            Asked::Messages(_) => Some(convert::request(&row.asked)?),
        };
        let context: BTreeMap<String, String> = self
            .context_columns
            .iter()
            .filter_map(|name| row.extra.get(name).map(|value| (name.clone(), value.clone())))
            .collect();
        let key = self.digest(row, parsed.as_ref(), &context);
        let record = if let Some(record) = self.index.get(&key) {
            *record
        } else {
            let request = parsed.map_or_else(|| convert::request(&row.asked), Ok)?;
            self.insert(key, row, request.with_context(context))
        };
        self.note(record, row);
        Ok(record)
    }

    fn insert(&mut self, key: Digest, row: &OutcomeRow, request: Request) -> usize {
        let record = self.records.len();
        self.index.insert(key.clone(), record);
        self.labels_disagree.push(false);
        self.records.push(Record {
            key,
            group: split_key(&request.full_text()),
            request_id: row.request_id.clone(),
            request,
            labels: vec![None; self.label_columns.len()],
            timestamp_ms: None,
            cells: Vec::new(),
        });
        record
    }

    /// Takes the earliest time and, where the rows do not agree, the smallest label.
    fn note(&mut self, index: usize, row: &OutcomeRow) {
        let record = &mut self.records[index];
        record.timestamp_ms = match (record.timestamp_ms, row.timestamp_ms) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for (column, label) in self.label_columns.iter().zip(&mut record.labels) {
            let Some(new) = row.extra.get(column) else { continue };
            let order = label.as_ref().map(|old| new.cmp(old));
            self.labels_disagree[index] |= order.is_some_and(|order| order != Ordering::Equal);
            if order != Some(Ordering::Greater) && order != Some(Ordering::Equal) {
                *label = Some(new.clone());
            }
        }
    }

    /// The digest of request id, roles and texts, and context, each with its length before it.
    fn digest(
        &mut self,
        row: &OutcomeRow,
        parsed: Option<&Request>,
        context: &BTreeMap<String, String>,
    ) -> Digest {
        self.key.clear();
        put(&mut self.key, row.request_id.as_deref().unwrap_or_default());
        match (&row.asked, parsed) {
            (Asked::Prompt(text), None) => put_turn(&mut self.key, Role::User, text),
            (_, request) => {
                let messages: &[Message] = request.map_or(&[], Request::messages);
                for message in messages {
                    put_turn(&mut self.key, message.role, &message.text);
                }
            }
        }
        self.key.push(b'|');
        for (name, value) in context {
            put(&mut self.key, name);
            put(&mut self.key, value);
        }
        Digest::of(&self.key)
    }

    /// The dataset, in its own order.
    pub(crate) fn finish(mut self) -> (Dataset, Noticed) {
        let mut noticed = Noticed {
            disagreeing_labels: self.labels_disagree.iter().filter(|d| **d).count() as u64,
            ..Noticed::default()
        };
        self.sort_records();
        self.sort_samples();
        for samples in
            self.samples.chunk_by(|a, b| (a.record, a.candidate) == (b.record, b.candidate))
        {
            let cell = average(samples);
            if samples.len() > 1 {
                noticed.repeated_pairs += 1;
                noticed.repeated_rows += samples.len() as u64;
                noticed.disagreeing_pairs += u64::from(disagree(samples));
            }
            self.records[samples[0].record].cells.push(cell);
        }
        noticed.ambiguous_ids = ambiguous_ids(&self.records);
        let dataset = Dataset {
            candidates: self.candidates.into_keys().collect(),
            context_columns: self.context_columns,
            label_columns: self.label_columns,
            records: self.records,
        };
        (dataset, noticed)
    }

    /// Orders records by key and renumbers the samples' records.
    fn sort_records(&mut self) {
        let mut rank = vec![0; self.records.len()];
        // The index is ordered by key already.
        for (new, old) in self.index.values().enumerate() {
            rank[*old] = new;
        }
        self.records.sort_by(|a, b| a.key.cmp(&b.key));
        for sample in &mut self.samples {
            sample.record = rank[sample.record];
        }
    }

    /// Renumbers the samples' candidates by name and orders the samples.
    fn sort_samples(&mut self) {
        let mut rank = vec![0; self.candidates.len()];
        for (new, old) in self.candidates.values().enumerate() {
            rank[*old] = new;
        }
        for sample in &mut self.samples {
            sample.candidate = rank[sample.candidate];
        }
        self.samples.sort_unstable_by_key(|s| (s.record, s.candidate));
    }
}

fn put(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(&(text.len() as u64).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

fn put_turn(key: &mut Vec<u8>, role: Role, text: &str) {
    key.push(match role {
        Role::System => b's',
        Role::User => b'u',
        Role::Assistant => b'a',
        Role::Tool => b't',
    });
    put(key, text);
}

fn average(samples: &[Sample]) -> Cell {
    Cell {
        candidate: samples[0].candidate,
        samples: u32::try_from(samples.len()).unwrap_or(u32::MAX),
        score: mean(samples, |o| o.score),
        cost_usd: mean(samples, |o| o.cost_usd),
        input_tokens: mean(samples, |o| o.input_tokens.map(|n| n as f64)),
        output_tokens: mean(samples, |o| o.output_tokens.map(|n| n as f64)),
        latency_ms: mean(samples, |o| o.latency_ms),
        propensity: mean(samples, |o| o.propensity),
    }
}

/// The mean of the known values, summed from the smallest: the same whatever the rows' order.
fn mean(samples: &[Sample], of: impl Fn(&Outcome) -> Option<f64>) -> Option<f64> {
    if let [only] = samples {
        return of(&only.outcome);
    }
    let mut known: Vec<f64> = samples.iter().filter_map(|s| of(&s.outcome)).collect();
    known.sort_by(f64::total_cmp);
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn disagree(samples: &[Sample]) -> bool {
    let mut scores = samples.iter().filter_map(|s| s.outcome.score);
    let first = scores.next();
    scores.any(|score| first.is_some_and(|first| first.total_cmp(&score) != Ordering::Equal))
}

/// Ids whose records do not all ask the same.
fn ambiguous_ids(records: &[Record]) -> u64 {
    let mut asked: BTreeMap<&str, (&[Message], bool)> = BTreeMap::new();
    for record in records {
        let Some(id) = &record.request_id else { continue };
        let messages = record.request.messages();
        let (first, several) = asked.entry(id).or_insert((messages, false));
        *several |= *first != messages;
    }
    asked.values().filter(|(_, several)| *several).count() as u64
}
