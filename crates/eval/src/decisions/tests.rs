use farthing_core::{Digest, Request};

use super::*;
use crate::estimate::Drawn;
use crate::metrics::{Bootstrap, Groups, Matrix};
use crate::policy::Yardsticks;
use crate::rows::Rows;

fn record(id: Option<&str>, prompt: &str) -> Record {
    Record {
        key: Digest::of(prompt.as_bytes()),
        group: 0,
        request_id: id.map(str::to_owned),
        request: Request::from_prompt(prompt).unwrap(),
        labels: Vec::new(),
        timestamp_ms: None,
        cells: Vec::new(),
    }
}

fn other(decisions: &[(&str, &str)]) -> OtherRouter {
    let models = decisions.iter().map(|(id, m)| ((*id).to_owned(), (*m).to_owned())).collect();
    OtherRouter {
        name: "theirs".to_owned(),
        decisions: Decisions { models, ignored_columns: Vec::new() },
    }
}

const NAMES: [&str; 2] = ["dear", "cheap"];

#[test]
fn decisions_by_hand() {
    let names = NAMES.map(str::to_owned);
    // The second request has no id of its own; the last one is decided by nobody else.
    let scored = [
        record(Some("r0"), "a"),
        record(None, "b"),
        record(Some("r2"), "c"),
        record(Some("r3"), "d"),
        record(Some("r4"), "e"),
    ];
    let digest = Digest::of(b"b").to_string();
    let theirs = other(&[
        ("r0", "dear"),
        (digest.as_str(), "dear"),
        ("r2", "cheap"),
        ("r3", "gone"),
        ("seen", "dear"),
        ("nowhere", "dear"),
    ]);
    let (scored, used) = (scored.iter().collect::<Vec<_>>(), [&record(Some("seen"), "f")]);
    let found = Other::new(&theirs, &names, &scored, &used).unwrap();

    let rows = Rows {
        groups: Groups::each_alone(5),
        null_quality: None,
        predicted_quality: Matrix::repeat(5, &[0.9, 0.5]),
        predicted_p: Matrix::repeat(5, &[0.9, 0.5]),
        predicted_cost: Matrix::repeat(5, &[0.01, 0.001]),
        score: Matrix::new(2, vec![1.0, 0.5, 1.0, 0.0, 0.4, 0.2, 1.0, 1.0, 1.0, 1.0]),
        cost: Matrix::new(2, vec![10.0, 1.0, 20.0, 2.0, 30.0, 3.0, 40.0, 4.0, 50.0, 5.0]),
        choices: vec![Some(1), Some(0), Some(0), Some(1), Some(1)],
        reasons: vec![None; 5],
    };
    let against = Yardsticks { names: &names, reference: 0, best_single: Some(0), bar: 0.5 };
    let all: Vec<usize> = (0..5).collect();
    let policy = Decided { rows: &rows, requests: &all, choices: &rows.choices, against: &against };
    let mut ratios = Ratios::new(&rows.groups);
    let columns = found.columns(&policy, &mut ratios);
    let sums = ratios.sums();
    let bootstrap = Bootstrap { seed: 0, resamples: 10 };
    let drawn = Drawn::new(bootstrap, &rows.groups, |counts| sums.ratios(counts));
    let found = found.report(&policy, &columns, &sums.estimates(&drawn.map(Vec::as_slice)));

    let is = |estimate: Option<Estimate>, expected: f64| {
        let value = estimate.unwrap().value;
        assert!((value - expected).abs() < 1e-9, "{value}, expected {expected}");
    };
    assert_eq!((found.rows, found.seen_rows, found.unmatched_rows), (6, 1, 1));
    assert_eq!(found.matched_requests, 4);
    let gone = IgnoredCandidate { model: "gone".to_owned(), requests: 1 };
    assert_eq!(found.unknown_models, [gone]);
    let figures = found.figures;
    assert_eq!((figures.decided_requests, figures.costed_requests), (3, 3));
    let chosen: Vec<u64> = figures.choices.iter().map(|choice| choice.requests).collect();
    assert_eq!(chosen, [2, 1]);
    is(figures.quality, (1.0 + 1.0 + 0.2) / 3.0);
    is(figures.cost_usd, 11.0);
    let best = figures.against_best_single.unwrap();
    is(best.saving_pct, 100.0 * (1.0 - 33.0 / 60.0));
    is(best.quality_difference, -0.2 / 3.0);
    let paired = found.paired;
    assert_eq!((paired.requests, paired.costed_requests, paired.judged_requests), (3, 3, 3));
    is(paired.same_choice_pct, 100.0 / 3.0);
    // 1, 20 and 30 against 10, 20 and 3.
    is(paired.saving_pct, 100.0 * (1.0 - 51.0 / 33.0));
    is(paired.quality_difference, (-0.5 + 0.0 + 0.2) / 3.0);
}

#[test]
fn a_file_of_other_requests_is_refused_with_both_kinds_of_ids() {
    let names = NAMES.map(str::to_owned);
    let (scored, used) = (record(Some("r0"), "a"), record(Some("r1"), "b"));
    let refusal = |decisions: &[(&str, &str)]| {
        let found = Other::new(&other(decisions), &names, &[&scored], &[&used]);
        found.err().unwrap().to_string()
    };
    let message = refusal(&[("1", "dear"), ("2", "cheap")]);
    assert!(message.contains("`theirs` decides none of the scored requests: of its 2, 0 "));
    assert!(message.contains("its first is `1`, the first scored one is `r0`"), "{message}");
    assert!(refusal(&[("r1", "dear")]).contains("of its 1, 1 were used to fit or certify"));
}
