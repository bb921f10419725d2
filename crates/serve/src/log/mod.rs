//! The log: decisions on their way from requests to files, and outcomes that clients report.
//!
//! A request hands what it has to a bounded queue and goes on; where the queue is full the row is
//! dropped and counted. Two threads write, one for decisions and one for outcomes: what came since the
//! last time is written and synced as one group. `segments` knows the files, `run` what a server that
//! died has left, `encode` what a row holds.

mod encode;
mod error;
mod outcomes;
mod retention;
mod run;
mod segments;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use uuid::Uuid;

use crate::clock::{Clock, rfc3339};
use crate::config::LogConfig;
use crate::metrics::{DropCause, Metrics};
pub(crate) use encode::Entry;
pub use error::LogError;
pub(crate) use outcomes::OutcomeLog;
use outcomes::OutcomeWriter;
use run::{Died, Run, RunFile, recover};
use segments::{Kind, Segments, sync_dir};
use writer::{Numbered, Queue, Writer, margin};

/// Where requests leave their rows.
#[derive(Debug, Clone)]
pub(crate) struct DecisionLog {
    queue: mpsc::Sender<Numbered>,
    counts: Arc<Counts>,
    metrics: Metrics,
}

/// What requests and the writer count together.
#[derive(Debug, Default)]
struct Counts {
    /// The number of the next decision.
    next: AtomicU64,
    /// Memory that the rows that wait take.
    waiting_bytes: AtomicUsize,
}

/// Rows that wait take no more memory than this, in bytes, however few they are.
const WAITING_BYTES: usize = 64 << 20;

impl DecisionLog {
    /// Leaves a row. Never waits, and wakes nobody: the writer looks by itself. A row that finds no
    /// room is dropped and counted.
    pub(crate) fn push(&self, entry: Entry) {
        let seq = self.counts.next.fetch_add(1, Ordering::Relaxed);
        let waiting = &self.counts.waiting_bytes;
        let bytes = entry.bytes();
        let fits =
            waiting.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) <= WAITING_BYTES;
        if !fits || self.queue.try_send(Numbered { seq, bytes, entry }).is_err() {
            waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.metrics.rows_dropped(DropCause::QueueFull, 1);
        }
    }

    /// Rows that wait.
    pub(crate) fn queued_rows(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) decisions: DecisionLog,
    pub(crate) outcomes: OutcomeLog,
    pub(crate) writers: Writers,
}

/// The threads that write.
#[derive(Debug)]
pub(crate) struct Writers {
    stop: Arc<AtomicBool>,
    decisions: JoinHandle<Result<RunFile, LogError>>,
    outcomes: JoinHandle<Result<(), LogError>>,
    outcome_log: OutcomeLog,
}

/// Opens the log, sees to what earlier runs have left and starts the threads that write.
pub(crate) fn start(
    config: &LogConfig,
    run: Uuid,
    clock: &Clock,
    metrics: &Metrics,
) -> Result<Log, LogError> {
    create_folder(&config.dir)?;
    report(&recover(&config.dir)?, metrics);
    let run = Run::new(run, rfc3339(clock.now()));
    let queue_rows = config.queue_rows.max(1);
    let file = RunFile::create(&config.dir, &run, queue_rows as u64, margin(config))?;

    let (sender, rows) = mpsc::channel(queue_rows);
    let (stop, counts) = (Arc::new(AtomicBool::new(false)), Arc::new(Counts::default()));
    let queue = Queue { rows, counts: Arc::clone(&counts), stop: Arc::clone(&stop) };
    let writer = Writer::new(config, &run, file, queue, (clock.clone(), metrics.clone()));
    let decisions = spawn("farthing-log", move || writer.run())?;

    let (outcome_log, reports) = outcomes::channel(clock.clone(), metrics.clone());
    let segments = Segments::new(Kind::Outcomes, config, run);
    let writer = OutcomeWriter::new(reports, segments, clock.clone(), metrics.clone());
    let outcomes = spawn("farthing-outcomes", move || writer.run())?;

    Ok(Log {
        decisions: DecisionLog { queue: sender, counts, metrics: metrics.clone() },
        outcomes: outcome_log.clone(),
        writers: Writers { stop, decisions, outcomes, outcome_log },
    })
}

/// Makes the folder, on disk when this returns.
fn create_folder(dir: &Path) -> Result<(), LogError> {
    std::fs::create_dir_all(dir).map_err(LogError::folder(dir))?;
    let place = dir.canonicalize().map_err(LogError::folder(dir))?;
    place.parent().map_or(Ok(()), sync_dir)
}

impl Writers {
    /// Waits until everything left so far is written and sealed; blocks. What is left later is dropped
    /// or refused.
    pub(crate) fn finish(self) -> Result<(), LogError> {
        self.stop.store(true, Ordering::Release);
        self.decisions.thread().unpark();
        self.outcome_log.close();
        let decisions = self.decisions.join().unwrap_or(Err(LogError::Writer));
        let outcomes = self.outcomes.join().unwrap_or(Err(LogError::Writer));
        // Where either has failed, the next start sees to what is left.
        outcomes.and(decisions)?.remove()
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, LogError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(LogError::Thread)
}

/// Says what runs that died may have lost.
fn report(died: &[Died], metrics: &Metrics) {
    for Died { run, began, rebooted, missing, lost_at_most, torn } in died {
        let how = if *rebooted { "with its machine, as it seems" } else { "alone" };
        tracing::warn!(
            "the server run {run} of {began} ended, {how}, without finishing its log: at least {missing} and \
             at most {lost_at_most} decision rows are missing, and {torn} lines are cut short or damaged; \
             its segments are sealed"
        );
    }
    let sum = |rows: fn(&Died) -> u64| died.iter().map(rows).sum();
    metrics.rows_lost(sum(|died| died.missing), sum(|died| died.lost_at_most));
}
