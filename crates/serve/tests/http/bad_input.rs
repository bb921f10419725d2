//! Bodies that are hostile, broken or merely odd: each is answered, and nothing panics.

use serde_json::json;

use crate::harness::service;

/// Status and code, or the chosen model.
async fn answers(bodies: &[String]) -> Vec<String> {
    let service = service();
    let mut answers = Vec::new();
    for body in bodies {
        let answer = service.route(body.clone()).await;
        let json = answer.json();
        let told = if answer.status == 200 { &json["model"] } else { &json["error"]["code"] };
        answers.push(format!("{} {}", answer.status, told.as_str().unwrap()));
    }
    answers
}

async fn answer(body: impl Into<String>) -> String {
    answers(&[body.into()]).await.remove(0)
}

#[tokio::test]
async fn limits_of_every_size() {
    let limits = [
        "0",
        "1",
        "4294967295",
        "4294967296",
        "9223372036854775808",
        "18446744073709551615",
        "null",
    ];
    for field in ["max_tokens", "max_completion_tokens"] {
        let body = |limit: &str| format!(r#"{{"prompt": "hello", "{field}": {limit}}}"#);
        let fine = answers(&limits.map(body)).await;
        assert!(fine.iter().all(|answer| answer == "200 small"), "{fine:?}");
        let limits =
            ["-1", "1.0", "1e3", "18446744073709551616", "1e400", "\"10\"", "true", "[1]", "{}"];
        let refused = answers(&limits.map(body)).await;
        assert!(refused.iter().all(|answer| answer == "400 invalid_json"), "{refused:?}");
    }
}

#[tokio::test]
async fn contents_of_every_kind() {
    let said = |content: &str| {
        format!(
            r#"{{"messages": [{{"role": "user", "content": "hello"}}, {{"role": "user", "content": {content}}}]}}"#
        )
    };
    let fine = [
        "null",
        "\"\"",
        "[]",
        r#"[{"type": "image_url", "image_url": {"url": "x"}}]"#,
        r#"[{"type": "input_audio", "input_audio": {"data": "x"}}]"#,
        r#"[{"type": "text", "text": null}]"#,
        r"[{}]",
    ];
    for content in fine {
        assert_eq!(answer(said(content)).await, "200 small", "{content}");
    }
    for content in ["5", "true", "{}", "[5]", r#"["text"]"#, r#"[{"type": 5}]"#, r#"[{"text": 5}]"#]
    {
        assert_eq!(answer(said(content)).await, "400 invalid_json", "{content}");
    }
    let missing = r#"{"messages": [{"role": "user", "content": "hello"}, {"role": "assistant"}]}"#;
    assert_eq!(answer(missing).await, "200 small");
    let alone =
        |content: &str| format!(r#"{{"messages": [{{"role": "user", "content": {content}}}]}}"#);
    for content in ["null", "[]", r#"[{"type": "image_url"}]"#, "\" \\u0009\""] {
        assert_eq!(answer(alone(content)).await, "400 empty_prompt", "{content}");
    }
}

#[tokio::test]
async fn ten_thousand_messages() {
    let message = json!({"role": "user", "content": "and then?"});
    let body = json!({"messages": vec![message; 10_000]});
    assert_eq!(answer(body.to_string()).await, "200 small");
    let empty = json!({"messages": vec![json!({"role": "user", "content": ""}); 10_000]});
    assert_eq!(answer(empty.to_string()).await, "400 empty_prompt");
}

#[tokio::test]
async fn tools_and_schemas_as_deep_as_they_come_are_skipped() {
    let deep = |open: &str, close: &str| open.repeat(200_000) + "1" + &close.repeat(200_000);
    let (lists, objects) = (deep("[", "]"), deep(r#"{"a":"#, "}"));
    for deep in [&lists, &objects] {
        for field in [
            format!(r#""tools": [{deep}, {deep}]"#),
            format!(r#""functions": [{deep}]"#),
            format!(r#""response_format": {{"type": "json_schema", "json_schema": {deep}}}"#),
            format!(r#""metadata": {deep}"#),
        ] {
            assert_eq!(answer(format!(r#"{{"prompt": "hello", {field}}}"#)).await, "200 small");
        }
    }
    // Where something is due that is not deep, deep is wrong.
    for field in ["prompt", "messages", "tool_choice\": 1, \"farthing"] {
        let body = format!(r#"{{"{field}": {objects}}}"#);
        assert_eq!(answer(body).await, "400 invalid_json", "{field}");
    }
}

#[tokio::test]
async fn tools_of_another_shape() {
    for field in [
        r#""tools": {}"#,
        r#""tools": 1"#,
        r#""functions": "f""#,
        r#""response_format": {}"#,
        r#""response_format": "json""#,
        r#""response_format": {"type": 1}"#,
    ] {
        let body = format!(r#"{{"prompt": "hello", {field}}}"#);
        assert_eq!(answer(body).await, "400 invalid_json", "{field}");
    }
    for field in [r#""tools": null"#, r#""tools": []"#, r#""response_format": {"type": "grammar"}"#]
    {
        let body = format!(r#"{{"prompt": "hello", {field}}}"#);
        assert_eq!(answer(body).await, "200 small", "{field}");
    }
}

#[tokio::test]
async fn characters_that_are_none() {
    for (prompt, expected) in [
        (r"a\u0000b", "200 small"),
        (r"\u0000", "200 small"),
        (r"\ud83d\ude00", "200 small"),
        (r"\ud800", "400 invalid_json"),
        (r"a\udc00", "400 invalid_json"),
        (r"\ud800\ud800", "400 invalid_json"),
        ("a\0b", "400 invalid_json"),
        (r"\x00", "400 invalid_json"),
    ] {
        assert_eq!(answer(format!(r#"{{"prompt": "{prompt}"}}"#)).await, expected, "{prompt}");
    }
}

#[tokio::test]
async fn a_field_that_stands_twice() {
    assert_eq!(answer(r#"{"prompt": "a", "prompt": "b"}"#).await, "400 invalid_json");
}
