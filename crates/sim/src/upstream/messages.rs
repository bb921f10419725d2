//! `/v1/messages` in Anthropic's shapes: one message, or a stream with a block of content.

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::events::Events;
use super::reply::anthropic_error;
use super::said::{BROKE, Said};
use super::usage::with_usage;

/// The answer as one message.
pub(super) fn whole(said: &Said) -> Vec<u8> {
    let block = match &said.call {
        None => json!({ "type": "text", "text": said.text }),
        Some(call) => {
            let mut block = tool_use(said, &call.name);
            block["input"] = call.input.clone();
            block
        }
    };
    let message = message(said, &json!([block]), Some(stop_reason(said)));
    with_usage(message, said.usage.messages()).to_string().into_bytes()
}

/// The answer as a stream: the input is counted in its first event, the output in its last but one.
pub(super) fn stream(said: &Said) -> Events {
    let mut events = Events::default();
    let mut send = |event: Value, is_token: bool| {
        events.named(event["type"].as_str().unwrap_or_default(), &event);
        if is_token {
            events.mark_token();
        }
    };
    let begun = with_usage(message(said, &json!([]), None), said.usage.so_far(1).messages());
    send(json!({ "type": "message_start", "message": begun }), false);
    let block = match &said.call {
        None => json!({ "type": "text", "text": "" }),
        Some(call) => tool_use(said, &call.name),
    };
    send(json!({ "type": "content_block_start", "index": 0, "content_block": block }), false);
    send(json!({ "type": "ping" }), false);
    for piece in said.pieces() {
        let delta = match &said.call {
            None => json!({ "type": "text_delta", "text": piece }),
            Some(_) => json!({ "type": "input_json_delta", "partial_json": piece }),
        };
        send(json!({ "type": "content_block_delta", "index": 0, "delta": delta }), true);
    }
    send(json!({ "type": "content_block_stop", "index": 0 }), false);
    let delta = json!({ "stop_reason": stop_reason(said), "stop_sequence": null });
    let delta = json!({ "type": "message_delta", "delta": delta });
    send(with_usage(delta, said.usage.messages_output()), false);
    send(json!({ "type": "message_stop" }), false);
    events
}

/// What an error in the middle of a stream looks like.
pub(super) fn error_event() -> Bytes {
    let mut events = Events::default();
    events.named("error", &anthropic_error(StatusCode::INTERNAL_SERVER_ERROR, BROKE));
    events.into_bytes()
}

fn message(said: &Said, content: &Value, stop_reason: Option<&str>) -> Value {
    json!({
        "id": format!("msg_{}", said.id),
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
    })
}

fn tool_use(said: &Said, name: &str) -> Value {
    json!({ "type": "tool_use", "id": format!("toolu_{}", said.id), "name": name, "input": {} })
}

fn stop_reason(said: &Said) -> &'static str {
    if said.call.is_some() { "tool_use" } else { "end_turn" }
}
