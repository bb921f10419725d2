//! An honest answer becomes steps: waits, faults and cuts are put between its events or bytes.

use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;

use super::body::{Content, Step};
use super::honest::Honest;
use super::reply::{EVENT_STREAM, JSON, Reply};
use super::said::HUGE;
use super::scenario::Behaviour;

/// Long enough for what was sent before a cut to leave the process.
const FLUSH: Duration = Duration::from_millis(2);
const MALFORMED: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"br\n\n";

pub(super) fn spoil(behaviour: &Behaviour, honest: Honest) -> Reply {
    let delay = delay(behaviour, &honest);
    let kind = match &honest {
        Honest::Whole { .. } => JSON,
        Honest::Stream { .. } => EVENT_STREAM,
    };
    Reply { delay, ..Reply::new(StatusCode::OK, kind, content(behaviour, honest)) }
}

fn delay(behaviour: &Behaviour, honest: &Honest) -> Duration {
    let Behaviour::Slow { headers_ms, token_ms } = behaviour else { return Duration::ZERO };
    let tokens = match honest {
        Honest::Whole { tokens, .. } => *tokens,
        Honest::Stream { .. } => 0,
    };
    Duration::from_millis(headers_ms.saturating_add(token_ms.saturating_mul(tokens)))
}

fn content(behaviour: &Behaviour, honest: Honest) -> Content {
    match behaviour {
        Behaviour::Slow { token_ms, .. } => paced(honest, Duration::from_millis(*token_ms)),
        Behaviour::StallFirstToken => Content::steps([Step::Stall]),
        Behaviour::StallStream { events } => {
            Content::steps(first(&honest, *events).into_iter().chain([Step::Stall]))
        }
        Behaviour::CutStream { events, clean: true } => Content::steps(first(&honest, *events)),
        Behaviour::CutStream { events, clean: false } => {
            let cut = [Step::Wait(FLUSH), Step::Cut];
            Content::steps(first(&honest, *events).into_iter().chain(cut))
        }
        Behaviour::MalformedSse { events } => malformed(honest, *events),
        Behaviour::ErrorEvent { events } => broken_off(&honest, *events),
        Behaviour::SlowBody { bytes, ms } => drip(&joined(honest), *bytes, *ms),
        Behaviour::Huge { bytes } => inflate(&joined(honest), *bytes),
        Behaviour::Ok
        | Behaviour::WrongUsage { .. }
        | Behaviour::UsageEverywhere
        | Behaviour::Flaky { .. }
        | Behaviour::RefuseField
        | Behaviour::NeedKey { .. }
        // These have no answer to spoil.
        | Behaviour::StallHeaders
        | Behaviour::Reset
        | Behaviour::RateLimited { .. }
        | Behaviour::Error { .. }
        | Behaviour::HtmlError { .. }
        | Behaviour::NotJson
        | Behaviour::Empty => unspoilt(honest),
    }
}

fn unspoilt(honest: Honest) -> Content {
    match honest {
        Honest::Whole { body, .. } => Content::Whole(body),
        Honest::Stream { events, .. } => {
            Content::steps(events.into_iter().map(|event| Step::Send(event.bytes)))
        }
    }
}

/// The first events, never the last one, which would be the end that a client waits for; or half a body.
fn first(honest: &Honest, most: usize) -> Vec<Step> {
    match honest {
        Honest::Whole { body, .. } => vec![Step::Send(body.slice(..body.len() / 2))],
        Honest::Stream { events, .. } => {
            let most = most.min(events.len().saturating_sub(1));
            events[..most].iter().map(|event| Step::Send(event.bytes.clone())).collect()
        }
    }
}

fn paced(honest: Honest, pace: Duration) -> Content {
    let Honest::Stream { events, .. } = honest else { return unspoilt(honest) };
    Content::steps(events.into_iter().flat_map(|event| {
        let wait = event.is_token.then_some(Step::Wait(pace));
        wait.into_iter().chain([Step::Send(event.bytes)])
    }))
}

fn malformed(honest: Honest, after: usize) -> Content {
    let first = first(&honest, after);
    let Honest::Stream { events, .. } = honest else { return unspoilt(honest) };
    let rest = events.into_iter().skip(first.len()).map(|event| Step::Send(event.bytes));
    let bad = Step::Send(Bytes::from_static(MALFORMED));
    Content::steps(first.into_iter().chain([bad]).chain(rest))
}

fn broken_off(honest: &Honest, after: usize) -> Content {
    let first = first(honest, after);
    match honest {
        Honest::Whole { error, .. } => Content::Whole(error()),
        Honest::Stream { error, .. } => {
            Content::steps(first.into_iter().chain([Step::Send(error())]))
        }
    }
}

fn drip(body: &Bytes, bytes: usize, ms: u64) -> Content {
    let drop = |start: usize| {
        let end = start.saturating_add(bytes).min(body.len());
        [Step::Wait(Duration::from_millis(ms)), Step::Send(body.slice(start..end))]
    };
    Content::steps((0..body.len()).step_by(bytes.max(1)).flat_map(drop))
}

/// Puts the text of a huge answer wherever its stand-in is.
fn inflate(body: &Bytes, bytes: usize) -> Content {
    let mut steps = Vec::new();
    let mut start = 0;
    let find = |bytes: &[u8]| bytes.windows(HUGE.len()).position(|seen| seen == HUGE.as_bytes());
    while let Some(at) = find(&body[start..]) {
        steps.extend([Step::Send(body.slice(start..start + at)), Step::Fill(bytes)]);
        start += at + HUGE.len();
    }
    steps.push(Step::Send(body.slice(start..)));
    Content::steps(steps)
}

fn joined(honest: Honest) -> Bytes {
    match honest {
        Honest::Whole { body, .. } => body,
        Honest::Stream { events, .. } => {
            events.iter().flat_map(|event| event.bytes.iter().copied()).collect()
        }
    }
}
