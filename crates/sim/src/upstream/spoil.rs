//! An honest answer becomes steps: waits, faults and cuts are put between its events or bytes.

use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;

use super::body::{Content, Step};
use super::events::Event;
use super::honest::Honest;
use super::reply::{EVENT_STREAM, JSON, Reply};
use super::said::HUGE;
use super::scenario::Behaviour;

/// Long enough for what was sent before a cut to leave the process.
const FLUSH: Duration = Duration::from_millis(2);
const MALFORMED: &[u8] = b"data: {\"choices\":[{\"delta\":{\"content\":\"br\n\n";

pub(super) fn spoil(behaviour: &Behaviour, honest: Honest) -> Reply {
    match honest {
        Honest::Whole { body, tokens, error } => {
            let content = whole(behaviour, body, error);
            let mut reply = Reply::new(StatusCode::OK, JSON, content);
            if let Behaviour::Slow { headers_ms, token_ms } = behaviour {
                reply.delay = Duration::from_millis(headers_ms + token_ms.saturating_mul(tokens));
            }
            reply
        }
        Honest::Stream { events, error } => {
            let content = Content::Steps(stream(behaviour, events, error).into());
            let mut reply = Reply::new(StatusCode::OK, EVENT_STREAM, content)
                .with_header("cache-control", "no-cache");
            if let Behaviour::Slow { headers_ms, .. } = behaviour {
                reply.delay = Duration::from_millis(*headers_ms);
            }
            reply
        }
    }
}

fn whole(behaviour: &Behaviour, body: Bytes, error: Bytes) -> Content {
    let half = Step::Send(body.slice(..body.len() / 2));
    match behaviour {
        Behaviour::StallFirstToken => Content::Steps([Step::Stall].into()),
        Behaviour::StallStream { .. } => Content::Steps([half, Step::Stall].into()),
        Behaviour::CutStream { clean, .. } => {
            let mut steps = vec![half];
            cut(*clean, &mut steps);
            Content::Steps(steps.into())
        }
        Behaviour::ErrorEvent { .. } => Content::Whole(error),
        Behaviour::SlowBody { bytes, ms } => Content::Steps(drip(&body, *bytes, *ms).into()),
        Behaviour::Huge { bytes } => Content::Steps(inflate(&body, *bytes).into()),
        _ => Content::Whole(body),
    }
}

fn stream(behaviour: &Behaviour, events: Vec<Event>, error: Vec<Event>) -> Vec<Step> {
    let send = |event: Event| Step::Send(event.bytes);
    match behaviour {
        Behaviour::Slow { token_ms, .. } => paced(events, Duration::from_millis(*token_ms)),
        Behaviour::StallFirstToken => vec![Step::Stall],
        Behaviour::StallStream { events: kept } => {
            let mut steps = first(events, *kept);
            steps.push(Step::Stall);
            steps
        }
        Behaviour::CutStream { events: kept, clean } => {
            let mut steps = first(events, *kept);
            cut(*clean, &mut steps);
            steps
        }
        Behaviour::MalformedSse { events: before } => {
            let mut steps: Vec<_> = events.into_iter().map(send).collect();
            let at = (*before).min(steps.len() - 1);
            steps.insert(at, Step::Send(Bytes::from_static(MALFORMED)));
            steps
        }
        Behaviour::ErrorEvent { events: before } => {
            let mut steps = first(events, *before);
            steps.extend(error.into_iter().map(send));
            steps
        }
        Behaviour::SlowBody { bytes, ms } => drip(&joined(&events), *bytes, *ms),
        Behaviour::Huge { bytes } => inflate(&joined(&events), *bytes),
        _ => events.into_iter().map(send).collect(),
    }
}

/// The first events; never the last one, which would be the end that a client waits for.
fn first(events: Vec<Event>, kept: usize) -> Vec<Step> {
    let kept = kept.min(events.len().saturating_sub(1));
    events.into_iter().take(kept).map(|event| Step::Send(event.bytes)).collect()
}

fn cut(clean: bool, steps: &mut Vec<Step>) {
    if !clean {
        steps.extend([Step::Wait(FLUSH), Step::Cut]);
    }
}

fn paced(events: Vec<Event>, pace: Duration) -> Vec<Step> {
    let paced = |event: Event| {
        let wait = event.is_token.then_some(Step::Wait(pace));
        wait.into_iter().chain([Step::Send(event.bytes)])
    };
    events.into_iter().flat_map(paced).collect()
}

fn drip(body: &Bytes, bytes: usize, ms: u64) -> Vec<Step> {
    let drop = |start: usize| {
        let end = (start + bytes).min(body.len());
        [Step::Wait(Duration::from_millis(ms)), Step::Send(body.slice(start..end))]
    };
    (0..body.len()).step_by(bytes.max(1)).flat_map(drop).collect()
}

/// Puts the text of a huge answer wherever its stand-in is.
fn inflate(body: &Bytes, bytes: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut start = 0;
    for at in memchr_all(body) {
        steps.extend([Step::Send(body.slice(start..at)), Step::Fill(bytes)]);
        start = at + HUGE.len();
    }
    steps.push(Step::Send(body.slice(start..)));
    steps
}

fn memchr_all(body: &Bytes) -> Vec<usize> {
    let windows = body.windows(HUGE.len()).enumerate();
    windows.filter(|(_, window)| *window == HUGE.as_bytes()).map(|(at, _)| at).collect()
}

fn joined(events: &[Event]) -> Bytes {
    events.iter().flat_map(|event| event.bytes.iter().copied()).collect()
}
