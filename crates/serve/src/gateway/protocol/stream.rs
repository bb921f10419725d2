//! What the events of a stream mean.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::usage::RawUsage;
use super::{NoAnswer, Shape};
use crate::gateway::account::Bill;

/// What an event means to a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gateway) enum Signal {
    /// Nothing yet: a role, a ping, metadata.
    Preamble,
    /// Part of the answer.
    Content,
    /// Usage and nothing else: what a client did not ask for need not reach it.
    UsageOnly,
    /// The end.
    End,
}

/// Reads a stream, event by event.
#[derive(Debug)]
pub(in crate::gateway) struct StreamReader {
    shape: Shape,
    bill: Bill,
}

#[derive(Deserialize)]
struct ChatChunk<'a> {
    #[serde(borrow)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow)]
    usage: Option<RawUsage<'a>>,
    #[serde(borrow)]
    x_groq: Option<Groq<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    finish_reason: Option<IgnoredAny>,
    /// Of the older completions.
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    tool_calls: Option<IgnoredAny>,
    function_call: Option<IgnoredAny>,
    refusal: Option<IgnoredAny>,
    reasoning: Option<IgnoredAny>,
    reasoning_content: Option<IgnoredAny>,
    audio: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Groq<'a> {
    #[serde(borrow)]
    usage: Option<RawUsage<'a>>,
}

/// Events of the responses and messages protocols name their type.
#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a str>,
    #[serde(borrow)]
    response: Option<Inner<'a>>,
    #[serde(borrow)]
    message: Option<Inner<'a>>,
    #[serde(borrow)]
    usage: Option<RawUsage<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    usage: Option<RawUsage<'a>>,
}

impl StreamReader {
    pub(in crate::gateway) fn new(shape: Shape) -> Self {
        Self { shape, bill: Bill::default() }
    }

    /// What the stream has said of its price so far.
    pub(in crate::gateway) fn bill(&self) -> Bill {
        self.bill
    }

    /// Takes the data of an event.
    pub(in crate::gateway) fn read(&mut self, data: &[u8]) -> Result<Signal, NoAnswer> {
        match self.shape {
            Shape::Chat | Shape::Embeddings => self.chat(data),
            Shape::Responses | Shape::Messages => self.typed(data),
        }
    }

    fn chat(&mut self, data: &[u8]) -> Result<Signal, NoAnswer> {
        if data.trim_ascii() == b"[DONE]" {
            return Ok(Signal::End);
        }
        let chunk: ChatChunk<'_> = serde_json::from_slice(data).map_err(|_| NoAnswer::Malformed)?;
        if chunk.error.is_some() {
            return Err(NoAnswer::Error);
        }
        // Usage is cumulative: what comes later replaces what came before.
        let groq = chunk.x_groq.and_then(|groq| groq.usage);
        let has_usage = chunk.usage.is_some();
        if let Some(usage) = chunk.usage.or(groq) {
            self.learn(&usage);
        }
        let choices = chunk.choices.unwrap_or_default();
        if choices.is_empty() && has_usage {
            return Ok(Signal::UsageOnly);
        }
        let says = choices.iter().any(Choice::says_something);
        Ok(if says { Signal::Content } else { Signal::Preamble })
    }

    fn typed(&mut self, data: &[u8]) -> Result<Signal, NoAnswer> {
        let event: Typed<'_> = serde_json::from_slice(data).map_err(|_| NoAnswer::Malformed)?;
        let inner = event.response.and_then(|inner| inner.usage);
        let inner = inner.or(event.message.and_then(|inner| inner.usage));
        for usage in [inner, event.usage].into_iter().flatten() {
            self.learn(&usage);
        }
        match event.kind {
            Some("error" | "response.failed") => Err(NoAnswer::Error),
            Some("message_stop" | "response.completed" | "response.incomplete") => Ok(Signal::End),
            Some(kind) if kind.ends_with("delta") => Ok(Signal::Content),
            _ if event.error.is_some() => Err(NoAnswer::Error),
            _ => Ok(Signal::Preamble),
        }
    }

    /// What is said later counts, and what is not said again still holds: Anthropic tells of the input
    /// first and of the output last.
    fn learn(&mut self, usage: &RawUsage<'_>) {
        let Bill { usage: Some(new), billed_usd } = usage.bill(self.shape) else { return };
        let mut known = self.bill.usage.unwrap_or_default();
        known.input_tokens = new.input_tokens.or(known.input_tokens);
        known.cached_input_tokens = new.cached_input_tokens.or(known.cached_input_tokens);
        known.cache_write_tokens = new.cache_write_tokens.or(known.cache_write_tokens);
        known.output_tokens = new.output_tokens.or(known.output_tokens);
        self.bill = Bill { usage: Some(known), billed_usd: billed_usd.or(self.bill.billed_usd) };
    }
}

impl Choice<'_> {
    fn says_something(&self) -> bool {
        let is_text = |text: &RawValue| !matches!(text.get(), "\"\"" | "null");
        let delta = self.delta.as_ref();
        let content = delta.and_then(|delta| delta.content).or(self.text);
        let other = delta.is_some_and(|delta| {
            let Delta {
                content: _,
                tool_calls,
                function_call,
                refusal,
                reasoning,
                reasoning_content,
                audio,
            } = delta;
            let others = [tool_calls, function_call, refusal, reasoning, reasoning_content, audio];
            others.into_iter().any(Option::is_some)
        });
        content.is_some_and(is_text) || other || self.finish_reason.is_some()
    }
}
