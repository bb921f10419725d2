//! One more candidate in the weights: every column it needs is a combination of columns that are
//! there, so it folds into the same rows and costs nothing more than any other candidate.

use std::collections::{BTreeMap, BTreeSet};

use farthing_model::network::{ClusterTable, ContextTable, Shape, Weights};
use half::f16;
use nalgebra::DVector;

use crate::representation::Folded;

/// The new candidate in terms of `m` existing ones.
#[derive(Debug)]
pub(super) struct Column {
    /// Expected score at expected scores of 0.
    pub(super) constant: f64,
    /// `(m)` share of each existing candidate's expected score.
    pub(super) quality: DVector<f64>,
    /// What the text is worth beyond that, one output; `None`: nothing.
    pub(super) text: Option<Folded>,
    /// `(components)` what each component is worth beyond that.
    pub(super) components: DVector<f64>,
    /// What a context value is worth beyond that: context column, position in its table, offset.
    pub(super) values: Vec<(usize, usize, f64)>,
    /// `(m)` share of each existing candidate's expected length.
    pub(super) length: DVector<f64>,
}

/// The weights with the new candidate at position `at`.
#[expect(clippy::cast_possible_truncation, reason = "weights are stored as f32")]
pub(super) fn widen(weights: &Weights, shape: &Shape, column: &Column, at: usize) -> Weights {
    let m = shape.candidates;
    let combine = |values: &[f32], shares: &DVector<f64>| {
        values
            .iter()
            .zip(shares.iter())
            .map(|(value, share)| f64::from(*value) * share)
            .sum::<f64>()
    };
    let insert = |values: &[f32], new: f64| [&values[..at], &[new as f32], &values[at..]].concat();
    // One row of [quality | length | logits | latent].
    let row = |row: &[f32], (quality, length): (f64, f64)| {
        let (qualities, rest) = row.split_at(m);
        let (lengths, logits) = rest.split_at(m);
        [
            insert(qualities, combine(qualities, &column.quality) + quality),
            insert(lengths, combine(lengths, &column.length) + length),
            logits.to_vec(),
        ]
        .concat()
    };
    let text = column.text.as_ref();
    let own: BTreeMap<u32, f64> = text
        .map(|text| text.buckets.iter().copied().zip(text.rows.iter().copied()).collect())
        .unwrap_or_default();
    let old: BTreeMap<u32, &[f32]> =
        weights.buckets.iter().copied().zip(weights.rows.chunks(shape.width())).collect();
    let none = vec![0.0; shape.width()];
    let buckets: BTreeSet<u32> = old.keys().chain(own.keys()).copied().collect();
    let rows = buckets.iter().flat_map(|bucket| {
        let values = old.get(bucket).copied().unwrap_or(&none);
        row(values, (own.get(bucket).copied().unwrap_or(0.0), 0.0))
    });
    // The log's own text is read as words: tokens and the encoder's vector only pass on what the
    // existing columns say.
    let token_rows = weights.token_rows.chunks(shape.width()).flat_map(|values| {
        let values: Vec<f32> = values.iter().copied().map(f16::to_f32).collect();
        row(&values, (0.0, 0.0)).into_iter().map(f16::from_f32)
    });
    let embedding_rows =
        weights.embedding_rows.chunks(shape.width()).flat_map(|values| row(values, (0.0, 0.0)));
    let clusters = weights.clusters.as_ref().map(|table| {
        let means = table.means.chunks(m);
        let means = means.flat_map(|values| insert(values, combine(values, &column.quality)));
        ClusterTable { means: means.collect(), ..table.clone() }
    });
    let surface = weights.surface.chunks(shape.width()).enumerate();
    let surface = surface
        .flat_map(|(i, values)| row(values, (text.map_or(0.0, |text| text.surface[(i, 0)]), 0.0)));
    let means = weights.means.chunks(m).zip(column.components.iter());
    let context = weights.context.iter().enumerate().map(|(i, table)| {
        let offset = |key: usize| {
            let own = column.values.iter().filter(|value| (value.0, value.1) == (i, key));
            own.map(|(.., offset)| offset).sum::<f64>()
        };
        let offsets = table.offsets.chunks(m).enumerate();
        let offsets = offsets.flat_map(|(key, values)| {
            insert(values, combine(values, &column.quality) + offset(key))
        });
        ContextTable { keys: table.keys.clone(), offsets: offsets.collect() }
    });
    Weights {
        rows: rows.collect(),
        buckets: buckets.into_iter().collect(),
        tokens: weights.tokens.clone(),
        token_rows: token_rows.collect(),
        embedding_rows: embedding_rows.collect(),
        clusters,
        surface: surface.collect(),
        // Lengths are 1 at the mean, whatever the shares add up to.
        bias: row(
            &weights.bias,
            (column.constant + text.map_or(0.0, |text| text.bias[0]), 1.0 - column.length.sum()),
        ),
        means: means
            .flat_map(|(values, own)| insert(values, combine(values, &column.quality) + own))
            .collect(),
        context: context.collect(),
    }
}

#[cfg(test)]
mod tests {
    use farthing_model::features::{Features, SURFACE_FEATURES};
    use farthing_model::network::Frozen;
    use nalgebra::DMatrix;

    use super::*;

    /// Two candidates, a mixture of two components, two clusters and a context column, all numbers
    /// different.
    fn weights(shape: &Shape) -> Weights {
        let number = |i: usize| (i as f32 * 0.37).sin();
        let width = shape.width();
        Weights {
            buckets: vec![1, 3],
            rows: (0..2 * width).map(number).collect(),
            tokens: vec![4],
            token_rows: (5..5 + width).map(number).map(f16::from_f32).collect(),
            embedding_rows: (9..9 + width).map(number).collect(),
            surface: (0..SURFACE_FEATURES.len() * width).map(number).collect(),
            bias: (0..width).map(number).collect(),
            means: (0..4).map(number).collect(),
            clusters: Some(ClusterTable {
                centres: vec![2.0, -1.0],
                bias: vec![0.0, 0.3],
                means: (3..7).map(number).collect(),
            }),
            context: vec![ContextTable { keys: vec![7, 9], offsets: vec![0.1, 0.2, -0.3, 0.4] }],
        }
    }

    #[test]
    fn the_new_column_is_the_combination_and_the_others_stay_as_they_were() {
        let shape = Shape {
            buckets: 4,
            candidates: 2,
            mixtures: vec![2],
            latent: 1,
            clusters: 2,
            context: 1,
            embedding: 1,
        };
        let column = Column {
            constant: 0.05,
            quality: DVector::from_vec(vec![0.8, -0.3]),
            // Bucket 2 is new, bucket 3 has a row already.
            text: Some(Folded {
                buckets: vec![2, 3],
                rows: DMatrix::from_vec(2, 1, vec![0.6, 0.3]),
                tokens: Vec::new(),
                token_rows: DMatrix::zeros(1, 0),
                embedding_rows: DMatrix::zeros(0, 1),
                surface: DMatrix::from_fn(SURFACE_FEATURES.len(), 1, |i, _| [0.1, 0.2, 0.3][i % 3]),
                bias: DVector::from_vec(vec![0.01]),
            }),
            components: DVector::zeros(2),
            values: vec![(0, 1, 0.25)],
            length: DVector::from_vec(vec![0.5, 0.2]),
        };
        let old = Frozen::new(&weights(&shape), shape.clone());
        let wide = widen(&weights(&shape), &shape, &column, 1);
        let wider = Shape { candidates: 3, ..shape.clone() };
        wide.check(&wider).unwrap();
        let new = Frozen::new(&wide, wider);
        // The new column of a token's row is rounded to sixteen bits.
        let cases = [
            (Some(9), 0.25, vec![], 1e-5),
            (Some(7), 0.0, vec![], 1e-5),
            (None, 0.0, vec![], 1e-5),
            (None, 0.0, vec![4], 1e-3),
        ];
        for (key, own, tokens, rounding) in cases {
            let mut surface = [0.0; SURFACE_FEATURES.len()];
            surface[2] = 1.5;
            let (context, buckets) = (vec![key], vec![1, 2, 3, 3]);
            let (text_bytes, truncated) = (0, false);
            let embedding = vec![0.7];
            let request =
                Features { buckets, tokens, embedding, surface, context, text_bytes, truncated };
            let (before, after) = (old.forward(&request), new.forward(&request));
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            let others = |values: &[f32]| bits(&[values[0], values[2]]);
            assert_eq!(others(&after.quality), bits(&before.quality));
            assert_eq!(others(&after.length), bits(&before.length));
            let expected = 0.05 + 0.8 * before.quality[0] - 0.3 * before.quality[1]
                + own
                + 0.5 * (0.6 + 2.0 * 0.3)
                + 1.5 * 0.3
                + 0.01;
            assert!((after.quality[1] - expected).abs() < rounding, "{after:?} {expected}");
            let length = 1.0 + 0.5 * (before.length[0] - 1.0) + 0.2 * (before.length[1] - 1.0);
            assert!((after.length[1] - length).abs() < rounding, "{after:?} {length}");
        }
    }
}
