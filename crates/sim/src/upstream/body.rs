//! The body of an answer: bytes at once, or steps with waits, stalls and a cut between them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::Sleep;

use super::received::Note;

/// What `Step::Fill` sends at a time.
const SLAB: &[u8] = &[b'x'; 1 << 16];

/// What is sent, and when.
#[derive(Debug)]
pub(super) enum Content {
    /// All at once, with its length in the head.
    Whole(Bytes),
    /// One step after the other, in chunks.
    Steps(VecDeque<Step>),
}

impl Content {
    pub(super) fn steps(steps: impl IntoIterator<Item = Step>) -> Self {
        Self::Steps(steps.into_iter().collect())
    }
}

/// One step of a body. The end of the steps is the end of the body.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Send(Bytes),
    /// So many bytes of the letter x.
    Fill(usize),
    Wait(Duration),
    /// Nothing more, and no end.
    Stall,
    /// The connection closes in the middle of the body.
    Cut,
}

/// Content on its way to a client.
pub(super) struct Sending {
    content: Content,
    waiting: Option<Pin<Box<Sleep>>>,
    note: Note,
}

impl Sending {
    pub(super) fn new(content: Content, note: Note) -> Self {
        if matches!(&content, Content::Whole(bytes) if bytes.is_empty()) {
            // Nobody asks an empty body for anything.
            note.whole();
        }
        Self { content, waiting: None, note }
    }
}

/// The end of a body that was meant to be cut off; hyper then closes the connection.
#[derive(Debug)]
pub(super) struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scenario cuts this answer off")
    }
}

impl std::error::Error for CutOff {}

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

type Sent = Option<Result<Frame<Bytes>, CutOff>>;

impl Sending {
    /// The next bytes of the steps, or their end.
    fn step(
        steps: &mut VecDeque<Step>,
        waiting: &mut Option<Pin<Box<Sleep>>>,
        cx: &mut Context<'_>,
    ) -> Poll<Sent> {
        loop {
            if let Some(sleep) = waiting {
                ready!(sleep.as_mut().poll(cx));
                *waiting = None;
            }
            match steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Send(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Fill(0)) => {}
                Some(Step::Fill(left)) => {
                    let now = left.min(SLAB.len());
                    steps.push_front(Step::Fill(left - now));
                    return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&SLAB[..now])))));
                }
                Some(Step::Wait(time)) => *waiting = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Stall) => {
                    steps.push_front(Step::Stall);
                    return Poll::Pending;
                }
                Some(Step::Cut) => return Poll::Ready(Some(Err(CutOff))),
            }
        }
    }
}

impl Body for Sending {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Sent> {
        let Self { content, waiting, note } = &mut *self;
        match content {
            Content::Whole(bytes) => {
                note.whole();
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Content::Steps(steps) => {
                let sent = ready!(Self::step(steps, waiting, cx));
                if !matches!(sent, Some(Ok(_))) || steps.is_empty() {
                    note.whole();
                }
                Poll::Ready(sent)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Steps(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Steps(_) => SizeHint::default(),
        }
    }
}
