//! Whole training runs on logs whose truth is known.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails like a test")]

mod certificate;
mod decision_time;
mod hard_logs;
mod resumed;
mod synthetic;
mod ties;
