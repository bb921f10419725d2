//! The dial sweep: what every request chooses at every setting of the cost/quality dial.

use rayon::prelude::*;

use super::{Groups, Matrix, Point};

/// Settings after the first, which ignores cost.
const STEPS: i32 = 160;

/// The settings of the dial: what one USD is worth in quality. 0, and 160 values log-spaced in
/// [1e-2, 1e6].
pub fn dial_lambdas() -> Vec<f64> {
    let step = |i: i32| 10_f64.powf(-2.0 + 8.0 * f64::from(i) / f64::from(STEPS - 1));
    std::iter::once(0.0).chain((0..STEPS).map(step)).collect()
}

/// The points of a dial sweep, one a lambda, in the order of [`dial_lambdas`].
///
/// Every request takes `argmax(predicted quality - lambda * predicted cost)`, ties to the cheaper
/// predicted, then to the first candidate; a point is (mean true cost, mean true score). All
/// matrices are `(requests, candidates)`.
pub fn dial_sweep(
    predicted_quality: &Matrix,
    predicted_cost: &Matrix,
    true_score: &Matrix,
    true_cost: &Matrix,
) -> Vec<Point> {
    let choices = Choices::of_dial(predicted_quality, predicted_cost);
    let groups = Groups::each_alone(true_score.rows());
    Sweep::new(&choices, true_score, true_cost, &groups).points(&groups.once())
}

/// What each request chooses at each setting, kept as the settings at which its choice changes: a
/// dial passes over few of the candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    settings: usize,
    /// Position of each request's first switch, and one past the last; `(requests + 1)`.
    starts: Vec<usize>,
    switches: Vec<Switch>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Switch {
    setting: usize,
    candidate: usize,
}

impl Choices {
    /// Choices of the dial sweep, see [`dial_sweep`]; `(requests, candidates)` matrices.
    pub fn of_dial(predicted_quality: &Matrix, predicted_cost: &Matrix) -> Self {
        let lambdas = dial_lambdas();
        Self::new(predicted_quality.rows(), lambdas.len(), |request, setting| {
            let (quality, cost) = (predicted_quality.row(request), predicted_cost.row(request));
            best_utility(quality, cost, lambdas[setting])
        })
    }

    /// Any dial: `choose(request, setting)` is a candidate.
    pub fn new(
        requests: usize,
        settings: usize,
        choose: impl Fn(usize, usize) -> usize + Sync,
    ) -> Self {
        let switches_of = |request: usize| {
            let mut switches: Vec<Switch> = Vec::new();
            for setting in 0..settings {
                let candidate = choose(request, setting);
                if switches.last().is_none_or(|last| last.candidate != candidate) {
                    switches.push(Switch { setting, candidate });
                }
            }
            switches
        };
        let by_request: Vec<Vec<Switch>> = (0..requests).into_par_iter().map(switches_of).collect();
        let mut starts = vec![0];
        let mut switches = Vec::new();
        for list in by_request {
            switches.extend(list);
            starts.push(switches.len());
        }
        Self { settings, starts, switches }
    }

    /// Number of settings.
    pub fn settings(&self) -> usize {
        self.settings
    }

    /// The candidate that a request takes at a setting.
    pub fn at(&self, request: usize, setting: usize) -> usize {
        let switches = self.switches(request);
        let passed = switches.partition_point(|switch| switch.setting <= setting);
        switches[passed - 1].candidate
    }

    /// What share of the requests takes each candidate at each setting, `(settings, candidates)`; 0
    /// without requests.
    pub fn shares(&self, candidates: usize) -> Matrix {
        let requests = self.starts.len() - 1;
        let mut changes = vec![0.0; self.settings * candidates];
        for request in 0..requests {
            let mut before = None;
            for switch in self.switches(request) {
                changes[switch.setting * candidates + switch.candidate] += 1.0;
                if let Some(before) = before.replace(switch.candidate) {
                    changes[switch.setting * candidates + before] -= 1.0;
                }
            }
        }
        for cell in candidates..changes.len() {
            changes[cell] += changes[cell - candidates];
        }
        for count in &mut changes {
            *count /= requests.max(1) as f64;
        }
        Matrix::new(candidates, changes)
    }

    fn switches(&self, request: usize) -> &[Switch] {
        &self.switches[self.starts[request]..self.starts[request + 1]]
    }
}

/// `argmax(quality - lambda * cost)`, ties to the cheaper, then to the first.
fn best_utility(quality: &[f64], cost: &[f64], lambda: f64) -> usize {
    let mut best = 0;
    let mut best_utility = f64::NEG_INFINITY;
    for (candidate, (quality, cost_here)) in quality.iter().zip(cost).enumerate() {
        let utility = quality - lambda * cost_here;
        let ties = utility >= best_utility && *cost_here < cost[best];
        if utility > best_utility || ties {
            (best, best_utility) = (candidate, utility);
        }
    }
    best
}

/// True outcomes of [`Choices`], summed by group of requests, ready to be weighed.
#[derive(Debug, Clone)]
pub struct Sweep {
    settings: usize,
    /// Requests of each group, `(groups)`.
    sizes: Vec<f64>,
    /// Position of each group's first change, and one past the last; `(groups + 1)`.
    starts: Vec<usize>,
    changes: Vec<Change>,
}

/// By how much a group's sums differ from those at the setting before.
#[derive(Debug, Clone, Copy)]
struct Change {
    setting: usize,
    cost_usd: f64,
    quality: f64,
}

impl Sweep {
    /// `true_score` and `true_cost` are `(requests, candidates)`, cost in USD.
    pub fn new(
        choices: &Choices,
        true_score: &Matrix,
        true_cost: &Matrix,
        groups: &Groups,
    ) -> Self {
        let mut by_group: Vec<Vec<Change>> = vec![Vec::new(); groups.len()];
        let mut sizes = vec![0.0; groups.len()];
        for (request, &group) in groups.of_requests().iter().enumerate() {
            sizes[group] += 1.0;
            let mut before = Point { cost_usd: 0.0, quality: 0.0 };
            for switch in choices.switches(request) {
                let now = Point {
                    cost_usd: true_cost.at(request, switch.candidate),
                    quality: true_score.at(request, switch.candidate),
                };
                by_group[group].push(Change {
                    setting: switch.setting,
                    cost_usd: now.cost_usd - before.cost_usd,
                    quality: now.quality - before.quality,
                });
                before = now;
            }
        }
        let mut starts = vec![0];
        let mut changes = Vec::new();
        for list in by_group {
            changes.extend(list);
            starts.push(changes.len());
        }
        Self { settings: choices.settings(), sizes, starts, changes }
    }

    /// The points, one a setting, with each group counted as often as `counts` says, `(groups)`.
    pub fn points(&self, counts: &[u32]) -> Vec<Point> {
        let mut sums = vec![Point { cost_usd: 0.0, quality: 0.0 }; self.settings];
        let mut requests = 0.0;
        for (group, &count) in counts.iter().enumerate() {
            if count == 0 {
                continue;
            }
            let weight = f64::from(count);
            requests += weight * self.sizes[group];
            for change in &self.changes[self.starts[group]..self.starts[group + 1]] {
                let sum = &mut sums[change.setting];
                sum.cost_usd += weight * change.cost_usd;
                sum.quality += weight * change.quality;
            }
        }
        let mut running = Point { cost_usd: 0.0, quality: 0.0 };
        for sum in &mut sums {
            running.cost_usd += sum.cost_usd;
            running.quality += sum.quality;
            *sum = Point {
                cost_usd: running.cost_usd / requests,
                quality: running.quality / requests,
            };
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_are_zero_and_log_spaced() {
        let lambdas = dial_lambdas();
        assert_eq!(lambdas.len(), 161);
        assert!(lambdas[0].abs() < 1e-300);
        assert!((lambdas[1] - 1e-2).abs() < 1e-12);
        assert!((lambdas[160] / 1e6 - 1.0).abs() < 1e-12);
        let ratio = lambdas[2] / lambdas[1];
        assert!(lambdas[1..].windows(2).all(|pair| (pair[1] / pair[0] / ratio - 1.0).abs() < 1e-9));
    }

    /// Two requests, a cheap and a dear candidate that is predicted to be 0.5 and 0.1 better.
    fn example() -> [Matrix; 4] {
        let cost = Matrix::repeat(2, &[0.001, 0.101]);
        let quality = Matrix::new(2, vec![0.3, 0.8, 0.3, 0.4]);
        let true_score = Matrix::new(2, vec![0.0, 1.0, 1.0, 0.0]);
        let true_cost = Matrix::new(2, vec![0.002, 0.2, 0.004, 0.1]);
        [quality, cost, true_score, true_cost]
    }

    #[test]
    fn a_sweep_by_hand() {
        let [quality, cost, score, true_cost] = example();
        let points = dial_sweep(&quality, &cost, &score, &true_cost);
        // The second request turns cheap where lambda * 0.1 passes 0.1, the first where it passes
        // 0.5.
        for (lambda, point) in dial_lambdas().into_iter().zip(points) {
            let (cost, quality) = match lambda {
                l if l < 0.999 => (0.15, 0.5),
                l if l < 4.999 => (0.102, 1.0),
                _ => (0.003, 0.5),
            };
            assert!((point.cost_usd - cost).abs() < 1e-12, "{lambda} {point:?}");
            assert!((point.quality - quality).abs() < 1e-12, "{lambda} {point:?}");
        }
    }

    #[test]
    fn choices_are_those_of_every_setting() {
        let [quality, cost, ..] = example();
        let choices = Choices::of_dial(&quality, &cost);
        for (setting, lambda) in dial_lambdas().into_iter().enumerate() {
            for request in 0..2 {
                let expected = best_utility(quality.row(request), cost.row(request), lambda);
                assert_eq!(choices.at(request, setting), expected);
            }
            let dear = (0..2).filter(|&request| choices.at(request, setting) == 1).count();
            let share = dear as f64 / 2.0;
            assert_eq!(choices.shares(2).row(setting), [1.0 - share, share]);
        }
    }

    #[test]
    fn ties_go_to_the_cheaper_then_to_the_first() {
        assert_eq!(best_utility(&[0.5, 0.5, 0.5], &[2.0, 1.0, 1.0], 0.0), 1);
        assert_eq!(best_utility(&[0.5, 0.5, 0.4], &[1.0, 2.0, 0.5], 0.0), 0);
    }

    #[test]
    fn counts_weigh_groups() {
        let [quality, cost, score, true_cost] = example();
        let groups = Groups::by_key(&[7, 3]);
        let sweep = Sweep::new(&Choices::of_dial(&quality, &cost), &score, &true_cost, &groups);
        // Group 0 is key 3, the second request.
        let point = sweep.points(&[3, 1])[0];
        assert!((point.cost_usd - (3.0 * 0.1 + 0.2) / 4.0).abs() < 1e-12);
        assert!((point.quality - 0.25).abs() < 1e-12);
    }
}
