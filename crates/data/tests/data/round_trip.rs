//! What is written is what is read, in every format and any order.

use std::collections::BTreeMap;
use std::path::Path;

use farthing_core::log::{Asked, OutcomeRow};
use farthing_core::{Outcome, ScoreSource};
use farthing_data::{Dataset, LogWriter, ReadOptions, ReadReport, Rejects, read_log};
use proptest::prelude::*;

use crate::strings;

const FORMATS: [&str; 3] = ["log.parquet", "log.ndjson", "log.csv"];

fn written_and_read(rows: &[OutcomeRow], path: &Path) -> (Dataset, ReadReport) {
    let mut writer = LogWriter::create(path, &strings(&["task", "feature"])).unwrap();
    for row in rows {
        writer.write(row).unwrap();
    }
    writer.finish().unwrap();
    let options = ReadOptions {
        context: strings(&["feature"]),
        labels: strings(&["task"]),
        ..ReadOptions::default()
    };
    let mut rejects = Rejects::count_only();
    let read = read_log(&[path.to_owned()], &options, &mut rejects, &|_| {});
    assert_eq!(rejects.summary(), "");
    read.unwrap()
}

fn text() -> impl Strategy<Value = String> {
    // Quotes, commas, line ends and several scripts; never blank.
    "[a-c \"',;\\\\\r\n\t{}é漢\u{1F600}]{0,12}[a-z]"
}

fn asked() -> impl Strategy<Value = Asked> {
    let role = prop_oneof![Just("user"), Just("assistant"), Just("system")];
    let turn =
        (role, text()).prop_map(|(role, text)| serde_json::json!({"role": role, "content": text}));
    prop_oneof![
        text().prop_map(Asked::Prompt),
        prop::collection::vec(turn, 1..3)
            .prop_map(|turns| Asked::Messages(serde_json::Value::from(turns).to_string())),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let unit = || prop::option::of(0.0..=1.0_f64);
    let tokens = || prop::option::of(0..100_000_u64);
    (unit(), unit(), tokens(), tokens(), prop::option::of(0.0..1e6_f64)).prop_map(
        |(score, cost_usd, input_tokens, output_tokens, latency_ms)| Outcome {
            score,
            cost_usd,
            input_tokens,
            cached_input_tokens: input_tokens.map(|n| n / 2),
            output_tokens,
            latency_ms,
            propensity: score.map(|s| s.mul_add(0.5, 0.5)),
        },
    )
}

prop_compose! {
    fn row()(
        request_id in prop::option::of("[ab]"),
        timestamp_ms in prop::option::of(0..4_000_000_000_000_i64),
        asked in asked(),
        model in "[xyz]",
        outcome in outcome(),
        source in prop::option::of(prop_oneof![Just(ScoreSource::Human), Just(ScoreSource::Implicit)]),
        split in prop::option::of("train|test"),
        feature in prop::option::of(text()),
        task in prop::option::of("[tu]"),
    ) -> OutcomeRow {
        let mut extra = BTreeMap::new();
        extra.extend(feature.map(|f| ("feature".to_owned(), f)));
        extra.extend(task.map(|t| ("task".to_owned(), t)));
        OutcomeRow {
            request_id, timestamp_ms, asked, model, outcome, extra, split,
            decision_id: Some("d".to_owned()), router: None, policy: None,
            score_source: source,
        }
    }
}

/// Distinct rows and repeats of some of them, so that pairs with several samples are common.
fn rows() -> impl Strategy<Value = Vec<OutcomeRow>> {
    (prop::collection::vec(row(), 1..12), prop::collection::vec((0..12_usize, outcome()), 0..12))
        .prop_map(|(mut rows, repeats)| {
            for (i, outcome) in repeats {
                let again = OutcomeRow { outcome, ..rows[i % rows.len()].clone() };
                rows.push(again);
            }
            rows
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_format_gives_the_same_dataset(rows in rows()) {
        let dir = tempfile::tempdir().unwrap();
        let read = FORMATS.map(|name| written_and_read(&rows, &dir.path().join(name)));
        prop_assert_eq!(&read[0], &read[1]);
        prop_assert_eq!(&read[0], &read[2]);
        let samples: u32 = read[0].0.records.iter().flat_map(|r| &r.cells).map(|c| c.samples).sum();
        prop_assert_eq!(samples as usize, rows.len());
    }

    #[test]
    fn the_order_of_rows_does_not_matter(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log.ndjson");
        prop_assert_eq!(written_and_read(&rows, &path), written_and_read(&shuffled, &path));
    }
}

#[test]
fn a_log_of_several_row_groups() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<_> = (0..120_000_u32).map(numbered).collect();
    let (dataset, report) = written_and_read(&rows, &dir.path().join("log.parquet"));
    assert_eq!(report.rows, 120_000);
    assert_eq!(dataset.records.len(), 40_000);
    assert!(dataset.records.iter().all(|r| r.cells.len() == 3));
}

fn numbered(i: u32) -> OutcomeRow {
    OutcomeRow {
        request_id: Some((i / 3).to_string()),
        timestamp_ms: Some(i.into()),
        asked: Asked::Prompt(format!("prompt {}", i / 3)),
        model: format!("m{}", i % 3),
        outcome: Outcome { score: Some(f64::from(i % 2)), ..Outcome::default() },
        decision_id: None,
        router: None,
        policy: None,
        score_source: Some(ScoreSource::Verifier),
        split: None,
        extra: BTreeMap::from([
            ("task".to_owned(), "t".to_owned()),
            ("feature".to_owned(), "f".to_owned()),
        ]),
    }
}
