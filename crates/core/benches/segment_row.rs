//! What a row of the decision log costs the thread that writes: 18 candidates, a digest, a context.

#![expect(clippy::unwrap_used, reason = "a bench fails like a test")]

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use farthing_core::log::read::LineReader;
use farthing_core::log::segment::{
    DecisionRow, LineType, Predicted, RouterNames, Stored, write_line,
};
use farthing_core::{Digest, Exclusion, Reason, Request};

const CANDIDATES: usize = 18;

/// Numbers with all their digits, as predictions have them.
fn numbers(scale: f32) -> Vec<f32> {
    (1..=CANDIDATES).map(|i| scale * (i as f32 * 0.618_034).fract()).collect()
}

fn row<'a>(context: &'a BTreeMap<String, String>, digest: &'a str) -> DecisionRow<'a> {
    let optional = |scale| numbers(scale).into_iter().map(Some).collect::<Vec<_>>().into();
    let mut excluded = vec![None; CANDIDATES];
    excluded[3] = Some(Exclusion::MaxCost);
    DecisionRow {
        run: "0198a2b4-7c11-7def-8123-456789abcdef".into(),
        seq: 123_456,
        timestamp: "2026-01-02T03:04:05.678901Z".into(),
        decision_id: "0198a2b4-7c11-7def-8123-456789abcdef".into(),
        router: digest.into(),
        policy: "cheapest_above_bar".into(),
        policy_digest: digest.into(),
        bar: 0.5,
        reason: Reason::CheapestAboveBar,
        model: "some-model-or-other".into(),
        propensity: 0.97,
        margin: Some(0.106_058_578_630_004_9),
        truncated: false,
        decision_us: 7.312,
        context: Cow::Borrowed(context),
        session: None,
        arm: None,
        rules: Vec::new(),
        asked: Stored { digest: Some(digest.into()), ..Stored::default() },
        predicted: Predicted {
            quality: numbers(1.0).into(),
            p_above_bar: numbers(1.0).into(),
            cost_usd: optional(0.01),
            output_tokens: optional(700.0),
            excluded_by: excluded.into(),
        },
    }
}

fn segment_row(criterion: &mut Criterion) {
    let context = BTreeMap::from([("feature".to_owned(), "chat".to_owned())]);
    let digest = Digest::of(b"").to_string();
    let row = row(&context, &digest);
    let mut line = Vec::new();
    write_line(LineType::Decision, &row, &mut line);

    let mut group = criterion.benchmark_group("segment_row");
    group.throughput(Throughput::Bytes(line.len() as u64));
    let mut out = Vec::new();
    group.bench_function("write", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_line(LineType::Decision, black_box(&row), &mut out);
            out.len()
        });
    });
    let names: Vec<String> = (0..CANDIDATES).map(|i| format!("m{i}")).collect();
    let names = RouterNames { router: digest.as_str().into(), candidates: names.into() };
    let mut reader = LineReader::default();
    let mut head = Vec::new();
    write_line(LineType::Router, &names, &mut head);
    reader.read(&head).unwrap();
    group.bench_function("read", |bencher| {
        bencher.iter(|| assert!(reader.read(black_box(&line)).is_ok()));
    });
    let request = Request::from_prompt("word ".repeat(200)).unwrap();
    group.throughput(Throughput::Bytes(request.text_bytes() as u64));
    group.bench_function("digest of 200 words", |bencher| {
        bencher.iter(|| black_box(&request).digest());
    });
    group.finish();
}

criterion_group!(benches, segment_row);
criterion_main!(benches);
