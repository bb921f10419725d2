//! Isotonic regression (pool adjacent violators), coarse and shrunk so that it neither ties nor
//! jumps at single outcomes.

use farthing_model::{Isotonic, Platt};

/// Outcomes in a bin, at least, and bins at most: with a knot beyond each end, 32 knots.
const BIN_OUTCOMES: usize = 50;
const MAX_BINS: usize = 30;
/// Fewer bins than this say nothing about a shape.
const MIN_BINS: usize = 4;
/// Weight of the logistic fit in each bin, in outcomes.
const PRIOR_OUTCOMES: f64 = 20.0;
/// Part of a plain logistic in the result: where the steps are flat it still tells requests apart.
const TILT: f64 = 0.02;

/// A calibration from `(expected score, 1 if the bar was met)` samples: in bins of equal mass the
/// share that met the bar, shrunk towards the logistic fit, then made monotone. `None` where there
/// are too few samples for a shape.
pub(super) fn fit(samples: &[(f64, f64)], logistic: Platt) -> Option<Isotonic> {
    let bins = (samples.len() / BIN_OUTCOMES).min(MAX_BINS);
    if bins < MIN_BINS {
        return None;
    }
    let mut sorted = samples.to_vec();
    // Equal expected scores by outcome: pooled or not, the result is the same for every order.
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut blocks: Vec<Block> = Vec::new();
    for bin in 0..bins {
        let edge = |bin: usize| bin * sorted.len() / bins;
        let block = Block::of(&sorted[edge(bin)..edge(bin + 1)], logistic);
        match blocks.last_mut() {
            // Bins of one and the same expected score are one knot.
            Some(last) if block.at[0] <= last.at[0] => last.absorb(&block, false),
            _ => blocks.push(block),
        }
    }
    let pooled = pool(blocks);
    let tilted = |at: f64, p: f64| [at, (1.0 - TILT) * p + TILT * Platt::NEUTRAL.apply(at)];
    let mut knots: Vec<[f64; 2]> =
        pooled.iter().flat_map(|b| b.at.iter().map(|&at| tilted(at, b.value()))).collect();
    let (first, last) = (pooled.first()?, pooled.last()?);
    knots.insert(0, tilted(first.at.first()? - 1.0, first.value()));
    knots.push(tilted(last.at.last()? + 1.0, last.value()));
    Isotonic::new(knots).ok()
}

/// Neighbouring bins of one value.
struct Block {
    /// Mean expected score of each bin.
    at: Vec<f64>,
    weight: f64,
    sum: f64,
}

impl Block {
    fn of(bin: &[(f64, f64)], logistic: Platt) -> Self {
        let count = bin.len() as f64;
        let at = bin.iter().map(|sample| sample.0).sum::<f64>() / count;
        let met = bin.iter().map(|sample| sample.1).sum::<f64>();
        let prior = PRIOR_OUTCOMES * logistic.apply(at);
        Self { at: vec![at], weight: count + PRIOR_OUTCOMES, sum: met + prior }
    }

    fn value(&self) -> f64 {
        self.sum / self.weight
    }

    fn absorb(&mut self, other: &Self, knots: bool) {
        self.weight += other.weight;
        self.sum += other.sum;
        if knots {
            self.at.extend(&other.at);
        }
    }
}

/// Pools adjacent violators: values of the result rise.
fn pool(blocks: Vec<Block>) -> Vec<Block> {
    let mut pooled: Vec<Block> = Vec::new();
    for mut block in blocks {
        while let Some(before) = pooled.pop_if(|before| before.value() >= block.value()) {
            let mut merged = before;
            merged.absorb(&block, true);
            block = merged;
        }
        pooled.push(block);
    }
    pooled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_violators_are_pooled() {
        let block = |at: f64, sum: f64| Block { at: vec![at], weight: 10.0, sum };
        let pooled = pool(vec![block(0.1, 2.0), block(0.2, 6.0), block(0.3, 4.0), block(0.4, 9.0)]);
        let values: Vec<f64> = pooled.iter().map(Block::value).collect();
        assert_eq!(values, [0.2, 0.5, 0.9]);
        assert_eq!(pooled[1].at, [0.2, 0.3]);
    }

    #[test]
    fn a_shape_that_no_logistic_has_is_found_without_ties() {
        // A step at 0.5, from 0.3 to 0.9.
        let sample = |i: u32| {
            let at = f64::from(i) / 5000.0;
            let share = if at < 0.5 { 3 } else { 9 };
            (at, f64::from(u8::from(i % 10 < share)))
        };
        let samples: Vec<_> = (0..5000).map(sample).collect();
        let found = fit(&samples, Platt { slope: 3.0, intercept: -1.0 }).unwrap();
        assert!(found.knots().len() <= 32);
        for (at, p) in [(0.1, 0.3), (0.4, 0.3), (0.6, 0.9), (0.9, 0.9)] {
            assert!((found.apply(at) - p).abs() < 0.06, "{at}: {}", found.apply(at));
        }
        let steps = (-10..110).map(|i| f64::from(i) / 100.0);
        let values: Vec<f64> = steps.map(|at| found.apply(at)).collect();
        assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{values:?}");
        assert!(fit(&samples[..100], Platt::NEUTRAL).is_none());
    }
}
