//! The top-level fields that each protocol knows, for an upstream that refuses all others.

use serde_json::{Map, Value};

use super::asked::{Dialect, Endpoint};
use super::perform::Asked;

/// The first field, by name, that the endpoint does not know; none where the body is not an object.
pub(super) fn unknown(asked: &Asked<'_>) -> Option<String> {
    let endpoint = Endpoint::find(asked.method, asked.path)?;
    let body: Map<String, Value> = serde_json::from_slice(asked.body).ok()?;
    let known = known(endpoint);
    body.into_iter().map(|(field, _)| field).find(|field| !known.contains(&field.as_str()))
}

fn known(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::Words(Dialect::Chat) => CHAT,
        Endpoint::Words(Dialect::Responses) => RESPONSES,
        Endpoint::Words(Dialect::Messages) => MESSAGES,
        Endpoint::Embeddings => EMBEDDINGS,
        Endpoint::Models => &[],
    }
}

const CHAT: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

const EMBEDDINGS: &[&str] = &["dimensions", "encoding_format", "input", "model", "user"];

const RESPONSES: &[&str] = &[
    "background",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

const MESSAGES: &[&str] = &[
    "container",
    "context_management",
    "max_tokens",
    "mcp_servers",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "stop_sequences",
    "stream",
    "system",
    "temperature",
    "thinking",
    "tool_choice",
    "tools",
    "top_k",
    "top_p",
];
