//! Outcomes that clients report: written, synced and only then acknowledged.
//!
//! Reports wait in a bounded queue for the one thread that writes; all that wait are one group and share
//! one sync. While that is under way, the next group gathers.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use farthing_core::OutcomeBody;
use farthing_core::log::segment::{LineType, OutcomeEvent, write_line};
use tokio::sync::oneshot;

use super::LogError;
use super::segments::{Group, Segments};
use crate::ErrorCode;
use crate::clock::{Clock, rfc3339};
use crate::error::{ApiError, chain};
use crate::metrics::{DropCause, Metrics};

/// A group is not made longer than this.
const GROUP_BYTES: usize = 4 << 20;
/// Calls that may wait for the disk; more are refused. The lines of one take about 300 kilobytes, and
/// four megabytes where every name has its greatest length and every byte of it is escaped.
const WAITING_CALLS: usize = 512;
/// Notes that may wait; more are dropped and counted. The line of one takes less than a kilobyte.
const WAITING_NOTES: u64 = 16_384;
/// Notes alone are written and synced as one group, at most this long after the first came.
const NOTE_INTERVAL: Duration = Duration::from_millis(20);
/// How often the age of an open segment is looked at while nothing comes.
const AGE_PERIOD: Duration = Duration::from_secs(1);

/// Lines, and who waits for them.
#[derive(Debug)]
struct Report {
    lines: Vec<u8>,
    /// Told whether they are on disk.
    done: oneshot::Sender<bool>,
}

#[derive(Debug)]
enum Command {
    Write(Report),
    /// There are notes.
    Notes,
    Close,
}

/// Lines for which nobody waits. They are left here and not in the queue, where each would wake the thread
/// that writes.
#[derive(Debug, Default)]
struct Notes {
    lines: Vec<u8>,
    count: u64,
}

/// Where handlers leave reports.
#[derive(Debug, Clone)]
pub(crate) struct OutcomeLog {
    queue: SyncSender<Command>,
    /// Calls in the queue.
    calls: Arc<AtomicUsize>,
    notes: Arc<Mutex<Notes>>,
    clock: Clock,
    metrics: Metrics,
}

/// What reaches the thread that writes.
#[derive(Debug)]
pub(super) struct Reports {
    commands: Receiver<Command>,
    calls: Arc<AtomicUsize>,
    notes: Arc<Mutex<Notes>>,
}

/// The two ends of the queue.
pub(super) fn channel(clock: Clock, metrics: Metrics) -> (OutcomeLog, Reports) {
    // There is always room to say that there are notes: it is said once until they are taken.
    let (queue, commands) = mpsc::sync_channel(WAITING_CALLS + 2);
    let (calls, notes) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::default()));
    let reports = Reports { commands, calls: Arc::clone(&calls), notes: Arc::clone(&notes) };
    (OutcomeLog { queue, calls, notes, clock, metrics }, reports)
}

impl OutcomeLog {
    /// Writes checked reports; they are on disk when this returns without an error.
    pub(crate) async fn write(&self, outcomes: &[OutcomeBody]) -> Result<(), ApiError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let lines = self.lines(outcomes);
        let (done, written) = oneshot::channel();
        let fits = self.calls.fetch_add(1, Relaxed) < WAITING_CALLS;
        if !fits || self.queue.try_send(Command::Write(Report { lines, done })).is_err() {
            self.calls.fetch_sub(1, Relaxed);
            let message = "too many outcomes wait for the disk; hint: send them again in a second";
            return Err(ApiError::new(ErrorCode::Overloaded, message));
        }
        if written.await == Ok(true) {
            self.metrics.outcomes_accepted(outcomes.len() as u64);
            return Ok(());
        }
        // The cause is logged where it happened.
        let message = "the outcomes could not be written; hint: send them again in a second";
        Err(ApiError::new(ErrorCode::LogFailed, message))
    }

    /// Leaves what the gateway knows of an answer, if it knows anything. Never waits; a row that finds no
    /// room is dropped and counted.
    pub(crate) fn note(&self, outcome: OutcomeBody) {
        if outcome.check().is_err() {
            return;
        }
        let line = self.lines(&[outcome]);
        // Lines are added to it and taken, and nothing else is done.
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.count >= WAITING_NOTES {
            drop(notes);
            return self.metrics.rows_dropped(DropCause::QueueFull, 1);
        }
        notes.lines.extend_from_slice(&line);
        notes.count += 1;
        let is_first = notes.count == 1;
        drop(notes);
        if is_first {
            // The thread is gone where this fails, and whoever ended it has seen why.
            self.queue.try_send(Command::Notes).unwrap_or_default();
        }
    }

    fn lines(&self, outcomes: &[OutcomeBody]) -> Vec<u8> {
        let received = rfc3339(self.clock.now());
        let mut lines = Vec::new();
        for outcome in outcomes {
            let event = OutcomeEvent {
                received: received.as_str().into(),
                outcome: Cow::Borrowed(outcome),
            };
            write_line(LineType::Outcome, &event, &mut lines);
        }
        lines
    }

    /// Asks the thread to end; blocks while the queue is full.
    pub(super) fn close(&self) {
        // It is gone already where this fails.
        self.queue.send(Command::Close).unwrap_or_default();
    }
}

/// The thread that writes.
pub(super) struct OutcomeWriter {
    reports: Reports,
    segments: Segments,
    clock: Clock,
    metrics: Metrics,
    /// Whether the last group failed: only the first failure in a row is logged.
    failing: bool,
}

impl OutcomeWriter {
    pub(super) fn new(
        reports: Reports,
        segments: Segments,
        clock: Clock,
        metrics: Metrics,
    ) -> Self {
        Self { reports, segments, clock, metrics, failing: false }
    }

    /// Writes until the log is closed.
    pub(super) fn run(mut self) -> Result<(), LogError> {
        let mut group = Group::default();
        let mut waiting = Vec::new();
        loop {
            let mut open = true;
            let mut command = self.wait();
            let began = Instant::now();
            while let Some(next) = command {
                match next {
                    Command::Write(Report { lines, done }) => {
                        self.reports.calls.fetch_sub(1, Relaxed);
                        group.lines.extend_from_slice(&lines);
                        waiting.push(done);
                    }
                    Command::Notes => {}
                    Command::Close => open = false,
                }
                let room = open && group.lines.len() < GROUP_BYTES;
                // Where nobody waits for the disk, there is time for a larger group.
                let patience = NOTE_INTERVAL.saturating_sub(began.elapsed());
                let patience = if waiting.is_empty() { patience } else { Duration::ZERO };
                command =
                    if room { self.reports.commands.recv_timeout(patience).ok() } else { None };
            }
            let notes = self.take_notes(&mut group);
            self.commit(&mut group, &mut waiting, notes);
            if !open {
                return self.segments.seal();
            }
            if let Err(error) = self.segments.rotate(self.clock.now()) {
                tracing::error!("a segment stays unsealed: {}", chain(&error));
            }
        }
    }

    /// Adds what was left to the group; how many lines.
    fn take_notes(&self, group: &mut Group) -> u64 {
        let mut notes = self.reports.notes.lock().unwrap_or_else(PoisonError::into_inner);
        group.lines.extend_from_slice(&notes.lines);
        notes.lines.clear();
        std::mem::take(&mut notes.count)
    }

    /// The next command; `None` where an open segment is to be looked at.
    fn wait(&self) -> Option<Command> {
        if !self.segments.is_open() {
            return Some(self.reports.commands.recv().unwrap_or(Command::Close));
        }
        match self.reports.commands.recv_timeout(AGE_PERIOD) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
        }
    }

    fn commit(&mut self, group: &mut Group, waiting: &mut Vec<oneshot::Sender<bool>>, notes: u64) {
        if group.lines.is_empty() {
            return;
        }
        let written = self.segments.append(group, self.clock.now());
        if let (Err(error), false) = (&written, self.failing) {
            tracing::error!("outcomes are refused: {}", chain(error));
        }
        self.failing = written.is_err();
        if self.failing {
            self.metrics.rows_dropped(DropCause::WriteFailed, notes);
        }
        for done in waiting.drain(..) {
            // Whoever asked may have gone.
            done.send(written.is_ok()).unwrap_or_default();
        }
        group.lines.clear();
    }
}
