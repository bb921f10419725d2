//! A candidate that merely ties must win if it is cheaper.

use crate::synthetic::{Candidate, dataset, share};
use farthing_model::Parts;
use farthing_train::{TrainConfig, train};

const REQUESTS: usize = 2500;
const SKILL: [f64; 2] = [0.95, 0.6];

/// Trains on a pool and returns the router with the share of fresh requests that goes to `cheap`.
fn cheap_share(pool: impl Fn() -> Vec<Candidate>, seed: u64) -> (Parts, f64) {
    let config = TrainConfig { seed, force: true, ..TrainConfig::default() }.check().unwrap();
    let trained = train(dataset(&pool(), 0..REQUESTS), &config, &|_| ()).unwrap();
    let fresh = dataset(&pool(), REQUESTS..REQUESTS + 300);
    let share = share(&trained.parts, &fresh, "cheap");
    (trained.parts, share)
}

/// Three candidates that are worse everywhere, one of them cheaper than `cheap`.
fn worse(noise: u64) -> [Candidate; 3] {
    [
        Candidate::new("bad-cheaper", 0.0002, [0.5, 0.2], noise + 10),
        Candidate::new("bad-middle", 0.004, [0.7, 0.3], noise + 11),
        Candidate::new("bad-dear", 0.02, [0.8, 0.4], noise + 12),
    ]
}

#[test]
fn the_cheap_twin_of_the_dear_candidate_serves() {
    for seed in 0..3_u64 {
        // Equal on every request, and equal in distribution with noise of its own.
        for cheap_noise in [0, 1] {
            for others in [0, 3] {
                let noise = 100 * seed;
                let pool = || {
                    let dear = Candidate::new("dear", 0.01, SKILL, noise);
                    let cheap = Candidate::new("cheap", 0.001, SKILL, noise + cheap_noise);
                    [dear, cheap].into_iter().chain(worse(noise).into_iter().take(others)).collect()
                };
                let (parts, share) = cheap_share(pool, seed);
                let case = format!("seed {seed}, noise {cheap_noise}, {others} others");
                assert_eq!(parts.manifest.reference, "cheap", "{case}");
                assert!(share >= 0.95, "{case}: {share}");
            }
        }
    }
}

#[test]
fn a_cheap_candidate_that_is_worse_is_no_tie() {
    let pool = || {
        let dear = Candidate::new("dear", 0.01, SKILL, 0);
        vec![dear, Candidate::new("cheap", 0.001, [0.85, 0.5], 1)]
    };
    let (parts, share) = cheap_share(pool, 0);
    assert_eq!(parts.manifest.reference, "dear");
    assert_eq!(parts.manifest.stands_in, None);
    assert!(share < 0.95, "{share}");
}

#[test]
fn what_the_tie_costs_is_on_the_card() {
    // By chance of this noise the dear one is ahead.
    let pool = || {
        let dear = Candidate::new("dear", 0.01, [0.955, 0.605], 3);
        vec![dear, Candidate::new("cheap", 0.001, SKILL, 3)]
    };
    let (parts, _) = cheap_share(pool, 0);
    let stand_in = parts.manifest.stands_in.as_ref().unwrap();
    assert_eq!(stand_in.best, "dear");
    assert!(0.0 < stand_in.mean_loss && stand_in.mean_loss < stand_in.loss_bound);
    assert!(
        parts.card.contains("`cheap`, has not the highest mean score, but ties"),
        "{}",
        parts.card
    );
}
