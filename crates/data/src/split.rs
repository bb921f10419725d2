//! Deterministic splits by group: its requests always stay on one side.

use crate::{Dataset, Record};

/// The fold, in `0..folds`, of a group under a seed; uniform, and independent between seeds.
pub fn fold(group: u64, seed: u64, folds: usize) -> usize {
    let mixed = mix(group ^ mix(seed));
    // Scaling the 64-bit hash down is unbiased to 1 in 2^64 / folds; no folds count as one.
    let scaled = (u128::from(mixed) * folds.max(1) as u128) >> 64;
    usize::try_from(scaled).unwrap_or(0)
}

/// The records that `keep` says yes to, under the same candidates and columns.
pub fn subset(dataset: &Dataset, keep: impl Fn(&Record) -> bool) -> Dataset {
    Dataset {
        candidates: dataset.candidates.clone(),
        context_columns: dataset.context_columns.clone(),
        label_columns: dataset.label_columns.clone(),
        group_column: dataset.group_column.clone(),
        left_out: dataset.left_out,
        records: dataset.records.iter().filter(|record| keep(record)).cloned().collect(),
    }
}

/// `SplitMix64`: every input bit reaches every output bit.
fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_stable_and_differ_between_seeds() {
        let mut sizes = [0_u32; 5];
        let mut same = 0;
        for i in 0..10_000_u64 {
            // Small group numbers are the hard case for a weak mixer.
            sizes[fold(i, 0, 5)] += 1;
            same += u32::from(fold(i, 0, 5) == fold(i, 1, 5));
        }
        assert!(sizes.iter().all(|n| (1_900..2_100).contains(n)), "{sizes:?}");
        assert!((1_800..2_200).contains(&same), "{same}");
        assert_eq!(fold(42, 7, 5), fold(42, 7, 5));
        assert_eq!(fold(42, 7, 0), 0);
    }
}
