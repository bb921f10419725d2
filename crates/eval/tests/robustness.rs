//! Robustness of made-up routers whose flips are known beforehand.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod made;

use farthing_core::Request;
use farthing_data::{Dataset, Record};
use farthing_eval::{Change, ChangeFigures, Estimate, Robustness, RobustnessOptions, robustness};
use farthing_model::Router;
use farthing_model::features::Featurizer;
use made::{dataset, parts, router};

/// The made router sends hard requests to `large` and easy ones to `small`.
const NAMES: [&str; 3] = ["large", "middle", "small"];
const UNMOVED: Estimate = Estimate { value: 100.0, low: Some(100.0), high: Some(100.0) };

/// The made router, but a request with this word goes to the candidate of that position.
fn keyed(word: &str, candidate: usize) -> Router {
    let mut parts = parts(&NAMES);
    let request = Request::from_prompt(word).unwrap();
    let features = Featurizer::new(Vec::new(), None).featurize(&request).unwrap();
    parts.weights.buckets = features.buckets;
    parts.weights.rows = vec![0.0; 2 * NAMES.len()];
    parts.weights.rows[candidate] = 100.0;
    Router::from_parts(&parts).unwrap()
}

fn probe(router: &Router, dataset: &Dataset, options: &RobustnessOptions) -> Robustness {
    let records: Vec<&Record> = dataset.records.iter().collect();
    let policy = router.policy("default", 0).unwrap();
    robustness(router, (&policy, 0), dataset, &records, options).unwrap()
}

fn options() -> RobustnessOptions {
    RobustnessOptions { resamples: 200, ..RobustnessOptions::default() }
}

fn of(found: &Robustness, change: Change) -> &ChangeFigures {
    found.kinds.iter().find(|kind| kind.change == change).unwrap()
}

/// Mean, over all requests, of what the log says of the candidates of easy requests: the later less
/// the earlier one, and 0 for hard requests.
fn easy_difference(dataset: &Dataset, [before, after]: [usize; 2]) -> (f64, f64) {
    let easy = dataset.records.iter().filter(|record| record.request.context["task"] == "easy");
    let cells = easy.map(|record| (record.cells[before], record.cells[after]));
    let (score, cost) = cells.fold((0.0, 0.0), |(score, cost), (a, b)| {
        (
            score + b.score.unwrap() - a.score.unwrap(),
            cost + b.cost_usd.unwrap() - a.cost_usd.unwrap(),
        )
    });
    (score / dataset.records.len() as f64, cost / dataset.records.len() as f64)
}

#[test]
fn a_router_that_reads_only_the_context_never_flips() {
    let found = probe(&router(&NAMES), &dataset(&NAMES, 120), &options());
    assert_eq!((found.requests, found.kinds.len()), (120, Change::ALL.len()));
    assert_eq!(found.robustness_pct, Some(UNMOVED));
    for kind in &found.kinds {
        // The prompts are in lower case already.
        let pairs = if kind.change == Change::LowerCase { 0 } else { 120 };
        assert_eq!(
            (kind.requests, kind.judged_requests, kind.costed_requests),
            (pairs, pairs, pairs)
        );
        assert_eq!((kind.flips, kind.to_dearer, kind.to_cheaper), (0, 0, 0));
        let zero = (pairs > 0).then_some(0.0);
        assert_eq!(kind.flip_pct.map(|e| e.value), zero);
        assert_eq!(kind.quality_change.map(|e| e.value), zero);
    }
    assert_eq!(found.pairs, 5 * 120);
}

#[test]
fn a_router_that_keys_on_a_word_flips_where_that_word_is_put() {
    let dataset = dataset(&NAMES, 120);
    // Half of the requests are easy, and only those go elsewhere.
    let found = probe(&keyed("recursion", 0), &dataset, &options());
    let code = of(&found, Change::CodeWords);
    assert!(code.steering);
    assert_eq!((code.flips, code.to_dearer, code.to_cheaper), (60, 60, 0));
    assert_eq!((code.judged_flips, code.costed_flips), (60, 60));
    let flips = code.flip_pct.unwrap();
    assert!((flips.value - 50.0).abs() < 1e-9, "{flips:?}");
    assert!(flips.low.unwrap() > 35.0 && flips.high.unwrap() < 65.0, "{flips:?}");
    let (score, cost) = easy_difference(&dataset, [2, 0]);
    assert!((code.quality_change.unwrap().value - score).abs() < 1e-12);
    assert!((code.cost_change_usd.unwrap().value - cost).abs() < 1e-12);
    assert!(cost > 0.0);
    assert!(found.kinds.iter().all(|kind| kind.flips == 0 || kind.change == Change::CodeWords));
    assert_eq!(found.robustness_pct, Some(UNMOVED));

    let found = probe(&keyed("statute", 2), &dataset, &options());
    let law = of(&found, Change::LawWords);
    assert_eq!((law.flips, law.to_dearer, law.to_cheaper), (60, 0, 60));
}

#[test]
fn robustness_counts_harmless_pairs_alone() {
    // Words are hashed in lower case, so of all harmless changes only a typo hides this one.
    let mut dataset = dataset(&NAMES, 100);
    for record in &mut dataset.records {
        record.request = record.request.edit_last_user_turn(|_| "tax".to_owned()).unwrap();
    }
    let found = probe(&keyed("tax", 0), &dataset, &options());
    let typos = of(&found, Change::Typos);
    // Easy requests come back to `small`.
    assert_eq!((typos.flips, typos.to_dearer, typos.to_cheaper), (50, 0, 50));
    // Typos, upper case, padding and paraphrase make a pair each.
    assert_eq!(found.pairs, 400);
    assert!((found.robustness_pct.unwrap().value - 87.5).abs() < 1e-9);
}

#[test]
fn a_log_of_one_answer_a_request_does_not_say_what_a_flip_costs() {
    let mut dataset = dataset(&NAMES, 120);
    for (i, record) in dataset.records.iter_mut().enumerate() {
        record.cells = vec![record.cells[i % 3]];
    }
    let found = probe(&keyed("recursion", 0), &dataset, &options());
    let code = of(&found, Change::CodeWords);
    assert_eq!((code.flips, code.judged_flips), (60, 0));
    assert!(code.judged_requests > 0);
    assert_eq!((code.quality_change, code.cost_change_usd), (None, None));
    assert!(of(&found, Change::Typos).quality_change.is_some());
}

#[test]
fn the_same_bytes_in_any_order_and_on_any_number_of_threads() {
    let router = keyed("request", 0);
    let mut dataset = dataset(&NAMES, 300);
    let options = RobustnessOptions { max_requests: 90, ..options() };
    let json = |dataset: &Dataset, options: &RobustnessOptions, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&probe(&router, dataset, options)).unwrap())
    };
    let one = json(&dataset, &options, 1);
    assert!(one.starts_with(r#"{"requests":90,"#), "{one}");
    assert_eq!(one, json(&dataset, &options, 2));
    dataset.records.reverse();
    assert_eq!(one, json(&dataset, &options, 2));
    assert_ne!(one, json(&dataset, &RobustnessOptions { seed: 1, ..options }, 2));
}

#[test]
fn nothing_to_change_gives_no_figures() {
    let found = probe(&router(&NAMES), &dataset(&NAMES, 0), &options());
    assert_eq!((found.requests, found.pairs, found.robustness_pct), (0, 0, None));
    assert!(found.kinds.iter().all(|kind| kind.requests == 0 && kind.flip_pct.is_none()));
}
