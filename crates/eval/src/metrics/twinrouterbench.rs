//! `TwinRouterBench`'s figures of agents' steps and runs (arXiv 2605.18859).
//!
//! A tier is a rank of models by price, the higher the dearer; the gold tier is the lowest that is
//! good enough for a step.

use std::collections::BTreeMap;

use super::decided::{RatioColumn, counted, ratio};

/// One step of an agent's run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The run that it belongs to. The steps of a run should be of one group.
    pub run: u64,
    /// Tier of the chosen model.
    pub tier: usize,
    /// Lowest tier that is good enough.
    pub gold_tier: usize,
    /// Cost of the chosen model in USD; NaN where unknown.
    pub cost_usd: f64,
    /// Cost of the top tier's model in USD; NaN where unknown.
    pub top_cost_usd: f64,
}

/// What each step adds to each figure, `(steps)` all.
#[derive(Debug, Clone, PartialEq)]
pub struct TwinColumns {
    /// Case pass: share of steps at the gold tier or above.
    pub case_pass: RatioColumn,
    /// Exact match: share of steps at the gold tier.
    pub exact_match: RatioColumn,
    /// Trajectory pass: share of runs all of whose steps pass.
    pub trajectory_pass: RatioColumn,
    /// Cost saving: what was saved over the cost of always choosing the top tier, of the steps with
    /// both costs known.
    pub cost_saving: RatioColumn,
}

impl TwinColumns {
    /// The columns of some steps.
    pub fn new(steps: &[Step]) -> Self {
        let passes = |step: &Step| step.tier >= step.gold_tier;
        // Number of steps, and whether all pass.
        let mut runs: BTreeMap<u64, (f64, bool)> = BTreeMap::new();
        for step in steps {
            let run = runs.entry(step.run).or_insert((0.0, true));
            *run = (run.0 + 1.0, run.1 && passes(step));
        }
        // Each step carries an equal part of its run.
        let of_run = |step: &Step| {
            let (steps, passed) = runs.get(&step.run)?;
            let (above, below) = counted(*passed);
            Some((above / steps, below / steps))
        };
        let saving = |step: &Step| {
            let saved = step.top_cost_usd - step.cost_usd;
            (!saved.is_nan()).then_some((saved, step.top_cost_usd))
        };
        Self {
            case_pass: steps.iter().map(|step| Some(counted(passes(step)))).collect(),
            exact_match: steps.iter().map(|s| Some(counted(s.tier == s.gold_tier))).collect(),
            trajectory_pass: steps.iter().map(of_run).collect(),
            cost_saving: steps.iter().map(saving).collect(),
        }
    }

    /// The combined figure: the mean of the four, each step counted once; NaN where one is.
    pub fn combined(&self) -> f64 {
        let Self { case_pass, exact_match, trajectory_pass, cost_saving } = self;
        let all = [case_pass, exact_match, trajectory_pass, cost_saving];
        all.iter().map(|column| ratio(column)).sum::<f64>() / all.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(run: u64, tier: usize, gold_tier: usize, cost_usd: f64) -> Step {
        Step { run, tier, gold_tier, cost_usd, top_cost_usd: 10.0 }
    }

    #[test]
    fn steps_and_runs_by_hand() {
        // Run 1 passes with one step above gold, run 2 fails in one of three steps.
        let steps = [
            step(1, 2, 1, 6.0),
            step(2, 0, 0, 1.0),
            step(1, 1, 1, 3.0),
            step(2, 0, 3, 1.0),
            step(2, 3, 3, f64::NAN),
        ];
        let found = TwinColumns::new(&steps);
        let expected = [4.0 / 5.0, 3.0 / 5.0, 1.0 / 2.0, (4.0 + 9.0 + 7.0 + 9.0) / 40.0];
        let columns =
            [&found.case_pass, &found.exact_match, &found.trajectory_pass, &found.cost_saving];
        for (column, expected) in columns.into_iter().zip(expected) {
            assert!((ratio(column) - expected).abs() < 1e-12, "{column:?}");
        }
        assert!((found.combined() - expected.iter().sum::<f64>() / 4.0).abs() < 1e-12);
        assert!(TwinColumns::new(&[]).combined().is_nan());
    }
}
