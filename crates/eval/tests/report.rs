//! Whole reports of a router that knows the task from the context and nothing else.

#![expect(clippy::unwrap_used, reason = "test helpers may panic")]

mod made;

use farthing_data::{Dataset, Record};
use farthing_eval::{EvalError, EvalOptions, Report, Subject, evaluate};
use farthing_model::{Router, SeenPrompts};
use made::{dataset, router};

const NAMES: [&str; 3] = ["large", "middle", "small"];

fn report(router: &Router, dataset: &Dataset) -> Report {
    evaluate(subject(router, &SeenPrompts::new(0, [])), dataset, &options(), &|_| ()).unwrap()
}

fn subject<'a>(router: &'a Router, seen: &'a SeenPrompts) -> Subject<'a> {
    Subject { router, null: None, seen }
}

fn options() -> EvalOptions {
    EvalOptions { resamples: 300, ..EvalOptions::default() }
}

fn refusal(router: &Router, seen: &SeenPrompts, dataset: &Dataset) -> String {
    evaluate(subject(router, seen), dataset, &options(), &|_| ()).unwrap_err().to_string()
}

#[test]
fn a_full_log() {
    let found = report(&router(&NAMES), &dataset(&NAMES, 600));
    assert_eq!((found.data.scored_requests, found.data.complete_requests), (600, 600));
    let frontier = found.frontier.unwrap();
    assert_eq!(frontier.best_single.model, "large");
    let earned = frontier.earned_share_pct.unwrap();
    assert!(earned.low.unwrap() > 0.0 && earned.high.unwrap() < 100.0, "{earned:?}");
    let null = frontier.shuffled_control.earned_share_pct.unwrap();
    assert!(null.high.unwrap() < earned.low.unwrap(), "{null:?}");
    assert!(null.value < 5.0, "{null:?}");
    let aiq = &frontier.aiq;
    assert!(aiq.hindsight_zero.value >= aiq.fitted_zero.value - 1e-9);
    assert!(aiq.oracle_sweep.value > aiq.router.value && aiq.router.value > aiq.fitted_zero.value);
    assert!(frontier.oracle.quality.value >= frontier.best_single.quality.value);
    assert!(frontier.oracle.cost_usd.value < frontier.best_single.cost_usd.value);
    let hull = &frontier.router_hull;
    assert!(hull.windows(2).all(|p| p[0].cost_usd < p[1].cost_usd && p[0].lambda > p[1].lambda));
    let names: Vec<&str> = frontier.cost_targets.iter().map(|t| t.target.as_str()).collect();
    assert_eq!(names, ["best_single_95_pct", "best_single_minus_0.005", "best_single_100_pct"]);
    let ratio = frontier.cost_targets[0].ratio_to_best_single.unwrap();
    assert!(ratio.high.unwrap() < 1.0, "{ratio:?}");

    // Every request is complete, so the plane shows the policy as it is.
    let served = frontier.policy.unwrap();
    assert_eq!(
        (Some(served.quality), Some(served.cost_usd)),
        (found.policy.quality, found.policy.cost_usd)
    );

    let policy = found.policy;
    assert_eq!((policy.decided_requests, policy.judged_requests), (600, 600));
    let shares: f64 = policy.choices.iter().map(|choice| choice.share_pct).sum();
    assert!((shares - 100.0).abs() < 1e-9);
    let against = policy.against_best_single.unwrap();
    assert_eq!(against.model, "large");
    assert!(against.saving_pct.unwrap().low.unwrap() > 10.0);
    assert!(policy.downgraded_pct.unwrap().value > 10.0);
    assert!(found.pair.is_none() && found.pair_withheld.unwrap().contains("this one has 3"));
}

#[test]
fn baselines_learn_from_what_the_router_saw() {
    let (router, dataset) = (router(&NAMES), dataset(&NAMES, 1200));
    let used = dataset.records.iter().take(600).map(Record::prompt_key);
    let seen = SeenPrompts::new(0, used);
    let found = evaluate(subject(&router, &seen), &dataset, &options(), &|_| ()).unwrap();
    let frontier = found.frontier.unwrap();
    assert_eq!((frontier.fitting.requests, &frontier.fitting.withheld), (600, &None));
    let named = |name: &str| {
        let found = frontier.baselines.iter().find(|baseline| baseline.name.starts_with(name));
        found.unwrap_or_else(|| panic!("{name}"))
    };
    let earned = |name: &str| named(name).earned_share_pct.unwrap().value;
    assert!(earned("fitted zero router").abs() < 1e-9);
    assert!((earned("oracle sweep") - 100.0).abs() < 1e-9);
    // The router knows the task and nothing else, and so do the means.
    let router_earns = frontier.earned_share_pct.unwrap().value;
    assert!((earned("known task, its means") - router_earns).abs() < 2.0);
    // Prompts are numbers: there is nothing to learn from their words.
    assert!(earned("40 nearest neighbours") < router_earns - 10.0);
    assert!(earned("means of 32 clusters") < router_earns - 10.0);
    let random = named("random choice");
    let middle = frontier.singles.iter().map(|single| single.quality.value).sum::<f64>() / 3.0;
    assert!((random.quality.unwrap().value - middle).abs() < 1e-12);
    assert!(random.router_gain.unwrap().low.unwrap() > 0.0);
    let oracle = named("oracle (cheapest");
    assert_eq!(oracle.quality, Some(frontier.oracle.quality));
    assert_eq!(named("large").quality, Some(frontier.best_single.quality));
    assert_eq!(frontier.baselines.len(), 3 + 6 + 4);

    let alone = report(&router, &dataset);
    let frontier = alone.frontier.unwrap();
    assert_eq!(frontier.baselines.len(), 3 + 6);
    assert!(frontier.fitting.withheld.unwrap().contains("there are 0"));
}

/// A null that predicts as the router does leaves nothing earned; without one nothing is said.
#[test]
fn savings_are_held_against_the_null() {
    let (router, dataset) = (router(&NAMES), dataset(&NAMES, 400));
    let seen = SeenPrompts::new(0, []);
    let same = Subject { router: &router, null: Some(&router), seen: &seen };
    let found = evaluate(same, &dataset, &options(), &|_| ()).unwrap().frontier.unwrap();
    assert_eq!(found.null_control.unwrap().aiq, found.aiq.router);
    assert!(found.cost_targets[0].saving_pct.unwrap().value > 10.0);
    for target in &found.cost_targets {
        assert!(target.earned_saving_pct.unwrap().value.abs() < 1e-9);
    }
    let without = report(&router, &dataset).frontier.unwrap();
    assert_eq!(without.null_control, None);
    assert!(without.cost_targets.iter().all(|target| target.earned_saving_pct.is_none()));
}

#[test]
fn the_dial_goes_from_quality_to_cost() {
    let frontier = report(&router(&NAMES), &dataset(&NAMES, 600)).frontier.unwrap();
    assert_eq!(frontier.dial.len(), 161);
    let (first, last) = (&frontier.dial[0], &frontier.dial[160]);
    // `large` and `middle` tie on easy requests, and the cheaper one wins.
    assert_eq!((&first.mix_pct, &last.mix_pct), (&vec![50.0, 50.0, 0.0], &vec![0.0, 0.0, 100.0]));
    assert!(first.saving_pct.unwrap().value < 50.0);
    assert!(last.saving_pct.unwrap().low.unwrap() > 85.0);
    assert_eq!(last.quality, frontier.singles[2].quality);
    for setting in &frontier.dial {
        assert!((setting.mix_pct.iter().sum::<f64>() - 100.0).abs() < 1e-9);
        let difference = setting.quality.value - frontier.best_single.quality.value;
        assert!((setting.quality_difference.value - difference).abs() < 1e-12);
    }
}

#[test]
fn slices_add_up_and_small_ones_say_too_few() {
    let found = report(&router(&NAMES), &dataset(&NAMES, 600));
    let of = |column: &str| found.slices.iter().filter(|s| s.column == column).collect::<Vec<_>>();
    for column in ["task", "language", "length", "turns"] {
        assert_eq!(of(column).iter().map(|s| s.requests).sum::<u64>(), 600, "{column}");
    }
    let task = |value: &str| of("task").into_iter().find(|s| s.value == value).unwrap().clone();
    let quality = |value: &str| task(value).figures.unwrap().quality.unwrap().value;
    let whole = found.policy.quality.unwrap().value;
    assert!((f64::midpoint(quality("hard"), quality("easy")) - whole).abs() < 1e-9);
    let few = report(&router(&NAMES), &dataset(&NAMES, 40));
    assert!(few.slices.iter().any(|s| s.figures.is_none() && s.requests == 20));
}

#[test]
fn where_it_loses_is_shown_only_when_asked() {
    let (router, dataset) = (router(&NAMES), dataset(&NAMES, 300));
    let seen = SeenPrompts::new(0, []);
    assert_eq!(report(&router, &dataset).worst, None);
    let options = EvalOptions { show_prompts: true, ..options() };
    let found = evaluate(subject(&router, &seen), &dataset, &options, &|_| ()).unwrap();
    let worst = found.worst.unwrap();
    assert!(!worst.is_empty() && worst.len() <= 50);
    assert!(worst.iter().all(|lost| lost.chosen_score < 0.5 && lost.oracle_score >= 0.5));
    assert!(worst.windows(2).all(|w| w[0].quality_regret >= w[1].quality_regret));
    assert!(worst[0].prompt.starts_with("request "));
}

/// Published metrics are those of the library on the report's own requests.
#[test]
fn published_metrics_agree_with_the_other_sections() {
    let found = report(&router(&NAMES), &dataset(&NAMES, 600));
    let figure = |id: &str| {
        let metric = found.published.iter().find(|metric| metric.id == id);
        metric.unwrap_or_else(|| panic!("{id}")).estimate
    };
    let frontier = found.frontier.as_ref().unwrap();
    assert_eq!(figure("routerbench.aiq_paper"), Some(frontier.aiq.router));
    let attainment = found.policy.attainment_pct.unwrap();
    assert!((100.0 * figure("bar.attainment").unwrap().value - attainment.value).abs() < 1e-9);
    let peak = frontier.dial.iter().map(|s| s.quality.value).fold(0.0, f64::max);
    assert!((figure("uniroute.peak").unwrap().value - peak).abs() < 1e-12);
    // One data set: AvgAcc is the mean score.
    let (avg_acc, mu) = (figure("llmrouterbench.avg_acc"), figure("routereval.mu"));
    assert!((avg_acc.unwrap().value - mu.unwrap().value).abs() < 1e-12);
    assert!((figure("routerarena.opt_acc_code").unwrap().value - 1.0).abs() < 1e-12);
    let robust = found.robustness.robustness_pct.unwrap().value;
    assert!((100.0 * figure("routerarena.robustness").unwrap().value - robust).abs() < 1e-9);

    let mut ids: Vec<&str> = found.published.iter().map(|metric| metric.id).collect();
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id stands twice");
    for metric in &found.published {
        assert_ne!(metric.estimate.is_some(), metric.withheld.is_some(), "{}", metric.id);
    }
    assert_eq!(figure("routellm.apgr_paper"), None, "there are three candidates");
}

#[test]
fn the_same_bytes_in_any_order_and_on_any_number_of_threads() {
    let router = router(&NAMES);
    let mut dataset = dataset(&NAMES, 600);
    let json = |dataset: &Dataset, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| serde_json::to_string(&report(&router, dataset)).unwrap())
    };
    let one = json(&dataset, 1);
    assert_eq!(one, json(&dataset, 2));
    dataset.records.reverse();
    assert_eq!(one, json(&dataset, 2));
}

#[test]
fn a_log_with_one_answer_a_request_gives_what_it_can() {
    let mut dataset = dataset(&NAMES, 600);
    for (i, record) in dataset.records.iter_mut().enumerate() {
        record.cells = vec![record.cells[i % 3]];
    }
    let found = report(&router(&NAMES), &dataset);
    assert!(found.frontier.is_none());
    let reason = found.frontier_withheld.unwrap();
    assert!(reason.contains("200 requests that all 3 priced candidates answered"), "{reason}");
    assert!(reason.contains("and there are 0; the rarest candidate is"), "{reason}");
    assert_eq!(found.policy.decided_requests, 600);
    assert!((100..300).contains(&found.policy.judged_requests));
    assert!(found.policy.quality.is_some());
    assert_eq!(found.candidates[0].judged_requests, 200);
    // Two outcomes of one request are known only where there is nothing to compare.
    let against = found.policy.against_best_single.unwrap();
    assert_eq!((against.model.as_str(), against.saving_pct), ("large", None));
    assert!(against.costed_requests > 0 && against.quality_difference.is_none());
    let slice = found.slices.iter().find_map(|slice| slice.figures.as_ref()).unwrap();
    assert!(slice.quality.is_some() && slice.saving_pct.is_none());
}

#[test]
fn a_log_without_costs_says_so() {
    let mut dataset = dataset(&NAMES, 600);
    for cell in dataset.records.iter_mut().flat_map(|record| &mut record.cells) {
        cell.cost_usd = None;
    }
    let found = report(&router(&NAMES), &dataset);
    assert!(
        found.frontier_withheld.unwrap().ends_with("600 requests with its score, 0 with its cost")
    );
    assert!(found.policy.quality.is_some() && found.policy.cost_usd.is_none());
    assert_eq!(found.policy.against_reference.saving_pct, None);
}

#[test]
fn candidates_are_matched_by_name() {
    let found = report(&router(&NAMES), &dataset(&["large", "other", "small"], 300));
    assert_eq!(found.data.absent_candidates, ["middle"]);
    assert_eq!(found.data.ignored_candidates[0].model, "other");
    assert_eq!(found.data.ignored_candidates[0].requests, 300);
    let reason = found.frontier_withheld.unwrap();
    assert!(reason.contains("`middle`: 0 requests with its score"), "{reason}");
    assert_eq!(found.candidates[1].mean_score, None);

    let message = refusal(&router(&NAMES), &SeenPrompts::new(0, []), &dataset(&["a", "b"], 10));
    assert!(message.contains("the router has `large`, `middle`, `small`, the log has `a`, `b`"));
}

#[test]
fn seen_prompts_are_skipped_and_counted() {
    let dataset = dataset(&NAMES, 300);
    let router = router(&NAMES);
    let groups = || dataset.records.iter().map(|record| record.group);
    let seen = SeenPrompts::new(7, groups().take(40));
    let found = evaluate(subject(&router, &seen), &dataset, &options(), &|_| ()).unwrap();
    assert_eq!(found.data.log_requests, 300);
    assert_eq!(found.data.seen_requests + found.data.scored_requests, 300);
    assert_eq!(found.data.seen_requests, 40);
    let all = SeenPrompts::new(7, groups());
    assert!(refusal(&router, &all, &dataset).starts_with("nothing is left to evaluate: all 300"));
    let empty = Dataset { records: Vec::new(), ..dataset };
    assert!(refusal(&router, &all, &empty).starts_with("the log holds no request"));
}

#[test]
fn two_candidates_have_apgr() {
    let found = report(&router(&["large", "small"]), &dataset(&["large", "small"], 600));
    let pair = found.pair.unwrap();
    assert_eq!((pair.strong.as_str(), pair.weak.as_str()), ("large", "small"));
    assert_eq!(pair.requests, 600);
    assert!(pair.apgr.low.unwrap() > 0.5, "{pair:?}");
    assert!(pair.cpt50_pct.unwrap().value < pair.cpt80_pct.unwrap().value);
}

#[test]
fn degenerate_logs_are_reported_on() {
    let found = report(&router(&NAMES), &dataset(&NAMES, 1));
    assert_eq!(found.data.scored_requests, 1);
    assert!(found.frontier.is_none());

    let mut constant = dataset(&["large", "small"], 300);
    for cell in constant.records.iter_mut().flat_map(|record| &mut record.cells) {
        cell.score = Some(1.0);
    }
    let found = report(&router(&["large", "small"]), &constant);
    let frontier = found.frontier.unwrap();
    assert_eq!(frontier.best_single.model, "small");
    assert!(frontier.earned_share_pct.is_none_or(|earned| earned.value <= 100.0));
    assert!(found.pair_withheld.unwrap().starts_with("there is no gap to recover"));
}

#[test]
fn an_unknown_bar_is_refused() {
    let options = EvalOptions { bar: Some(0.7), ..options() };
    let seen = SeenPrompts::new(0, []);
    let error = evaluate(subject(&router(&NAMES), &seen), &dataset(&NAMES, 10), &options, &|_| ())
        .unwrap_err();
    assert!(matches!(error, EvalError::UnknownBar { .. }));
    assert!(error.to_string().contains("use one of `0.5`"), "{error}");
}

#[test]
fn progress_ends_at_the_number_of_requests() {
    let last = std::cell::Cell::new(0);
    let seen = SeenPrompts::new(0, []);
    let progress = |done| last.set(done);
    evaluate(subject(&router(&NAMES), &seen), &dataset(&NAMES, 70), &options(), &progress).unwrap();
    assert_eq!(last.get(), 70);
}
