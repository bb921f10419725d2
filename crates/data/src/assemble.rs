//! Checked rows into a [`Dataset`]. Each request's text is held once, however many rows repeat it,
//! and nothing in the result depends on the order of the rows. With a cap on requests, what is held is
//! bounded by it, however long the log.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use farthing_core::log::{Asked, OutcomeRow};
use farthing_core::{Digest, Message, Outcome, Request, Role};

use crate::cap::{RequestCap, Sampler};
use crate::convert;
use crate::dataset::{Cell, Dataset, Record};
use crate::groups;
use crate::value::Reason;

/// Collects rows.
#[derive(Debug)]
pub(crate) struct Assembler {
    columns: Columns,
    requests: BTreeMap<Digest, Pending>,
    candidates: BTreeMap<String, usize>,
    sampler: Option<Sampler>,
    key: Vec<u8>,
}

/// Columns outside the schema that rows are read for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) context: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub(crate) group: Option<String>,
}

/// What the assembler noticed, of the requests that it kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Noticed {
    pub(crate) repeated_pairs: u64,
    pub(crate) repeated_rows: u64,
    pub(crate) disagreeing_pairs: u64,
    pub(crate) ambiguous_ids: u64,
    pub(crate) disagreeing_labels: u64,
}

/// A request whose rows may still come.
#[derive(Debug)]
struct Pending {
    record: Record,
    labels_disagree: bool,
    /// Values of the group column.
    linked_by: BTreeSet<String>,
    samples: Vec<Sample>,
}

/// One row's outcome; candidates are numbered in the order in which they were first seen.
#[derive(Debug, Clone, Copy)]
struct Sample {
    candidate: usize,
    outcome: Outcome,
}

impl Assembler {
    pub(crate) fn new(columns: Columns, cap: Option<RequestCap>) -> Self {
        Self {
            columns,
            requests: BTreeMap::new(),
            candidates: BTreeMap::new(),
            sampler: cap.map(Sampler::new),
            key: Vec::new(),
        }
    }

    /// Adds a row. Its messages are checked here, because here they are parsed.
    pub(crate) fn add(&mut self, row: &OutcomeRow) -> Result<(), Reason> {
        let parsed = match &row.asked {
            Asked::Prompt(_) => None, // parsed only when it turns out to be new
            Asked::Messages(_) => Some(convert::request(&row.asked)?),
        };
        let context = self.context(row);
        let key = self.digest(row, parsed.as_ref(), &context);
        if !self.requests.contains_key(&key) {
            let request = parsed.map_or_else(|| convert::request(&row.asked), Ok)?;
            self.insert(&key, row, request.with_context(context));
        }
        // Registered even where the request is left out: which candidates there are is a fact of the log.
        let next = self.candidates.len();
        let candidate = match self.candidates.get(&row.model) {
            Some(candidate) => *candidate,
            None => *self.candidates.entry(row.model.clone()).or_insert(next),
        };
        if let Some(pending) = self.requests.get_mut(&key) {
            pending.note(row, &self.columns);
            pending.samples.push(Sample { candidate, outcome: row.outcome });
        } else if let Some(sampler) = &mut self.sampler {
            sampler.leave_out(&key, 1);
        }
        Ok(())
    }

    fn context(&self, row: &OutcomeRow) -> BTreeMap<String, String> {
        let columns = self.columns.context.iter();
        columns
            .filter_map(|name| row.extra.get(name).map(|value| (name.clone(), value.clone())))
            .collect()
    }

    /// Makes room for a new request, or leaves it out.
    fn insert(&mut self, key: &Digest, row: &OutcomeRow, request: Request) {
        let mut record = Record {
            key: key.clone(),
            group: 0,
            request_id: row.request_id.clone(),
            request,
            labels: vec![None; self.columns.labels.len()],
            timestamp_ms: None,
            cells: Vec::new(),
        };
        record.group = record.prompt_key();
        let group = record.group;
        let pending = Pending {
            record,
            labels_disagree: false,
            linked_by: BTreeSet::new(),
            samples: Vec::new(),
        };
        self.requests.insert(key.clone(), pending);
        let Some(sampler) = &mut self.sampler else { return };
        for gone in sampler.add(key, group) {
            let rows = self.requests.remove(&gone).map_or(0, |pending| pending.samples.len());
            sampler.leave_out(&gone, rows as u64);
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
    pub(crate) fn finish(self) -> (Dataset, Noticed) {
        let mut noticed = Noticed::default();
        let mut rank = vec![0; self.candidates.len()];
        for (new, old) in self.candidates.values().enumerate() {
            rank[*old] = new;
        }
        let mut links = Vec::new();
        let mut records = Vec::with_capacity(self.requests.len());
        for pending in self.requests.into_values() {
            noticed.disagreeing_labels += u64::from(pending.labels_disagree);
            let (record, linked_by) = pending.average(&rank, &mut noticed);
            links.push((record.group, linked_by));
            records.push(record);
        }
        if self.columns.group.is_some() {
            for (record, group) in records.iter_mut().zip(groups::join(&links)) {
                record.group = group;
            }
        }
        noticed.ambiguous_ids = ambiguous_ids(&records);
        let dataset = Dataset {
            candidates: self.candidates.into_keys().collect(),
            context_columns: self.columns.context,
            label_columns: self.columns.labels,
            group_column: self.columns.group,
            left_out: self.sampler.and_then(|sampler| sampler.finish()),
            records,
        };
        (dataset, noticed)
    }
}

impl Pending {
    /// Takes the earliest time, every value of the group column and, where the rows do not agree, the
    /// smallest label.
    fn note(&mut self, row: &OutcomeRow, columns: &Columns) {
        let record = &mut self.record;
        record.timestamp_ms = match (record.timestamp_ms, row.timestamp_ms) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.linked_by.extend(columns.group.iter().filter_map(|name| row.extra.get(name)).cloned());
        for (column, label) in columns.labels.iter().zip(&mut record.labels) {
            let Some(new) = row.extra.get(column) else { continue };
            let order = label.as_ref().map(|old| new.cmp(old));
            self.labels_disagree |= order.is_some_and(|order| order != Ordering::Equal);
            if order != Some(Ordering::Greater) && order != Some(Ordering::Equal) {
                *label = Some(new.clone());
            }
        }
    }

    /// The record with one cell a candidate, numbered by `rank`, and what links it to others.
    fn average(mut self, rank: &[usize], noticed: &mut Noticed) -> (Record, BTreeSet<String>) {
        for sample in &mut self.samples {
            sample.candidate = rank[sample.candidate];
        }
        self.samples.sort_unstable_by_key(|sample| sample.candidate);
        for samples in self.samples.chunk_by(|a, b| a.candidate == b.candidate) {
            if samples.len() > 1 {
                noticed.repeated_pairs += 1;
                noticed.repeated_rows += samples.len() as u64;
                noticed.disagreeing_pairs += u64::from(disagree(samples));
            }
            self.record.cells.push(average(samples));
        }
        (self.record, self.linked_by)
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
