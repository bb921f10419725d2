//! Conversations in progress: who answered each last, and how many turns they usually have.
//!
//! What is kept here is a convenience of one replica, bounded and lost with it. A client that sends back the
//! pin of the last answer needs none of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use farthing_core::{Digest, Pin, Request, Role, RouteOptions, estimated_input_tokens};
use farthing_model::{Router, Session};
use moka::sync::Cache;

use crate::config::SessionConfig;

/// Sessions of more turns are counted as if they had these.
const MOST_TURNS: usize = 64;
/// As many sessions as the configured number of turns is worth.
const PRIOR_SESSIONS: f64 = 20.0;

/// What is known of sessions; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Sessions(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    config: SessionConfig,
    pins: Cache<Digest, Arc<Pin>>,
    /// How many sessions had an n-th turn.
    reached: [AtomicU64; MOST_TURNS],
}

/// A turn of a session, before it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    key: Option<Digest>,
    number: u32,
    bytes: u64,
    at: u64,
    /// Who answered the turn before.
    before: Option<Arc<Pin>>,
}

impl Sessions {
    pub(crate) fn new(config: SessionConfig) -> Self {
        // A pin says little once nothing of it is cached, but turns are counted on.
        let pins = Cache::builder()
            .max_capacity(config.entries)
            .time_to_idle(config.cached_for.max(Duration::from_hours(1)))
            .build();
        Self(Arc::new(Kept { config, pins, reached: [const { AtomicU64::new(0) }; MOST_TURNS] }))
    }

    /// The turn that a request is; `None`: it is part of no session.
    pub(crate) fn turn(&self, request: &Request, options: &RouteOptions, at: u64) -> Option<Turn> {
        let RouteOptions { session_id, pin, .. } = options;
        if session_id.is_none() && pin.is_none() {
            return None;
        }
        let key = session_id.as_ref().map(|id| Digest::of(id.as_bytes()));
        let sent = pin.clone().map(Arc::new);
        // What a client sends may come from another replica and is the later word.
        let before = sent.or_else(|| self.0.pins.get(key.as_ref()?));
        let asked = request.messages().iter().filter(|turn| turn.role == Role::User).count();
        let asked = u32::try_from(asked).unwrap_or(u32::MAX);
        let number = before.as_ref().map_or(1, |pin| pin.turns.saturating_add(1)).max(asked);
        self.0.reached[position(number)].fetch_add(1, Relaxed);
        Some(Turn { key, number, bytes: request.text_bytes() as u64, at, before })
    }

    /// What a turn means for a router's choice.
    pub(crate) fn session(&self, turn: &Turn, router: &Router) -> Option<Session> {
        let before = turn.before.as_ref()?;
        let candidate = router.position(&before.model)?;
        let SessionConfig { cached_for, cached_tokens, .. } = &self.0.config;
        let cached = before.bytes.min(turn.bytes);
        let cached = usize::try_from(cached).unwrap_or(usize::MAX);
        let is_fresh = turn.at.saturating_sub(before.at) <= cached_for.as_secs();
        let is_long = estimated_input_tokens(cached) >= *cached_tokens as f64;
        let cached_bytes = if is_fresh && is_long { cached } else { 0 };
        Some(Session { candidate, cached_bytes, remaining_turns: self.remaining(turn.number) })
    }

    /// Turns that are expected from the n-th on, that one included.
    fn remaining(&self, number: u32) -> f64 {
        let here = position(number);
        let count = |at: &AtomicU64| at.load(Relaxed) as f64;
        let later: f64 = self.0.reached[here + 1..].iter().map(count).sum();
        // As if so many sessions had come here before, each with as many turns ahead as configured.
        let prior = PRIOR_SESSIONS * (self.0.config.turns - 1.0);
        1.0 + (later + prior) / (count(&self.0.reached[here]) + PRIOR_SESSIONS)
    }

    /// Writes down who answers a turn; the pin for the next one.
    pub(crate) fn pin(&self, turn: &Turn, model: &str) -> Arc<Pin> {
        let Turn { number: turns, bytes, at, .. } = *turn;
        let pin = Arc::new(Pin { model: model.to_owned(), turns, bytes, at });
        if let Some(key) = &turn.key {
            self.0.pins.insert(key.clone(), Arc::clone(&pin));
        }
        pin
    }
}

fn position(number: u32) -> usize {
    usize::try_from(number).map_or(MOST_TURNS, |number| number.clamp(1, MOST_TURNS)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> Sessions {
        Sessions::new(SessionConfig { turns: 4.0, ..SessionConfig::default() })
    }

    #[test]
    fn turns_to_come_are_those_configured_until_traffic_says_otherwise() {
        let sessions = sessions();
        for number in [1, 2, 64, u32::MAX] {
            assert!((sessions.remaining(number) - 4.0).abs() < 1e-9, "{number}");
        }
        // Every session has two turns.
        for _ in 0..10_000 {
            for turn in [1, 2] {
                sessions.0.reached[position(turn)].fetch_add(1, Relaxed);
            }
        }
        assert!((sessions.remaining(1) - 2.0).abs() < 0.01, "{}", sessions.remaining(1));
        assert!((sessions.remaining(2) - 1.0).abs() < 0.01, "{}", sessions.remaining(2));
    }

    #[test]
    fn a_turn_follows_the_one_before() {
        let sessions = sessions();
        let request = Request::from_prompt("x".repeat(8000)).unwrap();
        let with = |id: Option<&str>, pin: Option<Pin>| RouteOptions {
            session_id: id.map(str::to_owned),
            pin,
            ..RouteOptions::default()
        };
        assert!(sessions.turn(&request, &with(None, None), 0).is_none());
        let first = sessions.turn(&request, &with(Some("s"), None), 100).unwrap();
        assert_eq!((first.number, first.before.is_none()), (1, true));
        let pin = sessions.pin(&first, "small");
        assert_eq!(*pin, Pin { model: "small".into(), turns: 1, bytes: 8000, at: 100 });

        let second = sessions.turn(&request, &with(Some("s"), None), 200).unwrap();
        assert_eq!((second.number, second.before), (2, Some(Arc::clone(&pin))));
        let other = sessions.turn(&request, &with(Some("t"), None), 200).unwrap();
        assert_eq!((other.number, other.before), (1, None));
        // A pin does without the table, and is believed before it.
        let sent = Pin { model: "large".into(), turns: 7, ..(*pin).clone() };
        let third = sessions.turn(&request, &with(Some("s"), Some(sent.clone())), 200).unwrap();
        assert_eq!((third.number, third.before), (8, Some(Arc::new(sent))));
    }

    #[test]
    fn what_is_old_or_short_is_not_cached() {
        let dir = tempfile::tempdir().unwrap();
        crate::tiny::write_tiny_router(dir.path());
        let router = Router::load(dir.path()).unwrap();
        let sessions = sessions();
        let cached = |bytes: u64, now: u64, model: &str| {
            let pin = Pin { model: model.into(), turns: 1, bytes, at: 1000 };
            let options = RouteOptions { pin: Some(pin), ..RouteOptions::default() };
            let request = Request::from_prompt("x".repeat(10_000)).unwrap();
            let turn = sessions.turn(&request, &options, now).unwrap();
            sessions.session(&turn, &router).map(|session| session.cached_bytes)
        };
        assert_eq!(cached(8000, 1300, "small"), Some(8000));
        assert_eq!(cached(80_000, 1300, "small"), Some(10_000));
        assert_eq!(cached(8000, 1301, "small"), Some(0));
        assert_eq!(cached(4000, 1000, "small"), Some(0));
        assert_eq!(cached(8000, 1000, "gone"), None);
    }
}
