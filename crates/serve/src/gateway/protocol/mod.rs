//! The wire shapes, and what an answer in one of them says.
//!
//! Only what a gateway needs is read: tokens, whether a stream is at its end, whether it has begun, and
//! whether an answer is an error. Everything else passes through unread.

mod stream;
mod usage;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub(super) use stream::{Signal, StreamReader};
use usage::RawUsage;

use super::account::Bill;
use crate::config::Protocol;

/// What a request and its answer look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// OpenAI's embeddings.
    Embeddings,
    /// Anthropic's messages.
    Messages,
}

impl Shape {
    pub(super) const ALL: [Self; 4] =
        [Self::Chat, Self::Responses, Self::Embeddings, Self::Messages];

    /// The last part of its path.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Chat => "chat/completions",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
        }
    }

    /// What an upstream has to speak.
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Chat | Self::Responses | Self::Embeddings => Protocol::OpenAi,
            Self::Messages => Protocol::Anthropic,
        }
    }

    /// Whether a router can choose who answers: there is a conversation to read.
    pub(super) fn is_routed(self) -> bool {
        matches!(self, Self::Chat | Self::Messages)
    }
}

/// An answer that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Not of the protocol.
    Malformed,
    /// An error in a good status.
    Error,
}

#[derive(Deserialize)]
struct Whole<'a> {
    #[serde(borrow)]
    usage: Option<RawUsage<'a>>,
    error: Option<IgnoredAny>,
    choices: Option<IgnoredAny>,
    output: Option<IgnoredAny>,
    data: Option<IgnoredAny>,
    content: Option<IgnoredAny>,
}

/// What a whole answer says of its price.
pub(super) fn bill_of(shape: Shape, json: &[u8]) -> Result<Bill, NoAnswer> {
    let whole: Whole<'_> = serde_json::from_slice(json).map_err(|_| NoAnswer::Malformed)?;
    let content = match shape {
        Shape::Chat => whole.choices,
        Shape::Responses => whole.output,
        Shape::Embeddings => whole.data,
        Shape::Messages => whole.content,
    };
    match (content, whole.error) {
        (Some(_), _) => Ok(whole.usage.map(|usage| usage.bill(shape)).unwrap_or_default()),
        (None, Some(_)) => Err(NoAnswer::Error),
        (None, None) => Err(NoAnswer::Malformed),
    }
}

#[cfg(test)]
mod tests;
