//! The forward pass by hand, by the reference and frozen.

use half::f16;
use proptest::prelude::*;

use super::*;
use crate::features::{Features, SURFACE_FEATURES};

/// The outputs by the reference, once the frozen form was found to agree.
fn forward(weights: Weights, shape: Shape, batch: &[Features]) -> Vec<Outputs> {
    let frozen = Frozen::new(&weights, shape.clone());
    let reference = Reference::new(weights, shape).unwrap();
    let (mut scratch, mut again) = (Scratch::default(), Outputs::default());
    let one = |features: &Features| {
        let outputs = reference.forward(features).unwrap();
        frozen.forward_into(features, &mut scratch, &mut again);
        assert_eq!(again, frozen.forward(features), "memory that was used before changes nothing");
        for (a, b) in outputs.quality.iter().zip(&again.quality) {
            assert!((a - b).abs() < 1e-3, "{outputs:?} {again:?}");
        }
        for (a, b) in outputs.length.iter().zip(&again.length) {
            assert!((a - b).abs() < 1e-3, "{outputs:?} {again:?}");
        }
        outputs
    };
    batch.iter().map(one).collect()
}

fn shape() -> Shape {
    Shape {
        buckets: 4,
        candidates: 2,
        mixtures: vec![2],
        latent: 1,
        clusters: 2,
        context: 1,
        embedding: 0,
    }
}

fn weights() -> Weights {
    Weights {
        buckets: vec![1, 3],
        rows: vec![
            1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, //
            10.0, 20.0, 0.0, 0.0, 0.0, 40.0, -3.0,
        ],
        tokens: vec![2, 5],
        token_rows: [
            [4.0, 8.0, 0.5, 0.0, 0.0, 0.0, 0.0], //
            [0.0, 1.0, 0.0, 0.0, 40.0, 0.0, 2.0],
        ]
        .concat()
        .into_iter()
        .map(f16::from_f32)
        .collect(),
        embedding_rows: Vec::new(),
        surface: vec![0.0; SURFACE_FEATURES.len() * 7],
        bias: vec![0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 0.0],
        means: vec![0.1, 0.2, -0.1, -0.2],
        clusters: Some(ClusterTable {
            centres: vec![50.0, -50.0],
            bias: vec![0.0, 0.0],
            means: vec![7.0, 7.0, 3.0, -3.0],
        }),
        context: vec![ContextTable { keys: vec![7], offsets: vec![100.0, 200.0] }],
    }
}

fn features(buckets: &[u32], context: Option<u64>) -> Features {
    Features {
        buckets: buckets.to_vec(),
        tokens: Vec::new(),
        embedding: Vec::new(),
        surface: [0.0; SURFACE_FEATURES.len()],
        context: vec![context],
        text_bytes: 0,
        truncated: false,
    }
}

#[test]
fn forward_by_hand() {
    let batch = [
        features(&[], None),
        features(&[1, 1, 0, 2], Some(7)), // buckets 0 and 2 have no row but count
        features(&[3], Some(8)),          // component 1 for certain
    ];
    let outputs = forward(weights(), shape(), &batch);
    // Without a direction both clusters weigh the same.
    assert_eq!(outputs[0].quality, [0.5 + 5.0, 0.5 + 2.0]);
    assert_eq!(outputs[0].length, [1.0, 1.0]);
    assert_eq!(outputs[1].quality, [0.5 + 1.0 + 5.0 + 100.0, 0.5 + 2.0 + 2.0 + 200.0]);
    // The latent direction of bucket 3 is -1: the second cluster for certain.
    assert_eq!(outputs[2].quality, [0.5 + 10.0 - 0.1 + 3.0, 0.5 + 20.0 - 0.2 - 3.0]);
}

#[test]
fn tokens_by_hand() {
    let with = |buckets: &[u32], tokens: &[u32]| Features {
        tokens: tokens.to_vec(),
        ..features(buckets, None)
    };
    // Tokens 0 and 9 have no row but count; each bag has a divisor of its own.
    let batch = [with(&[], &[2, 0, 2, 9]), with(&[1], &[5])];
    let outputs = forward(weights(), shape(), &batch);
    assert_eq!(outputs[0].quality, [0.5 + 8.0 / 2.0 + 5.0, 0.5 + 16.0 / 2.0 + 2.0]);
    assert_eq!(outputs[0].length, [1.0 + 1.0 / 2.0, 1.0]);
    assert_eq!(outputs[1].quality, [0.5 + 1.0 + 0.1 + 7.0, 0.5 + 2.0 + 1.0 + 0.2 + 7.0]);
}

#[test]
fn embeddings_by_hand() {
    let shape = Shape { embedding: 2, ..shape() };
    let rows = [[1.0, 2.0, 0.5, 0.0, 0.0, 0.0, 0.0], [0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 3.0]];
    let weights = Weights { embedding_rows: rows.concat(), ..weights() };
    weights.check(&shape).unwrap();
    let bytes = to_safetensors(&weights, &shape).unwrap();
    assert_eq!(from_safetensors(&bytes, &shape).unwrap(), weights);
    let with = |embedding: Vec<f32>| Features { embedding, ..features(&[1], None) };
    let batch = [with(vec![2.0, 0.0]), with(vec![0.0, 0.5])];
    let outputs = forward(weights.clone(), shape.clone(), &batch);
    assert_eq!(outputs[0].quality, [0.5 + 1.0 + 2.0 + 5.0, 0.5 + 2.0 + 4.0 + 2.0]);
    assert_eq!(outputs[0].length, [1.0 + 1.0, 1.0]);
    // The latent direction is 1: the first cluster for certain.
    assert_eq!(outputs[1].quality, [0.5 + 1.0 + 7.0, 0.5 + 2.0 + 4.0 + 7.0]);
    // Features of another featurizer are refused.
    let reference = Reference::new(weights, shape).unwrap();
    reference.forward(&features(&[1], None)).unwrap_err();
}

#[test]
fn weights_without_tokens_are_as_before_there_were_any() {
    let without = Weights { tokens: Vec::new(), token_rows: Vec::new(), ..weights() };
    let bytes = to_safetensors(&without, &shape()).unwrap();
    let names = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert!(!names.names().iter().any(|name| name.contains("token")));
    assert_eq!(from_safetensors(&bytes, &shape()).unwrap(), without);
    let tokens = Features { tokens: vec![2], ..features(&[1], None) };
    let outputs = forward(without, shape(), &[tokens, features(&[1], None)]);
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn weights_survive_the_file_and_wrong_shapes_are_named() {
    let bytes = to_safetensors(&weights(), &shape()).unwrap();
    let mut read = from_safetensors(&bytes, &shape()).unwrap();
    assert_eq!(read, weights());
    read.check(&shape()).unwrap();
    read.tokens = vec![5, 2];
    let message = read.check(&shape()).unwrap_err().to_string();
    assert_eq!(message, "`tokens out of order` has 1 values where 0 are due");
    read.tokens = vec![2];
    let message = read.check(&shape()).unwrap_err().to_string();
    assert_eq!(message, "`token_rows` has 14 values where 7 are due");
    read.tokens = vec![2, 5];
    read.bias.pop();
    let message = read.check(&shape()).unwrap_err().to_string();
    assert_eq!(message, "`bias` has 6 values where 7 are due");
}

/// Weights of any shape: values of a size that training gives, outliers included.
fn any_weights(shape: &Shape, seed: u64) -> Weights {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut value = || {
        let uniform = rng.next_u32() as f32 / u32::MAX as f32 - 0.5;
        if rng.next_u32().is_multiple_of(50) { 4.0 * uniform } else { 0.2 * uniform }
    };
    let mut matrix = |rows: usize, columns: usize| -> Vec<f32> {
        std::iter::repeat_with(&mut value).take(rows * columns).collect()
    };
    let (width, candidates) = (shape.width(), shape.candidates);
    let entries: Vec<u32> = (0..40).map(|i| i * 3).collect();
    let token_rows = matrix(entries.len(), width).into_iter().map(f16::from_f32).collect();
    let clusters = (shape.clusters > 0).then(|| ClusterTable {
        centres: matrix(shape.latent, shape.clusters),
        bias: matrix(1, shape.clusters),
        means: matrix(shape.clusters, candidates),
    });
    let context = std::iter::repeat_with(|| ContextTable {
        keys: vec![1, 2],
        offsets: matrix(2, candidates),
    });
    Weights {
        context: context.take(shape.context).collect(),
        rows: matrix(entries.len(), width),
        buckets: entries.clone(),
        tokens: entries,
        token_rows,
        embedding_rows: matrix(shape.embedding, width),
        surface: matrix(SURFACE_FEATURES.len(), width),
        bias: matrix(1, width),
        means: matrix(shape.components(), candidates),
        clusters,
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let mixtures = proptest::collection::vec(1_usize..20, 0..3);
    (1_usize..70, mixtures, 0_usize..3, 0_usize..9).prop_map(
        |(candidates, mixtures, context, clusters)| Shape {
            buckets: 120,
            candidates,
            mixtures,
            latent: clusters.min(5),
            clusters,
            context,
            embedding: clusters % 3,
        },
    )
}

proptest! {
    /// Whatever the sizes of a router, what serves is what the reference says.
    #[test]
    fn the_frozen_form_agrees_with_the_reference(
        shape in shapes(),
        buckets in proptest::collection::vec(0_u32..120, 0..80),
        tokens in proptest::collection::vec(0_u32..130, 0..80),
        key in proptest::option::of(1_u64..4),
        surface in -3.0_f32..3.0,
        seed: u64,
    ) {
        let weights = any_weights(&shape, seed);
        weights.check(&shape).unwrap();
        let request = Features {
            tokens,
            embedding: vec![0.3; shape.embedding],
            surface: [surface; SURFACE_FEATURES.len()],
            context: vec![key; shape.context],
            ..features(&buckets, None)
        };
        forward(weights, shape, &[request]);
    }
}
