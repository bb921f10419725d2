//! The certificate's bounds by slice of the traffic. They are reported, never selected on.

use std::collections::BTreeMap;

use farthing_model::SliceBounds;

use super::HeldOut;
use super::tally::{Tally, Yardstick};
use crate::TrainConfig;

/// Values of one column, those with most requests first.
const MAX_VALUES: usize = 64;
/// A value that fewer requests have is not worth a line.
const MIN_REQUESTS: usize = 10;

/// Bounds for each value of each label and context column, by column, then by falling size.
pub(super) fn slices(
    held_out: HeldOut<'_>,
    against: Yardstick,
    (labels, context): (&[String], &[String]),
    config: &TrainConfig,
) -> Vec<SliceBounds> {
    let label_of = |i: usize| move |row: usize| held_out.records[row].labels[i].as_deref();
    let context_of = |column: &str| {
        let column = column.to_owned();
        move |row: usize| held_out.records[row].request.context.get(&column).map(String::as_str)
    };
    let of_column = |column: &String, rows: Vec<(String, Vec<usize>)>| {
        let slice = |(value, rows): (String, Vec<usize>)| SliceBounds {
            column: column.clone(),
            value,
            requests: rows.len() as u64,
            bounds: Tally::of(held_out, &rows, against).bounds(config),
        };
        rows.into_iter().map(slice).collect::<Vec<_>>()
    };
    let n = held_out.records.len();
    let labelled = labels.iter().enumerate().map(|(i, column)| (column, by_value(n, label_of(i))));
    let given = context
        .iter()
        .filter(|column| !labels.contains(column))
        .map(|column| (column, by_value(n, context_of(column))));
    labelled.chain(given).flat_map(|(column, rows)| of_column(column, rows)).collect()
}

/// Rows of each frequent value, the most frequent first.
fn by_value<'a>(n: usize, value: impl Fn(usize) -> Option<&'a str>) -> Vec<(String, Vec<usize>)> {
    let mut rows = BTreeMap::<String, Vec<usize>>::new();
    for row in 0..n {
        if let Some(value) = value(row) {
            rows.entry(value.to_owned()).or_default().push(row);
        }
    }
    let mut frequent: Vec<_> =
        rows.into_iter().filter(|(_, rows)| rows.len() >= MIN_REQUESTS).collect();
    // Stable: of equals in alphabetical order.
    frequent.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    frequent.truncate(MAX_VALUES);
    frequent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_values_first() {
        let value = |row: usize| match row {
            0..10 => Some("b"),
            10..25 => Some("c"),
            25..35 => Some("a"),
            35..44 => Some("rare"),
            _ => None,
        };
        let found: Vec<_> =
            by_value(50, value).into_iter().map(|(v, rows)| (v, rows.len())).collect();
        assert_eq!(found, [("c".to_owned(), 15), ("a".to_owned(), 10), ("b".to_owned(), 10)]);
    }
}
