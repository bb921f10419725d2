//! The decision log: rows on their way from requests to files.
//!
//! A request hands its row to a bounded queue and goes on; where the queue is full the row is dropped
//! and counted. One writer takes what waits, writes it as a group and syncs on rotation and at the
//! end. Files are the business of `segments`.

mod segments;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use farthing_core::Digest;
use farthing_core::log::{DecisionRow, SCHEMA_VERSION};
use farthing_model::Decided;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use crate::clock::{Clock, rfc3339};
use crate::config::LogConfig;
use crate::loaded::Loaded;
use crate::metrics::Metrics;
use segments::Segments;

/// Most rows that are written as one group.
const GROUP_ROWS: usize = 512;

/// Why the decision log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder cannot be made.
    #[error("cannot create the log folder `{}`; hint: give another one with `--log`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A segment cannot be created.
    #[error("cannot create the log segment `{}`; hint: check the folder's permissions", path.display())]
    Create {
        /// The segment.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A segment cannot be written or synced.
    #[error("cannot write the log segment `{}`; hint: check the space on its disk", path.display())]
    Write {
        /// The segment.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The writer panicked.
    #[error("the log writer failed")]
    Writer(#[source] JoinError),
}

/// What a row is made of; made by the writer, off the request's path.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: SystemTime,
    pub(crate) loaded: Arc<Loaded>,
    pub(crate) decided: Decided,
    pub(crate) id: Uuid,
    pub(crate) decision_us: f64,
    pub(crate) request_digest: Digest,
}

impl Entry {
    fn row(&self) -> DecisionRow<'_> {
        let Self { at, loaded, decided, id, decision_us, request_digest } = self;
        DecisionRow {
            schema_version: SCHEMA_VERSION,
            timestamp: rfc3339(*at),
            policy_digest: loaded.policy_digest(&decided.policy),
            request_digest: request_digest.clone(),
            decision: decided.decision(&loaded.router, id.to_string(), *decision_us, true),
        }
    }
}

#[derive(Debug)]
enum Command {
    Write(Box<Entry>),
    /// Write what came before, sync and end.
    Close,
}

/// Where requests leave their rows.
#[derive(Debug, Clone)]
pub(crate) struct DecisionLog {
    queue: mpsc::Sender<Command>,
    metrics: Metrics,
}

impl DecisionLog {
    /// Opens the log and starts its writer.
    pub(crate) fn start(
        config: &LogConfig,
        clock: Clock,
        metrics: Metrics,
    ) -> Result<(Self, WriterTask), LogError> {
        let segments = Segments::open(config, clock)?;
        let (queue, commands) = mpsc::channel(config.queue_rows.max(1));
        let writer = Writer { commands, segments, metrics: metrics.clone() };
        let task = tokio::task::spawn_blocking(move || writer.run());
        Ok((Self { queue: queue.clone(), metrics }, WriterTask { queue, task }))
    }

    /// Leaves a row. Never waits: a row that finds no room is dropped and counted.
    pub(crate) fn push(&self, entry: Entry) {
        if self.queue.try_send(Command::Write(Box::new(entry))).is_err() {
            self.metrics.rows_dropped(1);
        }
    }

    /// Rows that wait.
    pub(crate) fn queued_rows(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// The running writer.
#[derive(Debug)]
pub(crate) struct WriterTask {
    queue: mpsc::Sender<Command>,
    task: JoinHandle<Result<(), LogError>>,
}

impl WriterTask {
    /// Waits until every row left so far is written and synced. Rows left later are dropped.
    pub(crate) async fn finish(self) -> Result<(), LogError> {
        // The queue is closed only where the writer has ended, and then the join says why.
        let _closed = self.queue.send(Command::Close).await;
        self.task.await.map_err(LogError::Writer)?
    }
}

struct Writer {
    commands: mpsc::Receiver<Command>,
    segments: Segments,
    metrics: Metrics,
}

impl Writer {
    /// Writes until the log is closed, or nobody is left who could write to it.
    fn run(mut self) -> Result<(), LogError> {
        let mut commands = Vec::with_capacity(GROUP_ROWS);
        let mut group = Vec::new();
        loop {
            let received = self.commands.blocking_recv_many(&mut commands, GROUP_ROWS);
            let mut rows = 0;
            let mut last = received == 0;
            for command in commands.drain(..) {
                match command {
                    Command::Write(entry) => rows += self.encode(&entry, &mut group),
                    Command::Close => last = true,
                }
            }
            self.write(&mut group, rows);
            if last {
                return self.segments.finish();
            }
        }
    }

    /// Adds a row to the group; the number of rows added.
    fn encode(&self, entry: &Entry, group: &mut Vec<u8>) -> u64 {
        let start = group.len();
        match serde_json::to_writer(&mut *group, &entry.row()) {
            Ok(()) => {
                group.push(b'\n');
                1
            }
            Err(error) => {
                group.truncate(start);
                self.metrics.rows_dropped(1);
                tracing::error!("cannot encode a decision row: {error}");
                0
            }
        }
    }

    /// A group that cannot be written is lost and counted; the next one starts a new segment.
    fn write(&mut self, group: &mut Vec<u8>, rows: u64) {
        if group.is_empty() {
            return;
        }
        match self.segments.append(group) {
            Ok(()) => self.metrics.rows_written(rows),
            Err(error) => {
                self.metrics.rows_dropped(rows);
                tracing::error!(rows, "{}", crate::error::chain(&error));
            }
        }
        group.clear();
    }
}
