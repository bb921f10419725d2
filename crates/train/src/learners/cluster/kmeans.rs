//! k-means (Lloyd 1982) from seeded k-means++ centres (Arthur and Vassilvitskii 2007).

use nalgebra::DMatrix;
use rand::distr::Distribution as _;
use rand::distr::weighted::WeightedIndex;
use rand::{Rng as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROUNDS: usize = 20;

/// `(n, dims)` points -> `(dims, count)` centres. A centre that loses all its points stays put.
pub(super) fn centres(points: &DMatrix<f64>, count: usize, seed: u64) -> DMatrix<f64> {
    let mut centres = spread(points, count, seed);
    let mut nearest = vec![usize::MAX; points.nrows()];
    for _ in 0..ROUNDS {
        let moved = assign(points, &centres, &mut nearest);
        if !moved {
            break;
        }
        let mut sums = DMatrix::zeros(points.ncols(), count);
        let mut sizes = vec![0_usize; count];
        for (point, &centre) in points.row_iter().zip(&nearest) {
            let mut sum = sums.column_mut(centre);
            sum += point.transpose();
            sizes[centre] += 1;
        }
        for (i, &size) in sizes.iter().enumerate().filter(|(_, size)| **size > 0) {
            centres.set_column(i, &(sums.column(i) / size as f64));
        }
    }
    centres
}

/// Notes the nearest centre of each point; whether any has changed.
fn assign(points: &DMatrix<f64>, centres: &DMatrix<f64>, nearest: &mut [usize]) -> bool {
    let products = points * centres;
    let halves: Vec<f64> = centres.column_iter().map(|c| 0.5 * c.norm_squared()).collect();
    let mut moved = false;
    for (row, nearest) in nearest.iter_mut().enumerate() {
        let closeness = |i: usize| products[(row, i)] - halves[i];
        let best = (1..centres.ncols())
            .fold(0, |best, i| if closeness(i) > closeness(best) { i } else { best });
        moved |= *nearest != best;
        *nearest = best;
    }
    moved
}

/// Points drawn with probability proportional to the squared distance to those drawn before.
fn spread(points: &DMatrix<f64>, count: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = vec![rng.random_range(0..points.nrows())];
    let mut distances = vec![f64::INFINITY; points.nrows()];
    while drawn.len() < count {
        let last = points.row(drawn[drawn.len() - 1]).into_owned();
        for (distance, point) in distances.iter_mut().zip(points.row_iter()) {
            *distance = distance.min((point - &last).norm_squared());
        }
        // All points drawn already: any will do, it stays without points of its own.
        let next = WeightedIndex::new(&distances).map_or(0, |weights| weights.sample(&mut rng));
        drawn.push(next);
    }
    points.select_rows(&drawn).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separate_clouds_get_a_centre_each() {
        let points = DMatrix::from_fn(90, 2, |row, column| {
            let corner = [[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]][row % 3][column];
            corner + 0.01 * (row / 3) as f64
        });
        let found = centres(&points, 3, 0);
        for corner in [[0.145, 0.145], [5.145, 0.145], [0.145, 5.145]] {
            let hit = |c: nalgebra::DVectorView<'_, f64>| {
                (c[0] - corner[0]).abs() < 1e-9 && (c[1] - corner[1]).abs() < 1e-9
            };
            assert!(found.column_iter().any(hit), "{corner:?} {found}");
        }
    }

    #[test]
    fn points_that_are_all_alike_are_no_trouble() {
        let found = centres(&DMatrix::from_element(10, 2, 1.0), 3, 0);
        assert!(found.iter().all(|value| (value - 1.0).abs() < 1e-12));
    }
}
