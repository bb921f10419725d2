//! Bodies as clients send them.

use super::*;
use crate::{Message, Role};

fn parse(body: &str) -> Result<(Request, RouteOptions), RequestError> {
    serde_json::from_str::<RouteBody>(body).unwrap().check()
}

fn check(body: &str) -> Result<Request, RequestError> {
    parse(body).map(|(request, _)| request)
}

#[test]
fn a_bare_prompt_is_one_user_turn() {
    let request = check(r#"{"prompt": "hello"}"#).unwrap();
    assert_eq!(request.messages(), [Message { role: Role::User, text: "hello".into() }]);
}

#[test]
fn parts_are_joined_and_images_noticed() {
    let request = check(
        r#"{"messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content":
           [{"type": "text", "text": "what is"}, {"type": "image_url", "image_url": {"url": "x"}},
            {"text": "this?"}, {"type": "file"}]}, {"role": "assistant", "content": null}]}"#,
    )
    .unwrap();
    assert_eq!(request.messages()[0].role, Role::System);
    assert_eq!(request.messages()[1].text, "what is\nthis?");
    assert_eq!(request.messages()[2].text, "");
    assert_eq!(request.text_bytes(), 8 + 13);
    assert!(request.vision);
}

#[test]
fn tools_are_counted_and_the_newer_limit_holds() {
    let body = r#"{"prompt": "a", "tools": [{}, [[]]], "functions": [1], "max_tokens": 5,
        "max_completion_tokens": 6, "response_format": {"json_schema": {}, "type": "json_schema"}}"#;
    let request = check(body).unwrap();
    assert_eq!((request.tools, request.max_tokens, request.json_schema), (3, Some(6), true));
    let nulls = r#"{"prompt": "a", "tools": null, "response_format": null, "max_tokens": null}"#;
    assert_eq!(check(nulls), Request::from_prompt("a"));
}

#[test]
fn limits_that_are_no_number_of_tokens() {
    for (limit, found) in [
        ("-1", "invalid type: integer `-1`"),
        ("1.5", "invalid type: floating point `1.5`"),
        ("18446744073709551616", "invalid type: floating point `1.8446744073709552e+19`"),
        (r#""10""#, "invalid type: string \"10\""),
    ] {
        let body = format!(r#"{{"prompt": "a", "max_tokens": {limit}}}"#);
        let error = serde_json::from_str::<RouteBody>(&body).unwrap_err().to_string();
        let due = "a whole number of tokens, at least 0 and below 2^64";
        assert!(error.starts_with(&format!("{found}, expected {due}")), "{error}");
    }
}

#[test]
fn a_model_may_name_a_policy() {
    let policy = |fields: &str| {
        let (_, options) = parse(&format!(r#"{{"prompt": "a", {fields}}}"#))?;
        Ok::<_, RequestError>((options.policy, options.elsewhere.policy_in_model))
    };
    for model in ["auto", "farthing/auto", "gpt-4o", "openrouter/auto:x", "automatic"] {
        assert_eq!(policy(&format!(r#""model": "{model}""#)), Ok((None, false)), "{model}");
    }
    let named = Ok((Some("cheap".to_owned()), true));
    assert_eq!(policy(r#""model": "auto:cheap""#), named);
    assert_eq!(policy(r#""model": "farthing/auto:cheap""#), named);
    let twice = r#""model": "auto:cheap", "farthing": {"policy": "cheap"}"#;
    assert_eq!(policy(twice), Ok((Some("cheap".to_owned()), false)));
    assert_eq!(
        policy(r#""model": "auto:cheap", "farthing": {"policy": "best"}"#),
        Err(RequestError::ConflictingPolicy { model: "auto:cheap".into(), policy: "best".into() })
    );
}

#[test]
fn models_are_candidates_unless_those_are_given() {
    let candidates = |fields: &str| {
        let (_, options) = parse(&format!(r#"{{"prompt": "a", {fields}}}"#)).unwrap();
        (options.candidates, options.elsewhere.candidates_in_models)
    };
    let only = |name: &str| Some(vec![name.to_owned()]);
    assert_eq!(candidates(r#""models": ["a"]"#), (only("a"), true));
    assert_eq!(candidates(r#""models": []"#), (None, false));
    let both = r#""models": ["a"], "farthing": {"candidates": ["b"]}"#;
    assert_eq!(candidates(both), (only("b"), false));
}

#[test]
fn refusals_name_the_place() {
    assert_eq!(check("{}"), Err(RequestError::Missing));
    assert_eq!(check(r#"{"prompt": "a", "messages": []}"#), Err(RequestError::Both));
    assert_eq!(check(r#"{"prompt": " \n"}"#), Err(RequestError::Empty));
    assert_eq!(check(r#"{"messages": []}"#), Err(RequestError::Empty));
    assert_eq!(
        check(
            r#"{"messages": [{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}]}"#
        ),
        Err(RequestError::UnknownRole { index: 1, role: "bot".into() })
    );
}

#[test]
fn options_have_a_greatest_size() {
    let list = |n: usize| serde_json::to_string(&vec!["m"; n]).unwrap();
    let context = |entries: usize, name: usize, value: usize| {
        let entries = (0..entries).map(|i| (format!("{i:0>name$}"), "v".repeat(value)));
        let entries = serde_json::to_string(&entries.collect::<BTreeMap<_, _>>()).unwrap();
        format!(r#""farthing": {{"context": {entries}}}"#)
    };
    let session =
        |bytes: usize| format!(r#""farthing": {{"session_id": "{}"}}"#, "s".repeat(bytes));
    let option = |name: &str, n: usize| format!(r#""farthing": {{"{name}": {}}}"#, list(n));
    let models = |n: usize| format!(r#""models": {}"#, list(n));
    for (most, more, place) in [
        (context(64, 256, 1024), context(65, 2, 1), "farthing.context"),
        (context(1, 1, 1), context(1, 257, 1), "farthing.context"),
        (context(1, 1, 1), context(1, 1, 1025), "farthing.context"),
        (session(256), session(257), "farthing.session_id"),
        (models(1024), models(1025), "models"),
        (option("candidates", 1024), option("candidates", 1025), "farthing.candidates"),
        (option("exclude", 1024), option("exclude", 1025), "farthing.exclude"),
        (option("regions", 1024), option("regions", 1025), "farthing.regions"),
        (option("tags", 1024), option("tags", 1025), "farthing.tags"),
    ] {
        assert!(check(&format!(r#"{{"prompt": "a", {most}}}"#)).is_ok(), "{place}");
        let refused = check(&format!(r#"{{"prompt": "a", {more}}}"#));
        let Err(RequestError::TooLarge { place: named, .. }) = refused else { panic!("{place}") };
        assert_eq!(named, place);
    }
}

#[test]
fn unknown_farthing_fields_are_refused_and_others_ignored() {
    assert!(serde_json::from_str::<RouteBody>(r#"{"prompt": "a", "temperature": 1}"#).is_ok());
    let error = serde_json::from_str::<RouteBody>(r#"{"prompt": "a", "farthing": {"bars": 1}}"#);
    assert!(error.unwrap_err().to_string().contains("unknown field `bars`"));
}
