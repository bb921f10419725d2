//! What a server logged: joined, with what does not join counted by cause, and compacted.

use std::cell::Cell;
use std::fs::{self, File};
use std::io::Write as _;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use farthing_core::log::segment::{
    DecisionRow, LineType, OutcomeEvent, Predicted, RouterNames, SegmentHeader, Stored,
    StoredMessage, write_line,
};
use farthing_core::{OutcomeBody, Reason, Request, ScoreSource};
use farthing_data::{CompactReport, JoinOptions, JoinReport, Rejects, compact, join};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tempfile::TempDir;

use crate::{chain, rejected_lines};

/// What is kept of a prompt.
#[derive(Clone, Copy)]
enum Keep {
    Text,
    Digest,
    Nothing,
}

/// The n-th decision id.
fn id(n: u64) -> String {
    format!("0198a2b4-7c11-7def-8123-{n:012x}")
}

/// A segment under construction.
struct Segment(Vec<u8>);

impl Segment {
    fn new() -> Self {
        let mut lines = Vec::new();
        let header = SegmentHeader { run: "r".into(), began: "then".into(), first_seq: 0 };
        write_line(LineType::Segment, &header, &mut lines);
        let candidates = ["m0", "m1"].map(str::to_owned).to_vec();
        let names = RouterNames { router: "sha256:r".into(), candidates: candidates.into() };
        write_line(LineType::Router, &names, &mut lines);
        Self(lines)
    }

    /// The n-th decision, at 23:59:59 of a day plus n seconds, for `m0`.
    fn decision(mut self, n: u64, messages: &[(&str, &str)], keep: Keep) -> Self {
        let messages: Vec<_> = messages
            .iter()
            .map(|&(role, content)| StoredMessage { role: role.into(), content: content.into() })
            .collect();
        let json = serde_json::to_string(&messages).unwrap();
        let digest = Request::from_messages_json(&json).unwrap().digest().to_string();
        let asked = match keep {
            Keep::Text => Stored { messages: Some(messages), ..Stored::default() },
            Keep::Digest => Stored { digest: Some(digest.into()), ..Stored::default() },
            Keep::Nothing => Stored::default(),
        };
        let time = chrono_like(n);
        let context: BTreeMap<_, _> = [("feature", "chat"), ("model", "taken")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let row = DecisionRow {
            run: "r".into(),
            seq: n,
            timestamp: time.into(),
            decision_id: id(n).into(),
            router: "sha256:r".into(),
            policy: "default".into(),
            policy_digest: "sha256:p".into(),
            bar: 0.5,
            reason: Reason::CheapestAboveBar,
            model: "m0".into(),
            propensity: 0.75,
            margin: None,
            truncated: false,
            decision_us: 1.5,
            context: Cow::Owned(context),
            session: None,
            arm: Some("b".into()),
            rules: Vec::new(),
            asked,
            predicted: Predicted {
                quality: vec![0.5, 0.25].into(),
                p_above_bar: vec![0.5, 0.25].into(),
                cost_usd: vec![Some(0.5), None].into(),
                output_tokens: vec![Some(9.0), None].into(),
                excluded_by: vec![None, Some(farthing_core::Exclusion::Unpriced)].into(),
            },
        };
        write_line(LineType::Decision, &row, &mut self.0);
        self
    }

    fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self
    }
}

/// 2026-01-01T23:59:59Z and so many seconds.
fn chrono_like(n: u64) -> String {
    if n == 0 {
        "2026-01-01T23:59:59.000000Z".into()
    } else {
        format!("2026-01-02T00:00:{:02}.000000Z", n - 1)
    }
}

/// A report on the n-th decision, in the given second.
fn outcome(second: u64, n: u64, model: &str, change: impl FnOnce(&mut OutcomeBody)) -> Vec<u8> {
    let mut body =
        OutcomeBody { decision_id: id(n), model: model.into(), ..OutcomeBody::default() };
    change(&mut body);
    let received = format!("2026-01-02T01:00:{second:02}.000000Z").into();
    let mut line = Vec::new();
    write_line(LineType::Outcome, &OutcomeEvent { received, outcome: Cow::Owned(body) }, &mut line);
    line
}

fn scored(score: f64, source: Option<ScoreSource>) -> impl FnOnce(&mut OutcomeBody) {
    move |body| (body.score, body.source) = (Some(score), source)
}

/// A folder of segments.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("log")).unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join("log").join(name), bytes).unwrap();
    }
    dir
}

const DECISIONS: &str = "decisions-20260101T235959Z-aaaaaaaaaaaa-000000.ndjson";
const LATER: &str = "decisions-20260102T000100Z-aaaaaaaaaaaa-000001.ndjson.open";
const OUTCOMES: &str = "outcomes-20260102T010000Z-aaaaaaaaaaaa-000000.ndjson";

/// Everything that can come: late, repeated, unknown, without a prompt, torn.
fn everything() -> TempDir {
    let user = |text: &'static str| [("user", text)];
    let chat = [("system", "be brief"), ("user", "why?")];
    let first = Segment::new()
        .decision(0, &user("zero"), Keep::Text)
        .decision(1, &chat, Keep::Text)
        .decision(2, &user("two"), Keep::Digest)
        .text("{\"type\":\"decision\",\"schema_version\":9}\n")
        .text("{\"type\":\"decision\",\"schema_v");
    let later = Segment::new()
        .decision(3, &user("three"), Keep::Nothing)
        .decision(0, &user("zero"), Keep::Text)
        .decision(4, &user("four"), Keep::Text)
        .text("{\"type\":\"decision\",\"schema_ver");
    let outcomes = [
        // The last of a source counts, though it stands first.
        outcome(9, 0, "m0", scored(0.75, Some(ScoreSource::Judge))),
        outcome(1, 0, "m0", scored(0.25, Some(ScoreSource::Judge))),
        outcome(2, 0, "m0", |body| (body.cost_usd, body.latency_ms) = (Some(0.001), Some(12.5))),
        // Another model was asked too.
        outcome(3, 0, "m1", scored(1.0, Some(ScoreSource::Verifier))),
        outcome(4, 1, "m0", |body| (body.input_tokens, body.output_tokens) = (Some(10), Some(20))),
        outcome(5, 2, "m0", scored(0.5, None)),
        outcome(6, 3, "m0", scored(0.5, None)),
        outcome(7, 99, "m0", scored(0.5, None)),
    ];
    folder(&[(DECISIONS, first.0), (LATER, later.0), (OUTCOMES, outcomes.concat())])
}

/// Joins folders of a directory; the log's rows, the report and the rejects.
fn joined(
    dir: &Path,
    dirs: &[&str],
    prompts: &[PathBuf],
) -> Result<(Vec<Value>, JoinReport, Vec<String>), String> {
    let options = JoinOptions {
        dirs: dirs.iter().map(|name| dir.join(name)).collect(),
        output: dir.join("joined.ndjson"),
        prompts: prompts.to_vec(),
    };
    let path = dir.join("rejects.ndjson");
    fs::remove_file(&path).unwrap_or_default();
    let mut rejects = Rejects::to_file(&path);
    let report = join(&options, &mut rejects, &|_| ()).map_err(|error| chain(&error))?;
    let text = fs::read_to_string(&options.output).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Ok((rows, report, rejected_lines(&path)))
}

/// What the log of [`everything`] comes to.
fn expected_report() -> JoinReport {
    JoinReport {
        decisions: 6,
        repeated_decisions: 1,
        without_outcome: 1,
        outcomes: 8,
        duplicate: 1,
        no_decision: 1,
        no_prompt_stored: 2,
        joined: 3,
        not_judged: 1,
        gone: 0,
        torn: 1,
        rejected: 1,
        context: vec!["arm".into(), "feature".into()],
        context_left_out: vec!["model".into()],
    }
}

#[test]
fn what_joins_is_written_and_the_rest_counted() {
    let dir = everything();
    let (rows, report, rejects) = joined(dir.path(), &["log"], &[]).unwrap();
    let row = |n: u64, time: &str, rest: Value| {
        let mut row = json!({"request_id": id(n), "timestamp": time, "decision_id": id(n),
            "router": "sha256:r", "policy": "sha256:p", "feature": "chat", "arm": "b"});
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        row
    };
    let (zero, one) = ("2026-01-01T23:59:59.000Z", "2026-01-02T00:00:00.000Z");
    let chat = r#"[{"role":"system","content":"be brief"},{"role":"user","content":"why?"}]"#;
    assert_eq!(
        rows,
        [
            row(
                0,
                zero,
                json!({"prompt": "zero", "model": "m0", "score": 0.75, "cost_usd": 0.001,
                "latency_ms": 12.5, "propensity": 0.75, "score_source": "judge"})
            ),
            // What was not chosen has no propensity.
            row(
                0,
                zero,
                json!({"prompt": "zero", "model": "m1", "score": 1.0, "score_source": "verifier"})
            ),
            row(
                1,
                one,
                json!({"messages": chat, "model": "m0", "input_tokens": 10, "output_tokens": 20,
                "propensity": 0.75})
            ),
        ]
    );
    assert_eq!(report, expected_report());
    assert_eq!(rejects, ["6: unknown schema version: 9", "7: the line is cut short"]);
}

#[test]
fn digests_are_joined_with_texts_kept_elsewhere() {
    let dir = everything();
    let store = dir.path().join("store.csv");
    fs::write(&store, "prompt,who\nzero,a\ntwo,b\n").unwrap();
    let (rows, report, _) = joined(dir.path(), &["log"], &[store]).unwrap();
    assert_eq!((report.joined, report.no_prompt_stored), (4, 1));
    assert_eq!((&rows[3]["prompt"], &rows[3]["score"]), (&json!("two"), &json!(0.5)));
}

/// Joins the folder `log` of a directory; `progress` is called between two files, too.
fn join_beside(dir: &Path, progress: &dyn Fn()) -> JoinReport {
    let options = JoinOptions {
        dirs: vec![dir.join("log")],
        output: dir.join("joined.ndjson"),
        prompts: Vec::new(),
    };
    join(&options, &mut Rejects::count_only(), &|_| progress()).unwrap()
}

#[test]
fn a_join_reads_what_was_there_when_it_began() {
    const DELETED: &str = "decisions-20260101T000000Z-aaaaaaaaaaaa-000000.ndjson";
    let one = |n| Segment::new().decision(n, &[("user", "hi")], Keep::Text).0;
    let outcomes = [0, 1, 2, 3].map(|n| outcome(1, n, "m0", scored(0.5, None)));
    let dir = folder(&[
        (DECISIONS, one(0)),
        (LATER, one(1)),
        (DELETED, one(2)),
        (OUTCOMES, outcomes.concat()),
    ]);
    let log = dir.path().join("log");
    let moved = Cell::new(false);
    let report = join_beside(dir.path(), &|| {
        if !moved.replace(true) {
            let mut open = File::options().append(true).open(log.join(LATER)).unwrap();
            let late = Segment(Vec::new()).decision(3, &[("user", "hi")], Keep::Text);
            open.write_all(&late.0).unwrap();
            fs::rename(log.join(LATER), log.join(LATER).with_extension("")).unwrap();
            fs::remove_file(log.join(DELETED)).unwrap();
        }
    });
    let JoinReport { decisions, joined, no_decision, gone, torn, .. } = report;
    assert_eq!((decisions, joined, no_decision, gone, torn), (2, 2, 2, 1, 0));
}

#[test]
fn a_server_may_write_beside_a_join() {
    let one = |n| Segment::new().decision(n, &[("user", "hi")], Keep::Text).0;
    let dir = folder(&[(DECISIONS, one(0)), (OUTCOMES, outcome(1, 0, "m0", scored(0.5, None)))]);
    let log = dir.path().join("log");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 3.. {
                let open = log.join(format!("decisions-20260103T000000Z-b-{n:06}.ndjson.open"));
                let mut file = File::create(&open).unwrap();
                // Never a whole number of lines at once.
                for part in one(n % 50).chunks(100) {
                    file.write_all(part).unwrap();
                }
                fs::rename(&open, open.with_extension("")).unwrap();
                let old = format!("decisions-20260103T000000Z-b-{:06}.ndjson", n - 3);
                fs::remove_file(log.join(old)).unwrap_or_default();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let reports = panic::catch_unwind(|| {
            let out = dir.path().join("out");
            let one = |_| {
                compact(&log, &out, &mut Rejects::count_only(), &|_| ()).unwrap();
                let report = join_beside(dir.path(), &|| ());
                (report.joined, report.torn, report.rejected)
            };
            (0..20).map(one).collect::<Vec<_>>()
        });
        done.store(true, Ordering::Relaxed);
        assert_eq!(reports.unwrap(), [(1, 0, 0); 20]);
    });
}

fn compacted(dir: &Path) -> (CompactReport, Vec<(String, Vec<u8>)>) {
    let report = compact(&dir.join("log"), &dir.join("out"), &mut Rejects::count_only(), &|_| ());
    let mut files = Vec::new();
    let mut folders = vec![dir.join("out")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir.join("out")).unwrap().display().to_string();
                files.push((name, fs::read(path).unwrap()));
            }
        }
    }
    files.sort();
    (report.unwrap(), files)
}

#[test]
fn sealed_segments_become_parquet_by_day_once() {
    let dir = everything();
    let (report, files) = compacted(dir.path());
    let expected = CompactReport {
        segments: 2,
        open: 1,
        gone: 0,
        decisions: 3,
        outcomes: 8,
        files: 3,
        torn: 1,
        rejected: 1,
    };
    assert_eq!(report, expected);
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let parquet = |name: &str| name.replace(".ndjson", ".parquet");
    assert_eq!(
        names,
        [
            format!("decisions/day=2026-01-01/{}", parquet(DECISIONS)),
            format!("decisions/day=2026-01-02/{}", parquet(DECISIONS)),
            format!("outcomes/day=2026-01-02/{}", parquet(OUTCOMES)),
        ]
    );
    assert!(compacted(dir.path()).1 == files, "twice is once");
}

/// Segments and Parquet join alike, and both together are not counted twice.
#[test]
fn compacted_logs_join_like_segments() {
    let dir = everything();
    let (rows, _, _) = joined(dir.path(), &["log"], &[]).unwrap();
    compacted(dir.path());
    let (both, report, _) = joined(dir.path(), &["log", "out"], &[]).unwrap();
    assert_eq!((&both, report), (&rows, expected_report()));
    for name in [DECISIONS, OUTCOMES] {
        fs::remove_file(dir.path().join("log").join(name)).unwrap();
    }
    let (after, report, _) = joined(dir.path(), &["log", "out"], &[]).unwrap();
    assert_eq!(after, rows);
    // The line of another version was not compacted.
    assert_eq!(report, JoinReport { torn: 0, rejected: 0, ..expected_report() });
}

#[test]
fn nothing_to_join_says_why() {
    let dir = everything();
    fs::create_dir(dir.path().join("empty")).unwrap();
    let error = joined(dir.path(), &["log", "empty"], &[]).unwrap_err();
    assert!(error.contains("empty` holds no segments; hint: give the folder"), "{error}");

    let decisions = Segment::new().decision(3, &[("user", "three")], Keep::Digest).0;
    let dir = folder(&[(DECISIONS, decisions), (OUTCOMES, outcome(1, 3, "m0", scored(1.0, None)))]);
    let error = joined(dir.path(), &["log"], &[]).unwrap_err();
    assert!(
        error.contains("1 outcomes of prompts that are not stored; hint: give the texts"),
        "{error}"
    );
    assert!(!dir.path().join("joined.ndjson").exists());
}

#[test]
fn outcomes_that_contradict_each_other_are_rejected() {
    let decisions = Segment::new().decision(0, &[("user", "a")], Keep::Text).decision(
        1,
        &[("user", "b")],
        Keep::Text,
    );
    let outcomes = [
        outcome(1, 0, "m0", |body| body.input_tokens = Some(1)),
        outcome(2, 0, "m0", |body| body.cached_input_tokens = Some(2)),
        outcome(3, 1, "m0", scored(1.0, None)),
    ];
    let dir = folder(&[(DECISIONS, decisions.0), (OUTCOMES, outcomes.concat())]);
    let (rows, report, rejects) = joined(dir.path(), &["log"], &[]).unwrap();
    assert_eq!((rows.len(), report.joined, report.rejected), (1, 1, 1));
    let reason =
        "the outcomes contradict each other: cached_input_tokens is more than input_tokens: 2";
    assert_eq!(rejects, [format!("3: {reason} ({})", id(0))]);
}
