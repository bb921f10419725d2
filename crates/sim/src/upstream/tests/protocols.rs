//! The honest answers: shapes, streams, tools, and usage that adds up.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::super::Upstream;
use super::client::{Answer, End, ask, ask_with};
use super::{CHAT, chat, chat_with, said};

async fn post(upstream: &Upstream, path: &str, body: Value) -> Answer {
    let answer = ask(upstream.addr(), path, &body).await;
    assert_eq!((answer.status, answer.end), (200, End::Whole), "{}", answer.text());
    answer
}

/// The types of the events, without repetitions.
fn kinds(events: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<_> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn a_chat_is_an_echo_with_usage() {
    let upstream = Upstream::start().await.unwrap();
    let answer = chat_with(&upstream, "ok,cached=4,written=1", json!({})).await.json();
    assert_eq!(
        answer,
        json!({
            "id": "chatcmpl-ba14fafe1fec7392",
            "object": "chat.completion",
            "created": 1_767_571_200,
            "model": "sim-small",
            "system_fingerprint": "fp_farthing_sim",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "sim-small heard: How are you?",
                    "refusal": null,
                },
                "logprobs": null,
                "finish_reason": "stop",
            }],
            // 9 and 12 bytes were asked, 29 are the answer.
            "usage": {
                "prompt_tokens": 6,
                "completion_tokens": 8,
                "total_tokens": 14,
                "prompt_tokens_details": { "cached_tokens": 4, "cache_write_tokens": 1 },
                "completion_tokens_details": { "reasoning_tokens": 0 },
            },
        })
    );
}

#[tokio::test]
async fn a_chat_stream_says_the_same_bit_by_bit() {
    let upstream = Upstream::start().await.unwrap();
    let whole = chat_with(&upstream, "ok", json!({})).await.json();
    let text = whole["choices"][0]["message"]["content"].as_str().unwrap();
    let plain = chat_with(&upstream, "ok", json!({ "stream": true })).await;
    assert_eq!(plain.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(said(&plain), text);
    let events = plain.events();
    assert_eq!(events[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    let [.., finish, done] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(done, "[DONE]");
    assert!(!plain.text().contains("usage"), "nobody asked for it");

    let fields = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let events = chat_with(&upstream, "ok", fields).await.events();
    let [chunks @ .., last, done] = events.as_slice() else { panic!("{events:?}") };
    assert!(chunks.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"], whole["usage"]);
    assert_eq!(done, "[DONE]");
}

#[tokio::test]
async fn pieces_never_cut_a_character() {
    let upstream = Upstream::start().await.unwrap();
    let text = "价格是多少？ — ça coûte 12 €";
    let path = format!("/ok{CHAT}");
    let body = chat(text, json!({ "stream": true }));
    assert_eq!(said(&post(&upstream, &path, body).await), format!("sim-small heard: {text}"));
}

#[tokio::test]
async fn choices_and_json_are_given() {
    let upstream = Upstream::start().await.unwrap();
    let fields = json!({ "n": 3, "response_format": { "type": "json_object" } });
    let answer = chat_with(&upstream, "ok", fields).await.json();
    assert_eq!(answer["choices"].as_array().unwrap().len(), 3);
    let text = answer["choices"][2]["message"]["content"].as_str().unwrap();
    let object: Value = serde_json::from_str(text).unwrap();
    assert_eq!(object, json!({ "answer": "sim-small heard: How are you?" }));
    assert_eq!(answer["usage"]["completion_tokens"], 3 * text.len().div_ceil(4));
    let events = chat_with(&upstream, "ok", json!({ "n": 2, "stream": true })).await.events();
    let finished = events.iter().filter(|e| e["choices"][0]["finish_reason"] == "stop").count();
    assert_eq!(finished, 2);
}

#[tokio::test]
async fn a_tool_is_used_when_asked_for() {
    let upstream = Upstream::start().await.unwrap();
    let path = format!("/ok{CHAT}");
    let tools =
        json!([{ "type": "function", "function": { "name": "look_up", "parameters": {} } }]);
    let text = "Please use a tool.";
    let arguments = json!({ "text": text }).to_string();

    let body = chat(text, json!({ "tools": tools }));
    let answer = post(&upstream, &path, body).await.json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(choice["message"]["content"], Value::Null);
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({ "name": "look_up", "arguments": arguments }));

    let body = chat(text, json!({ "tools": tools, "stream": true }));
    let events = post(&upstream, &path, body.clone()).await.events();
    let calls: Vec<_> = events.iter().map(|e| &e["choices"][0]["delta"]["tool_calls"][0]).collect();
    assert_eq!((&calls[0]["id"], &calls[0]["function"]["name"]), (&call["id"], &json!("look_up")));
    let streamed: String =
        calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert_eq!(streamed, arguments);
    assert_eq!(events[events.len() - 2]["choices"][0]["finish_reason"], "tool_calls");

    // Once the tool has answered, the model does.
    let mut body = body;
    body["messages"].as_array_mut().unwrap().extend([
        json!({ "role": "assistant", "content": null, "tool_calls": [call] }),
        json!({ "role": "tool", "tool_call_id": call["id"], "content": "42" }),
    ]);
    assert_eq!(said(&post(&upstream, &path, body).await), "sim-small heard: Please use a tool.");
}

#[tokio::test]
async fn messages_are_anthropics() {
    let upstream = Upstream::start().await.unwrap();
    let path = "/ok,cached=2,written=1/v1/messages";
    let mut body = json!({
        "model": "sim-large",
        "max_tokens": 100,
        "system": [{ "type": "text", "text": "Be brief." }],
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "How are you?" }] }],
    });
    let whole = post(&upstream, path, body.clone()).await.json();
    assert_eq!(
        whole["content"],
        json!([{ "type": "text", "text": "sim-large heard: How are you?" }])
    );
    assert_eq!(whole["stop_reason"], "end_turn");
    assert_eq!(
        whole["usage"],
        json!({
            "input_tokens": 3,
            "cache_creation_input_tokens": 1,
            "cache_read_input_tokens": 2,
            "output_tokens": 8,
        })
    );
    body["stream"] = true.into();
    let streamed = post(&upstream, path, body.clone()).await;
    assert!(streamed.text().starts_with("event: message_start\ndata: {"));
    let events = streamed.events();
    assert_eq!(
        kinds(&events),
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    let text: String = events.iter().filter_map(|e| e["delta"]["text"].as_str()).collect();
    assert_eq!(text, "sim-large heard: How are you?");
    assert_eq!(events[0]["message"]["usage"]["cache_read_input_tokens"], 2);
    assert_eq!(events[events.len() - 2]["usage"], json!({ "output_tokens": 8 }));

    body["tools"] = json!([{ "name": "look_up", "input_schema": { "type": "object" } }]);
    body["messages"][0]["content"] = "use a tool".into();
    let events = post(&upstream, path, body.clone()).await.events();
    assert_eq!(events[1]["content_block"]["name"], "look_up");
    let json: String = events.iter().filter_map(|e| e["delta"]["partial_json"].as_str()).collect();
    assert_eq!(json, r#"{"text":"use a tool"}"#);
    body["stream"] = false.into();
    let whole = post(&upstream, path, body).await.json();
    assert_eq!(whole["content"][0]["input"], json!({ "text": "use a tool" }));
    assert_eq!(whole["stop_reason"], "tool_use");
}

#[tokio::test]
async fn responses_grow_to_what_they_complete() {
    let upstream = Upstream::start().await.unwrap();
    let path = "/ok,cached=1/v1/responses";
    let body = |stream: bool, input: Value| {
        let tools = json!([{ "type": "function", "name": "look_up", "parameters": {} }]);
        json!({ "model": "m", "instructions": "Hi.", "input": input, "tools": tools, "stream": stream })
    };
    let whole = post(&upstream, path, body(false, "How are you?".into())).await.json();
    assert_eq!(whole["output"][0]["content"][0]["text"], "m heard: How are you?");
    assert_eq!(whole["usage"]["input_tokens"], 4);
    assert_eq!(whole["usage"]["input_tokens_details"], json!({ "cached_tokens": 1 }));
    assert_eq!(whole["usage"]["total_tokens"], 10);

    let items =
        json!([{ "role": "user", "content": [{ "type": "input_text", "text": "How are you?" }] }]);
    let events = post(&upstream, path, body(true, items)).await.events();
    assert_eq!(
        kinds(&events),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(events.last().unwrap()["response"], whole);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }

    let events = post(&upstream, path, body(true, "use a tool".into())).await.events();
    let call = &events.last().unwrap()["response"]["output"][0];
    assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("look_up")));
    let delta = |event: &Value| event["delta"].as_str().map(str::to_owned);
    assert_eq!(call["arguments"], events.iter().filter_map(delta).collect::<String>());
}

#[tokio::test]
async fn embeddings_follow_from_the_input() {
    let upstream = Upstream::start().await.unwrap();
    let embed = async |fields: Value| {
        let mut body = json!({ "model": "m" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        post(&upstream, "/ok/v1/embeddings", body).await.json()
    };
    let answer = embed(json!({ "input": ["one", "two", "one"] })).await;
    let vectors: Vec<_> =
        answer["data"].as_array().unwrap().iter().map(|d| &d["embedding"]).collect();
    assert_eq!(vectors[0], vectors[2]);
    assert_ne!(vectors[0], vectors[1]);
    assert_eq!(answer["usage"], json!({ "prompt_tokens": 3, "total_tokens": 3 }));
    let squares = vectors[0].as_array().unwrap().iter().map(|x| x.as_f64().unwrap().powi(2));
    assert!((squares.sum::<f64>() - 1.0).abs() < 1e-6);

    let answer = embed(json!({ "input": [1, 2, 3], "dimensions": 2, "encoding_format": "base64" }));
    let answer = answer.await;
    assert_eq!(answer["data"][0]["embedding"].as_str().unwrap().len(), 12, "eight bytes");
    assert_eq!(answer["usage"]["prompt_tokens"], 3);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let upstream = Upstream::start().await.unwrap();
    let hello = chat("Hello", json!({ "n": 0 })).to_string();
    for (method, path, body, status, message) in [
        ("POST", "/ok/v1/chat/completions", "{", 400, "the body cannot be read: EOF"),
        ("POST", "/ok/v1/chat/completions", "{}", 400, "the body cannot be read: missing field"),
        (
            "POST",
            "/ok/v1/chat/completions",
            "{\"model\":\"m\"}",
            400,
            "missing required parameter: `messages`",
        ),
        ("POST", "/ok/v1/chat/completions", &hello, 400, "`n` must be from 1 to 128: 0"),
        (
            "POST",
            "/ok/v1/responses",
            "{\"model\":\"m\"}",
            400,
            "missing required parameter: `input`",
        ),
        (
            "POST",
            "/ok/v1/embeddings",
            "{\"model\":\"m\",\"input\":1}",
            400,
            "`input` cannot be read",
        ),
        ("GET", "/ok/v1/chat/completions", "", 404, "unknown request URL: GET /v1/chat"),
        ("POST", "/fine/v1/chat/completions", "{}", 404, "no scenario is named `fine`"),
        ("GET", "/", "", 404, "no scenario is named ``"),
        ("PUT", "/@a", "fine", 404, "no scenario is named `fine`"),
    ] {
        let answer = ask_with(upstream.addr(), method, path, "", body).await;
        let said = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(answer.status, status, "{said}");
        assert!(said.starts_with(message), "{said}");
    }
}

#[tokio::test]
async fn requests_can_be_looked_at() {
    let upstream = Upstream::start().await.unwrap();
    let put = ask_with(upstream.addr(), "PUT", "/@a", "", "ok,tokens=1\n").await;
    assert_eq!(put.status, 204);
    let headers = "x-trace: abc\r\n";
    let body = chat("Hello", json!({})).to_string();
    let path = "/@a/v1/chat/completions?x=1";
    ask_with(upstream.addr(), "POST", path, headers, &body).await;
    let [_, received] = <[_; 2]>::try_from(upstream.received()).unwrap();
    assert_eq!((received.method.as_str(), received.scenario.as_str()), ("POST", "@a"));
    assert_eq!(received.path, "/v1/chat/completions?x=1");
    assert_eq!(received.header("x-trace"), Some("abc"));
    assert_eq!(received.body["messages"][1]["content"], "Hello");
    assert!(!received.hung_up);
    upstream.clear();
    assert!(upstream.received().is_empty());
    for _ in 0..1030 {
        ask_with(upstream.addr(), "GET", "/ok/v1/models", "", "").await;
    }
    assert_eq!(upstream.received().len(), 1024);
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let upstream = Upstream::start().await.unwrap();
    let mut stream = TcpStream::connect(upstream.addr()).await.unwrap();
    stream.write_all(b"GET /ok/v1/models HTTP/1.1\r\nhost: sim\r\n\r\n").await.unwrap();
    stream.read_u8().await.unwrap();
    drop(upstream);
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap().unwrap();
}
