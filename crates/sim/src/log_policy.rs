//! Which candidates a log shows: the choice that some system made when the traffic happened.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// How the logged candidates were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPolicy {
    /// Every candidate answers every request; no propensity, because nothing was chosen.
    Full,
    /// One candidate a request, uniformly at random, with its propensity.
    Uniform,
    /// One candidate a request, rather a dear one, the more so the harder the request looks, with
    /// its propensity: a careful team's log, in which plain averages mislead.
    Skewed,
}

/// Least probability of each candidate under [`LogPolicy::Skewed`].
const SKEWED_FLOOR: f64 = 0.02;

impl LogPolicy {
    /// Every log policy, as written on a command line.
    pub const NAMES: [&'static str; 3] = ["full", "uniform", "skewed"];

    /// The log policy of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "full" => Some(Self::Full),
            "uniform" => Some(Self::Uniform),
            "skewed" => Some(Self::Skewed),
            _ => None,
        }
    }

    /// The positions of the logged candidates of `count`, each with its propensity, for a request
    /// that looks as hard as `level` in [0, 1].
    pub(crate) fn choose(
        self,
        count: usize,
        level: f64,
        dice: &mut ChaCha8Rng,
    ) -> Vec<(usize, Option<f64>)> {
        let propensities = match self {
            Self::Full => return (0..count).map(|i| (i, None)).collect(),
            Self::Uniform => vec![1.0 / count as f64; count],
            Self::Skewed => skewed(count, level),
        };
        let mut left: f64 = dice.random();
        let chosen = propensities.iter().position(|p| {
            left -= p;
            left < 0.0
        });
        let chosen = chosen.unwrap_or(count - 1);
        vec![(chosen, Some(propensities[chosen]))]
    }
}

/// Probabilities that grow with the price rank.
fn skewed(count: usize, level: f64) -> Vec<f64> {
    let weights: Vec<f64> = (0..count).map(|i| (i as f64 * (0.1 + 0.6 * level)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let spare = 1.0 - SKEWED_FLOOR * count as f64;
    weights.iter().map(|weight| SKEWED_FLOOR + spare * weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn names_and_policies_agree() {
        let policies = LogPolicy::NAMES.map(LogPolicy::from_name);
        assert_eq!(
            policies,
            [Some(LogPolicy::Full), Some(LogPolicy::Uniform), Some(LogPolicy::Skewed)]
        );
        assert_eq!(LogPolicy::from_name("Full"), None);
    }

    #[test]
    fn propensities_are_the_frequencies() {
        for (policy, level) in [(LogPolicy::Uniform, 0.5), (LogPolicy::Skewed, 0.8)] {
            let mut dice = ChaCha8Rng::seed_from_u64(3);
            let mut seen = [(0.0, 0.0); 6];
            for _ in 0..20_000 {
                let chosen = policy.choose(6, level, &mut dice);
                let (i, propensity) = chosen[0];
                seen[i] = (seen[i].0 + 1.0 / 20_000.0, propensity.unwrap());
            }
            for (frequency, propensity) in seen {
                assert!((frequency - propensity).abs() < 0.012, "{policy:?} {seen:?}");
            }
        }
    }
}
