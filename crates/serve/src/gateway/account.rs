//! The account of one attempt: what it takes of an instance, what it costs, and where that is written
//! down. However the attempt ends, the account is closed once; one that is dropped was abandoned by its
//! client.

use std::sync::Arc;
use std::time::Instant;

use farthing_core::{OutcomeBody, Price, Usage};
use uuid::Uuid;

use super::budget::Allowance;
use super::failure::{Cause, Failure};
use super::figures::Ended;
use super::fleet::{Instance, Route};
use super::forward::Target;
use super::pool::{Ending, Ticket};
use crate::log::OutcomeLog;

/// What an answer cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    pub(super) usd: Option<f64>,
    pub(super) status: CostStatus,
}

/// How well the cost of an answer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CostStatus {
    /// From what the upstream reports.
    Known,
    /// From what was predicted.
    Estimated,
    /// Not at all.
    Unknown,
}

impl CostStatus {
    pub(super) const ALL: [Self; 3] = [Self::Known, Self::Estimated, Self::Unknown];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}

impl Cost {
    fn of(usd: Option<f64>, status: CostStatus) -> Self {
        Self { usd, status: usd.map_or(CostStatus::Unknown, |_| status) }
    }
}

/// What an upstream said of an answer's price.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bill {
    pub(super) usage: Option<Usage>,
    /// The upstream's own figure in USD.
    pub(super) billed_usd: Option<f64>,
}

/// The account of one attempt.
#[derive(Debug)]
pub(super) struct Account {
    /// Taken when the account is closed.
    ticket: Option<Ticket>,
    route: Arc<Route>,
    instance: usize,
    decision: Option<Uuid>,
    price: Option<Price>,
    predicted_usd: Option<f64>,
    began: Instant,
    first_token: Option<Instant>,
    log: Option<OutcomeLog>,
    /// What it counts against.
    pub(super) allowance: Option<Arc<Allowance>>,
    /// What is known so far.
    pub(super) bill: Bill,
}

impl Account {
    pub(super) fn open(
        target: &Target,
        ticket: Ticket,
        decision: Option<Uuid>,
        log: Option<OutcomeLog>,
        now: Instant,
    ) -> Self {
        Self {
            instance: ticket.instance(),
            ticket: Some(ticket),
            route: Arc::clone(&target.route),
            decision,
            price: target.price,
            predicted_usd: target.predicted_usd,
            began: now,
            first_token: None,
            log,
            allowance: None,
            bill: Bill::default(),
        }
    }

    /// Where the attempt goes.
    pub(super) fn instance(&self) -> &Instance {
        &self.route.instances[self.instance]
    }

    /// The candidate that is to answer.
    pub(super) fn candidate(&self) -> &str {
        &self.route.candidate
    }

    /// What the answer is expected to cost.
    pub(super) fn expected_cost(&self) -> Cost {
        Cost::of(self.predicted_usd, CostStatus::Estimated)
    }

    /// What the answer costs, as far as it is billed. What an upstream bills is what is paid; without
    /// that, its tokens at the prices that are known.
    pub(super) fn cost(&self) -> Cost {
        let Bill { usage, billed_usd } = self.bill;
        let settled = || self.price.as_ref()?.settle(usage.as_ref()?);
        Cost::of(billed_usd.or_else(settled), CostStatus::Known)
    }

    /// The first token has come.
    pub(super) fn first_token(&mut self, now: Instant) {
        self.instance().figures.first_token(now.duration_since(self.began));
        self.first_token = Some(now);
        if let Some(ticket) = &mut self.ticket {
            ticket.first_token(now);
        }
    }

    /// The answer is there, or all of it has been passed on.
    pub(super) fn answered(&mut self) -> Cost {
        let usage = self.bill.usage.unwrap_or_default();
        let (input_tokens, output_tokens) = (usage.all_input(), usage.output_tokens);
        self.close(Ended::Ok, Ending::Answered { output_tokens, input_tokens })
    }

    /// There will be no answer, or no more of it.
    pub(super) fn failed(&mut self, failure: &Failure) {
        let Failure { cause, retry_after, .. } = *failure;
        let ending = if cause == Cause::RateLimited {
            Ending::RateLimited { retry_after }
        } else if cause.is_unhealthy() {
            Ending::Failed
        } else {
            Ending::Refused
        };
        self.close(Ended::Failed(cause), ending);
    }

    /// Nothing happens the second time.
    fn close(&mut self, how: Ended, ending: Ending) -> Cost {
        let cost = self.cost();
        let Some(ticket) = self.ticket.take() else { return cost };
        let now = Instant::now();
        ticket.done(now, ending);
        let took = now.duration_since(self.began);
        let figures = &self.instance().figures;
        figures.ended(how, took);
        figures.used(self.bill.usage.as_ref(), cost);
        if let (Ended::Ok, Some(tokens)) = (how, self.bill.usage.and_then(|u| u.output_tokens)) {
            figures.produced(tokens, now.duration_since(self.first_token.unwrap_or(self.began)));
        }
        if let Some(allowance) = self.allowance.take() {
            // An answer of unknown cost counts as predicted; what failed cost what it is known to cost.
            let predicted = self.predicted_usd.filter(|_| !matches!(how, Ended::Failed(_)));
            allowance.spend(cost.usd.or(predicted).unwrap_or(0.0));
        }
        if let (Some(log), Some(decision)) = (&self.log, self.decision) {
            let usage = self.bill.usage.unwrap_or_default();
            log.note(OutcomeBody {
                decision_id: decision.to_string(),
                model: self.route.candidate.clone(),
                cost_usd: cost.usd,
                input_tokens: usage.all_input(),
                cached_input_tokens: usage
                    .cached_input_tokens
                    .filter(|_| usage.all_input().is_some()),
                output_tokens: usage.output_tokens,
                // The time of an answer that did not come to its end says nothing of the candidate.
                latency_ms: (how == Ended::Ok).then_some(took.as_secs_f64() * 1e3),
                ..OutcomeBody::default()
            });
        }
        cost
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.close(Ended::Abandoned, Ending::Abandoned);
    }
}
