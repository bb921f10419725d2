//! The way of a request to a decision, whole and by stage: by length of the prompt, number of candidates and
//! size of a batch. Prompts take turns, so that none is in the nearest cache as a whole.
//!
//! `farthing bench` gives the quantiles for a router of one's own.

#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

mod shared;

use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use farthing_core::{Constraints, Request, RouteOptions, decide};
use farthing_model::features::{Features, Featurizer, Scratch, routing_text};
use farthing_model::{Circumstances, Router, Scorer};

/// Of a router of the usual size.
const CANDIDATES: usize = 20;

/// Prompts by what they are called: of some numbers of tokens, and of a megabyte.
fn lengths() -> Vec<(String, Vec<Request>)> {
    let table = shared::base_table();
    let of = |tokens: usize| (tokens.to_string(), shared::prompts(&table, tokens));
    let megabyte = |request: &Request| {
        let text = request.full_text();
        Request::from_prompt(text.repeat((1 << 20) / text.len())).expect("there is text in it")
    };
    let long = shared::prompts(&table, 2_000)[..8].iter().map(megabyte).collect();
    let lengths = [20, 200, 2_000, 20_000].map(of).into_iter();
    lengths.chain([("1MiB".to_owned(), long)]).collect()
}

fn router(candidates: usize) -> Router {
    let table = shared::base_table();
    shared::router(&table, candidates, &shared::prompts(&table, 2_000))
}

fn stages(criterion: &mut Criterion) {
    let router = router(CANDIDATES);
    let policy = router.policy("default", 0).expect("the router has the policy");
    let table = shared::base_table();
    let words = Featurizer::new(Vec::new(), None);
    let tokens = Featurizer::new(Vec::new(), Some(Arc::clone(table.tokenizer())));
    let mut group = criterion.benchmark_group("stage");
    for (name, requests) in lengths() {
        let mut turn = requests.iter().cycle();
        let mut next = || turn.next().expect("there are requests");
        group.bench_function(BenchmarkId::new("routing_text", &name), |bencher| {
            bencher.iter(|| routing_text::build(next(), 6_144, 2_048).text.len());
        });
        for (kind, featurizer) in [("words", &words), ("words_and_tokens", &tokens)] {
            let (mut scratch, mut features) = (Scratch::default(), Features::default());
            group.bench_function(BenchmarkId::new(kind, &name), |bencher| {
                bencher.iter(|| featurizer.featurize_into(next(), &mut scratch, &mut features));
            });
        }
        let featurize = |request| tokens.featurize(request).expect("there is no encoder");
        let features: Vec<Features> = requests.iter().map(featurize).collect();
        let mut turn = features.iter().cycle();
        group.bench_function(BenchmarkId::new("predict", &name), |bencher| {
            bencher.iter(|| turn.next().map(|features| router.predict(features, 0)));
        });
        let predictions = router.predict(&features[0], 0);
        group.bench_function(BenchmarkId::new("decide", &name), |bencher| {
            bencher.iter(|| decide(&policy, &predictions, &Constraints::default(), 1.0));
        });
    }
    group.finish();
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for candidates in [5, CANDIDATES, 60] {
        let router = router(candidates);
        for (name, requests) in lengths() {
            let (mut scorer, options) = (Scorer::default(), RouteOptions::default());
            let mut turn = requests.iter().cycle();
            group.bench_function(BenchmarkId::new(name, candidates), |bencher| {
                bencher.iter(|| {
                    turn.next().map(|request| {
                        router.route(&mut scorer, request, &options, Circumstances::drawn(1.0))
                    })
                });
            });
        }
    }
    group.finish();
}

fn batches(criterion: &mut Criterion) {
    let router = router(CANDIDATES);
    let requests = shared::prompts(&shared::base_table(), 200);
    let (mut scorer, options) = (Scorer::default(), RouteOptions::default());
    let mut group = criterion.benchmark_group("batch");
    for size in [1, 32, 1_024] {
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            let batch = || requests.iter().cycle().take(size).collect::<Vec<_>>();
            let route = |batch: Vec<&Request>| {
                for request in batch {
                    router
                        .route(&mut scorer, request, &options, Circumstances::drawn(1.0))
                        .expect("the router decides");
                }
            };
            bencher.iter_batched(batch, route, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, stages, whole, batches);
criterion_main!(benches);
