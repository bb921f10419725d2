//! Each scenario over a bare socket, where a cut is a cut and a reset a reset.

mod client;
mod faults;
mod protocols;
mod scenarios;
mod spoilt;

use serde_json::{Value, json};

use super::Upstream;
use client::{Answer, ask};

const CHAT: &str = "/v1/chat/completions";

/// A chat request: what the user says, and fields of the caller's.
fn chat(text: &str, fields: Value) -> Value {
    let mut body = json!({
        "model": "sim-small",
        "messages": [{ "role": "system", "content": "Be brief." }, { "role": "user", "content": text }],
    });
    if let (Some(body), Value::Object(fields)) = (body.as_object_mut(), fields) {
        body.extend(fields);
    }
    body
}

/// The answer to a chat request of a scenario.
async fn chat_with(upstream: &Upstream, scenario: &str, fields: Value) -> Answer {
    let path = format!("/{scenario}{CHAT}");
    ask(upstream.addr(), &path, &chat("How are you?", fields)).await
}

/// The texts of a chat stream's deltas, joined.
fn said(answer: &Answer) -> String {
    let events = answer.events();
    let text = |event: &Value| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned);
    events.iter().filter_map(text).collect()
}
