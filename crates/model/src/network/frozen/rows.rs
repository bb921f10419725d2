//! Rows of buckets or tokens, packed: sixteen bits a value, one step a column.
//!
//! A sum of rows is then a sum of integers, which is the same in any order and for any width of
//! registers, and a row of 32 values is one cache line.

/// Values of a cache line.
const LINE: usize = 32;

/// One cache line of a row.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([i16; LINE]);

/// Which entries have a row, and where: a bit for each of 64 entries, and the rows before them.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    bits: u64,
    before: u32,
}

/// Rows by entry. Entries without a row share one of zeros.
#[derive(Debug)]
pub(super) struct PackedRows {
    slots: Vec<Slot>,
    /// `(1 + rows, lines)`; the first row is zero.
    values: Vec<Line>,
    /// Lines of a row.
    lines: usize,
    /// `(width)`: what a 1 is worth in each column.
    steps: Vec<f32>,
}

/// Greatest value that is packed.
const LARGEST: f32 = i16::MAX as f32;

impl PackedRows {
    /// Packs `rows`, `(entries, width)`, of the ascending `entries`. Each value is off by at most half
    /// of a 32,767th of the largest in its column.
    #[expect(clippy::cast_possible_truncation, reason = "rounded and within 16 bits")]
    pub(super) fn pack(entries: &[u32], rows: &[f32], width: usize) -> Self {
        let mut slots = vec![Slot::default(); entries.last().map_or(0, |&e| e as usize / 64 + 1)];
        for &entry in entries {
            slots[entry as usize / 64].bits |= 1 << (entry % 64);
        }
        let mut before = 1;
        for slot in &mut slots {
            slot.before = before;
            before += slot.bits.count_ones();
        }
        let mut largest = vec![0.0_f32; width];
        for row in rows.chunks_exact(width) {
            for (largest, value) in largest.iter_mut().zip(row) {
                *largest = largest.max(value.abs());
            }
        }
        let steps: Vec<f32> = largest.iter().map(|largest| largest / LARGEST).collect();
        let lines = width.div_ceil(LINE);
        let mut values = vec![Line([0; LINE]); (1 + entries.len()) * lines];
        for (row, packed) in rows.chunks_exact(width).zip(values[lines..].chunks_exact_mut(lines)) {
            for (column, (value, step)) in row.iter().zip(&steps).enumerate() {
                let scaled = if *step > 0.0 { (value / step).round() } else { 0.0 };
                packed[column / LINE].0[column % LINE] = scaled.clamp(-LARGEST, LARGEST) as i16;
            }
        }
        Self { slots, values, lines, steps }
    }

    /// Adds to `pooled`, `(width)`, the sum of the entries' rows over the square root of their number.
    /// `positions` is scratch space.
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    pub(super) fn add(&self, entries: &[u32], positions: &mut Vec<u32>, pooled: &mut [f32]) {
        if self.slots.is_empty() || entries.is_empty() {
            return;
        }
        // First where all rows are and then the rows, so that their loads from memory overlap.
        positions.clear();
        positions.extend(entries.iter().map(|&entry| self.position(entry)));
        let scale = (1.0 / (entries.len() as f64).sqrt()) as f32;
        let columns = pooled.chunks_mut(2 * LINE).zip(self.steps.chunks(2 * LINE));
        for (line, (pooled, steps)) in (0..).step_by(2).zip(columns) {
            if line + 1 < self.lines {
                unpack(&self.sum::<2>(line, positions), steps, scale, pooled);
            } else {
                unpack(&self.sum::<1>(line, positions), steps, scale, pooled);
            }
        }
    }

    /// Position of an entry's row.
    fn position(&self, entry: u32) -> u32 {
        let slot = self.slots.get(entry as usize / 64).copied().unwrap_or_default();
        let bit = 1 << (entry % 64);
        let found = u32::from(slot.bits & bit != 0);
        // Without a branch: which entries are known is not for a processor to guess.
        found * (slot.before + (slot.bits & (bit - 1)).count_ones())
    }

    /// Sums of `LINES` lines of the rows at these positions, from `first` on.
    fn sum<const LINES: usize>(&self, first: usize, positions: &[u32]) -> [[i32; LINE]; LINES] {
        // No more than 16,385 n-grams fit the byte budget, so 32 bits are enough.
        let mut sums = [[0_i32; LINE]; LINES];
        for &position in positions {
            let row = &self.values[position as usize * self.lines + first..][..LINES];
            for (sum, line) in sums.iter_mut().zip(row) {
                for (sum, value) in sum.iter_mut().zip(line.0) {
                    *sum += i32::from(value);
                }
            }
        }
        sums
    }
}

fn unpack<const LINES: usize>(
    sums: &[[i32; LINE]; LINES],
    steps: &[f32],
    scale: f32,
    pooled: &mut [f32],
) {
    for ((pooled, step), sum) in pooled.iter_mut().zip(steps).zip(sums.as_flattened()) {
        *pooled += *sum as f32 * (step * scale);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn add(packed: &PackedRows, entries: &[u32], width: usize) -> Vec<f32> {
        let mut pooled = vec![1.0; width];
        packed.add(entries, &mut Vec::new(), &mut pooled);
        pooled
    }

    #[test]
    fn rows_are_summed_and_divided_by_hand() {
        let packed = PackedRows::pack(&[1, 70], &[1.0, -4.0, 0.5, 8.0], 2);
        // Entries 0 and 500 have no row but count.
        let sums = add(&packed, &[1, 0, 70, 500], 2);
        assert!((sums[0] - 1.75).abs() < 1e-4 && (sums[1] - 3.0).abs() < 1e-4, "{sums:?}");
        assert_eq!(add(&packed, &[], 2), [1.0, 1.0]);
        assert_eq!(add(&PackedRows::pack(&[], &[], 2), &[3], 2), [1.0, 1.0]);
    }

    #[test]
    fn a_column_of_zeros_stays_zero() {
        assert_eq!(add(&PackedRows::pack(&[0], &[0.0, 2.0], 2), &[0], 2), [1.0, 3.0]);
    }

    proptest! {
        /// Any width, so that whole, half and single lines are all met.
        #[test]
        fn sums_are_those_of_the_rows(
            width in 1_usize..200,
            entries in proptest::collection::btree_set(0_u32..300, 1..40),
            asked in proptest::collection::vec(0_u32..400, 1..50),
            seed in 0_u32..1000,
        ) {
            let entries: Vec<u32> = entries.into_iter().collect();
            let value = |i: usize| ((i as f32 + seed as f32) * 12.9898).sin();
            let rows: Vec<f32> = (0..entries.len() * width).map(value).collect();
            let sums = add(&PackedRows::pack(&entries, &rows, width), &asked, width);
            let known = |entry: &u32| entries.binary_search(entry).ok();
            for (column, sum) in sums.iter().enumerate() {
                let all = asked.iter().filter_map(known).map(|row| rows[row * width + column]);
                let expected = 1.0 + all.sum::<f32>() / (asked.len() as f32).sqrt();
                prop_assert!((sum - expected).abs() < 1e-3, "{sum} {expected}");
            }
        }
    }
}
