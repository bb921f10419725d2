use std::path::Path;
use std::sync::Arc;

use farthing_core::Request;
use farthing_model::encoder::TextEncoder;
use farthing_model::features::SURFACE_FEATURES;
use farthing_model::static_table::{Rows, StaticTable, Vocabulary, write_static_table};

use super::*;

const VOCABULARY: &str = "[UNK]\nred\ngreen\nblue\n##s\nunseen\nempty\nzero\n";
const DIMS: usize = 3;
/// Width of the tiny encoder.
const EMBEDDING: usize = 8;

fn table() -> Arc<StaticTable> {
    let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), VOCABULARY, true).unwrap();
    let entries = vocabulary.tokens().len();
    // The last entry is a row of zeros.
    let value = |i: usize| if i >= (entries - 1) * DIMS { 0.0 } else { (i * i % 7) as f32 - 2.0 };
    let values: Vec<f32> = (0..entries * DIMS).map(value).collect();
    let dir = tempfile::tempdir().unwrap();
    write_static_table(dir.path(), &Rows::quantize(&values, DIMS), &vocabulary).unwrap();
    Arc::new(StaticTable::load(dir.path()).unwrap())
}

fn fixed() -> Encoder {
    Encoder::Static(table())
}

/// The tiny encoder, with a table beside it.
fn sentence() -> Encoder {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/encoder");
    Encoder::Sentence(Arc::new(TextEncoder::load(&dir).unwrap()), table())
}

fn featurized(encoder: &Encoder, prompts: &[String]) -> Vec<Features> {
    let featurizer = encoder.featurizer(Vec::new());
    let request = |prompt: &String| Request::from_prompt(prompt.as_str()).unwrap();
    prompts.iter().map(|prompt| featurizer.featurize(&request(prompt)).unwrap()).collect()
}

fn prompts(n: usize) -> Vec<String> {
    let words = ["red", "greens", "blue zero", "blues, red?", "12 unknown words"];
    (0..n).map(|i| format!("{} {} {}", words[i % 5], words[i / 5 % 4], words[i * i % 3])).collect()
}

/// The forward pass up to the soft-max, in double precision.
fn pooled(folded: &Folded, features: &Features) -> DVector<f64> {
    let root = |n: usize| (n.max(1) as f64).sqrt();
    let mut sum = folded.bias.clone();
    for bucket in &features.buckets {
        if let Ok(row) = folded.buckets.binary_search(bucket) {
            sum += folded.rows.row(row).transpose() / root(features.buckets.len());
        }
    }
    for token in &features.tokens {
        if let Ok(row) = folded.tokens.binary_search(token) {
            sum += folded.token_rows.column(row) / root(features.tokens.len());
        }
    }
    for (j, &value) in features.embedding.iter().enumerate().take(folded.embedding_rows.nrows()) {
        sum += folded.embedding_rows.row(j).transpose() * f64::from(value);
    }
    for (j, &value) in features.surface.iter().enumerate() {
        sum += folded.surface.row(j).transpose() * f64::from(value);
    }
    sum
}

fn check_fold(encoder: &Encoder, n: usize) {
    let log = featurized(encoder, &prompts(n));
    let representation = Representation::learn(&log, encoder, 0);
    // Requests of the log, and others with what it lacks.
    let others = ["unseen reds", "Green ärger", "?", "unseen unseen blue"].map(str::to_owned);
    let all = [log, featurized(encoder, &others)].concat();
    let vectors = representation.embed(&all);
    let head = DMatrix::from_fn(vectors.ncols(), 2, |i, j| ((i * 5 + j * 3) % 11) as f64 - 4.0);
    let bias = DVector::from_vec(vec![0.5, -2.0]);
    let folded = representation.fold(&head, &bias);
    let expected = &vectors * &head;
    for (row, features) in all.iter().enumerate() {
        let difference = pooled(&folded, features) - expected.row(row).transpose() - &bias;
        // Hashed counts are weighted in single precision when they are embedded.
        assert!(difference.amax() < 1e-4, "{row}: {difference}");
    }
}

#[test]
fn folding_is_exact_with_every_encoder() {
    for n in [1, 2, 100] {
        check_fold(&Encoder::None, n);
        check_fold(&fixed(), n);
        check_fold(&sentence(), n);
    }
}

#[test]
fn blocks_are_centred_and_have_their_power() {
    let encoder = sentence();
    let log = featurized(&encoder, &prompts(100));
    let vectors = Representation::learn(&log, &encoder, 0).embed(&log);
    assert!(vectors.row_mean().amax() < 1e-6);
    let words = vectors.ncols() - DIMS - EMBEDDING - SURFACE_FEATURES.len();
    assert!(words > 1);
    let check = |first: usize, width: usize, power: f64| {
        let found = vectors.columns(first, width).norm_squared() / 100.0;
        assert!((found - power).abs() < 1e-6, "{found} where {power} is due");
    };
    check(0, words, 1.0);
    check(words, DIMS, 1.0);
    check(words + DIMS, EMBEDDING, 1.0);
    check(words + DIMS + EMBEDDING, SURFACE_FEATURES.len(), 0.25);
}

#[test]
fn requests_that_are_all_alike_are_at_the_origin() {
    let encoder = fixed();
    let log = featurized(&encoder, &vec!["red greens".to_owned(); 50]);
    let representation = Representation::learn(&log, &encoder, 0);
    let other = featurized(&encoder, &["blue, 77 unseen words".to_owned()]);
    assert!(representation.embed(&other).iter().all(|value| value.abs() < f64::MIN_POSITIVE));
}

#[test]
fn entries_that_the_log_lacks_have_the_longest_rows() {
    let encoder = fixed();
    let log = featurized(&encoder, &prompts(100));
    let representation = Representation::learn(&log, &encoder, 0);
    let (tokens, frame) = representation.tokens.as_ref().unwrap();
    let (ids, rows) = tokens.fold(&DMatrix::identity(DIMS, DIMS));
    // All but the row of zeros.
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6]);
    let length = |id: usize| rows.column(id).norm();
    let unseen = (101.0_f64).ln() + 1.0;
    assert!((length(5) - unseen).abs() < 1e-9, "{}", length(5));
    assert!(length(1) < unseen - 1.0, "{}", length(1));
    assert!(frame.scale > 0.0);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let encoder = sentence();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let log = featurized(&encoder, &prompts(200));
            let representation = Representation::learn(&log, &encoder, 0);
            let vectors = representation.embed(&log);
            let head = DMatrix::from_fn(vectors.ncols(), 3, |i, j| 1.0 / (1 + i + j) as f64);
            let folded = representation.fold(&head, &DVector::zeros(3));
            (vectors, folded.token_rows, folded.embedding_rows)
        })
    };
    assert_eq!(run(1), run(3));
}
