//! A request on its way through candidates and instances until one answers.
//!
//! The router's ranked list is the list of fallbacks. A candidate's instances are tried first, then the
//! next candidate; where everything has failed in a way that passes, the list is gone through again
//! after a pause. Nothing is tried again once the client has been sent a byte of an answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use farthing_core::Price;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::account::Account;
use super::answer::{self, Answer};
use super::attempt::Sender;
use super::budget::Allowance;
use super::call::Call;
use super::failure::{Cause, Failure, Next, Refusal};
use super::fleet::Route;
use super::pool::{NoInstance, Tried};
use crate::ErrorCode;
use crate::config::GatewayConfig;
use crate::error::ApiError;
use crate::log::OutcomeLog;

/// A candidate that may answer.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) route: Arc<Route>,
    pub(super) price: Option<Price>,
    pub(super) predicted_usd: Option<f64>,
    /// Positions of instances that the request must not reach.
    pub(super) barred: Vec<usize>,
}

/// One request.
pub(super) struct Forward<'a> {
    pub(super) config: &'a GatewayConfig,
    pub(super) sender: Sender<'a>,
    pub(super) call: &'a Call<'a>,
    pub(super) decision: Option<Uuid>,
    /// Tokens that it is expected to take, for limits by the minute.
    pub(super) tokens: u64,
    pub(super) allowance: Option<Arc<Allowance>>,
    pub(super) log: Option<OutcomeLog>,
    pub(super) random: &'a (dyn Fn() -> u64 + Sync),
    pub(super) progress: Progress,
}

/// How far a request has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Attempts so far.
    pub(super) attempts: usize,
    /// What failed: candidate, instance and cause.
    failed: Vec<(String, Cause)>,
    /// Candidates that were given up.
    pub(super) given_up: BTreeSet<String>,
    /// Time spent on attempts and between them: not ours.
    pub(super) waited: Duration,
}

/// Where a candidate leaves a request.
enum Outcome {
    Answered(Box<Answer>),
    /// The next candidate may do.
    Elsewhere,
    /// Nobody will.
    Over(Failure),
}

impl Forward<'_> {
    /// The answer of the first that gives one.
    pub(super) async fn run(&mut self, targets: &[Target]) -> Result<Answer, Undelivered> {
        let began = Instant::now();
        let answer = self.go_through(targets).await;
        self.progress.waited = began.elapsed();
        answer
    }

    async fn go_through(&mut self, targets: &[Target]) -> Result<Answer, Undelivered> {
        let mut last = None;
        for round in 0.. {
            let mut hope = false;
            for target in targets {
                match self.try_target(target, &mut last).await {
                    Outcome::Answered(answer) => return Ok(*answer),
                    Outcome::Over(failure) => return Err(self.undelivered(Some(failure))),
                    Outcome::Elsewhere => {}
                }
                hope |= last.as_ref().is_some_and(|failure: &Failure| failure.cause.passes());
            }
            let is_over = !hope || self.progress.attempts >= self.config.attempts;
            if is_over || !self.pause(round, last.as_ref()).await {
                break;
            }
        }
        Err(self.undelivered(last))
    }

    /// Tries the instances of a candidate, each once.
    async fn try_target(&mut self, target: &Target, last: &mut Option<Failure>) -> Outcome {
        let mut tried = Tried::default();
        target.barred.iter().for_each(|&instance| tried.add(instance));
        while self.progress.attempts < self.config.attempts {
            let route = &target.route;
            let now = Instant::now().into_std();
            let ticket = match route.pool.pick(&tried, self.tokens, now, (self.random)()) {
                Ok(ticket) => ticket,
                Err(NoInstance::Quota { retry_after }) => {
                    self.note(target, None, Cause::Quota);
                    *last = Some(Failure { retry_after: Some(retry_after), ..Cause::Quota.into() });
                    break;
                }
                Err(NoInstance::Tried) => break,
            };
            self.progress.attempts += 1;
            let instance = ticket.instance();
            tried.add(instance);
            let (decision, log) = (self.decision, self.log.clone());
            let mut account = Account::open(target, ticket, decision, log, now);
            account.allowance.clone_from(&self.allowance);
            let failure = match answer::begin(&self.sender, self.call, account).await {
                Ok(answer) => return Outcome::Answered(Box::new(answer)),
                Err(failure) => failure,
            };
            self.note(target, Some(instance), failure.cause);
            match failure.cause.next() {
                Next::Instance => *last = Some(failure),
                Next::Candidate => {
                    *last = Some(failure);
                    break;
                }
                Next::Stop => return Outcome::Over(failure),
            }
        }
        self.progress.given_up.insert(target.route.candidate.clone());
        Outcome::Elsewhere
    }

    fn note(&mut self, target: &Target, instance: Option<usize>, cause: Cause) {
        let Route { candidate, instances, .. } = &*target.route;
        let place = match instance {
            Some(instance) => format!("{candidate} at {}", instances[instance].upstream.name),
            None => candidate.clone(),
        };
        tracing::debug!(cause = cause.name(), "an attempt failed: {place}");
        self.progress.failed.push((place, cause));
    }

    /// Waits before the list is gone through again; whether there is time for that.
    async fn pause(&self, round: u32, last: Option<&Failure>) -> bool {
        // Between half and all of a time that doubles, so that clients do not come back together.
        let jitter = 0.5 + 0.5 * ((self.random)() >> 11) as f64 / (1_u64 << 53) as f64;
        let backoff = self.config.backoff.saturating_mul(1 << round.min(10)).mul_f64(jitter);
        let asked = last.and_then(|failure| failure.retry_after).unwrap_or(Duration::ZERO);
        let until = Instant::now() + backoff.max(asked);
        if until >= self.sender.patience.deadline {
            return false;
        }
        sleep_until(until).await;
        true
    }

    fn undelivered(&self, last: Option<Failure>) -> Undelivered {
        let failure = last.unwrap_or_else(|| Cause::NoInstance.into());
        let tells = |failure: &Failure| {
            matches!(failure.cause, Cause::Refused | Cause::TooLong | Cause::RateLimited)
        };
        if tells(&failure)
            && let Some(refusal) = failure.answer
        {
            return Undelivered::Refused(refusal);
        }
        let causes = self.progress.failed.iter().map(|(place, cause)| format!("{place} ({cause})"));
        let causes = causes.collect::<Vec<_>>().join(", ");
        let cause = failure.cause;
        let (code, message) = if cause == Cause::TotalTimeout {
            (ErrorCode::UpstreamTimeout, "the request took too long")
        } else if cause.is_timeout() {
            (ErrorCode::UpstreamTimeout, "no upstream answered in time")
        } else if matches!(cause, Cause::Quota | Cause::RateLimited) {
            (ErrorCode::RateLimited, "every upstream is at its limit")
        } else {
            (ErrorCode::AllCandidatesFailed, "no upstream answered")
        };
        let message =
            format!("{message}: {causes}; hint: send it again in a second, or ask another model");
        let mut error = ApiError::new(code, message);
        if let Some(after) = failure.retry_after {
            error = error.retry_after(after);
        }
        Undelivered::Failed(error)
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Undelivered {
    /// An upstream said why, and the client should hear it.
    Refused(Refusal),
    /// Nobody answered.
    Failed(ApiError),
}
