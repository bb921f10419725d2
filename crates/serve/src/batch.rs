//! Many requests in one call.
//!
//! A batch never runs on the threads that answer single requests: its body is split and its entries
//! are decided, a chunk at a time, on the blocking pool, by at most half of the cores. Batches beyond
//! the bound on running and waiting ones are refused.

use std::ops::Range;
use std::sync::Arc;
use std::thread::available_parallelism;

use axum::body::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ErrorCode;
use crate::body;
use crate::config::Limits;
use crate::decide::Decider;
use crate::entries::Entries;
use crate::error::ApiError;

/// Entries that one thread decides before it looks for other work.
const CHUNK: usize = 32;

/// Decides on batches.
#[derive(Debug, Clone)]
pub(crate) struct BatchRunner {
    decider: Decider,
    max_requests: usize,
    /// One permit a batch that runs or waits.
    slots: Arc<Semaphore>,
    /// One permit a thread.
    threads: Arc<Semaphore>,
}

impl BatchRunner {
    pub(crate) fn new(decider: Decider, limits: &Limits) -> Self {
        let threads = available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
        Self {
            decider,
            max_requests: limits.batch_requests.min(KEPT),
            slots: Arc::new(Semaphore::new(limits.batches)),
            threads: Arc::new(Semaphore::new(threads)),
        }
    }

    /// The answers to a batch, as JSON, in the order of its requests.
    pub(crate) async fn run(&self, json: Bytes) -> Result<Vec<u8>, ApiError> {
        let _slot = self.slots.try_acquire().map_err(|_| {
            let message = "too many batches at once; hint: send it again in a second";
            ApiError::new(ErrorCode::Overloaded, message)
        })?;
        let max_requests = self.max_requests;
        let mut split_off = JoinSet::new();
        self.start(&mut split_off, move || split(&json, max_requests)).await?;
        let entries = match split_off.join_next().await {
            Some(entries) => Arc::new(entries.map_err(ApiError::internal)??),
            None => Arc::default(),
        };
        let mut chunks = JoinSet::new();
        for start in (0..entries.len()).step_by(CHUNK) {
            let range = start..(start + CHUNK).min(entries.len());
            let (entries, decider) = (Arc::clone(&entries), self.decider.clone());
            self.start(&mut chunks, move || answer(&decider, &entries, range)).await?;
        }
        let mut answers = Vec::new();
        while let Some(answer) = chunks.join_next().await {
            answers.push(answer.map_err(ApiError::internal)?);
        }
        answers.sort_unstable_by_key(|(start, _)| *start);
        Ok(assemble(&answers))
    }

    /// Starts some work once there is a thread for it.
    async fn start<T: Send + 'static>(
        &self,
        set: &mut JoinSet<T>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(), ApiError> {
        let permit = Arc::clone(&self.threads).acquire_owned().await.map_err(ApiError::internal)?;
        set.spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        Ok(())
    }
}

/// The entries of a batch, unread.
fn split(json: &Bytes, max_requests: usize) -> Result<Vec<Bytes>, ApiError> {
    let Batch { requests } = body::parse(json)?;
    if requests.found > max_requests {
        let message = format!(
            "the batch has {} requests, at most {max_requests} are accepted; hint: send several batches",
            requests.found
        );
        return Err(ApiError::new(ErrorCode::BatchTooLarge, message).at("requests"));
    }
    Ok(requests.kept.into_iter().map(|entry| json.slice_ref(entry.get().as_bytes())).collect())
}

/// The answers to a chunk, separated by commas, and where the chunk starts.
fn answer(decider: &Decider, entries: &[Bytes], range: Range<usize>) -> (usize, Vec<u8>) {
    let mut json = Vec::new();
    for index in range.clone() {
        if index > range.start {
            json.push(b',');
        }
        if let Err(error) = decider.decide(&entries[index], &mut json) {
            let error = error.in_entry(index);
            error.log(None);
            // An error has no map keys that are not strings, and a Vec takes every byte.
            serde_json::to_writer(&mut json, &error.into_body()).unwrap_or_default();
        }
    }
    (range.start, json)
}

fn assemble(answers: &[(usize, Vec<u8>)]) -> Vec<u8> {
    let mut json = br#"{"object":"list","data":["#.to_vec();
    for (start, answer) in answers {
        if *start > 0 {
            json.push(b',');
        }
        json.extend_from_slice(answer);
    }
    json.extend_from_slice(b"]}");
    json
}

/// No configuration accepts longer batches.
const KEPT: usize = 1 << 16;

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    requests: Entries<&'a RawValue, KEPT>,
}
