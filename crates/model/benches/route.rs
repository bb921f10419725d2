//! The way of a request to a decision, by length of the prompt, with the parts apart.

#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

use std::path::Path;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use farthing_core::{Request, RouteOptions};
use farthing_model::Router;

/// Words of the prompts; in English prose a word is about 1.3 tokens.
const WORDS: [usize; 4] = [15, 150, 1_500, 15_000];

fn prompt(words: usize) -> Request {
    // Varied enough that no table row stays in the nearest cache for all of them.
    let word = |i: usize| format!("w{}", i * 7_919 % 5_003);
    let text: Vec<String> = (0..words).map(word).collect();
    Request::from_prompt(text.join(" ")).expect("the prompt is not empty")
}

fn route(criterion: &mut Criterion) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/router-v1");
    let router = Router::load(&fixture).expect("the fixture is in the repository");
    let mut group = criterion.benchmark_group("request");
    for words in WORDS {
        let request = prompt(words);
        group.bench_function(BenchmarkId::new("featurize", words), |bencher| {
            bencher.iter(|| router.featurize(&request));
        });
        let features = [router.featurize(&request)];
        group.bench_function(BenchmarkId::new("predict", words), |bencher| {
            bencher.iter(|| router.predict(&features, 0).expect("the fixture predicts"));
        });
        let options = RouteOptions::default();
        group.bench_function(BenchmarkId::new("route", words), |bencher| {
            bencher.iter(|| router.route(&request, &options, 1.0).expect("the fixture routes"));
        });
    }
    group.finish();
}

criterion_group!(benches, route);
criterion_main!(benches);
