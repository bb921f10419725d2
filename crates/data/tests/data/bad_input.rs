//! Every kind of bad input: a message that names place and remedy, and nothing lost silently.

use std::fmt::Write as _;

use farthing_core::log::{Asked, OutcomeRow};
use farthing_core::{Outcome, Request};
use farthing_data::{LogWriter, ReadOptions, SplitFilter};

use crate::{Got, chain, file, read, read_path, strings};

const GOOD: &str = r#"{"prompt": "good", "model": "m", "score": 1}"#;

/// Rows of NDJSON after a good one, each rejected for the reason beside it.
fn check(rows: &[(&str, &str)]) {
    let mut text = format!("{GOOD}\n");
    let mut expected = Vec::new();
    for (i, (row, reason)) in rows.iter().enumerate() {
        writeln!(text, "{row}").unwrap();
        expected.push(format!("{}: {reason}", i + 2));
    }
    let got = read("log.ndjson", text, &ReadOptions::default());
    assert_eq!(got.rejects, expected);
    assert_eq!(got.report().rejected, rows.len() as u64);
    assert_eq!(got.dataset().records.len(), 1);
}

#[test]
fn values_out_of_range() {
    check(&[
        (r#"{"prompt": "a", "model": "m", "score": 1.7}"#, "score is not in [0, 1]: 1.7"),
        (r#"{"prompt": "a", "model": "m", "score": -0.1}"#, "score is not in [0, 1]: -0.1"),
        (r#"{"prompt": "a", "model": "m", "score": "NaN"}"#, "score is not in [0, 1]: NaN"),
        (r#"{"prompt": "a", "model": "m", "score": 1e999}"#, "score is not in [0, 1]: inf"),
        (
            r#"{"prompt": "a", "model": "m", "cost_usd": -1}"#,
            "cost_usd is not a number of at least 0: -1",
        ),
        (
            r#"{"prompt": "a", "model": "m", "cost_usd": "nan"}"#,
            "cost_usd is not a number of at least 0: NaN",
        ),
        (r#"{"prompt": "a", "model": "m", "propensity": 0}"#, "propensity is not in (0, 1]: 0"),
        (
            r#"{"prompt": "a", "model": "m", "propensity": 1.01}"#,
            "propensity is not in (0, 1]: 1.01",
        ),
        (
            r#"{"prompt": "a", "model": "m", "latency_ms": -5}"#,
            "latency_ms is not a number of at least 0: -5",
        ),
        (
            r#"{"prompt": "a", "model": "m", "output_tokens": -5}"#,
            "output_tokens is not a count of at least 0: -5",
        ),
    ]);
}

#[test]
fn wrong_types() {
    check(&[
        (r#"{"prompt": "a", "model": "m", "score": "good"}"#, "score is not a number: good"),
        (r#"{"prompt": "a", "model": "m", "score": [1]}"#, "score is not a number: [1]"),
        (r#"{"prompt": 5, "model": "m"}"#, "prompt is not text: 5"),
        (r#"{"prompt": "a", "model": {"name": "m"}}"#, r#"model is not text: {"name": "m"}"#),
        (r#"{"prompt": "a", "model": "m", "timestamp": "noon"}"#, "timestamp is not a time: noon"),
        (
            r#"{"prompt": "a", "model": "m", "score_source": "gut"}"#,
            "score_source is none of human, judge, verifier, implicit: gut",
        ),
        (r#"{"prompt": "a\ud800", "model": "m"}"#, "prompt is not valid UTF-8"),
    ]);
}

#[test]
fn nothing_asked_or_nobody_answering() {
    check(&[
        (r#"{"model": "m"}"#, "neither prompt nor messages"),
        (r#"{"prompt": null, "messages": null, "model": "m"}"#, "neither prompt nor messages"),
        (r#"{"prompt": "", "model": "m"}"#, "neither prompt nor messages"),
        (r#"{"prompt": " \n\t", "model": "m"}"#, "empty prompt"),
        (r#"{"messages": [], "model": "m"}"#, "empty prompt"),
        (r#"{"prompt": "a", "messages": [], "model": "m"}"#, "both prompt and messages"),
        (r#"{"prompt": "a"}"#, "no model"),
        (r#"{"prompt": "a", "model": ""}"#, "no model"),
        (
            r#"{"messages": [{"role": "bot", "content": "a"}], "model": "m"}"#,
            "messages are not chat messages: `messages[0].role` is unknown: `bot`",
        ),
    ]);
}

#[test]
fn lines_that_are_no_objects_keep_their_numbers() {
    let mut text = b"\n{\"prompt\": \"a\", \"model\"\n\n".to_vec();
    text.extend_from_slice(b"{\"prompt\": \"\xff\", \"model\": \"m\"}\n[1]\n");
    text.extend_from_slice(GOOD.as_bytes());
    let got = read("log.jsonl", text, &ReadOptions::default());
    assert_eq!(got.rejects.len(), 3);
    assert!(
        got.rejects[0].starts_with("2: the line is not a JSON object: EOF"),
        "{:?}",
        got.rejects
    );
    assert!(got.rejects[0].ends_with("at column 23"), "{:?}", got.rejects);
    assert_eq!(got.rejects[1], "4: the line is not valid UTF-8");
    assert!(got.rejects[2].starts_with("5: the line is not a JSON object: "), "{:?}", got.rejects);
    assert_eq!((got.report().rows, got.dataset().records.len()), (4, 1));
}

#[test]
fn csv_rejects_keep_their_lines() {
    for end in ["\n", "\r\n"] {
        let rows = [
            "prompt,model,score",
            "\"two\nlines\",m,0.5",
            "",
            "a,m,1.7",
            "a,m",
            "\u{e9},m,0",
            "last,m,",
        ];
        let mut text = rows.join(end).into_bytes();
        let latin1 = text.iter().position(|b| *b == 0xc3).unwrap();
        text.drain(latin1..=latin1);
        let got = read("log.csv", text, &ReadOptions::default());
        assert_eq!(
            got.rejects,
            [
                "5: score is not in [0, 1]: 1.7",
                "6: wrong number of fields: 2 where the header has 3",
                "7: prompt is not valid UTF-8",
            ],
            "{end:?}"
        );
        assert_eq!(got.report().not_judged, 1);
        assert_eq!(got.dataset().records.len(), 2);
    }
}

#[test]
fn an_open_quote_is_recognisable() {
    let got = read("log.csv", "prompt,model\na,m\n\"b,m\nc,m\nd,m\n", &ReadOptions::default());
    assert_eq!(
        got.rejects,
        [
            "3: wrong number of fields: 1 where the header has 2, up to line 5: is a quote left open?"
        ]
    );
}

#[test]
fn a_prompt_of_5_mb_is_legal() {
    let prompt = "word ".repeat(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    for name in ["log.ndjson", "log.csv", "log.parquet"] {
        let path = dir.path().join(name);
        let mut writer = LogWriter::create(&path, &[]).unwrap();
        writer.write(&row(&prompt, "m", 1.0)).unwrap();
        writer.finish().unwrap();
        let got = read_path(&dir, &path, &ReadOptions::default());
        let records = &got.dataset().records;
        assert_eq!(records[0].request, Request::from_prompt(prompt.as_str()).unwrap(), "{name}");
    }
}

#[test]
fn a_column_that_was_named_and_is_not_there() {
    let options = |change: fn(&mut ReadOptions)| {
        let mut options = ReadOptions::default();
        change(&mut options);
        options
    };
    let csv = "prompt,model,feature\na,m,x\n";
    let got = read("log.csv", csv, &options(|o| o.context = strings(&["features"])));
    assert_eq!(
        got.error(),
        "no column `features` in `log.csv`, which has `prompt`, `model`, `feature`; hint: did you mean `feature`?"
    );
    let got = read("log.ndjson", GOOD, &options(|o| o.labels = strings(&["task"])));
    assert_eq!(
        got.error(),
        "no column `task` in `log.ndjson`, which has `prompt`, `model`, `score`"
    );
    let split = |o: &mut ReadOptions| {
        o.split = Some(SplitFilter { column: "split".into(), values: strings(&["train"]) });
    };
    let got = read("log.csv", csv, &options(split));
    assert!(got.error().starts_with("no column `split` in `log.csv`"), "{}", got.error());
}

#[test]
fn a_table_that_is_no_outcome_log() {
    let got = read("log.csv", "question,model\na,m\n", &ReadOptions::default());
    assert_eq!(
        got.error(),
        "no column `prompt` or `messages` in `log.csv`, which has `question`, `model`; hint: `farthing import --map prompt=COLUMN` makes an outcome log of it"
    );
    let got = read("log.csv", "prompt,model,score,score\n", &ReadOptions::default());
    assert_eq!(got.error(), "`log.csv` has two columns `score`; hint: rename one of them");
    let got = read("log.txt", "prompt,model\n", &ReadOptions::default());
    assert!(got.error().contains("hint: use .parquet, .ndjson, .jsonl or .csv"));
}

#[test]
fn nothing_usable() {
    let text = format!("{}\n{}\n", r#"{"prompt": "a", "model": "m", "score": 2}"#, "{");
    let got = read("log.ndjson", text, &ReadOptions::default());
    assert_eq!(
        got.error(),
        "no usable row in `log.ndjson`: 2 rejected: score is not in [0, 1] (1), the line is not a JSON object (1); hint: `rejects.ndjson` says where and why"
    );
    for name in ["log.ndjson", "log.csv"] {
        let got = read(name, "", &ReadOptions::default());
        assert_eq!(got.error(), format!("no usable row in `{name}`: they hold no rows"));
    }
    let options = ReadOptions { models: Some(strings(&["n"])), ..ReadOptions::default() };
    let got = read("log.ndjson", GOOD, &options);
    assert_eq!(got.error(), "no usable row in `log.ndjson`: 1 of models left out (m)");
}

#[test]
fn files_that_are_not_there_or_not_parquet() {
    let (dir, path) = file("log.parquet", GOOD);
    let got = read_path(&dir, &path, &ReadOptions::default());
    let start = "`log.parquet` is not a readable Parquet file; hint: it may be truncated";
    assert!(got.error().starts_with(start), "{}", got.error());
    let got = read_path(&dir, &dir.path().join("none.csv"), &ReadOptions::default());
    assert!(got.error().starts_with("cannot read `none.csv`: No such file"), "{}", got.error());
}

#[test]
fn a_truncated_or_damaged_parquet_file_is_an_error_not_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    let mut writer = LogWriter::create(&path, &[]).unwrap();
    for i in 0..300 {
        writer.write(&row(&format!("prompt {i}"), ["m", "n"][i % 2], 0.5)).unwrap();
    }
    writer.finish().unwrap();
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..40 {
        std::fs::write(&path, &whole[..whole.len() * cut / 40]).unwrap();
        let got = read_path(&dir, &path, &ReadOptions::default());
        assert!(got.error().contains("not a readable Parquet file"), "{}", got.error());
    }
    let mut damaged = 0;
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        std::fs::write(&path, bytes).unwrap();
        // A flipped byte may also be harmless, or one value in a row.
        damaged += u32::from(read_path(&dir, &path, &ReadOptions::default()).result.is_err());
    }
    assert!(damaged > 20, "{damaged}");
}

#[test]
fn a_log_given_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.parquet");
    let mut writer = LogWriter::create(&path, &[]).unwrap();
    let mut undeclared = row("a", "m", 1.0);
    undeclared.extra.insert("feature".into(), "x".into());
    let error = writer.write(&undeclared).unwrap_err();
    assert!(chain(&error).starts_with("the row has a column `feature`"), "{error}");
    drop(writer);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let taken = LogWriter::create(&path, &strings(&["model"])).unwrap_err().to_string();
    assert!(taken.contains("`model` has the name of a column of every log"), "{taken}");
}

#[test]
fn data_judges_no_model() {
    let got: Got = read(
        "log.ndjson",
        format!("{GOOD}\n{}\n", r#"{"prompt": "good", "model": "never judged"}"#),
        &ReadOptions::default(),
    );
    assert_eq!(got.dataset().candidates, ["m", "never judged"]);
    assert_eq!(got.dataset().records[0].cells[1].score, None);
    assert_eq!(got.report().not_judged, 1);
}

fn row(prompt: &str, model: &str, score: f64) -> OutcomeRow {
    OutcomeRow {
        request_id: None,
        timestamp_ms: None,
        asked: Asked::Prompt(prompt.to_owned()),
        model: model.to_owned(),
        outcome: Outcome { score: Some(score), ..Outcome::default() },
        decision_id: None,
        router: None,
        policy: None,
        score_source: None,
        split: None,
        extra: std::collections::BTreeMap::new(),
    }
}
