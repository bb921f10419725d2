//! Outcomes that clients report: written, synced and only then acknowledged.
//!
//! Reports wait in a bounded queue for the one thread that writes; all that wait are one group and share
//! one sync. While that is under way, the next group gathers.

use std::borrow::Cow;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use farthing_core::OutcomeBody;
use farthing_core::log::segment::{LineType, OutcomeEvent, write_line};
use tokio::sync::oneshot;

use super::LogError;
use super::segments::{Group, Segments};
use crate::ErrorCode;
use crate::clock::{Clock, rfc3339};
use crate::error::{ApiError, chain};
use crate::metrics::Metrics;

/// A group is not made longer than this.
const GROUP_BYTES: usize = 4 << 20;
/// Calls that may wait for the disk; more are refused. The lines of one take about 300 kilobytes, and
/// four megabytes where every name has its greatest length and every byte of it is escaped.
const WAITING_CALLS: usize = 512;
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
    Close,
}

/// Where handlers leave reports.
#[derive(Debug, Clone)]
pub(crate) struct OutcomeLog {
    queue: SyncSender<Command>,
    clock: Clock,
    metrics: Metrics,
}

/// What reaches the thread that writes.
#[derive(Debug)]
pub(super) struct Reports(Receiver<Command>);

/// The two ends of the queue.
pub(super) fn channel(clock: Clock, metrics: Metrics) -> (OutcomeLog, Reports) {
    let (queue, commands) = mpsc::sync_channel(WAITING_CALLS);
    (OutcomeLog { queue, clock, metrics }, Reports(commands))
}

impl OutcomeLog {
    /// Writes checked reports; they are on disk when this returns without an error.
    pub(crate) async fn write(&self, outcomes: &[OutcomeBody]) -> Result<(), ApiError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let received = rfc3339(self.clock.now());
        let mut lines = Vec::new();
        for outcome in outcomes {
            let event = OutcomeEvent {
                received: received.as_str().into(),
                outcome: Cow::Borrowed(outcome),
            };
            write_line(LineType::Outcome, &event, &mut lines);
        }
        let (done, written) = oneshot::channel();
        if self.queue.try_send(Command::Write(Report { lines, done })).is_err() {
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
    /// Whether the last group failed: only the first failure in a row is logged.
    failing: bool,
}

impl OutcomeWriter {
    pub(super) fn new(reports: Reports, segments: Segments, clock: Clock) -> Self {
        Self { reports, segments, clock, failing: false }
    }

    /// Writes until the log is closed.
    pub(super) fn run(mut self) -> Result<(), LogError> {
        let mut group = Group::default();
        let mut waiting = Vec::new();
        loop {
            let mut open = true;
            let mut command = self.wait();
            while let Some(next) = command {
                match next {
                    Command::Write(Report { lines, done }) => {
                        group.lines.extend_from_slice(&lines);
                        waiting.push(done);
                    }
                    Command::Close => open = false,
                }
                let room = open && group.lines.len() < GROUP_BYTES;
                command = if room { self.reports.0.try_recv().ok() } else { None };
            }
            self.commit(&mut group, &mut waiting);
            if !open {
                return self.segments.seal();
            }
            if let Err(error) = self.segments.rotate(self.clock.now()) {
                tracing::error!("a segment stays unsealed: {}", chain(&error));
            }
        }
    }

    /// The next command; `None` where an open segment is to be looked at.
    fn wait(&self) -> Option<Command> {
        if !self.segments.is_open() {
            return Some(self.reports.0.recv().unwrap_or(Command::Close));
        }
        match self.reports.0.recv_timeout(AGE_PERIOD) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Command::Close),
        }
    }

    fn commit(&mut self, group: &mut Group, waiting: &mut Vec<oneshot::Sender<bool>>) {
        if waiting.is_empty() {
            return;
        }
        let written = self.segments.append(group, self.clock.now());
        if let (Err(error), false) = (&written, self.failing) {
            tracing::error!("outcomes are refused: {}", chain(error));
        }
        self.failing = written.is_err();
        for done in waiting.drain(..) {
            // Whoever asked may have gone.
            done.send(written.is_ok()).unwrap_or_default();
        }
        group.lines.clear();
    }
}
