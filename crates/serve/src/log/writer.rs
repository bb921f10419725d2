//! The thread that writes decisions: looks at the queue, encodes what is there, sleeps a moment, and once
//! an interval writes and syncs what it has as one group and sees to the segments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::encode::{Encoder, Entry};
use super::run::{Run, RunFile};
use super::segments::{Group, Kind, Segments};
use super::{Counts, LogError, retention};
use crate::clock::Clock;
use crate::config::LogConfig;
use crate::error::chain;
use crate::metrics::{DropCause, Metrics};

/// A group is not made longer than this: prompts may be stored whole.
const GROUP_BYTES: usize = 4 << 20;
/// While rows come they are encoded so often: hundreds at once would keep a core from requests that are
/// answered in microseconds.
const ROUND: Duration = Duration::from_millis(1);
/// How often the limits on what is kept are looked at where no segment is sealed.
const RETENTION_PERIOD: Duration = Duration::from_mins(1);
/// Decisions are promised to stay below a number at least so many queues ahead.
const QUEUES_AHEAD: u64 = 4;

/// A row with the number of its decision.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) seq: u64,
    /// Memory that it was counted with.
    pub(super) bytes: usize,
    pub(super) entry: Entry,
}

/// How far ahead of the decisions made numbers are promised.
///
/// A promise is renewed when half of it is left. Numbers can run out only while the disk does not answer
/// for as long as it takes to fill the queue twice.
pub(super) fn margin(config: &LogConfig) -> u64 {
    QUEUES_AHEAD.saturating_mul(config.queue_rows.max(1) as u64)
}

/// Where rows come from.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) rows: mpsc::Receiver<Numbered>,
    pub(super) counts: Arc<Counts>,
    /// Set once no more rows are due.
    pub(super) stop: Arc<AtomicBool>,
}

/// What the thread works with.
pub(super) struct Writer {
    config: LogConfig,
    queue: Queue,
    encoder: Encoder,
    segments: Segments,
    file: RunFile,
    clock: Clock,
    metrics: Metrics,
    group: Group,
    rows: u64,
    /// Every decision with a smaller number is written or lost.
    written_to: u64,
    /// Whether the last attempt to write failed: only the first failure in a row is logged.
    failing: bool,
    looked: Instant,
    /// When the last group was written.
    committed: Instant,
}

impl Writer {
    pub(super) fn new(
        config: &LogConfig,
        run: &Run,
        file: RunFile,
        queue: Queue,
        (clock, metrics): (Clock, Metrics),
    ) -> Self {
        Self {
            config: config.clone(),
            queue,
            encoder: Encoder::new(run.clone(), config.prompts),
            segments: Segments::new(Kind::Decisions, config, run.clone()),
            file,
            clock,
            metrics,
            group: Group::default(),
            rows: 0,
            written_to: 0,
            failing: false,
            looked: Instant::now(),
            committed: Instant::now(),
        }
    }

    /// Writes until it is told to stop, and then what is left; gives the file of the run back.
    pub(super) fn run(mut self) -> Result<RunFile, LogError> {
        self.enforce_limits();
        let interval = self.config.commit_interval;
        loop {
            let stop = self.queue.stop.load(Ordering::Acquire);
            let came = self.encode_waiting();
            if stop || self.committed.elapsed() >= interval {
                self.commit();
                self.keep_promise(self.file.sealed_to());
                self.rotate();
            }
            if stop {
                return self.segments.seal().map(|()| self.file);
            }
            let rest = interval.saturating_sub(self.committed.elapsed());
            thread::park_timeout(if came { rest.min(ROUND) } else { rest });
        }
    }

    /// Adds what waits to the group; whether there was something.
    fn encode_waiting(&mut self) -> bool {
        let before = self.written_to;
        while let Ok(Numbered { seq, bytes, entry }) = self.queue.rows.try_recv() {
            self.note_numbers(seq);
            self.encoder.add(&entry, seq, &mut self.group);
            self.queue.counts.waiting_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.rows += 1;
            self.written_to = self.written_to.max(seq.saturating_add(1));
            if self.group.lines.len() >= GROUP_BYTES {
                self.commit();
            }
        }
        self.written_to > before
    }

    /// Notes which numbers are given out before a row beyond the last note is worked on: of the rows
    /// that a kill can lose, those with other numbers are then all in the queue.
    fn note_numbers(&mut self, seq: u64) {
        if seq >= self.file.next() {
            let noted = self.file.note(self.queue.counts.next.load(Ordering::Relaxed));
            self.note(noted, "the log cannot say how much a crash would lose");
        }
    }

    /// Writes and syncs the group; one that cannot be written is lost and counted.
    fn commit(&mut self) {
        self.committed = Instant::now();
        if self.rows == 0 {
            return;
        }
        let written = self.segments.append(&self.group, self.clock.now());
        match written {
            Ok(()) => self.metrics.rows_written(self.rows),
            Err(_) => self.metrics.rows_dropped(DropCause::WriteFailed, self.rows),
        }
        self.note(written, "decision rows are lost");
        self.rows = 0;
        self.group.lines.clear();
        self.group.routers.clear();
        self.group.first_seq = self.written_to;
    }

    /// Promises more numbers where fewer than half of the margin are left.
    fn keep_promise(&mut self, sealed_to: u64) {
        let next = self.queue.counts.next.load(Ordering::Relaxed);
        let margin = margin(&self.config);
        let sealed_more = sealed_to > self.file.sealed_to();
        if sealed_more || self.file.reserved().saturating_sub(next) < margin / 2 {
            let kept = self.file.reserve(sealed_to, next.saturating_add(margin));
            self.note(kept, "the log cannot say how much a crash would lose");
        }
    }

    fn rotate(&mut self) {
        match self.segments.rotate(self.clock.now()) {
            Ok(true) => {
                self.keep_promise(self.written_to);
                self.enforce_limits();
            }
            Ok(false) if self.looked.elapsed() > RETENTION_PERIOD => self.enforce_limits(),
            Ok(false) => {}
            Err(error) => self.note(Err(error), "a segment stays unsealed"),
        }
    }

    fn enforce_limits(&mut self) {
        self.looked = Instant::now();
        match retention::enforce(&self.config, self.clock.now()) {
            Ok(deleted) => self.metrics.segments_deleted(deleted),
            Err(error) => self.note(Err(error), "nothing is deleted"),
        }
    }

    /// Logs a failure unless the last attempt failed too.
    fn note(&mut self, result: Result<(), LogError>, consequence: &str) {
        match result {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !self.failing {
                    tracing::error!("{consequence}: {}", chain(&error));
                }
                self.failing = true;
            }
        }
    }
}
