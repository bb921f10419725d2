//! A scenario and a request become an act: what is sent, and what goes wrong with it.
//!
//! First the honest answer is made, then the scenario spoils it, so that up to the fault everything is as
//! it should be.

use hyper::body::Bytes;
use hyper::{HeaderMap, Method, StatusCode};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::asked::Endpoint;
use super::honest::Honest;
use super::reply::{JSON, Reply};
use super::scenario::{Behaviour, Scenario};
use super::{fields, spoil};

/// What a connection does.
#[derive(Debug)]
pub(super) enum Act {
    Reply(Reply),
    /// Nothing, for ever.
    Silence,
    /// Resets the connection.
    Reset,
}

/// A request, with how many came before it that a scenario counts.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) turn: u64,
    pub(super) method: &'a Method,
    /// Without the scenario.
    pub(super) path: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

pub(super) fn perform(scenario: &Scenario, asked: &Asked<'_>) -> Act {
    refuse(&scenario.behaviour, asked).unwrap_or_else(|| Act::Reply(answer(scenario, asked)))
}

/// What a scenario does instead of answering, if it does.
fn refuse(behaviour: &Behaviour, asked: &Asked<'_>) -> Option<Act> {
    let path = asked.path;
    let reply = match behaviour {
        Behaviour::StallHeaders => return Some(Act::Silence),
        Behaviour::Reset => return Some(Act::Reset),
        Behaviour::RateLimited { retry_after } => rate_limited(path, *retry_after),
        Behaviour::Error { status, code, retry_after } => {
            let message = "this error was asked for";
            let reply = Reply::coded_error(path, known(*status), code.as_deref(), message);
            retry(reply, *retry_after)
        }
        Behaviour::HtmlError { status } => Reply::whole(known(*status), "text/html", PAGE),
        Behaviour::NotJson => Reply::whole(StatusCode::OK, JSON, "this is no JSON"),
        Behaviour::Empty => Reply::whole(StatusCode::OK, JSON, ""),
        Behaviour::Flaky { ratio, seed } if fails(*ratio, *seed, asked.turn) => {
            Reply::error(path, StatusCode::INTERNAL_SERVER_ERROR, "it failed this time")
        }
        Behaviour::RefuseField => {
            let message = format!("unrecognized request argument: {}", fields::unknown(asked)?);
            Reply::coded_error(path, StatusCode::BAD_REQUEST, Some("unknown_parameter"), &message)
        }
        Behaviour::NeedKey { key } if !has_key(asked.headers, key) => {
            let code = Some("invalid_api_key");
            Reply::coded_error(path, StatusCode::UNAUTHORIZED, code, "incorrect API key provided")
        }
        Behaviour::Ok
        | Behaviour::Slow { .. }
        | Behaviour::StallFirstToken
        | Behaviour::StallStream { .. }
        | Behaviour::CutStream { .. }
        | Behaviour::MalformedSse { .. }
        | Behaviour::ErrorEvent { .. }
        | Behaviour::WrongUsage { .. }
        | Behaviour::UsageEverywhere
        | Behaviour::SlowBody { .. }
        | Behaviour::Huge { .. }
        | Behaviour::Flaky { .. }
        | Behaviour::NeedKey { .. } => return None,
    };
    Some(Act::Reply(reply))
}

const PAGE: &str = "<!doctype html>\n<html><head><title>Bad gateway</title></head>\
    <body><h1>Bad gateway</h1><p>The upstream server did not answer.</p></body></html>\n";

fn answer(scenario: &Scenario, asked: &Asked<'_>) -> Reply {
    let path = asked.path;
    let Some(endpoint) = Endpoint::find(asked.method, path) else {
        let message = format!("unknown request URL: {} {path}", asked.method);
        return Reply::coded_error(path, StatusCode::NOT_FOUND, Some("unknown_url"), &message);
    };
    match Honest::to(endpoint, asked.body, scenario) {
        Ok(honest) => spoil::spoil(&scenario.behaviour, honest),
        Err(message) => Reply::error(path, StatusCode::BAD_REQUEST, &message),
    }
}

fn rate_limited(path: &str, retry_after: Option<u64>) -> Reply {
    let code = Some("rate_limit_exceeded");
    let message = "rate limit reached for requests";
    let reply = Reply::coded_error(path, StatusCode::TOO_MANY_REQUESTS, code, message);
    let reset = format!("{}s", retry_after.unwrap_or(1));
    let reply = reply
        .with_header("x-ratelimit-limit-requests", "60")
        .with_header("x-ratelimit-remaining-requests", "0")
        .with_header("x-ratelimit-reset-requests", &reset)
        .with_header("x-ratelimit-limit-tokens", "100000")
        .with_header("x-ratelimit-remaining-tokens", "0")
        .with_header("x-ratelimit-reset-tokens", &reset);
    retry(reply, retry_after)
}

fn retry(reply: Reply, after: Option<u64>) -> Reply {
    match after {
        Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
        None => reply,
    }
}

/// The scenario's status; it was checked when the scenario was read, but not where it was made by hand.
fn known(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn fails(ratio: f64, seed: u64, turn: u64) -> bool {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(turn);
    dice.random::<f64>() < ratio
}

fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let value = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = value("authorization").and_then(|value| value.strip_prefix("Bearer "));
    bearer == Some(key) || value("x-api-key") == Some(key)
}
