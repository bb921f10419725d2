//! The way of a request to a decision, by length of the prompt, with the parts apart.

#![expect(clippy::print_stdout, reason = "a bench says what it leaves out")]
#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use farthing_core::{Request, RouteOptions};
use farthing_model::encoder::TextEncoder;
use farthing_model::features::{Features, Featurizer, SURFACE_FEATURES};
use farthing_model::network::{ClusterTable, Frozen, Shape, Weights};
use farthing_model::static_table::StaticTable;
use farthing_model::{Router, Scorer};
use half::f16;

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
        let features = router.featurize(&request).expect("the fixture has no encoder");
        group.bench_function(BenchmarkId::new("predict", words), |bencher| {
            bencher.iter(|| router.predict(&features, 0));
        });
        let (options, mut scorer) = (RouteOptions::default(), Scorer::default());
        group.bench_function(BenchmarkId::new("route", words), |bencher| {
            let route = |scorer: &mut Scorer| router.route(scorer, &request, &options, 1.0);
            bencher.iter(|| route(&mut scorer).expect("the fixture routes"));
        });
    }
    group.finish();
}

/// English prose of so many tokens of the base table, at least.
fn prose(table: &StaticTable, tokens: usize) -> String {
    let mut text = String::new();
    for sentence in include_str!("../../../README.md").split(". ").cycle() {
        if table.token_ids(&text).len() >= tokens {
            break;
        }
        text.push_str(sentence);
        text.push_str(". ");
    }
    text
}

/// Different prompts of so many tokens each, cut from the project's own prose.
fn texts(table: &StaticTable, tokens: usize) -> Vec<Request> {
    let prose = concat!(
        include_str!("../../../README.md"),
        include_str!("../../../ARCHITECTURE.md"),
        include_str!("../../../docs/adr/0004-choosing-a-blend.md"),
        include_str!("../../../docs/adr/0005-ties-and-certificates.md"),
        include_str!("../../../docs/adr/0006-adding-a-candidate.md"),
    );
    let words: Vec<&str> = prose.split(' ').collect();
    let cut = |start: usize| {
        let mut text = String::new();
        for word in words.iter().cycle().skip(start) {
            text.push_str(word);
            text.push(' ');
            if text.len().is_multiple_of(16) && table.token_ids(&text).len() >= tokens {
                break;
            }
        }
        Request::from_prompt(text).expect("the prompt is not empty")
    };
    (0..32).map(|i| cut(i * words.len() / 32)).collect()
}

/// Tokens by the `tokenizers` crate and by our own way, and what they add to the features.
fn tokens(criterion: &mut Criterion) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
    let table = StaticTable::load(&base).expect("the base table is in the repository");
    let tokenizer = Arc::clone(table.tokenizer());
    // Prose in ASCII, and in a script that the fast way leaves to the stock tokenizer.
    let english: String = prose(&table, 2_000).chars().filter(char::is_ascii).collect();
    let russian = "Докажите, что простых чисел бесконечно много. ".repeat(90);
    let mut group = criterion.benchmark_group("tokens");
    for (name, text) in [("ascii", &english), ("cyrillic", &russian)] {
        group.bench_function(BenchmarkId::new("stock", name), |bencher| {
            bencher.iter(|| tokenizer.stock_token_ids(text));
        });
        group.bench_function(BenchmarkId::new("fast", name), |bencher| {
            bencher.iter(|| tokenizer.token_ids(text));
        });
    }
    let request = Request::from_prompt(english).expect("the prompt is not empty");
    let with = Featurizer::new(Vec::new(), Some(tokenizer));
    let without = Featurizer::new(Vec::new(), None);
    for (name, featurizer) in [("with", with), ("without", without)] {
        group.bench_function(BenchmarkId::new("featurize", name), |bencher| {
            bencher.iter(|| featurizer.featurize(&request));
        });
    }
    group.finish();
}

/// Reading a request with the static tier and with the sentence encoder that lies in the directory
/// `FARTHING_ENCODER_DIR`, by tokens of the prompt.
fn encoder(criterion: &mut Criterion) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
    let table = StaticTable::load(&base).expect("the base table is in the repository");
    let fixed = Featurizer::new(Vec::new(), Some(Arc::clone(table.tokenizer())));
    let mut tiers = vec![("static", fixed.clone())];
    match std::env::var_os("FARTHING_ENCODER_DIR") {
        None => println!("encoder: skipped; FARTHING_ENCODER_DIR names no directory"),
        Some(dir) => {
            let encoder = TextEncoder::load(Path::new(&dir)).expect("the encoder can be used");
            tiers.push(("minilm", fixed.with_encoder(Some(Arc::new(encoder)))));
        }
    }
    let mut group = criterion.benchmark_group("encoder");
    group.sample_size(20);
    for tokens in [20, 200, 2_000] {
        let request = Request::from_prompt(prose(&table, tokens)).expect("the prompt is not empty");
        for (name, featurizer) in &tiers {
            group.bench_function(BenchmarkId::new(*name, tokens), |bencher| {
                bencher.iter(|| featurizer.featurize(&request).expect("the encoder reads text"));
            });
        }
    }
    group.finish();
}

/// `(candidates, tasks, latent width and clusters)` of networks that differ in one size at a time.
const SHAPES: [(usize, usize, usize); 6] =
    [(2, 0, 0), (26, 0, 0), (104, 0, 0), (26, 64, 0), (26, 0, 64), (26, 64, 64)];
/// A network in which every n-gram and token of these requests has a row, among as many others as in a router
/// from ten thousand prompts.
fn network(shape: Shape, features: &[Features]) -> Frozen {
    let mut buckets: BTreeSet<u32> = features.iter().flat_map(|f| f.buckets.clone()).collect();
    buckets.extend((0..60_000).map(|i| i * 4));
    let tokens: u32 = if features[0].tokens.is_empty() { 0 } else { 30_000 };
    let (width, candidates) = (shape.width(), shape.candidates);
    let value = |i: usize| (i * 7_919 % 1_000) as f32 / 1e6;
    let matrix = |rows: usize, columns: usize| (0..rows * columns).map(value).collect::<Vec<_>>();
    let (latent, count) = (shape.latent, shape.clusters);
    let clusters = (count > 0).then(|| ClusterTable {
        centres: matrix(latent, count),
        bias: matrix(1, count),
        means: matrix(count, candidates),
    });
    let token_rows = matrix(tokens as usize, width).into_iter().map(f16::from_f32);
    let weights = Weights {
        buckets: buckets.iter().copied().collect(),
        rows: matrix(buckets.len(), width),
        tokens: (0..tokens).collect(),
        token_rows: token_rows.collect(),
        embedding_rows: Vec::new(),
        surface: matrix(SURFACE_FEATURES.len(), width),
        bias: matrix(1, width),
        means: matrix(shape.components(), candidates),
        clusters,
        context: Vec::new(),
    };
    weights.check(&shape).expect("the weights have the shape");
    Frozen::new(&weights, shape)
}

/// The parts of a decision whose times the estimate adds up, on 32 different prompts in turn: of 2,000 tokens,
/// and of one word, which leaves what the length does not count for.
fn decision_time(criterion: &mut Criterion) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
    let table = StaticTable::load(&base).expect("the base table is in the repository");
    let tokenizer = Arc::clone(table.tokenizer());
    let prompts = [("2000", texts(&table, 2_000)), ("1", texts(&table, 1))];
    let mut group = criterion.benchmark_group("decision_time");
    for (name, tokenizer) in [("words", None), ("tokens", Some(tokenizer))] {
        let featurizer = Featurizer::new(Vec::new(), tokenizer);
        for (tokens, requests) in &prompts {
            let mut turn = requests.iter().cycle();
            group.bench_function(format!("featurize/{name}/{tokens}"), |bencher| {
                bencher.iter(|| turn.next().map(|request| featurizer.featurize(request)));
            });
        }
        let features = prompts.each_ref().map(|(tokens, requests)| {
            let featurize = |request| featurizer.featurize(request).expect("there is no encoder");
            (*tokens, requests.iter().map(featurize).collect::<Vec<_>>())
        });
        for (candidates, tasks, clusters) in SHAPES {
            let shape = Shape {
                buckets: featurizer.schema().buckets(),
                candidates,
                mixtures: if tasks > 0 { vec![tasks] } else { Vec::new() },
                latent: clusters,
                clusters,
                context: 0,
                embedding: 0,
            };
            let network = network(shape, &features[0].1);
            for (tokens, features) in &features {
                let mut turn = features.iter().cycle();
                let name = format!("forward/{name}/{tokens}/{candidates}/{tasks}/{clusters}");
                group.bench_function(name, |bencher| {
                    bencher.iter(|| turn.next().map(|f| network.forward(f)));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, route, tokens, encoder, decision_time);
criterion_main!(benches);
