//! What the prices of `farthing_model::decision_time` are set by, and what reading a text costs by its way.

#![expect(clippy::print_stdout, reason = "a bench says what it leaves out")]
#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

#[expect(dead_code, reason = "another bench uses the router")]
mod shared;

use std::path::Path;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use farthing_core::Request;
use farthing_model::encoder::TextEncoder;
use farthing_model::features::{Features, Featurizer, Scratch};
use farthing_model::network::{self, Frozen, Outputs};
use farthing_model::static_table::StaticTable;

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
    let table = shared::base_table();
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
    let table = shared::base_table();
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
/// The parts of a decision whose times the estimate adds up, on 32 different prompts in turn: of 2,000 tokens,
/// and of one word, which leaves what the length does not count for.
fn decision_time(criterion: &mut Criterion) {
    let table = shared::base_table();
    let tokenizer = Arc::clone(table.tokenizer());
    let prompts = [("2000", shared::prompts(&table, 2_000)), ("1", shared::prompts(&table, 1))];
    let mut group = criterion.benchmark_group("decision_time");
    for (name, tokenizer) in [("words", None), ("tokens", Some(tokenizer))] {
        let featurizer = Featurizer::new(Vec::new(), tokenizer);
        for (tokens, requests) in &prompts {
            let mut turn = requests.iter().cycle();
            let (mut scratch, mut features) = (Scratch::default(), Features::default());
            group.bench_function(format!("featurize/{name}/{tokens}"), |bencher| {
                bencher.iter(|| {
                    let request = turn.next().expect("there are requests");
                    featurizer.featurize_into(request, &mut scratch, &mut features)
                });
            });
        }
        let features = prompts.each_ref().map(|(tokens, requests)| {
            let featurize = |request| featurizer.featurize(request).expect("there is no encoder");
            (*tokens, requests.iter().map(featurize).collect::<Vec<_>>())
        });
        for (candidates, tasks, clusters) in SHAPES {
            let shape = shared::shape(candidates, tasks, clusters);
            let network = Frozen::new(&shared::weights(&shape, &features[0].1), shape);
            for (tokens, features) in &features {
                let mut turn = features.iter().cycle();
                let name = format!("forward/{name}/{tokens}/{candidates}/{tasks}/{clusters}");
                let (mut scratch, mut outputs) = (network::Scratch::default(), Outputs::default());
                group.bench_function(name, |bencher| {
                    bencher.iter(|| {
                        let features = turn.next().expect("there are features");
                        network.forward_into(features, &mut scratch, &mut outputs);
                    });
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, tokens, encoder, decision_time);
criterion_main!(benches);
