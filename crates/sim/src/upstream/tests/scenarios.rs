//! Scenarios as text.

use super::super::{Scenario, ScenarioError};

#[test]
fn a_scenario_is_what_it_says() {
    for (text, whole) in [
        ("ok", "ok"),
        ("ok,cached=10,tokens=40", "ok,tokens=40,cached=10"),
        ("slow", "slow,headers_ms=200,token_ms=5"),
        ("slow,token_ms=1,headers_ms=0,written=2", "slow,headers_ms=0,token_ms=1,written=2"),
        ("stall_headers", "stall_headers"),
        ("stall_first_token", "stall_first_token"),
        ("stall_stream", "stall_stream,events=3"),
        ("cut_stream,clean=true", "cut_stream,events=3,clean=true"),
        ("malformed_sse,events=1", "malformed_sse,events=1"),
        ("error_event", "error_event,events=3"),
        ("wrong_usage", "wrong_usage,kind=missing"),
        ("wrong_usage,kind=strings", "wrong_usage,kind=strings"),
        ("usage_everywhere", "usage_everywhere"),
        ("rate_limited", "rate_limited"),
        ("rate_limited,retry_after=2", "rate_limited,retry_after=2"),
        ("error", "error,status=500"),
        ("error,code=x,retry_after=1,status=429", "error,status=429,code=x,retry_after=1"),
        ("html_error", "html_error,status=502"),
        ("slow_body", "slow_body,bytes=16,ms=20"),
        ("reset", "reset"),
        ("huge", "huge,bytes=16777216"),
        ("not_json", "not_json"),
        ("flaky,ratio=0.25", "flaky,ratio=0.25,seed=0"),
        ("empty", "empty"),
        ("refuse_field", "refuse_field"),
        ("need_key,key=k", "need_key,key=k"),
    ] {
        let scenario: Scenario = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(scenario.to_string(), whole);
        assert_eq!(whole.parse(), Ok(scenario), "{whole}");
    }
}

#[test]
fn other_texts_are_none() {
    for (text, error) in [
        ("", "no scenario is named ``; hint: `Behaviour` of farthing-sim lists them"),
        ("OK", "no scenario is named `OK`; hint: `Behaviour` of farthing-sim lists them"),
        ("ok,fast", "`fast` is no parameter; hint: write `key=value`"),
        ("ok,headers_ms=1", "scenario `ok` has no parameter `headers_ms`, or has it twice"),
        ("ok,tokens=1,tokens=2", "scenario `ok` has no parameter `tokens`, or has it twice"),
        ("ok,tokens=-1", "parameter `tokens` cannot be: -1"),
        ("error,status=200", "parameter `status` cannot be: 200"),
        ("flaky,ratio=NaN", "parameter `ratio` cannot be: NaN"),
        ("slow_body,bytes=0", "parameter `bytes` cannot be: 0"),
        ("wrong_usage,kind=rude", "parameter `kind` cannot be: rude"),
        ("need_key", "scenario `need_key` needs the parameter `key`"),
    ] {
        let read: Result<Scenario, ScenarioError> = text.parse();
        assert_eq!(read.unwrap_err().to_string(), error, "{text}");
    }
}
