//! Segments: every row comes back as it went in, and no bytes make the reader panic.

use std::borrow::Cow;

use farthing_core::log::read::{Line, LineError, LineReader, read_segment};
use farthing_core::log::segment::{
    DecisionRow, LineType, OutcomeEvent, Predicted, RouterNames, SegmentHeader, Stored,
    StoredFeatures, StoredMessage, write_line,
};
use farthing_core::{Exclusion, OutcomeBody, Reason, ScoreSource};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

const ID: &str = "0198a2b4-7c11-7def-8123-456789abcdef";

fn text() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

fn finite() -> impl Strategy<Value = f64> {
    proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL | proptest::num::f64::ZERO
}

fn single() -> impl Strategy<Value = f32> {
    proptest::num::f32::NORMAL | proptest::num::f32::SUBNORMAL | proptest::num::f32::ZERO
}

fn names() -> impl Strategy<Value = RouterNames<'static>> {
    (text(), vec(any::<String>(), 0..30))
        .prop_map(|(router, candidates)| RouterNames { router, candidates: candidates.into() })
}

fn predicted(candidates: usize) -> impl Strategy<Value = Predicted<'static>> {
    let exclusion = option::of(prop_oneof![Just(Exclusion::Excluded), Just(Exclusion::Unpriced)]);
    let maybe = move || vec(option::of(single()), candidates);
    let parts = (
        vec(single(), candidates),
        vec(single(), candidates),
        maybe(),
        maybe(),
        vec(exclusion, candidates),
    );
    parts.prop_map(|(quality, p, cost, tokens, excluded)| Predicted {
        quality: quality.into(),
        p_above_bar: p.into(),
        cost_usd: cost.into(),
        output_tokens: tokens.into(),
        // Not written, so not read.
        excluded_by: if excluded.iter().all(Option::is_none) {
            Cow::default()
        } else {
            excluded.into()
        },
    })
}

fn stored() -> impl Strategy<Value = Stored<'static>> {
    let message = (text(), text()).prop_map(|(role, content)| StoredMessage { role, content });
    let features = (vec(any::<u32>(), 0..9), vec(single(), 0..9), any::<u32>()).prop_map(
        |(buckets, surface, bytes)| StoredFeatures {
            buckets: buckets.into(),
            surface: surface.into(),
            text_bytes: bytes as usize,
        },
    );
    (option::of(vec(message, 0..4)), option::of(text()), option::of(features))
        .prop_map(|(messages, digest, features)| Stored { messages, digest, features })
}

/// The names of a router, and one of its decisions.
fn decision() -> impl Strategy<Value = (RouterNames<'static>, DecisionRow<'static>)> {
    let reason = prop_oneof![Just(Reason::CheapestAboveBar), Just(Reason::Explored)];
    names().prop_flat_map(move |names| {
        let texts = (text(), text(), text(), text(), text(), text());
        let numbers = (any::<u64>(), finite(), finite(), option::of(finite()), finite());
        let kept =
            (btree_map(any::<String>(), any::<String>(), 0..4), option::of(text()), stored());
        let rest = (reason.clone(), any::<bool>(), predicted(names.candidates.len()));
        (texts, numbers, kept, rest).prop_map(move |(texts, numbers, kept, rest)| {
            let row = DecisionRow {
                run: texts.0,
                seq: numbers.0,
                timestamp: texts.1,
                decision_id: texts.2,
                router: names.router.clone(),
                policy: texts.3,
                policy_digest: texts.4,
                bar: numbers.1,
                reason: rest.0,
                model: texts.5,
                propensity: numbers.2,
                margin: numbers.3,
                truncated: rest.1,
                decision_us: numbers.4,
                context: Cow::Owned(kept.0),
                session: kept.1,
                arm: None,
                rules: Vec::new(),
                asked: kept.2,
                predicted: rest.2,
            };
            (names.clone(), row)
        })
    })
}

/// Everything that is read of a segment of one decision.
fn written(names: &RouterNames<'_>, row: &DecisionRow<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = SegmentHeader { run: "r".into(), began: "now".into(), first_seq: 7 };
    write_line(LineType::Segment, &header, &mut bytes);
    write_line(LineType::Router, names, &mut bytes);
    write_line(LineType::Decision, row, &mut bytes);
    bytes
}

/// What is wrong with each line; `None`: nothing.
fn errors(bytes: &[u8]) -> Vec<Option<LineError>> {
    let mut errors = Vec::new();
    read_segment(bytes, &mut |_, line| errors.push(line.err()));
    errors
}

proptest! {
    #[test]
    fn a_decision_round_trips((names, row) in decision()) {
        let bytes = written(&names, &row);
        let mut lines = Vec::new();
        read_segment(&bytes, &mut |number, line| lines.push((number, format!("{:?}", line.unwrap()))));
        let expected = Line::Decision(Box::new(row), names.candidates.as_ref().into());
        prop_assert_eq!(lines.pop(), Some((3, format!("{expected:?}"))));
        prop_assert_eq!(lines.len(), 2);
    }

    /// Whoever is stopped in the middle of a line leaves one that is known to be cut short.
    #[test]
    fn a_prefix_is_torn((names, row) in decision(), at in any::<proptest::sample::Index>()) {
        let mut bytes = written(&names, &row);
        let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
        // The whole object is one, line feed or not.
        bytes.truncate(last + 1 + at.index(bytes.len() - last - 3));
        prop_assert_eq!(errors(&bytes), [None, None, Some(LineError::Torn)]);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..400)) {
        errors(&bytes);
    }

    #[test]
    fn no_damage_panics((names, row) in decision(), at in any::<proptest::sample::Index>(), byte: u8) {
        let mut bytes = written(&names, &row);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        errors(&bytes);
    }

    #[test]
    fn an_outcome_round_trips(score in option::of(0.0..1.0), cost in finite(), key in option::of("[a-z]{1,9}")) {
        let outcome = OutcomeBody {
            decision_id: ID.into(),
            model: "m".into(),
            score,
            cost_usd: Some(cost.abs()),
            source: Some(ScoreSource::Judge),
            idempotency_key: key,
            ..OutcomeBody::default()
        };
        let event = OutcomeEvent { received: "now".into(), outcome: Cow::Owned(outcome) };
        let mut bytes = Vec::new();
        write_line(LineType::Outcome, &event, &mut bytes);
        prop_assert_eq!(LineReader::default().read(&bytes), Ok(Line::Outcome(event)));
    }
}

#[test]
fn lines_that_cannot_be_used_say_why() {
    let error = |line: &str| LineReader::default().read(line.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        error("{\"type\":\"decision\",\"schema_version\":1}\n"),
        "schema version 1; hint: this build reads 2 to 2"
    );
    assert!(error("{\"type\":\"cat\",\"schema_version\":2}\n").contains("unknown variant `cat`"));
    assert!(error("[]\n").starts_with("the line is not one of a segment"));
    assert_eq!(error("{\"type\":\"deci"), "the line is cut short");
    assert!(error("{\"type\":\"deci\n").starts_with("the line is not one of a segment"));
    let score = r#"{"type":"outcome","schema_version":2,"received":"x","outcome":{"decision_id":"ID","model":"m","score":2}}"#;
    assert_eq!(error(&score.replace("ID", ID)), "score is not in [0, 1]: 2");
}

/// A router of one candidate, and one of its decisions.
fn plain() -> (RouterNames<'static>, DecisionRow<'static>) {
    let names = RouterNames { router: "r".into(), candidates: vec!["a".to_owned()].into() };
    let predicted = Predicted {
        quality: vec![0.5].into(),
        p_above_bar: vec![0.5].into(),
        cost_usd: vec![None].into(),
        output_tokens: vec![None].into(),
        excluded_by: Cow::default(),
    };
    let row = DecisionRow {
        run: "run".into(),
        seq: 0,
        timestamp: "now".into(),
        decision_id: ID.into(),
        router: "r".into(),
        policy: "p".into(),
        policy_digest: "d".into(),
        bar: 0.5,
        reason: Reason::Cheapest,
        model: "a".into(),
        propensity: 1.0,
        margin: None,
        truncated: false,
        decision_us: 1.0,
        context: Cow::default(),
        session: None,
        arm: Some("b".into()),
        rules: vec!["night".into()],
        asked: Stored::default(),
        predicted,
    };
    (names, row)
}

#[test]
fn a_decision_needs_the_names_of_its_router() {
    let (names, row) = plain();
    assert_eq!(errors(&written(&names, &row)), [None, None, None]);
    let two =
        RouterNames { candidates: vec!["a".to_owned(), "b".to_owned()].into(), ..names.clone() };
    assert_eq!(errors(&written(&two, &row))[2], Some(LineError::Predictions));
    let other = RouterNames { router: "s".into(), ..names };
    assert_eq!(errors(&written(&other, &row))[2], Some(LineError::UnknownRouter));
}

#[test]
fn numbers_beyond_single_precision_are_refused() {
    let (names, row) = plain();
    let features =
        StoredFeatures { buckets: Cow::default(), surface: vec![2.5].into(), text_bytes: 1 };
    let asked = Stored { features: Some(features), ..Stored::default() };
    let line = String::from_utf8(written(&names, &DecisionRow { asked, ..row })).unwrap();
    for (field, value) in [
        ("quality", "0.5"),
        ("p_above_bar", "0.5"),
        ("cost_usd", "null"),
        ("output_tokens", "null"),
        ("surface", "2.5"),
    ] {
        let with = |number: &str| {
            let from = format!("\"{field}\":[{value}]");
            assert!(line.contains(&from));
            errors(line.replace(&from, &format!("\"{field}\":[{number}]")).as_bytes())
        };
        assert_eq!(with("-3.4e38"), [None, None, None]);
        let error = with("3.5e38")[2].clone().unwrap().to_string();
        assert!(error.contains("number out of range of single precision at column"), "{error}");
    }
}
