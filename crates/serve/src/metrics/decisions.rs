//! Decisions by policy, choice and reason.
//!
//! Their labels are names of a router's, and a server may see any number of routers. So these series are
//! not the recorder's, which never forgets one: those of routers that are out of service are dropped.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farthing_core::Reason;

use super::{Cells, Metric, Metrics};
use crate::closed::{REASONS, reason_row};

/// What a decision is counted by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    /// Name of the policy.
    pub(crate) policy: &'a str,
    /// Position of the choice.
    pub(crate) model: usize,
    /// Why it.
    pub(crate) reason: Reason,
}

/// One counter for each (policy, candidate, reason) of a router.
#[derive(Debug)]
pub(crate) struct DecisionCells {
    policies: Vec<String>,
    models: Vec<String>,
    counters: Cells<Arc<AtomicU64>>,
}

impl DecisionCells {
    /// The last policy is `other`.
    pub(crate) fn new<'a>(policies: impl Iterator<Item = &'a String>, models: &[String]) -> Self {
        let policies: Vec<_> = policies.cloned().chain(["other".to_owned()]).collect();
        let cells = policies.len() * models.len() * REASONS.len();
        Self { policies, models: models.to_vec(), counters: Cells::new(cells) }
    }

    fn has(&self, series: &Series) -> bool {
        self.policies.contains(&series.policy) && self.models.contains(&series.model)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    policy: String,
    model: String,
    reason: &'static str,
}

/// The series of all routers in service; requests hold on to the counters that they use.
#[derive(Debug, Default)]
pub(super) struct DecisionSeries(Mutex<BTreeMap<Series, Arc<AtomicU64>>>);

impl DecisionSeries {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Series, Arc<AtomicU64>>> {
        // Between two calls there is nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text exposition of all of them.
    pub(super) fn render(&self) -> String {
        let (name, help) = (Metric::Decisions.name(), Metric::Decisions.help());
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} counter\n");
        for (Series { policy, model, reason }, count) in &*self.all() {
            let (policy, model, count) = (escaped(policy), escaped(model), count.load(Relaxed));
            let labels = format!(r#"policy="{policy}",model="{model}",reason="{reason}""#);
            // Writing to a String cannot fail.
            writeln!(text, "{name}{{{labels}}} {count}").unwrap_or_default();
        }
        text
    }
}

/// A label's value as the exposition format wants it.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl Metrics {
    /// A decision of a loaded router.
    pub(crate) fn decision(&self, cells: &DecisionCells, made: Made<'_>, took: Duration) {
        self.0.duration.record(took);
        let (reason, name) = reason_row(made.reason);
        let policies = cells.policies.len() - 1;
        let policy = cells.policies[..policies].iter().position(|known| *known == made.policy);
        let policy = policy.unwrap_or(policies);
        let cell = (policy * cells.models.len() + made.model) * REASONS.len() + reason;
        let counter = cells.counters.get(cell, || {
            let (policy, model) =
                (cells.policies[policy].clone(), cells.models[made.model].clone());
            let series = Series { policy, model, reason: name };
            Arc::clone(self.0.decisions.all().entry(series).or_default())
        });
        counter.fetch_add(1, Relaxed);
    }

    /// Forgets the series that none of these routers has.
    pub(crate) fn keep_decisions_of(&self, routers: &[&DecisionCells]) {
        let kept = |series: &Series, _: &mut _| routers.iter().any(|cells| cells.has(series));
        self.0.decisions.all().retain(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(model: &str) -> DecisionCells {
        DecisionCells::new(["p\"".to_owned()].iter(), &[model.to_owned()])
    }

    #[test]
    fn series_of_routers_that_are_gone_are_forgotten() {
        let metrics = Metrics::new().unwrap();
        let routers = ["a", "b", "c"].map(cells);
        let count = |cells: &DecisionCells| {
            let made = Made { policy: "p\"", model: 0, reason: Reason::Cheapest };
            metrics.decision(cells, made, Duration::from_micros(1));
        };
        routers.iter().for_each(count);
        // Another router with the same names goes on where the first one was.
        count(&cells("b"));
        metrics.keep_decisions_of(&[&routers[1], &routers[2]]);
        // A request that is still on its way ends as it began.
        count(&routers[0]);
        let text = metrics.0.decisions.render();
        insta::assert_snapshot!(text, @r#"
        # HELP farthing_decisions_total Decisions by policy, choice and reason
        # TYPE farthing_decisions_total counter
        farthing_decisions_total{policy="p\"",model="b",reason="cheapest"} 2
        farthing_decisions_total{policy="p\"",model="c",reason="cheapest"} 1
        "#);
    }
}
