//! The JSON that clients send, read without keeping what routing does not need: tools, schemas and
//! images are counted or noticed while they are skipped.

mod limits;
mod raw;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{Pin, Request, RequestError};
use raw::{Count, RawContent, RawFormat, RawMessage, Tokens, raw_request};

/// The body of `POST /v1/route`: an OpenAI chat body or `{"prompt": "..."}`, and a `farthing` object.
///
/// Fields of the protocol that routing does not need are ignored. Anthropic's bodies are read too: their
/// `system` is the first message.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a request body: an object with `messages` or `prompt`")]
pub struct RouteBody {
    prompt: Option<String>,
    messages: Option<Vec<RawMessage>>,
    system: Option<RawContent>,
    model: Option<String>,
    models: Option<Vec<String>>,
    tools: Option<Count>,
    functions: Option<Count>,
    response_format: Option<RawFormat>,
    max_tokens: Option<Tokens>,
    max_completion_tokens: Option<Tokens>,
    /// What the client asks of the router.
    #[serde(default)]
    pub farthing: RouteOptions,
}

/// The `farthing` object of a request; every field is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a `farthing` object")]
pub struct RouteOptions {
    /// A policy by name instead of the default one.
    pub policy: Option<String>,
    /// One of the router's trained bars.
    pub bar: Option<f64>,
    /// Only these candidates may be chosen.
    pub candidates: Option<Vec<String>>,
    /// These candidates may not be chosen.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Candidates predicted to cost more are not chosen, in USD.
    pub max_cost_usd: Option<f64>,
    /// Candidates that are expected to answer later than this are not chosen, in milliseconds. The gateway
    /// knows how long they take at present; elsewhere it excludes nobody.
    pub max_latency_ms: Option<f64>,
    /// Only candidates in one of these regions may be chosen.
    pub regions: Option<Vec<String>>,
    /// Only candidates with all of these tags may be chosen.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Categorical facts known before the call.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// Keeps the turns of one conversation together.
    pub session_id: Option<String>,
    /// What the last answer of the session had in `x-farthing-pin`.
    pub pin: Option<Pin>,
    /// Report every candidate, unrounded.
    #[serde(default)]
    pub explain: bool,
    /// Which of these stood elsewhere in the body, so that errors name the right place.
    #[serde(skip)]
    pub elsewhere: Elsewhere,
}

/// Fields of the OpenAI and `OpenRouter` protocols that stand for options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// `policy` was named by `model`.
    pub policy_in_model: bool,
    /// `candidates` are those of `models`.
    pub candidates_in_models: bool,
}

impl RouteBody {
    /// The checked request and what the client asks of the router.
    pub fn check(mut self) -> Result<(Request, RouteOptions), RequestError> {
        self.read_model()?;
        self.read_models();
        self.farthing.check_size()?;
        let mut request = match (self.prompt, self.messages) {
            (Some(_), Some(_)) => return Err(RequestError::Both),
            (None, None) => return Err(RequestError::Missing),
            (Some(prompt), None) => Request::from_prompt(prompt)?,
            (None, Some(raw)) => raw_request(self.system, raw)?,
        };
        let tools = [self.tools, self.functions];
        request.tools = tools.into_iter().flatten().map(|Count(n)| n).sum();
        request.json_schema = self.response_format.is_some_and(|format| format.is_json_schema());
        let max_tokens = self.max_completion_tokens.or(self.max_tokens);
        request.max_tokens = max_tokens.map(|Tokens(n)| n);
        request.context.clone_from(&self.farthing.context);
        Ok((request, self.farthing))
    }

    /// `auto:POLICY` names a policy. Other names are what the client would have called: it asks what
    /// to call instead.
    fn read_model(&mut self) -> Result<(), RequestError> {
        let Some(model) = &self.model else { return Ok(()) };
        let virtual_name = model.strip_prefix("farthing/").unwrap_or(model);
        let Some(named) = virtual_name.strip_prefix("auto:") else { return Ok(()) };
        match &self.farthing.policy {
            Some(policy) if policy != named => Err(RequestError::ConflictingPolicy {
                model: model.clone(),
                policy: policy.clone(),
            }),
            Some(_) => Ok(()),
            None => {
                self.farthing.policy = Some(named.to_owned());
                self.farthing.elsewhere.policy_in_model = true;
                Ok(())
            }
        }
    }

    /// `OpenRouter`'s list of fallbacks; an empty one means that there are none, not that nobody may
    /// be chosen.
    fn read_models(&mut self) {
        let models = self.models.take().filter(|models| !models.is_empty());
        if self.farthing.candidates.is_none() && models.is_some() {
            self.farthing.candidates = models;
            self.farthing.elsewhere.candidates_in_models = true;
        }
    }
}

/// The request of a JSON list of chat messages.
pub(crate) fn request_from_messages(json: &str) -> Result<Request, RequestError> {
    let raw = serde_json::from_str(json).map_err(|e| RequestError::Json(e.to_string()))?;
    raw_request(None, raw)
}

#[cfg(test)]
mod tests;
