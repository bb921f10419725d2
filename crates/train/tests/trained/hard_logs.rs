//! Logs that are legal and awkward: each gives a router, or a refusal that says why.

use crate::synthetic::{Candidate, dataset, share};
use farthing_core::{Request, RouteOptions};
use farthing_model::{Circumstances, Manifest, PolicySpec, Router, Scorer};
use farthing_train::{TrainConfig, TrainError, Trained, train};

const REQUESTS: usize = 600;

fn pool() -> Vec<Candidate> {
    vec![
        Candidate::new("large", 0.01, [0.97, 0.9], 1),
        Candidate::new("middle", 0.004, [0.95, 0.6], 2),
        Candidate::new("small", 0.001, [0.9, 0.2], 3),
    ]
}

fn trained(candidates: &[Candidate], config: TrainConfig) -> Trained {
    let config = TrainConfig { force: true, ..config }.check().unwrap();
    train(dataset(candidates, 0..REQUESTS), &config, &|_| ()).unwrap()
}

fn refusals(manifest: &Manifest) -> String {
    let refused = manifest.gate.checks.iter().filter(|check| check.passed == Some(false));
    refused.map(|check| [&*check.check, ": ", &*check.detail, "\n"].concat()).collect()
}

#[test]
fn one_candidate_is_an_error() {
    let one = dataset(&pool()[..1], 0..REQUESTS);
    let error = train(one, &TrainConfig::default(), &|_| ()).unwrap_err();
    assert!(matches!(error, TrainError::OneCandidate { judged: 1, .. }), "{error}");
}

#[test]
fn a_candidate_with_three_outcomes_borrows_the_others_calibration() {
    let mut log = dataset(&pool(), 0..REQUESTS);
    for record in log.records.iter_mut().skip(3) {
        record.cells.retain(|cell| cell.candidate != 2);
    }
    let config = TrainConfig { force: true, ..TrainConfig::default() };
    let manifest = train(log, &config, &|_| ()).unwrap().parts.manifest;
    assert!(manifest.candidates[2].outcomes <= 3);
    assert_ne!(manifest.reference, "small");
    let p = |candidate: usize| manifest.bars[0].calibration[candidate].apply(0.9);
    assert!((p(2) - p(1)).abs() < 0.1 && (0.5..1.0).contains(&p(2)), "{} {}", p(2), p(1));
    assert!(refusals(&manifest).contains("answered by every priced candidate"));
}

#[test]
fn without_any_cost_it_is_still_learned_who_answers_what() {
    let of = |name, skill, noise| Candidate {
        cost_usd: None,
        ..Candidate::new(name, 0.0, skill, noise)
    };
    // The large one is the best everywhere, so quality alone would never choose the other.
    let found =
        trained(&[of("large", [0.9, 0.9], 1), of("small", [0.9, 0.2], 2)], TrainConfig::default());
    let router = Router::from_parts(&found.parts).unwrap();
    let short_of = |prompt: &str| {
        let request = Request::from_prompt(prompt).unwrap();
        let decided = router
            .route(
                &mut Scorer::default(),
                &request,
                &RouteOptions::default(),
                Circumstances::drawn(1.0),
            )
            .unwrap();
        decided.predictions[0].quality - decided.predictions[1].quality
    };
    assert!(short_of("prove derive audit") > short_of("greet thank list") + 0.3);
}

#[test]
fn equal_scores_everywhere_go_to_the_cheapest() {
    let constant = |name: &str, cost| Candidate::scoring(name, cost, |_, _| 0.7);
    let found = trained(&[constant("a", 0.01), constant("b", 0.001)], TrainConfig::default());
    let manifest = &found.parts.manifest;
    assert_eq!((manifest.reference.as_str(), &manifest.stands_in), ("b", &None));
    assert!((share(&found.parts, &dataset(&pool(), 0..50), "b") - 1.0).abs() < 1e-12);
    // Routing by averages does as well, and cannot do better.
    assert!(!manifest.gate.passed && manifest.gate.forced);
    assert!(refusals(manifest).contains("at least 200 sealed requests"), "{manifest:?}");
}

#[test]
fn a_bar_that_nobody_or_everybody_reaches() {
    let graded = |name: &str, cost| {
        Candidate::scoring(
            name,
            cost,
            |i, hard| if hard { 0.3 } else { 0.5 + 0.001 * (i % 7) as f64 },
        )
    };
    let candidates = [graded("dear", 0.01), graded("cheap", 0.001)];
    let bars = vec![0.9, 0.2];
    let found = trained(&candidates, TrainConfig { bars, ..TrainConfig::default() });
    let [nobody, everybody] = &*found.parts.manifest.bars else {
        panic!("{:?}", found.parts.manifest.bars)
    };
    for (bar, low, high) in [(nobody, 0.0, 0.02), (everybody, 0.98, 1.0)] {
        for calibration in &bar.calibration {
            let p = calibration.apply(0.5);
            assert!(low < p && p < high, "bar {}: {p}", bar.bar);
        }
    }
    assert_eq!(found.parts.manifest.reference, "cheap");
}

#[test]
fn a_bar_is_met_by_scores_that_reach_it() {
    // 0.6 on half of the requests reaches a bar of 0.6, and 0.5 does not.
    let graded =
        |name: &str, cost| Candidate::scoring(name, cost, |_, hard| if hard { 0.5 } else { 0.6 });
    let config = TrainConfig { bars: vec![0.6, 0.61], ..TrainConfig::default() };
    let found = trained(&[graded("dear", 0.01), graded("cheap", 0.001)], config);
    let [at, above] = &*found.parts.manifest.bars else {
        panic!("{:?}", found.parts.manifest.bars)
    };
    assert!(at.calibration[0].apply(0.6) > 0.8, "{at:?}");
    assert!(above.calibration[0].apply(0.6) < 0.05, "{above:?}");
}

#[test]
fn sixty_candidates() {
    let candidate = |i: u32| {
        let skill = f64::from(i) / 60.0;
        let name = format!("model-{i:02}");
        Candidate::new(&name, 0.0001 * f64::from(i + 1), [skill, 0.8 * skill], u64::from(i))
    };
    let candidates: Vec<_> = (0..60).map(candidate).collect();
    let manifest = trained(&candidates, TrainConfig::default()).parts.manifest;
    assert_eq!((manifest.candidates.len(), manifest.bars[0].calibration.len()), (60, 60));
    assert!(manifest.reference.as_str() > "model-50", "{}", manifest.reference);
}

#[test]
fn policies_are_those_asked_for() {
    let config =
        TrainConfig { budget_usd: Some(0.005), lambda: Some(20.0), ..TrainConfig::default() };
    let policies = trained(&pool(), config).parts.manifest.policies;
    assert_eq!(policies["utility"], PolicySpec::Utility { lambda: 20.0 });
    assert_eq!(policies["fixed"], PolicySpec::Fixed { model: "large".to_owned() });
    let PolicySpec::Budget(budget) = &policies["budget"] else { panic!("{policies:?}") };
    assert!(budget.lambda > 0.0 && budget.realised_usd.unwrap() <= 0.005, "{budget:?}");
    let [low, high] = budget.realised_interval_usd.unwrap();
    assert!(low < budget.realised_usd.unwrap() && budget.realised_usd.unwrap() < high);
}

#[test]
fn policies_that_compare_costs_need_costs() {
    let mut free = pool();
    for candidate in &mut free {
        candidate.cost_usd = None;
    }
    for config in [
        TrainConfig { budget_usd: Some(1.0), ..TrainConfig::default() },
        TrainConfig { lambda: Some(1.0), ..TrainConfig::default() },
    ] {
        let error = train(dataset(&free, 0..REQUESTS), &config, &|_| ()).unwrap_err();
        assert!(error.to_string().contains("needs costs, and the log has none; hint:"), "{error}");
    }
    let policies = trained(&free, TrainConfig::default()).parts.manifest.policies;
    assert_eq!(policies.keys().collect::<Vec<_>>(), ["best_quality", "default", "fixed"]);
}
