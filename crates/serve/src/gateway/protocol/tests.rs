//! Answers as upstreams write them, and what they come to.

use farthing_core::{Price, Usage};

use super::*;

fn usage(input: u64, cached: Option<u64>, written: Option<u64>, output: u64) -> Usage {
    Usage {
        input_tokens: Some(input),
        cached_input_tokens: cached,
        cache_write_tokens: written,
        output_tokens: Some(output),
    }
}

fn whole(shape: Shape, usage: &str) -> Bill {
    let content = match shape {
        Shape::Chat => "choices",
        Shape::Responses => "output",
        Shape::Embeddings => "data",
        Shape::Messages => "content",
    };
    bill_of(shape, format!(r#"{{"{content}":[],"usage":{usage}}}"#).as_bytes()).unwrap()
}

/// Usage objects as providers write them: who, shape, object, and what it comes to.
fn payloads() -> Vec<(&'static str, Shape, &'static str, Usage)> {
    use Shape::{Chat, Embeddings, Messages, Responses};
    vec![
        (
            "OpenAI",
            Chat,
            r#"{"prompt_tokens":1200,"completion_tokens":80,"total_tokens":1280}"#,
            usage(1200, None, None, 80),
        ),
        (
            "OpenAI, cached and reasoning",
            Chat,
            r#"{"prompt_tokens":2006,"completion_tokens":300,"total_tokens":2306,"prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":192,"accepted_prediction_tokens":0}}"#,
            usage(86, Some(1920), None, 300),
        ),
        (
            "OpenAI, no details",
            Chat,
            r#"{"prompt_tokens":5,"completion_tokens":0,"total_tokens":5,"prompt_tokens_details":null}"#,
            usage(5, None, None, 0),
        ),
        (
            "DeepSeek",
            Chat,
            r#"{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}"#,
            usage(36, Some(64), None, 20),
        ),
        (
            "xAI: reasoning beside completion",
            Chat,
            r#"{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"prompt_tokens_details":{"text_tokens":32,"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":94}}"#,
            usage(26, Some(6), None, 103),
        ),
        (
            "Gemini by OpenAI's protocol",
            Chat,
            r#"{"prompt_tokens":10,"completion_tokens":40,"total_tokens":250}"#,
            usage(10, None, None, 240),
        ),
        (
            "LiteLLM in front of Anthropic",
            Chat,
            r#"{"prompt_tokens":1000,"completion_tokens":10,"total_tokens":1010,"prompt_tokens_details":{"cached_tokens":600},"cache_creation_input_tokens":300,"cache_read_input_tokens":600}"#,
            usage(100, Some(600), Some(300), 10),
        ),
        (
            "Responses",
            Responses,
            r#"{"input_tokens":328,"input_tokens_details":{"cached_tokens":128},"output_tokens":52,"output_tokens_details":{"reasoning_tokens":30},"total_tokens":380}"#,
            usage(200, Some(128), None, 52),
        ),
        (
            "Embeddings",
            Embeddings,
            r#"{"prompt_tokens":8,"total_tokens":8}"#,
            usage(8, None, None, 0),
        ),
        (
            "Anthropic",
            Messages,
            r#"{"input_tokens":21,"output_tokens":393}"#,
            usage(21, None, None, 393),
        ),
        (
            "Anthropic, cached",
            Messages,
            r#"{"input_tokens":4,"cache_creation_input_tokens":1500,"cache_read_input_tokens":8000,"output_tokens":50,"service_tier":"standard"}"#,
            usage(4, Some(8000), Some(1500), 50),
        ),
    ]
}

#[test]
fn usage_of_every_provider_comes_to_four_buckets() {
    for (who, shape, object, expected) in payloads() {
        assert_eq!(whole(shape, object).usage, Some(expected), "{who}");
    }
}

#[test]
fn costs_are_those_of_an_invoice() {
    // USD per million tokens: 3, 15, 0.3 cached, 3.75 written.
    let mut price = Price::new(3.0, 15.0);
    (price.usd_per_1m_cached_input, price.usd_per_1m_cache_write) = (Some(0.3), Some(3.75));
    let invoice = [
        0.0048,
        0.005_334,
        0.000_015,
        0.000_427_2,
        0.001_624_8,
        0.003_63,
        0.001_755,
        0.001_418_4,
        0.000_024,
        0.005_958,
        0.008_787,
    ];
    for ((who, shape, object, _), expected) in payloads().into_iter().zip(invoice) {
        let cost = price.settle(&whole(shape, object).usage.unwrap()).unwrap();
        assert!((cost - expected).abs() < 1e-9, "{who}: {cost}");
    }
}

#[test]
fn what_is_no_number_is_unknown() {
    for nonsense in ["null", "-1", "1.5", "\"12\"", "[]", "true", "1e400"] {
        let object =
            format!(r#"{{"prompt_tokens":{nonsense},"completion_tokens":3,"cost":{nonsense}}}"#);
        let bill = whole(Shape::Chat, &object);
        assert_eq!(bill.usage.unwrap().input_tokens, None, "{nonsense}");
        assert_eq!(bill.billed_usd.is_some(), nonsense == "1.5");
    }
    let more_cached =
        r#"{"prompt_tokens":3,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}"#;
    assert_eq!(whole(Shape::Chat, more_cached).usage.unwrap().input_tokens, None);
    assert_eq!(whole(Shape::Chat, "null").usage, None);
    assert_eq!(whole(Shape::Chat, r#"{"cost":0.25}"#).billed_usd, Some(0.25));
}

#[test]
fn what_is_no_answer_is_told_apart() {
    let bill = |json: &str| bill_of(Shape::Chat, json.as_bytes()).map(|_| ());
    assert_eq!(bill(r#"{"choices":[]}"#), Ok(()));
    assert_eq!(bill(r#"{"error":{"message":"no"}}"#), Err(NoAnswer::Error));
    for malformed in ["", "{}", "[]", "<html>", r#"{"choices":[]"#, "null"] {
        assert_eq!(bill(malformed), Err(NoAnswer::Malformed), "{malformed}");
    }
}

/// What the events of a stream mean, one by one, and what it costs.
fn read(shape: Shape, events: &[&str]) -> (Vec<Result<Signal, NoAnswer>>, Bill) {
    let mut reader = StreamReader::new(shape);
    let signals = events.iter().map(|event| reader.read(event.as_bytes())).collect();
    (signals, reader.bill())
}

#[test]
fn chat_streams() {
    use Signal::{Content, End, Preamble, UsageOnly};
    let (signals, bill) = read(
        Shape::Chat,
        &[
            r#"{"choices":[],"prompt_filter_results":[]}"#,
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0,"delta":{"tool_calls":[{}]},"finish_reason":null}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#,
            "[DONE]",
        ],
    );
    let expected = [Preamble, Preamble, Content, Content, Content, UsageOnly, End].map(Ok);
    assert_eq!(signals, expected);
    assert_eq!(bill.usage, Some(usage(7, None, None, 2)));
}

#[test]
fn usage_on_every_chunk_is_not_added_up() {
    let chunk = |tokens: u32| {
        format!(
            r#"{{"choices":[{{"delta":{{"content":"a"}}}}],"usage":{{"prompt_tokens":7,"completion_tokens":{tokens}}}}}"#
        )
    };
    let (signals, bill) = read(Shape::Chat, &[&chunk(1), &chunk(2), &chunk(3), "[DONE]"]);
    assert_eq!(signals[0], Ok(Signal::Content));
    assert_eq!(bill.usage, Some(usage(7, None, None, 3)));
    let groq = r#"{"choices":[],"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":2}}}"#;
    assert_eq!(read(Shape::Chat, &[groq]).1.usage, Some(usage(1, None, None, 2)));
}

#[test]
fn message_streams_tell_of_the_input_first_and_of_the_output_last() {
    use Signal::{Content, End, Preamble};
    let (signals, bill) = read(
        Shape::Messages,
        &[
            r#"{"type":"message_start","message":{"usage":{"input_tokens":25,"cache_read_input_tokens":9,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#,
            r#"{"type":"message_stop"}"#,
        ],
    );
    assert_eq!(signals, [Preamble, Preamble, Preamble, Content, Content, End].map(Ok));
    assert_eq!(bill.usage, Some(usage(25, Some(9), None, 15)));
}

#[test]
fn response_streams() {
    use Signal::{Content, End, Preamble};
    let (signals, bill) = read(
        Shape::Responses,
        &[
            r#"{"type":"response.created","response":{"usage":null}}"#,
            r#"{"type":"response.output_text.delta","delta":"a"}"#,
            r#"{"type":"response.completed","response":{"usage":{"input_tokens":3,"output_tokens":4}}}"#,
        ],
    );
    assert_eq!(signals, [Preamble, Content, End].map(Ok));
    assert_eq!(bill.usage, Some(usage(3, None, None, 4)));
}

#[test]
fn errors_in_streams() {
    let read = |shape, event: &str| read(shape, &[event]).0.remove(0);
    assert_eq!(read(Shape::Chat, r#"{"error":{"message":"no"}}"#), Err(NoAnswer::Error));
    assert_eq!(read(Shape::Chat, "{"), Err(NoAnswer::Malformed));
    assert_eq!(read(Shape::Messages, r#"{"type":"error","error":{}}"#), Err(NoAnswer::Error));
    assert_eq!(
        read(Shape::Responses, r#"{"type":"response.failed","response":{}}"#),
        Err(NoAnswer::Error)
    );
    assert_eq!(read(Shape::Responses, "[DONE]"), Err(NoAnswer::Malformed));
}
