//! The truth is what the rows tend to, and it leaves something to choose.

use crate::{Config, Family, LogPolicy, candidates, generate};

const CONFIG: Config = Config { rows: 3000, seed: 5, log_policy: LogPolicy::Full };

#[test]
fn empirical_means_are_near_the_truth() {
    let n = CONFIG.rows as f64;
    let mut sums = vec![[0.0; 6]; candidates().len()];
    for request in generate(CONFIG) {
        for ((row, truth), sum) in request.rows.iter().zip(&request.truth).zip(&mut sums) {
            let (score, cost) = (row.outcome.score.unwrap(), row.outcome.cost_usd.unwrap());
            let p_half = f64::from(u8::from(score >= 0.5));
            let seen = [score, p_half, cost];
            let known = [truth.expected_score, truth.p_half, truth.expected_cost_usd];
            for (total, value) in sum.iter_mut().zip(seen.into_iter().chain(known)) {
                *total += value / n;
            }
        }
    }
    for [score, p_half, cost, true_score, true_p_half, true_cost] in sums {
        // Three standard errors of a proportion are below 0.028.
        assert!((score - true_score).abs() < 0.028, "{score} {true_score}");
        assert!((p_half - true_p_half).abs() < 0.028, "{p_half} {true_p_half}");
        assert!((cost / true_cost - 1.0).abs() < 0.03, "{cost} {true_cost}");
    }
}

#[test]
fn the_truth_is_calibrated_in_every_range() {
    let mut bins = [(0.0, 0.0, 0.0); 5];
    for request in generate(CONFIG) {
        for (row, truth) in request.rows.iter().zip(&request.truth) {
            let place = bins.iter().enumerate().skip(1).rev();
            let place = place.map(|(i, _)| i).find(|i| truth.p_half >= *i as f64 / 5.0);
            let bin = &mut bins[place.unwrap_or(0)];
            bin.0 += 1.0;
            bin.1 += truth.p_half;
            bin.2 += f64::from(u8::from(row.outcome.score.unwrap() >= 0.5));
        }
    }
    for (count, expected, seen) in bins {
        assert!(count > 300.0 && f64::abs(seen - expected) / count < 0.04, "{bins:?}");
    }
}

#[test]
fn no_candidate_dominates() {
    let requests: Vec<_> = generate(CONFIG).map(|r| (r.family, r.truth)).collect();
    let mut best = vec![0; candidates().len()];
    let mut cheapest_is_fine = 0;
    for family in Family::ALL {
        let mut means = vec![0.0; candidates().len()];
        let truths: Vec<_> = requests.iter().filter(|r| r.0 == family).map(|r| &r.1).collect();
        for truth in &truths {
            for (mean, truth) in means.iter_mut().zip(*truth) {
                *mean += truth.expected_score / truths.len() as f64;
            }
        }
        let top = means.iter().copied().fold(0.0, f64::max);
        best[means.iter().position(|mean| *mean >= top).unwrap()] += 1;
        cheapest_is_fine += usize::from(means[..2].iter().any(|mean| *mean > top - 0.12));
    }
    assert!(best[2..].iter().all(|families| *families >= 1), "{best:?}");
    assert!(cheapest_is_fine >= 4, "{cheapest_is_fine}");
}
