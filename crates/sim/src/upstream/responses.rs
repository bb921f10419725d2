//! `/v1/responses` in `OpenAI`'s shapes: one response with one item of output, or the events that make it.

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::events::Events;
use super::said::{BROKE, CREATED, Call, Said};
use super::usage::with_usage;

/// The answer as one response.
pub(super) fn whole(said: &Said) -> Vec<u8> {
    completed(said).to_string().into_bytes()
}

/// The answer as a stream of numbered events, from an empty response to the whole.
pub(super) fn stream(said: &Said) -> Events {
    let mut stream = Stream::default();
    let begun = response(said, "in_progress", &json!([]));
    stream.send("response.created", json!({ "response": begun }));
    stream.send("response.in_progress", json!({ "response": begun }));
    match &said.call {
        None => stream.message(said),
        Some(call) => stream.call(said, call),
    }
    stream.send("response.completed", json!({ "response": completed(said) }));
    stream.events
}

/// What an error in the middle of a stream looks like.
pub(super) fn error_event() -> Bytes {
    let mut stream = Stream::default();
    stream.send("error", json!({ "code": "server_error", "message": BROKE, "param": null }));
    stream.events.into_bytes()
}

#[derive(Default)]
struct Stream {
    events: Events,
    number: u64,
}

impl Stream {
    fn send(&mut self, kind: &str, mut event: Value) {
        event["type"] = kind.into();
        event["sequence_number"] = self.number.into();
        self.number += 1;
        self.events.named(kind, &event);
    }

    fn message(&mut self, said: &Said) {
        let place = |mut event: Value| {
            event["item_id"] = format!("msg_{}", said.id).into();
            event["output_index"] = 0.into();
            event["content_index"] = 0.into();
            event
        };
        self.item("response.output_item.added", &message(said, "in_progress", &json!([])));
        self.send("response.content_part.added", place(json!({ "part": part("") })));
        for piece in said.pieces() {
            let delta = json!({ "delta": piece, "logprobs": [] });
            self.send("response.output_text.delta", place(delta));
            self.events.mark_token();
        }
        let done = json!({ "text": said.text, "logprobs": [] });
        self.send("response.output_text.done", place(done));
        self.send("response.content_part.done", place(json!({ "part": part(&said.text) })));
        self.item("response.output_item.done", &item(said));
    }

    fn call(&mut self, said: &Said, call: &Call) {
        let place = |mut event: Value| {
            event["item_id"] = format!("fc_{}", said.id).into();
            event["output_index"] = 0.into();
            event
        };
        let begun = function_call(said, call, "in_progress", "");
        self.item("response.output_item.added", &begun);
        for piece in said.pieces() {
            let delta = json!({ "delta": piece });
            self.send("response.function_call_arguments.delta", place(delta));
            self.events.mark_token();
        }
        let done = json!({ "name": call.name, "arguments": call.arguments });
        self.send("response.function_call_arguments.done", place(done));
        self.item("response.output_item.done", &item(said));
    }

    fn item(&mut self, kind: &str, item: &Value) {
        self.send(kind, json!({ "output_index": 0, "item": item }));
    }
}

fn completed(said: &Said) -> Value {
    with_usage(response(said, "completed", &json!([item(said)])), said.usage.responses())
}

/// A response with what clients' types need.
fn response(said: &Said, status: &str, output: &Value) -> Value {
    json!({
        "id": format!("resp_{}", said.id),
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "error": null,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "model": said.model,
        "output": output,
        "parallel_tool_calls": true,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
    })
}

/// The finished item of output.
fn item(said: &Said) -> Value {
    match &said.call {
        None => message(said, "completed", &json!([part(&said.text)])),
        Some(call) => function_call(said, call, "completed", &call.arguments),
    }
}

fn message(said: &Said, status: &str, content: &Value) -> Value {
    json!({
        "type": "message",
        "id": format!("msg_{}", said.id),
        "status": status,
        "role": "assistant",
        "content": content,
    })
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
}

fn function_call(said: &Said, call: &Call, status: &str, arguments: &str) -> Value {
    json!({
        "type": "function_call",
        "id": format!("fc_{}", said.id),
        "call_id": format!("call_{}", said.id),
        "status": status,
        "name": call.name,
        "arguments": arguments,
    })
}
