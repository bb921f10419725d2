//! The honest answer of each endpoint, before a scenario spoils it.

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::asked::{Body, Endpoint};
use super::chat::{self, UsageIn};
use super::events::{Event, Events};
use super::reply;
use super::said::{CREATED, Said};
use super::scenario::{Behaviour, Scenario};

/// Names that `/v1/models` lists; any other name is answered too.
const MODELS: [&str; 2] = ["sim-large", "sim-small"];
/// What an error in the middle of an answer says.
const BROKE: &str = "the model broke off in the middle";

/// What an upstream without faults sends.
#[derive(Debug)]
pub(super) enum Honest {
    /// One body.
    Whole {
        body: Bytes,
        /// How many tokens the model had to say for it.
        tokens: u64,
        /// What stands in its place if the model breaks off.
        error: Bytes,
    },
    /// A stream.
    Stream {
        events: Vec<Event>,
        /// What comes in between if the model breaks off.
        error: Vec<Event>,
    },
}

impl Honest {
    /// # Errors
    ///
    /// What is wrong with the request.
    pub(super) fn to(endpoint: Endpoint, body: &[u8], scenario: &Scenario) -> Result<Self, String> {
        if endpoint == Endpoint::Models {
            return Ok(Self::whole(models(), 0));
        }
        let body = Body::read(endpoint, body)?;
        let said = Said::to(&body, scenario)?;
        if !body.stream.unwrap_or(false) {
            return Ok(Self::whole(chat::whole(&said), said.usage.output));
        }
        let events = chat::stream(&said, usage_in(&body, scenario));
        let mut error = Events::default();
        error.data(&error_object());
        Ok(Self::Stream { events: events.into_events(), error: error.into_events() })
    }

    fn whole(body: Vec<u8>, tokens: u64) -> Self {
        Self::Whole { body: body.into(), tokens, error: error_object().to_string().into() }
    }
}

fn error_object() -> Value {
    reply::openai_error(StatusCode::INTERNAL_SERVER_ERROR, None, BROKE)
}

fn usage_in(body: &Body<'_>, scenario: &Scenario) -> UsageIn {
    match scenario.behaviour {
        Behaviour::UsageEverywhere => UsageIn::EveryChunk,
        _ if body.wants_usage_in_stream() => UsageIn::LastChunk,
        _ => UsageIn::None,
    }
}

fn models() -> Vec<u8> {
    let model = |id| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "sim" });
    json!({ "object": "list", "data": MODELS.map(model) }).to_string().into_bytes()
}
