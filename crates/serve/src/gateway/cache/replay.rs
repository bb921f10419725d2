//! A whole chat completion told as the stream that a client asked for.

use serde_json::{Map, Value, json};

/// The events of a chat completion: one chunk with everything that each choice says, one with why it
/// ended, one with the usage where that is wanted. `None`: it is no chat completion.
pub(super) fn chat_stream(whole: &[u8], shows_usage: bool) -> Option<Vec<u8>> {
    let mut whole: Map<String, Value> = serde_json::from_slice(whole).ok()?;
    let Value::Array(choices) = whole.remove("choices")? else { return None };
    let usage = whole.remove("usage");
    whole.insert("object".to_owned(), "chat.completion.chunk".into());
    let mut events = Vec::new();
    let mut chunk = |choices: Vec<Value>, usage: Option<&Value>| {
        let mut chunk = whole.clone();
        chunk.insert("choices".to_owned(), choices.into());
        if shows_usage {
            chunk.insert("usage".to_owned(), usage.cloned().unwrap_or(Value::Null));
        }
        events.extend_from_slice(format!("data: {}\n\n", Value::from(chunk)).as_bytes());
    };
    for choice in choices {
        let Value::Object(mut choice) = choice else { return None };
        let delta = delta_of(choice.remove("message")?)?;
        let why = choice.remove("finish_reason").unwrap_or(Value::Null);
        let index = choice.get("index").cloned().unwrap_or_else(|| 0.into());
        choice.insert("delta".to_owned(), delta);
        choice.insert("finish_reason".to_owned(), Value::Null);
        chunk(vec![choice.into()], None);
        chunk(vec![json!({"index": index, "delta": {}, "finish_reason": why})], None);
    }
    if shows_usage {
        chunk(Vec::new(), usage.as_ref());
    }
    events.extend_from_slice(b"data: [DONE]\n\n");
    Some(events)
}

/// A message as one difference from nothing: calls of tools have their position.
fn delta_of(message: Value) -> Option<Value> {
    let Value::Object(mut message) = message else { return None };
    if let Some(Value::Array(calls)) = message.get_mut("tool_calls") {
        for (position, call) in calls.iter_mut().enumerate() {
            call.as_object_mut()?.insert("index".to_owned(), position.into());
        }
    }
    Some(message.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_chat_becomes_a_stream() {
        let whole = json!({
            "id": "c1", "object": "chat.completion", "created": 7, "model": "m",
            "choices": [
                {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}},
                {"index": 1, "finish_reason": "tool_calls", "message": {"role": "assistant",
                    "content": null, "tool_calls": [{"id": "t", "type": "function",
                    "function": {"name": "f", "arguments": "{}"}}]}},
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        });
        let bytes = whole.to_string().into_bytes();
        let events = |shows| String::from_utf8(chat_stream(&bytes, shows).unwrap()).unwrap();
        let chunks = |text: &str| -> Vec<Value> {
            let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
            data.filter_map(|data| serde_json::from_str(data).ok()).collect()
        };
        let text = events(false);
        assert!(text.ends_with("data: [DONE]\n\n"));
        let plain = chunks(&text);
        assert_eq!(plain.len(), 4);
        assert_eq!(
            plain[0],
            json!({"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "m",
                "choices": [{"index": 0, "finish_reason": null,
                    "delta": {"role": "assistant", "content": "hi"}}]})
        );
        assert_eq!(plain[1]["choices"][0]["finish_reason"], "stop");
        assert_eq!(plain[2]["choices"][0]["delta"]["tool_calls"][0]["index"], 0);
        let with_usage = chunks(&events(true));
        assert_eq!(with_usage[0]["usage"], Value::Null);
        assert_eq!(with_usage.last().unwrap()["usage"], whole["usage"]);
        assert_eq!(with_usage.last().unwrap()["choices"], json!([]));
    }

    #[test]
    fn what_is_no_chat_is_not_told() {
        for other in ["", "[]", "{}", r#"{"choices": 1}"#, r#"{"choices": [{"text": "x"}]}"#] {
            assert_eq!(chat_stream(other.as_bytes(), true), None, "{other}");
        }
    }
}
