//! For tests: a tiny random BERT, and its forward pass again in plain `f64`. Tests of other crates
//! read it from `tests/fixtures/encoder`; `FARTHING_UPDATE_FIXTURES=1` writes it anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::bert::BertConfig;

const HIDDEN: usize = 8;
const WIDE: usize = 12;
const HEADS: usize = 2;
const ENTRIES: usize = 46 + WORDS.len();
const WINDOW: usize = 40;
const EPSILON: f64 = 1e-12;

const CONFIG: &str = r#"{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 8,
    "intermediate_size": 12, "layer_norm_eps": 1e-12, "max_position_embeddings": 40,
    "num_attention_heads": 2, "num_hidden_layers": 1, "type_vocab_size": 2, "vocab_size": 66}"#;

/// Words of simulated logs.
const WORDS: [&str; 20] = [
    "the",
    "a",
    "of",
    "to",
    "in",
    "is",
    "what",
    "how",
    "write",
    "explain",
    "function",
    "code",
    "table",
    "translate",
    "german",
    "sum",
    "price",
    "why",
    "this",
    "number",
];

const FILES: [&str; 5] = [
    "config.json",
    "1_Pooling/config.json",
    "tokenizer_config.json",
    "vocab.txt",
    "model.safetensors",
];

/// Values and shape by name, in name order.
pub(super) type Tensors = BTreeMap<String, (Vec<f32>, Vec<usize>)>;

type Matrix = Vec<Vec<f64>>;

pub(super) fn config() -> BertConfig {
    serde_json::from_str(CONFIG).unwrap()
}

/// Weights drawn in name order.
pub(super) fn tensors() -> Tensors {
    let mut shapes: BTreeMap<String, Vec<usize>> = BTreeMap::from(
        [("word", ENTRIES), ("position", WINDOW), ("token_type", 2)]
            .map(|(name, n)| (format!("embeddings.{name}_embeddings.weight"), vec![n, HIDDEN])),
    );
    let layer = "encoder.layer.0";
    let norms = ["attention.output.LayerNorm", "output.LayerNorm"].map(|n| format!("{layer}.{n}"));
    for norm in norms.into_iter().chain(["embeddings.LayerNorm".to_owned()]) {
        shapes.insert(format!("{norm}.weight"), vec![HIDDEN]);
        shapes.insert(format!("{norm}.bias"), vec![HIDDEN]);
    }
    for (name, out, input) in [
        ("attention.self.query", HIDDEN, HIDDEN),
        ("attention.self.key", HIDDEN, HIDDEN),
        ("attention.self.value", HIDDEN, HIDDEN),
        ("attention.output.dense", HIDDEN, HIDDEN),
        ("intermediate.dense", WIDE, HIDDEN),
        ("output.dense", HIDDEN, WIDE),
    ] {
        shapes.insert(format!("{layer}.{name}.weight"), vec![out, input]);
        shapes.insert(format!("{layer}.{name}.bias"), vec![out]);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let draw = |(name, shape): (String, Vec<usize>)| {
        let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
        (name, (values, shape))
    };
    shapes.into_iter().map(draw).collect()
}

pub(super) fn weights(tensors: &Tensors) -> VarBuilder<'static> {
    let tensor = |(name, (values, shape)): (&String, &(Vec<f32>, Vec<usize>))| {
        let tensor = Tensor::from_slice(values, shape.as_slice(), &Device::Cpu).unwrap();
        (name.clone(), tensor)
    };
    let tensors = tensors.iter().map(tensor).collect();
    VarBuilder::from_tensors(tensors, candle_core::DType::F32, &Device::Cpu)
}

/// A sentence-transformer directory: five special entries, an unused one, `w0` to `w39`
/// and a few words.
pub(super) fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    fs::create_dir(dir.path().join("1_Pooling")).unwrap();
    write("config.json", CONFIG.as_bytes());
    write("1_Pooling/config.json", br#"{"pooling_mode_mean_tokens": true}"#);
    write("tokenizer_config.json", br#"{"do_lower_case": true}"#);
    let words: Vec<String> =
        (0..40).map(|i| format!("w{i}")).chain(WORDS.map(str::to_owned)).collect();
    let special = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n[unused1]";
    write("vocab.txt", format!("{special}\n{}\n", words.join("\n")).as_bytes());
    let tensor = |(name, (values, shape)): (String, (Vec<f32>, Vec<usize>))| {
        (name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap())
    };
    let tensors = tensors().into_iter().map(tensor).collect();
    candle_core::safetensors::save(&tensors, dir.path().join("model.safetensors")).unwrap();
    dir
}

/// `(length) -> (length, hidden)`: what the encoder should give for one text.
pub(super) fn forward(tensors: &Tensors, ids: &[u32]) -> Matrix {
    let row = |name: &str, at: usize| {
        let (values, _) = &tensors[&format!("embeddings.{name}_embeddings.weight")];
        values[at * HIDDEN..(at + 1) * HIDDEN].iter().map(|&v| f64::from(v)).collect::<Vec<_>>()
    };
    let embedded: Matrix = ids
        .iter()
        .enumerate()
        .map(|(i, &id)| {
            sum(&sum(&row("word", id as usize), &row("position", i)), &row("token_type", 0))
        })
        .collect();
    let hidden = norm(tensors, "embeddings.LayerNorm", &embedded);
    let layer = |name: &str| format!("encoder.layer.0.{name}");
    let attended = linear(tensors, &layer("attention.output.dense"), &attend(tensors, &hidden));
    let hidden = norm(tensors, &layer("attention.output.LayerNorm"), &add(&attended, &hidden));
    let mut wide = linear(tensors, &layer("intermediate.dense"), &hidden);
    for value in wide.iter_mut().flatten() {
        *value *= statrs::distribution::ContinuousCDF::cdf(&normal(), *value);
    }
    let narrow = linear(tensors, &layer("output.dense"), &wide);
    norm(tensors, &layer("output.LayerNorm"), &add(&narrow, &hidden))
}

fn normal() -> statrs::distribution::Normal {
    statrs::distribution::Normal::standard()
}

fn attend(tensors: &Tensors, hidden: &Matrix) -> Matrix {
    let part =
        |name: &str| linear(tensors, &format!("encoder.layer.0.attention.self.{name}"), hidden);
    let (query, key, value) = (part("query"), part("key"), part("value"));
    let width = HIDDEN / HEADS;
    let mut mixed = vec![vec![0.0; HIDDEN]; hidden.len()];
    for head in 0..HEADS {
        let part = head * width..(head + 1) * width;
        for (query, mixed) in query.iter().zip(&mut mixed) {
            let score = |key: &Vec<f64>| {
                (dot(&query[part.clone()], &key[part.clone()]) / (width as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = key.iter().map(score).collect();
            let total: f64 = scores.iter().sum();
            for (score, value) in scores.iter().zip(&value) {
                for i in part.clone() {
                    mixed[i] += score / total * value[i];
                }
            }
        }
    }
    mixed
}

fn linear(tensors: &Tensors, name: &str, inputs: &Matrix) -> Matrix {
    let (weight, shape) = &tensors[&format!("{name}.weight")];
    let (bias, _) = &tensors[&format!("{name}.bias")];
    let weight: Vec<f64> = weight.iter().map(|&v| f64::from(v)).collect();
    let rows = || weight.chunks_exact(shape[1]).zip(bias);
    inputs.iter().map(|x| rows().map(|(w, &b)| dot(w, x) + f64::from(b)).collect()).collect()
}

fn norm(tensors: &Tensors, name: &str, inputs: &Matrix) -> Matrix {
    let (weight, _) = &tensors[&format!("{name}.weight")];
    let (bias, _) = &tensors[&format!("{name}.bias")];
    let one = |x: &Vec<f64>| {
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let scaled = x.iter().map(|v| (v - mean) / (variance + EPSILON).sqrt());
        scaled.zip(weight).zip(bias).map(|((v, &w), &b)| v * f64::from(w) + f64::from(b)).collect()
    };
    inputs.iter().map(one).collect()
}

fn add(a: &Matrix, b: &Matrix) -> Matrix {
    a.iter().zip(b).map(|(a, b)| sum(a, b)).collect()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn the_fixture_is_as_drawn() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder");
    let drawn = directory();
    for name in FILES {
        let bytes = fs::read(drawn.path().join(name)).unwrap();
        if std::env::var_os("FARTHING_UPDATE_FIXTURES").is_some() {
            fs::create_dir_all(fixture.join("1_Pooling")).unwrap();
            fs::write(fixture.join(name), &bytes).unwrap();
        }
        assert!(fs::read(fixture.join(name)).unwrap() == bytes, "{name}");
    }
}
