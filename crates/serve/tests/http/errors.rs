//! Every error, with its exact body.

use axum::body::Body;
use axum::http::Method;

use crate::harness::{service, service_with};

/// Bodies of `POST /v1/route` and what they are answered, one after the other.
async fn refusals(bodies: &[&[u8]]) -> String {
    let service = service();
    let mut shown = String::new();
    for body in bodies {
        let answer = service.route(body.to_vec()).await;
        shown += &answer.line(body);
    }
    shown
}

#[tokio::test]
async fn bodies_that_are_not_json() {
    let bodies: [&[u8]; 7] = [
        b"",
        b"{\"prompt\": \"a\"",
        b"{\n  \"prompt\": 'a'}",
        b"{\"prompt\": \"a\"} {}",
        b"{\"prompt\": \"a\xff\"}",
        b"{\"prompt\": \"a\", \"farthing\": {\"max_cost_usd\": NaN}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"max_cost_usd\": 1e999}}",
    ];
    insta::assert_snapshot!(refusals(&bodies).await, @r#"
      400 {"error":{"message":"the body is not valid JSON: EOF while parsing a value at line 1 column 0; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": "a"
      400 {"error":{"message":"the body is not valid JSON: EOF while parsing an object at line 1 column 14; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {
      "prompt": 'a'}
      400 {"error":{"message":"the body is not valid JSON: expected value at line 2 column 13; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": "a"} {}
      400 {"error":{"message":"the body is not valid JSON: trailing characters at line 1 column 17; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": "a�"}
      400 {"error":{"message":"the body is not valid UTF-8 from byte 13 on; hint: send JSON in UTF-8","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": "a", "farthing": {"max_cost_usd": NaN}}
      400 {"error":{"message":"the body is not valid JSON: expected value at line 1 column 46; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": "a", "farthing": {"max_cost_usd": 1e999}}
      400 {"error":{"message":"the body is not valid JSON: number out of range at line 1 column 50; hint: check quotes and commas","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    "#);
}

#[tokio::test]
async fn bodies_of_another_shape() {
    let bodies: [&[u8]; 8] = [
        b"[]",
        b"\"hello\"",
        b"{\"prompt\": 5}",
        b"{\"messages\": [{\"content\": \"a\"}]}",
        b"{\"messages\": \"a\"}",
        b"{\"prompt\": \"a\", \"farthing\": {\"bars\": 0.5}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"candidates\": [\"small\", 1]}}",
        b"{\"prompt\": \"a\", \"max_tokens\": -1}",
    ];
    insta::assert_snapshot!(refusals(&bodies).await, @r#"
    []
      400 {"error":{"message":"the body is not a JSON object; hint: see `/openapi.json` for its shape","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    "hello"
      400 {"error":{"message":"the body is not a JSON object; hint: see `/openapi.json` for its shape","type":"invalid_request_error","param":null,"code":"invalid_json"}}
    {"prompt": 5}
      400 {"error":{"message":"`prompt` is wrong: invalid type: integer `5`, expected a string at line 1 column 12; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"prompt","code":"invalid_json"}}
    {"messages": [{"content": "a"}]}
      400 {"error":{"message":"`messages[0]` is wrong: missing field `role` at line 1 column 30; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"messages[0]","code":"invalid_json"}}
    {"messages": "a"}
      400 {"error":{"message":"`messages` is wrong: invalid type: string \"a\", expected a sequence at line 1 column 16; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"messages","code":"invalid_json"}}
    {"prompt": "a", "farthing": {"bars": 0.5}}
      400 {"error":{"message":"`farthing.bars` is wrong: unknown field `bars`, expected one of `policy`, `bar`, `candidates`, `exclude`, `max_cost_usd`, `max_latency_ms`, `regions`, `tags`, `context`, `session_id`, `pin`, `explain` at line 1 column 35; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"farthing.bars","code":"invalid_json"}}
    {"prompt": "a", "farthing": {"candidates": ["small", 1]}}
      400 {"error":{"message":"`farthing.candidates[1]` is wrong: invalid type: integer `1`, expected a string at line 1 column 54; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"farthing.candidates[1]","code":"invalid_json"}}
    {"prompt": "a", "max_tokens": -1}
      400 {"error":{"message":"`max_tokens` is wrong: invalid type: integer `-1`, expected a whole number of tokens, at least 0 and below 2^64 at line 1 column 32; hint: see `/openapi.json` for the shape that is due","type":"invalid_request_error","param":"max_tokens","code":"invalid_json"}}
    "#);
}

#[tokio::test]
async fn requests_without_text() {
    let bodies: [&[u8]; 5] = [
        b"{}",
        b"{\"prompt\": \"a\", \"messages\": []}",
        b"{\"prompt\": \" \\n\"}",
        b"{\"messages\": []}",
        b"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"bot\", \"content\": \"b\"}]}",
    ];
    insta::assert_snapshot!(refusals(&bodies).await, @r#"
    {}
      400 {"error":{"message":"the request has neither `prompt` nor `messages`; hint: send one of them","type":"invalid_request_error","param":null,"code":"missing_prompt"}}
    {"prompt": "a", "messages": []}
      400 {"error":{"message":"the request has both `prompt` and `messages`; hint: send one of them","type":"invalid_request_error","param":null,"code":"conflicting_prompt"}}
    {"prompt": " \n"}
      400 {"error":{"message":"the prompt is empty; hint: send at least one message with text","type":"invalid_request_error","param":null,"code":"empty_prompt"}}
    {"messages": []}
      400 {"error":{"message":"the prompt is empty; hint: send at least one message with text","type":"invalid_request_error","param":null,"code":"empty_prompt"}}
    {"messages": [{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}]}
      400 {"error":{"message":"`messages[1].role` is unknown: `bot`; hint: use system, developer, user, assistant or tool","type":"invalid_request_error","param":"messages[1].role","code":"unknown_role"}}
    "#);
}

#[tokio::test]
async fn options_that_the_router_cannot_follow() {
    let bodies: [&[u8]; 8] = [
        b"{\"prompt\": \"a\", \"farthing\": {\"candidates\": [\"small\", \"nobody\"]}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"exclude\": [\"nobody\"]}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"bar\": 0.6}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"policy\": \"best\"}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"max_cost_usd\": -0.1}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"max_cost_usd\": 0, \"exclude\": [\"small\"]}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"candidates\": []}}",
        b"{\"prompt\": \"a\", \"farthing\": {\"policy\": \"only_large\", \"exclude\": [\"large\"]}}",
    ];
    insta::assert_snapshot!(refusals(&bodies).await, @r#"
    {"prompt": "a", "farthing": {"candidates": ["small", "nobody"]}}
      400 {"error":{"message":"unknown candidate in `candidates`: `nobody`; hint: use any of `small`, `large`, `homemade`","type":"invalid_request_error","param":"farthing.candidates","code":"unknown_candidate"}}
    {"prompt": "a", "farthing": {"exclude": ["nobody"]}}
      400 {"error":{"message":"unknown candidate in `exclude`: `nobody`; hint: use any of `small`, `large`, `homemade`","type":"invalid_request_error","param":"farthing.exclude","code":"unknown_candidate"}}
    {"prompt": "a", "farthing": {"bar": 0.6}}
      400 {"error":{"message":"the router is not trained for bar 0.6; hint: use one of `0.5`, `0.8`, or train with `--bar`","type":"invalid_request_error","param":"farthing.bar","code":"unknown_bar"}}
    {"prompt": "a", "farthing": {"policy": "best"}}
      400 {"error":{"message":"unknown policy: `best`; hint: use one of `best_quality`, `cheapest`, `cheapest_above_bar`, `only_large`","type":"invalid_request_error","param":"farthing.policy","code":"unknown_policy"}}
    {"prompt": "a", "farthing": {"max_cost_usd": -0.1}}
      400 {"error":{"message":"`max_cost_usd` is not a number of at least 0: -0.1; hint: give USD for this request, or leave it out","type":"invalid_request_error","param":"farthing.max_cost_usd","code":"invalid_max_cost"}}
    {"prompt": "a", "farthing": {"max_cost_usd": 0, "exclude": ["small"]}}
      422 {"error":{"message":"no candidate is eligible: `small` (excluded), `large` (max_cost), `homemade` (unpriced); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured","type":"invalid_request_error","param":"farthing","code":"no_eligible_model"}}
    {"prompt": "a", "farthing": {"candidates": []}}
      422 {"error":{"message":"no candidate is eligible: `small` (not_in_candidates), `large` (not_in_candidates), `homemade` (not_in_candidates); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured","type":"invalid_request_error","param":"farthing","code":"no_eligible_model"}}
    {"prompt": "a", "farthing": {"policy": "only_large", "exclude": ["large"]}}
      422 {"error":{"message":"no candidate is eligible: `small` (not_fixed), `large` (excluded), `homemade` (not_fixed); hint: widen what excluded them, price the candidates, or have `when_none_eligible` configured","type":"invalid_request_error","param":"farthing","code":"no_eligible_model"}}
    "#);
}

#[tokio::test]
async fn unknown_paths_and_methods() {
    let service = service();
    insta::assert_snapshot!(service.get("/v2/route").await.shown(), @r#"
    404
    {
      "error": {
        "code": "not_found",
        "message": "no such path: `GET /v2/route`; hint: see `/openapi.json`",
        "param": null,
        "type": "invalid_request_error"
      }
    }
    "#);
    let answer = service.call(Method::DELETE, "/v1/route", Body::empty()).await;
    assert_eq!(answer.headers["allow"], "POST");
    insta::assert_snapshot!(answer.shown(), @r#"
    405
    {
      "error": {
        "code": "method_not_allowed",
        "message": "`/v1/route` does not take DELETE; hint: see the `allow` header or `/openapi.json`",
        "param": null,
        "type": "invalid_request_error"
      }
    }
    "#);
}

#[tokio::test]
async fn too_many_batches() {
    let service = service_with(|config, _| config.limits.batches = 0);
    let answer = service.post("/v1/route/batch", r#"{"requests": []}"#).await;
    assert_eq!(answer.headers["retry-after"], "1");
    insta::assert_snapshot!(answer.shown(), @r#"
    503
    {
      "error": {
        "code": "overloaded",
        "message": "too many batches at once; hint: send it again in a second",
        "param": null,
        "type": "server_error"
      }
    }
    "#);
}

#[tokio::test]
async fn eight_mebibytes_pass_and_one_byte_more_does_not() {
    let service = service();
    let body = |bytes: usize| format!(r#"{{"prompt": "{}"}}"#, "a".repeat(bytes - 14));
    let answer = service.route(body(8 << 20)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["truncated"], true);
    insta::assert_snapshot!(service.route(body((8 << 20) + 1)).await.shown(), @r#"
    413
    {
      "error": {
        "code": "body_too_large",
        "message": "the body is longer than 8388608 bytes; hint: send less of the conversation, or smaller batches",
        "param": null,
        "type": "invalid_request_error"
      }
    }
    "#);
}

#[tokio::test]
async fn deep_nesting_is_refused_and_not_followed() {
    let body = format!(r#"{{"prompt": "a", "x": {}"#, "[".repeat(1 << 20));
    let answer = service().route(body).await;
    assert_eq!(
        (answer.status, answer.json()["error"]["code"].as_str()),
        (400, Some("invalid_json"))
    );
}

#[tokio::test]
async fn a_quoted_value_does_not_make_the_message_long() {
    let answer = service().route(format!(r#"{{"messages": "{}"}}"#, "a".repeat(1 << 20))).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.len() < 3000);
}
