//! What happened to downgraded requests, and what that bounds.

use farthing_core::{Constraints, Policy, Rule, decide};
use farthing_model::Bounds;
use statrs::distribution::{Beta, ContinuousCDF};

use super::HeldOut;
use crate::TrainConfig;

/// The policy at one threshold, measured against one candidate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Yardstick {
    pub(super) threshold: f64,
    /// A request is downgraded when its choice is predicted to be cheaper than this candidate.
    pub(super) judge: usize,
}

/// What happened to the downgraded requests at one threshold.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) downgraded: u64,
    /// Downgraded with the choice's outcome known, and misses among them.
    pub(super) judged: u64,
    pub(super) misses: u64,
    /// Downgraded with both outcomes known, and excess misses among them.
    pub(super) paired: u64,
    pub(super) excess_misses: u64,
}

impl Tally {
    /// Of some of the requests.
    pub(super) fn of(held_out: HeldOut<'_>, rows: &[usize], against: Yardstick) -> Self {
        let Yardstick { threshold, judge } = against;
        let rule = Rule::CheapestAboveBar { threshold, fallback: held_out.reference };
        let policy = Policy::new(rule);
        let mut tally = Self::default();
        for &row in rows {
            let (record, request) = (held_out.records[row], &held_out.predictions[row]);
            let Ok(choice) = decide(&policy, request, &Constraints::default(), 0.0) else {
                continue;
            };
            let chosen = choice.ranked[0];
            let cheaper = request[chosen].cost_usd.zip(request[judge].cost_usd);
            if !cheaper.is_some_and(|(chosen, judge)| chosen < judge) {
                continue;
            }
            tally.downgraded += 1;
            let met = |candidate: usize| {
                let cell = record.cells.iter().find(|cell| cell.candidate == candidate)?;
                cell.score.map(|score| score >= held_out.bar)
            };
            let Some(choice_met) = met(chosen) else { continue };
            tally.judged += 1;
            tally.misses += u64::from(!choice_met);
            if let Some(judge_met) = met(judge) {
                tally.paired += 1;
                tally.excess_misses += u64::from(!choice_met && judge_met);
            }
        }
        tally
    }

    pub(super) fn excess_bound(&self, delta: f64) -> f64 {
        upper_bound(self.excess_misses, self.paired, delta)
    }

    pub(super) fn miss_bound(&self, delta: f64) -> f64 {
        upper_bound(self.misses, self.judged, delta)
    }

    /// Share of excess misses; NaN without a paired outcome.
    pub(super) fn excess_rate(&self) -> f64 {
        self.excess_misses as f64 / self.paired as f64
    }

    /// For the manifest; no bound where it could not have been `alpha` or less.
    pub(super) fn bounds(&self, config: &TrainConfig) -> Bounds {
        let enough = |trials: u64| upper_bound(0, trials, config.delta) <= config.alpha;
        Bounds {
            downgraded: self.downgraded,
            excess_misses: self.excess_misses,
            excess_bound: enough(self.paired).then(|| self.excess_bound(config.delta)),
            misses: self.misses,
            miss_bound: enough(self.judged).then(|| self.miss_bound(config.delta)),
        }
    }
}

/// The Clopper-Pearson upper bound on a rate of which `events` in `trials` were seen.
fn upper_bound(events: u64, trials: u64, delta: f64) -> f64 {
    if events >= trials {
        return 1.0;
    }
    let beta = Beta::new(events as f64 + 1.0, (trials - events) as f64);
    beta.map_or(1.0, |beta| beta.inverse_cdf(1.0 - delta))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_agree_with_tables() {
        // 59 trials without an event are what 5 % at 95 % confidence needs.
        assert!((upper_bound(0, 59, 0.05) - 0.0495).abs() < 5e-4);
        assert!((upper_bound(5, 100, 0.05) - 0.1022).abs() < 5e-4);
        assert!((upper_bound(3, 3, 0.05) - 1.0).abs() < 1e-12);
        assert!((upper_bound(0, 0, 0.05) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn too_few_have_no_bound() {
        let config = TrainConfig::default();
        // 10 % at 95 % confidence needs 29.
        let of = |paired| Tally { downgraded: 40, judged: 40, paired, ..Tally::default() };
        assert_eq!(of(28).bounds(&config).excess_bound, None);
        let bounds = of(29).bounds(&config);
        assert!((bounds.excess_bound.unwrap() - 0.0981).abs() < 5e-4);
        assert!((bounds.miss_bound.unwrap() - 0.0722).abs() < 5e-4);
    }
}
