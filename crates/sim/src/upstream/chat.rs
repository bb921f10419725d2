//! `/v1/chat/completions` in `OpenAI`'s shapes: one object, or a stream of chunks.
//!
//! Load tests ask for this most, so it is serialised from structs that own nothing.

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::{Serialize, Serializer};

use super::events::Events;
use super::reply::openai_error;
use super::said::{BROKE, CREATED, Said, tokens, write_json};
use super::usage::{ChatUsage, Shown};

/// Which chunks of a stream have usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UsageIn {
    None,
    /// A last one without choices, as `stream_options.include_usage` asks.
    LastChunk,
    EveryChunk,
}

/// The answer as one object.
pub(super) fn whole(said: &Said) -> Vec<u8> {
    let call = said.call.as_ref().map(|call| {
        let function = Function { name: Some(&call.name), arguments: &call.arguments };
        [ToolCall {
            index: None,
            id: Some(Id("call_", &said.id)),
            kind: Some("function"),
            function,
        }]
    });
    let content = call.is_none().then_some(said.text.as_str());
    let message = Message { role: "assistant", content, refusal: (), tool_calls: call.as_ref() };
    let choices: Vec<_> = (0..said.choices)
        .map(|index| Choice { index, message, logprobs: (), finish_reason: finish_reason(said) })
        .collect();
    let object = "chat.completion";
    let mut bytes = Vec::with_capacity(1024);
    write_json(&mut bytes, &Answer::new(said, object, &choices, said.usage.chat()));
    bytes
}

/// The answer as a stream: choice after choice, each with a role, its tokens and a finish reason.
pub(super) fn stream(said: &Said, usage_in: UsageIn) -> Events {
    let mut stream = Stream { said, usage_in, events: Events::default(), said_tokens: 0 };
    for index in 0..said.choices {
        stream.choice(index);
    }
    if usage_in == UsageIn::LastChunk
        && let Some(usage) = said.usage.chat()
    {
        let none: &[ChunkChoice<'_>] = &[];
        stream.events.data(&Answer::new(said, CHUNK, none, Some(usage)));
    }
    stream.events.done();
    stream.events
}

/// What an error in the middle of a stream looks like.
pub(super) fn error_event() -> Bytes {
    let mut events = Events::default();
    events.data(&openai_error(StatusCode::INTERNAL_SERVER_ERROR, None, BROKE));
    events.into_bytes()
}

const CHUNK: &str = "chat.completion.chunk";

fn finish_reason(said: &Said) -> &'static str {
    if said.call.is_some() { "tool_calls" } else { "stop" }
}

struct Stream<'a> {
    said: &'a Said,
    usage_in: UsageIn,
    events: Events,
    /// Output tokens of the choices so far.
    said_tokens: u64,
}

impl<'a> Stream<'a> {
    fn choice(&mut self, index: usize) {
        let before = self.said_tokens;
        let mut bytes = 0;
        match &self.said.call {
            None => self.delta(index, Delta { role: ASSISTANT, content: Some(""), ..NOTHING }),
            Some(call) => {
                bytes = call.name.len();
                let id = Some(Id("call_", &self.said.id));
                let function = Function { name: Some(&call.name), arguments: "" };
                let call = ToolCall { index: Some(0), id, kind: Some("function"), function };
                self.delta(index, Delta { role: ASSISTANT, tool_calls: Some([call]), ..NOTHING });
            }
        }
        for piece in self.said.pieces() {
            bytes += piece.len();
            self.said_tokens = before + tokens(bytes);
            let delta = if self.said.call.is_some() {
                let function = Function { name: None, arguments: piece };
                let call = ToolCall { index: Some(0), id: None, kind: None, function };
                Delta { tool_calls: Some([call]), ..NOTHING }
            } else {
                Delta { content: Some(piece), ..NOTHING }
            };
            self.delta(index, delta);
        }
        self.chunk(index, NOTHING, Some(finish_reason(self.said)));
    }

    fn delta(&mut self, index: usize, delta: Delta<'a>) {
        self.chunk(index, delta, None);
    }

    fn chunk(&mut self, index: usize, delta: Delta<'a>, finish_reason: Option<&'static str>) {
        let is_token = delta.role.is_none() && finish_reason.is_none();
        let usage = match (self.usage_in, self.said.usage.chat()) {
            (UsageIn::None, _) | (_, None) => None,
            (UsageIn::LastChunk, Some(_)) => Some(Shown::Null),
            (UsageIn::EveryChunk, Some(_)) => self.said.usage.so_far(self.said_tokens).chat(),
        };
        let choice = ChunkChoice { index, delta, logprobs: (), finish_reason };
        let chunk = Answer::new(self.said, CHUNK, std::slice::from_ref(&choice), usage);
        self.events.data(&chunk);
        if is_token {
            self.events.mark_token();
        }
    }
}

const ASSISTANT: Option<&str> = Some("assistant");
const NOTHING: Delta<'static> = Delta { role: None, content: None, tool_calls: None };

/// A completion, or a chunk of one.
#[derive(Serialize)]
struct Answer<'a, C> {
    id: Id<'a>,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [C],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Shown<ChatUsage>>,
}

impl<'a, C> Answer<'a, C> {
    fn new(
        said: &'a Said,
        object: &'static str,
        choices: &'a [C],
        usage: Option<Shown<ChatUsage>>,
    ) -> Self {
        Self {
            id: Id("chatcmpl-", &said.id),
            object,
            created: CREATED,
            model: &said.model,
            system_fingerprint: "fp_farthing_sim",
            choices,
            usage,
        }
    }
}

/// A prefix and what follows.
#[derive(Clone, Copy)]
struct Id<'a>(&'static str, &'a str);

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}{}", self.0, self.1))
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Clone, Copy, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: Option<&'a str>,
    refusal: (),
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<&'a [ToolCall<'a>; 1]>,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[ToolCall<'a>; 1]>,
}

/// A call of a tool; a stream gives the position, and the id and the name only once.
#[derive(Serialize)]
struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Id<'a>>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    arguments: &'a str,
}
