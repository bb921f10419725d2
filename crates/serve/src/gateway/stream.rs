//! An upstream's stream, event by event: what of it goes to the client, and how it ends.
//!
//! Whole events are passed on as they came, but for the usage that the client did not ask for. A stream
//! ends well with its terminal event only; one that stops before it is an error, whatever the connection
//! says.

use axum::body::Bytes;
use reqwest::Response;

use super::account::Bill;
use super::attempt::Patience;
use super::failure::Cause;
use super::protocol::{NoAnswer, Shape, Signal, StreamReader};
use super::sse::{Event, Scanner, TooLong};

/// A stream from an upstream.
#[derive(Debug)]
pub(super) struct Stream {
    response: Response,
    scanner: Scanner,
    reader: StreamReader,
    hides_usage: bool,
    /// Events for the client.
    ready: Vec<u8>,
    /// The terminal event, which goes last.
    terminal: Option<Bytes>,
    begun: bool,
    /// Why there is no more.
    failed: Option<Cause>,
}

/// How a stream goes on.
#[derive(Debug)]
pub(super) enum Step {
    /// With events for the client, at least one.
    Events(Bytes),
    /// It is over: its terminal event.
    End(Bytes),
}

impl Stream {
    pub(super) fn new(response: Response, shape: Shape, hides_usage: bool) -> Self {
        Self {
            response,
            scanner: Scanner::default(),
            reader: StreamReader::new(shape),
            hides_usage,
            ready: Vec::new(),
            terminal: None,
            begun: false,
            failed: None,
        }
    }

    /// What it has said of its price so far.
    pub(super) fn bill(&self) -> Bill {
        self.reader.bill()
    }

    /// Reads up to the first token; nothing of it has gone to the client if that does not come.
    pub(super) async fn begin(&mut self, patience: Patience) -> Result<(), Cause> {
        while !self.begun && self.terminal.is_none() {
            if let Some(cause) = self.failed {
                return Err(cause);
            }
            self.pull(patience).await;
        }
        Ok(())
    }

    /// What comes next; what came before a failure goes to the client first.
    pub(super) async fn next(&mut self, patience: Patience) -> Result<Step, Cause> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Step::Events(std::mem::take(&mut self.ready).into()));
            }
            if let Some(terminal) = self.terminal.take() {
                self.drain(patience).await;
                return Ok(Step::End(terminal));
            }
            if let Some(cause) = self.failed {
                return Err(cause);
            }
            self.pull(patience).await;
        }
    }

    /// Takes the next piece.
    async fn pull(&mut self, patience: Patience) {
        self.failed = self.try_pull(patience).await.err();
    }

    async fn try_pull(&mut self, patience: Patience) -> Result<(), Cause> {
        let chunk = patience.chunk(&mut self.response).await?;
        let Some(chunk) = chunk else {
            // The last event may lack the empty line.
            if let Some(event) = self.scanner.finish() {
                self.take(&event)?;
            }
            return if self.terminal.is_some() { Ok(()) } else { Err(Cause::Cut) };
        };
        for event in self.scanner.push(&chunk)? {
            self.take(&event)?;
        }
        Ok(())
    }

    fn take(&mut self, event: &Event) -> Result<(), Cause> {
        let signal = match &event.data {
            Some(_) if self.terminal.is_some() => return Ok(()),
            Some(data) => self.reader.read(data)?,
            None => Signal::Preamble,
        };
        match signal {
            Signal::UsageOnly if self.hides_usage => {}
            Signal::End => self.terminal = Some(event.raw.clone()),
            Signal::Preamble | Signal::UsageOnly => self.ready.extend_from_slice(&event.raw),
            Signal::Content => {
                self.begun = true;
                self.ready.extend_from_slice(&event.raw);
            }
        }
        Ok(())
    }

    /// Reads what follows the end, which is nothing, so that the connection can be used again.
    async fn drain(&mut self, patience: Patience) {
        const FOR_NOTHING: std::time::Duration = std::time::Duration::from_millis(5);
        let rest = patience.within(FOR_NOTHING, Cause::IdleTimeout, self.response.chunk());
        // A connection that does not end is closed instead.
        let _nothing = rest.await;
    }
}

impl From<NoAnswer> for Cause {
    fn from(what: NoAnswer) -> Self {
        match what {
            NoAnswer::Malformed => Self::Malformed,
            NoAnswer::Error => Self::ServerError,
        }
    }
}

impl From<TooLong> for Cause {
    fn from(_: TooLong) -> Self {
        Self::TooLarge
    }
}
