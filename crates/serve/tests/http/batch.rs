//! `POST /v1/route/batch`.

use serde_json::{Value, json};

use crate::harness::{Answer, service};

async fn batch(body: String) -> Answer {
    service().post("/v1/route/batch", body).await
}

#[tokio::test]
async fn good_and_bad_entries_are_answered_in_order() {
    let body = json!({"requests": [
        {"prompt": "hello"},
        {"prompt": 5},
        {"prompt": "```"},
        [],
        {"prompt": "hello", "farthing": {"bar": 0.1}},
    ]});
    let answer = batch(body.to_string()).await;
    let data = answer.json()["data"].clone();
    assert_eq!(data[0]["model"], "small");
    assert_eq!(data[2]["model"], "large");
    let errors: Vec<&Value> = [1, 3, 4].map(|index| &data[index]).into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&errors).unwrap(), @r#"
    [
      {
        "error": {
          "code": "invalid_json",
          "message": "`requests[1]`: `prompt` is wrong: invalid type: integer `5`, expected a string at line 1 column 11; hint: see `/openapi.json` for the shape that is due",
          "param": "requests[1].prompt",
          "type": "invalid_request_error"
        }
      },
      {
        "error": {
          "code": "invalid_json",
          "message": "`requests[3]`: the body is not a JSON object; hint: see `/openapi.json` for its shape",
          "param": "requests[3]",
          "type": "invalid_request_error"
        }
      },
      {
        "error": {
          "code": "unknown_bar",
          "message": "`requests[4]`: the router is not trained for bar 0.1; hint: use one of `0.5`, `0.8`, or train with `--bar`",
          "param": "requests[4].farthing.bar",
          "type": "invalid_request_error"
        }
      }
    ]
    "#);
}

#[tokio::test]
async fn an_empty_batch_has_an_empty_answer() {
    let answer = batch(r#"{"requests": []}"#.into()).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"object":"list","data":[]}"#));
}

#[tokio::test]
async fn a_full_batch_keeps_its_order() {
    let requests: Vec<_> =
        (0..1024).map(|i| json!({"prompt": if i % 3 == 0 { "hello" } else { "```" }})).collect();
    let answer = batch(json!({"requests": requests}).to_string()).await.json();
    let models = answer["data"].as_array().unwrap().iter().map(|entry| entry["model"].as_str());
    let expected = (0..1024).map(|i| Some(if i % 3 == 0 { "small" } else { "large" }));
    assert!(models.eq(expected));
}

#[tokio::test]
async fn one_request_too_many() {
    let requests = vec![json!({"prompt": "hello"}); 1025];
    let answer = batch(json!({"requests": requests}).to_string()).await;
    insta::assert_snapshot!(answer.shown(), @r#"
    400
    {
      "error": {
        "code": "batch_too_large",
        "message": "the batch has 1025 requests, at most 1024 are accepted; hint: send several batches",
        "param": "requests",
        "type": "invalid_request_error"
      }
    }
    "#);
}

#[tokio::test]
async fn millions_of_entries_are_counted() {
    let answer = batch(format!(r#"{{"requests": [{}0]}}"#, "0,".repeat(4_000_000))).await;
    assert_eq!(answer.status, 400);
    let message = answer.json()["error"]["message"].to_string();
    assert!(message.contains("4000001 requests"), "{message}");
}

#[tokio::test]
async fn batches_of_another_shape() {
    let mut shown = String::new();
    for body in ["{}", "[]", r#"{"requests": 5}"#, r#"{"requests": [{"prompt": }]}"#] {
        let answer = batch(body.to_owned()).await;
        shown += &answer.line(body.as_bytes());
    }
    insta::assert_snapshot!(shown, @r#"
    {}
      400 {"error":{"message":"the body is wrong: missing field `requests` at line 1 column 2; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    []
      400 {"error":{"message":"the body is not a JSON object; hint: see `/openapi.json` for its shape","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"requests": 5}
      400 {"error":{"message":"`requests` is wrong: invalid type: integer `5`, expected a list at line 1 column 14; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"requests","code":"invalid_json"}}
    {"requests": [{"prompt": }]}
      400 {"error":{"message":"the body is not valid JSON: expected value at line 1 column 26; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    "#);
}
