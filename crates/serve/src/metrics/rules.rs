//! Decisions by the rules that held and by the arm of the experiment. Names are those of the settings in
//! force, so the counters go with them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use farthing_core::rules::Rules;
use farthing_model::Decided;

use super::decisions::escaped;

/// One counter for each rule and arm.
#[derive(Debug, Default)]
pub(crate) struct RuleCells {
    rules: Vec<(Arc<str>, AtomicU64)>,
    arms: Vec<(Arc<str>, AtomicU64)>,
}

impl RuleCells {
    pub(crate) fn new(rules: &Rules) -> Self {
        let cell = |name: &Arc<str>| (Arc::clone(name), AtomicU64::new(0));
        let arms = rules.experiment.iter().flat_map(|experiment| &experiment.arms);
        Self {
            rules: rules.list.iter().map(|rule| cell(&rule.name)).collect(),
            arms: arms.map(|(arm, _)| cell(arm)).collect(),
        }
    }

    /// Counts a decision.
    pub(crate) fn count(&self, decided: &Decided) {
        let held = self.rules.iter().filter(|(name, _)| decided.rules.contains(name));
        let arm = self.arms.iter().filter(|(name, _)| decided.arm.as_ref() == Some(name));
        for (_, count) in held.chain(arm) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// The text exposition.
    pub(crate) fn render(&self) -> String {
        let mut text = String::new();
        let families = [
            (
                "rule",
                "farthing_rule_decisions_total",
                "Decisions that a rule held for",
                &self.rules,
            ),
            (
                "arm",
                "farthing_arm_decisions_total",
                "Decisions by arm of the experiment",
                &self.arms,
            ),
        ];
        for (label, family, help, cells) in families.iter().filter(|(.., cells)| !cells.is_empty())
        {
            // Writing to a String cannot fail.
            writeln!(text, "# HELP {family} {help}\n# TYPE {family} counter").unwrap_or_default();
            for (name, count) in *cells {
                let (name, count) = (escaped(name), count.load(Relaxed));
                writeln!(text, "{family}{{{label}=\"{name}\"}} {count}").unwrap_or_default();
            }
        }
        text
    }
}
