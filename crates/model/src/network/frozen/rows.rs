//! Rows of buckets or tokens, packed: sixteen bits a value, one step a column.
//!
//! A sum of rows is then a sum of integers, which is the same in any order and for any width of
//! registers, and a row of 32 values is one cache line. What takes time is waiting for lines from
//! memory, so there are as few as can be.

use std::hint::black_box;

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
    /// Which columns of a row become which columns of the sum.
    columns: Vec<Column>,
}

/// Columns that are the same in every row are packed once, and columns of zeros not at all.
#[derive(Debug)]
struct Column {
    /// In a packed row.
    packed: usize,
    /// In the sum.
    whole: usize,
    /// What a 1 is worth.
    step: f32,
}

/// Greatest value that is packed.
const LARGEST: f32 = i16::MAX as f32;

/// Rows that are asked of the memory together.
const TOGETHER: usize = 64;

impl PackedRows {
    /// Packs `rows`, `(entries, width)`, of the ascending `entries`. Each value is off by at most half
    /// of a 32,767th of the largest in its column.
    #[expect(clippy::cast_possible_truncation, reason = "rounded and within 16 bits")]
    pub(super) fn pack(entries: &[u32], rows: &[f32], width: usize) -> Self {
        let columns = distinct_columns(rows, width);
        let lines = columns.iter().map(|column| column.packed / LINE + 1).max().unwrap_or(0);
        let mut values = vec![Line([0; LINE]); (1 + entries.len()) * lines];
        for (row, line) in rows.chunks_exact(width).zip((lines..).step_by(lines.max(1))) {
            for &Column { packed, whole, step } in &columns {
                let scaled = (row[whole] / step).round().clamp(-LARGEST, LARGEST);
                values[line + packed / LINE].0[packed % LINE] = scaled as i16;
            }
        }
        Self { slots: index(entries), values, lines, columns }
    }

    /// Adds to `pooled`, `(width)`, the sum of the entries' rows over the square root of their number.
    /// `positions` is scratch space.
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    pub(super) fn add(&self, entries: &[u32], positions: &mut Vec<u32>, pooled: &mut [f32]) {
        if entries.is_empty() {
            return;
        }
        positions.clear();
        positions.extend(entries.iter().map(|&entry| self.position(entry)));
        let scale = (1.0 / (entries.len() as f64).sqrt()) as f32;
        let mut columns = &*self.columns;
        for first in (0..self.lines).step_by(2) {
            let sums = if first + 1 < self.lines {
                self.sum::<2>(first, positions)
            } else {
                let [sums] = self.sum::<1>(first, positions);
                [sums, [0; LINE]]
            };
            let sums = sums.as_flattened();
            // Columns are in the order in which they are packed.
            let (these, others) =
                columns.split_at(columns.partition_point(|c| c.packed < (first + 2) * LINE));
            for column in these {
                let sum = sums[column.packed - first * LINE];
                pooled[column.whole] += sum as f32 * (column.step * scale);
            }
            columns = others;
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
        let row = |&position: &u32| -> &[Line; LINES] {
            // Every position is that of a row, which has these lines.
            let start = position as usize * self.lines + first;
            self.values[start..].first_chunk().unwrap_or(&[Line([0; LINE]); LINES])
        };
        // No more than 16,385 n-grams fit the byte budget, so 32 bits are enough.
        let mut sums = [[0_i32; LINE]; LINES];
        for positions in positions.chunks(TOGETHER) {
            // Rows lie all over the memory. A loop that does nothing but touch them has many on their way
            // at once; one that adds them too has few.
            let touched = positions.iter().flat_map(row);
            black_box(touched.fold(0, |touched, line| touched ^ line.0[0]));
            for row in positions.iter().map(row) {
                for (sum, line) in sums.iter_mut().zip(row) {
                    for (sum, value) in sum.iter_mut().zip(line.0) {
                        *sum += i32::from(value);
                    }
                }
            }
        }
        sums
    }
}

/// The slots of ascending entries, whose rows start at 1.
fn index(entries: &[u32]) -> Vec<Slot> {
    let mut slots = vec![Slot::default(); entries.last().map_or(0, |&last| last as usize / 64 + 1)];
    for &entry in entries {
        slots[entry as usize / 64].bits |= 1 << (entry % 64);
    }
    let mut before = 1;
    for slot in &mut slots {
        slot.before = before;
        before += slot.bits.count_ones();
    }
    slots
}

/// The columns of `rows` that are not zero, with the place of the first of those that are equal.
fn distinct_columns(rows: &[f32], width: usize) -> Vec<Column> {
    let column = |c: usize| rows.iter().skip(c).step_by(width).map(|value| value.to_bits());
    let mut firsts: Vec<usize> = Vec::new();
    let mut columns = Vec::new();
    for whole in 0..width {
        let values = rows.iter().skip(whole).step_by(width);
        let largest = values.fold(0.0_f32, |largest, value| largest.max(value.abs()));
        if largest > 0.0 {
            let known = firsts.iter().position(|&first| column(first).eq(column(whole)));
            let packed = known.unwrap_or(firsts.len());
            firsts.extend(known.is_none().then_some(whole));
            columns.push(Column { packed, whole, step: largest / LARGEST });
        }
    }
    columns.sort_by_key(|column| column.packed);
    columns
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
        assert_eq!(add(&PackedRows::pack(&[0], &[0.0], 1), &[0], 1), [1.0]);
    }

    #[test]
    fn equal_columns_are_packed_once() {
        let row = |first: f32| (0..40).map(move |c| if c < 30 { first } else { first + c as f32 });
        let rows: Vec<f32> = row(1.0).chain(row(-3.0)).collect();
        let packed = PackedRows::pack(&[5, 6], &rows, 40);
        assert_eq!((packed.lines, packed.columns.len()), (1, 40));
        for (sum, expected) in add(&packed, &[6], 40).into_iter().zip(row(-3.0)) {
            assert!((sum - 1.0 - expected).abs() < 1e-2, "{sum} {expected}");
        }
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
