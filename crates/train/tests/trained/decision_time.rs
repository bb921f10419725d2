//! What a decision may take, and what may be stored.

use farthing_data::Dataset;
use farthing_model::{DecisionTimeCard, Manifest, Parts};
use farthing_train::{TrainConfig, TrainError, train};

use crate::synthetic::{Candidate, dataset};

/// Without labels, linear differences and clusters earn about alike on prompts of two kinds.
fn log() -> Dataset {
    let pool = [
        Candidate::new("large", 0.01, [0.97, 0.9], 1),
        Candidate::new("middle", 0.004, [0.95, 0.6], 2),
        Candidate::new("small", 0.001, [0.9, 0.2], 3),
    ];
    dataset(&pool, 0..1500)
}

fn trained(max_decision_us: f64, parametric_only: bool) -> Parts {
    let config =
        TrainConfig { max_decision_us, parametric_only, force: true, ..TrainConfig::default() };
    train(log(), &config.check().unwrap(), &|_| ()).unwrap().parts
}

fn learners(manifest: &Manifest) -> Vec<&str> {
    manifest.learners.iter().map(|card| card.learner.as_str()).collect()
}

fn time(manifest: &Manifest) -> &DecisionTimeCard {
    manifest.decision_time.as_ref().unwrap()
}

#[test]
fn learners_are_left_out_until_a_decision_is_fast_enough() {
    let free = trained(1e6, false);
    assert_eq!(learners(&free.manifest), ["linear", "cluster"]);
    let all_us = time(&free.manifest).estimate_us;
    assert_eq!(time(&free.manifest).left_out, []);

    let held = trained(all_us - 1.0, false);
    let card = time(&held.manifest);
    assert!(card.estimate_us < all_us - 1.0, "{card:?}");
    assert_eq!(card.left_out.len(), 1, "{card:?}");
    let left_out = &card.left_out[0];
    assert_eq!(left_out.learner, "cluster", "the other takes no time");
    assert!((all_us - card.estimate_us - left_out.saved_us).abs() < 1e-9, "{card:?}");
    assert!(left_out.loss.abs() < 1.0 && left_out.loss_error > 0.0, "{left_out:?}");
    assert_eq!(learners(&held.manifest), ["linear"]);
    let weight: f64 = held.manifest.learners.iter().map(|card| card.weight).sum();
    assert!((weight - 1.0).abs() < 1e-12);
    assert!(
        held.card.contains("- Left out to keep the limit: cluster. That saves"),
        "{}",
        held.card
    );
    assert!(!free.card.contains("Left out to keep"), "{}", free.card);
}

/// The part of a text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

#[test]
fn a_limit_that_nothing_keeps_is_refused() {
    let config = TrainConfig { max_decision_us: 5.0, force: true, ..TrainConfig::default() };
    let error = train(log(), &config, &|_| ()).unwrap_err();
    assert!(matches!(error, TrainError::DecisionTime { candidates: 3, .. }), "{error}");
    let said = error.to_string();
    assert!(said.contains("before anything is learned") && said.contains("is 5; hint:"), "{said}");
    let needed: f64 = between(&said, "give `--max-decision-us` at least ", " (").parse().unwrap();
    let config = TrainConfig { max_decision_us: needed, ..config };
    assert!(train(log(), &config, &|_| ()).is_ok(), "{said}");
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = TrainConfig { max_decision_us: wrong, ..TrainConfig::default() };
        let said = config.check().unwrap_err().to_string();
        assert!(said.starts_with("`--max-decision-us` is not in (0, infinity)"), "{said}");
    }
}

#[test]
fn parametric_only_stores_no_averages_of_requests() {
    let with = trained(1e6, false);
    let clusters = with.manifest.clusters.unwrap();
    let smallest = clusters.smallest.unwrap();
    assert!(smallest * clusters.count as u64 <= with.manifest.data.fit, "{clusters:?}");
    let said = format!("The smallest cluster averages {smallest} requests.");
    assert!(with.card.contains(&said), "{}", with.card);

    let without = trained(1e6, true);
    assert_eq!((without.manifest.clusters, &without.weights.clusters), (None, &None));
    assert_eq!(learners(&without.manifest), ["linear"]);
    let said = "Nothing in it lies close to the vector of a single request";
    assert!(without.card.contains(said) && !with.card.contains(said), "{}", without.card);
}
