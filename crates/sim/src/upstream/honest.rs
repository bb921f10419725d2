//! The honest answer of each endpoint, before a scenario spoils it.

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::json;

use super::asked::{Body, Dialect, Endpoint};
use super::chat::{self, UsageIn};
use super::events::Event;
use super::reply::{anthropic_error, openai_error};
use super::said::{BROKE, CREATED, Said};
use super::scenario::{Behaviour, Scenario};
use super::{embeddings, messages, responses};

/// Names that `/v1/models` lists; any other name is answered too.
const MODELS: [&str; 2] = ["sim-large", "sim-small"];

/// What an upstream without faults sends.
#[derive(Debug)]
pub(super) enum Honest {
    /// One body.
    Whole {
        body: Bytes,
        /// How many tokens the model had to say for it.
        tokens: u64,
        /// What stands in its place if the model breaks off.
        error: fn() -> Bytes,
    },
    /// A stream.
    Stream {
        events: Vec<Event>,
        /// What comes in between if the model breaks off.
        error: fn() -> Bytes,
    },
}

impl Honest {
    /// # Errors
    ///
    /// What is wrong with the request.
    pub(super) fn to(endpoint: Endpoint, body: &[u8], scenario: &Scenario) -> Result<Self, String> {
        let wordless = match endpoint {
            Endpoint::Models => models(),
            Endpoint::Embeddings => embeddings::whole(&Body::read(body)?, scenario)?,
            Endpoint::Words(dialect) => {
                let body = Body::read(body)?;
                let said = Said::to(&body, dialect, scenario)?;
                return Ok(if body.stream.unwrap_or(false) {
                    Self::stream(dialect, &said, usage_in(&body, scenario))
                } else {
                    Self::whole(dialect, &said)
                });
            }
        };
        Ok(Self::Whole { body: wordless.into(), tokens: 0, error: openai_broke })
    }

    fn whole(dialect: Dialect, said: &Said) -> Self {
        let (body, error): (_, fn() -> Bytes) = match dialect {
            Dialect::Chat => (chat::whole(said), openai_broke),
            Dialect::Responses => (responses::whole(said), openai_broke),
            Dialect::Messages => (messages::whole(said), anthropic_broke),
        };
        Self::Whole { body: body.into(), tokens: said.usage.output, error }
    }

    fn stream(dialect: Dialect, said: &Said, usage_in: UsageIn) -> Self {
        let (events, error): (_, fn() -> Bytes) = match dialect {
            Dialect::Chat => (chat::stream(said, usage_in), chat::error_event),
            Dialect::Responses => (responses::stream(said), responses::error_event),
            Dialect::Messages => (messages::stream(said), messages::error_event),
        };
        Self::Stream { events: events.into_events(), error }
    }
}

fn usage_in(body: &Body<'_>, scenario: &Scenario) -> UsageIn {
    if scenario.behaviour == Behaviour::UsageEverywhere {
        UsageIn::EveryChunk
    } else if body.wants_usage_in_stream() {
        UsageIn::LastChunk
    } else {
        UsageIn::None
    }
}

fn openai_broke() -> Bytes {
    openai_error(StatusCode::INTERNAL_SERVER_ERROR, None, BROKE).to_string().into()
}

fn anthropic_broke() -> Bytes {
    anthropic_error(StatusCode::INTERNAL_SERVER_ERROR, BROKE).to_string().into()
}

fn models() -> Vec<u8> {
    let model = |id| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "sim" });
    json!({ "object": "list", "data": MODELS.map(model) }).to_string().into_bytes()
}
