//! The way of a request to a decision, by length of the prompt, with the parts apart.

#![expect(clippy::print_stdout, reason = "a bench says what it leaves out")]
#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use farthing_core::{Request, RouteOptions};
use farthing_model::Router;
use farthing_model::encoder::TextEncoder;
use farthing_model::features::Featurizer;
use farthing_model::static_table::StaticTable;

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
        let features = [router.featurize(&request).expect("the fixture has no encoder")];
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

criterion_group!(benches, route, tokens, encoder);
criterion_main!(benches);
