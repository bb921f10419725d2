//! How far predicted probabilities are to be believed.
//!
//! All figures are over pairs (predicted probability, whether it came true).

use std::ops::Range;

use serde::Serialize;

/// Bins of every calibration error that is reported.
pub const ECE_BINS: usize = 15;

/// One bin of a reliability table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Predictions in it.
    pub count: u64,
    /// The least of them.
    pub from: f64,
    /// The greatest of them.
    pub to: f64,
    /// Their mean.
    pub mean_predicted: f64,
    /// Share that came true.
    pub share_met: f64,
}

/// Bins of equal mass by rising prediction, none empty: sizes differ by one at most. Equal
/// predictions stay in the order given, so that bins do not depend on how they came true.
pub fn reliability(pairs: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let order = by_prediction(pairs);
    let filled = edges(pairs.len(), bins).map(|bin| &order[bin]).filter(|bin| !bin.is_empty());
    let of = |bin: &[usize]| bin.iter().map(|&i| pairs[i]).collect::<Vec<_>>();
    filled.map(|bin| ReliabilityBin::of(&of(bin))).collect()
}

/// The bin of [`reliability`] that each pair falls into, `(pairs)`.
pub fn bin_of_each(pairs: &[(f64, bool)], bins: usize) -> Vec<usize> {
    let order = by_prediction(pairs);
    let mut of = vec![0; pairs.len()];
    for (bin, members) in edges(pairs.len(), bins).enumerate() {
        for &i in &order[members] {
            of[i] = bin;
        }
    }
    of
}

fn by_prediction(pairs: &[(f64, bool)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by(|&a, &b| pairs[a].0.total_cmp(&pairs[b].0));
    order
}

/// Positions, by rising prediction, of the members of each bin.
fn edges(pairs: usize, bins: usize) -> impl Iterator<Item = Range<usize>> {
    (0..bins).map(move |bin| bin * pairs / bins..(bin + 1) * pairs / bins)
}

impl ReliabilityBin {
    /// Of pairs by rising prediction, at least one.
    fn of(pairs: &[(f64, bool)]) -> Self {
        let count = pairs.len() as f64;
        Self {
            count: pairs.len() as u64,
            from: pairs[0].0,
            to: pairs[pairs.len() - 1].0,
            mean_predicted: pairs.iter().map(|pair| pair.0).sum::<f64>() / count,
            share_met: pairs.iter().filter(|pair| pair.1).count() as f64 / count,
        }
    }
}

/// Expected calibration error (Naeini, Cooper and Hauskrecht 2015) of a reliability table: the mean
/// over predictions of how far their bin's share is from their bin's mean. `None` without any.
pub fn ece(bins: &[ReliabilityBin]) -> Option<f64> {
    let all = bins.iter().map(|bin| bin.count as f64).sum::<f64>();
    let away = |bin: &ReliabilityBin| bin.count as f64 * (bin.mean_predicted - bin.share_met).abs();
    (all > 0.0).then(|| bins.iter().map(away).sum::<f64>() / all)
}

/// Mean squared error of the probabilities (Brier 1950). `None` without any.
pub fn brier(pairs: &[(f64, bool)]) -> Option<f64> {
    mean(pairs, |p, met| (p - f64::from(u8::from(met))).powi(2))
}

/// The parts of a Brier score on a reliability table (Murphy 1973).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BrierParts {
    /// Mean squared distance of a bin's mean prediction from its share; 0 is best.
    pub reliability: f64,
    /// Mean squared distance of a bin's share from that of all; the greater the better.
    pub resolution: f64,
    /// Brier score of always predicting the share of all.
    pub uncertainty: f64,
    /// What is left of the Brier score after `reliability - resolution + uncertainty`: predictions
    /// differ within a bin. Near 0 where bins are narrow.
    pub within_bins: f64,
}

/// The parts of [`brier`] on a table of the same pairs. `None` without any.
pub fn brier_parts(pairs: &[(f64, bool)], bins: &[ReliabilityBin]) -> Option<BrierParts> {
    let brier = brier(pairs)?;
    let all = pairs.len() as f64;
    let base = pairs.iter().filter(|pair| pair.1).count() as f64 / all;
    let mean_square = |of: &dyn Fn(&ReliabilityBin) -> f64| {
        bins.iter().map(|bin| bin.count as f64 * of(bin).powi(2)).sum::<f64>() / all
    };
    let reliability = mean_square(&|bin| bin.mean_predicted - bin.share_met);
    let resolution = mean_square(&|bin| bin.share_met - base);
    let uncertainty = base * (1.0 - base);
    let within_bins = brier - (reliability - resolution + uncertainty);
    Some(BrierParts { reliability, resolution, uncertainty, within_bins })
}

/// How near a prediction must be to a threshold to count as near it.
const NEAR: f64 = 0.1;

/// The pairs whose prediction is less than 0.1 from a threshold: those whose decision a small error
/// would turn.
pub fn near_threshold(pairs: &[(f64, bool)], threshold: f64) -> Vec<(f64, bool)> {
    pairs.iter().copied().filter(|pair| (pair.0 - threshold).abs() < NEAR).collect()
}

/// Mean of `-ln` of the probability of what happened; infinite where that was 0. `None` without any.
pub fn log_loss(pairs: &[(f64, bool)]) -> Option<f64> {
    mean(pairs, |p, met| -(if met { p } else { 1.0 - p }).ln())
}

fn mean(pairs: &[(f64, bool)], of: impl Fn(f64, bool) -> f64) -> Option<f64> {
    let sum = pairs.iter().map(|&(p, met)| of(p, met)).sum::<f64>();
    (!pairs.is_empty()).then(|| sum / pairs.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let pairs = [(0.9, true), (0.1, false), (0.2, true), (0.8, false), (0.7, true)];
        let bins = reliability(&pairs, 2);
        // {0.1 no, 0.2 yes} and {0.7 yes, 0.8 no, 0.9 yes}
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((bins[1].from, bins[1].to), (0.7, 0.9));
        assert_eq!(bin_of_each(&pairs, 2), [1, 0, 0, 1, 1]);
        assert!((bins[0].mean_predicted - 0.15).abs() < 1e-12);
        assert!((bins[1].share_met - 2.0 / 3.0).abs() < 1e-12);
        let expected = 0.4 * 0.35 + 0.6 * (0.8 - 2.0 / 3.0);
        assert!((ece(&bins).unwrap() - expected).abs() < 1e-12);
        let squares = [0.01, 0.01, 0.64, 0.64, 0.09];
        assert!((brier(&pairs).unwrap() - squares.iter().sum::<f64>() / 5.0).abs() < 1e-12);
        let of_two = log_loss(&pairs[2..4]).unwrap();
        assert!((of_two + 0.2_f64.ln()).abs() < 1e-12, "{of_two}");
    }

    #[test]
    fn brier_parts_by_hand() {
        let pairs = [(0.9, true), (0.1, false), (0.2, true), (0.8, false), (0.7, true)];
        let found = brier_parts(&pairs, &reliability(&pairs, 2)).unwrap();
        // Bins of 2 and 3: means 0.15 and 0.8, shares 1/2 and 2/3, of all 3/5.
        let reliability = 0.4 * 0.35_f64.powi(2) + 0.6 * (0.8 - 2.0 / 3.0_f64).powi(2);
        let resolution = 0.4 * 0.1_f64.powi(2) + 0.6 * (2.0 / 3.0 - 0.6_f64).powi(2);
        assert!((found.reliability - reliability).abs() < 1e-12);
        assert!((found.resolution - resolution).abs() < 1e-12);
        assert!((found.uncertainty - 0.24).abs() < 1e-12);
        let rest = 1.39 / 5.0 - (reliability - resolution + 0.24);
        assert!((found.within_bins - rest).abs() < 1e-12);
        assert_eq!(brier_parts(&[], &[]), None);
    }

    #[test]
    fn only_predictions_near_the_threshold() {
        let pairs = [(0.39, true), (0.41, false), (0.5, true), (0.61, true), (f64::NAN, true)];
        assert_eq!(near_threshold(&pairs, 0.5), [(0.41, false), (0.5, true)]);
    }

    #[test]
    fn few_or_none() {
        assert_eq!(reliability(&[(0.5, true)], ECE_BINS).len(), 1);
        assert_eq!(ece(&reliability(&[], ECE_BINS)), None);
        assert_eq!(brier(&[]), None);
    }

    #[test]
    fn of_equal_predictions_the_order_given_counts() {
        let pairs = [(0.5, true), (0.5, false), (0.5, true), (0.5, false)];
        let shares: Vec<f64> = reliability(&pairs, 2).iter().map(|bin| bin.share_met).collect();
        assert_eq!(shares, [0.5, 0.5]);
    }
}
