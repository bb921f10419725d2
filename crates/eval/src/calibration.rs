//! Whether the router's probabilities are to be believed on the scored requests.

use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::{Column, Drawn, Ratios};
use crate::metrics::{
    BrierParts, ECE_BINS, Recalibration, ReliabilityBin, bin_of_each, brier, brier_parts, ece,
    log_loss, near_threshold, recalibration, reliability,
};
use crate::rows::Rows;

/// Predicted P(score >= bar) against what came true, every judged answer of every candidate.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CalibrationFigures {
    /// Judged answers.
    pub outcomes: u64,
    /// Expected calibration error: 15 bins of equal mass, all candidates together.
    pub ece: Option<f64>,
    /// Mean squared error.
    pub brier: Option<f64>,
    /// Mean log loss, in nats.
    pub log_loss: Option<f64>,
    /// The three with their intervals; the bins stay those of the data.
    pub estimates: CalibrationEstimates,
    /// Where the Brier score comes from.
    pub brier_parts: Option<BrierParts>,
    /// Slope and intercept of what happened on the predicted log odds; `null` where predictions tell
    /// outcomes apart without an error, or there is one outcome only.
    pub recalibration: Option<Recalibration>,
    /// Judged answers whose prediction is less than 0.1 from the policy's threshold, or from one half
    /// where it has none: those that a small error would turn.
    pub near_threshold_outcomes: u64,
    /// Calibration error of those.
    pub near_threshold_ece: Option<f64>,
    /// The table behind `ece`, by rising prediction.
    pub bins: Vec<ReliabilityBin>,
    /// Each candidate on its own, in the router's order.
    pub candidates: Vec<CandidateCalibration>,
}

/// Calibration with intervals. That of the calibration error leans upwards: a resample adds noise to
/// every bin.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CalibrationEstimates {
    /// Expected calibration error.
    pub ece: Option<Estimate>,
    /// Mean squared error.
    pub brier: Option<Estimate>,
    /// Mean log loss, in nats.
    pub log_loss: Option<Estimate>,
}

/// One candidate's calibration.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CandidateCalibration {
    /// Its name.
    pub model: String,
    /// Judged answers.
    pub outcomes: u64,
    /// As for all together; noise alone makes it about `0.4 * sqrt(15 / outcomes)`.
    pub ece: Option<f64>,
}

/// What calibration is computed from.
pub(crate) struct Columns {
    /// Predicted P(score >= bar) and whether it was met, by candidate.
    pairs: Vec<Vec<(f64, bool)>>,
    /// Threshold of the policy, or one half.
    threshold: f64,
    /// Sum of prediction less outcome in each bin, over all answers.
    bins: Vec<Column>,
    brier: Column,
    log_loss: Column,
}

/// A judged answer.
struct Answer {
    request: usize,
    pair: (f64, bool),
}

pub(crate) fn columns(
    rows: &Rows,
    (bar, threshold): (f64, Option<f64>),
    ratios: &mut Ratios<'_>,
) -> Columns {
    let of_candidate = |candidate: usize| {
        let judged = (0..rows.len()).filter_map(move |i| Some((i, rows.score(i, candidate)?)));
        judged.map(move |(request, score)| Answer {
            request,
            pair: (rows.predicted_p.at(request, candidate), score >= bar),
        })
    };
    let by_candidate: Vec<Vec<Answer>> =
        (0..rows.score.columns()).map(|candidate| of_candidate(candidate).collect()).collect();
    let pairs: Vec<Vec<(f64, bool)>> =
        by_candidate.iter().map(|answers| answers.iter().map(|a| a.pair).collect()).collect();
    let all = || by_candidate.iter().flatten();
    let bin_of = bin_of_each(&pairs.concat(), ECE_BINS);
    let mut answers = vec![0.0; rows.len()];
    let mut away = vec![vec![0.0; rows.len()]; ECE_BINS];
    for (answer, bin) in all().zip(bin_of) {
        answers[answer.request] += 1.0;
        away[bin][answer.request] += answer.pair.0 - f64::from(u8::from(answer.pair.1));
    }
    let of_bin = |away: &Vec<f64>| {
        let each = away.iter().zip(&answers).enumerate();
        let each = each.filter(|(_, (_, answers))| **answers > 0.0);
        ratios.ratio(each.map(|(i, (away, answers))| (i, (*away, *answers))))
    };
    let bins = away.iter().map(of_bin).collect();
    let mut mean = |of: fn(&[(f64, bool)]) -> Option<f64>| {
        ratios.mean(all().filter_map(|answer| Some((answer.request, of(&[answer.pair])?))))
    };
    let (brier, log_loss) = (mean(brier), mean(log_loss));
    Columns { pairs, threshold: threshold.unwrap_or(0.5), bins, brier, log_loss }
}

pub(crate) fn figures(
    names: &[String],
    columns: &Columns,
    drawn: &Drawn<&[f64]>,
) -> CalibrationFigures {
    let candidate = |(model, pairs): (&String, &Vec<(f64, bool)>)| CandidateCalibration {
        model: model.clone(),
        outcomes: pairs.len() as u64,
        ece: ece(&reliability(pairs, ECE_BINS)),
    };
    let all = columns.pairs.concat();
    let bins = reliability(&all, ECE_BINS);
    let near = near_threshold(&all, columns.threshold);
    CalibrationFigures {
        outcomes: all.len() as u64,
        ece: ece(&bins),
        brier: brier(&all),
        log_loss: log_loss(&all).filter(|loss| loss.is_finite()),
        estimates: CalibrationEstimates {
            ece: drawn.estimate(|ratios| columns.bins.iter().map(|b| b.of(ratios).abs()).sum()),
            brier: drawn.estimate(|ratios| columns.brier.of(ratios)),
            log_loss: drawn.estimate(|ratios| columns.log_loss.of(ratios)),
        },
        brier_parts: brier_parts(&all, &bins),
        recalibration: recalibration(&all),
        near_threshold_outcomes: near.len() as u64,
        near_threshold_ece: ece(&reliability(&near, ECE_BINS)),
        bins,
        candidates: names.iter().zip(&columns.pairs).map(candidate).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Bootstrap, Groups, Matrix};

    #[test]
    fn graded_scores_count_where_they_reach_the_bar() {
        let matrix = |values: &[f64]| Matrix::new(2, values.to_vec());
        let rows = Rows {
            groups: Groups::each_alone(2),
            null_quality: None,
            predicted_quality: matrix(&[0.5; 4]),
            predicted_p: matrix(&[0.9, 0.2, 0.8, 0.1]),
            predicted_cost: matrix(&[1.0; 4]),
            score: matrix(&[0.6, f64::NAN, 0.59, 1.0]),
            cost: matrix(&[1.0; 4]),
            choices: vec![None, None],
            reasons: vec![None; 2],
        };
        let mut ratios = Ratios::new(&rows.groups);
        let columns = columns(&rows, (0.6, None), &mut ratios);
        let sums = ratios.sums();
        let bootstrap = Bootstrap { seed: 0, resamples: 10 };
        let drawn = Drawn::new(bootstrap, &rows.groups, |counts| sums.ratios(counts));
        let names = ["a".to_owned(), "b".to_owned()];
        let found = figures(&names, &columns, &drawn.map(Vec::as_slice));
        assert_eq!((found.outcomes, found.bins.len()), (3, 3));
        // One answer a bin: 0.9 met, 0.8 missed, 0.1 met.
        assert!((found.ece.unwrap() - (0.1 + 0.8 + 0.9) / 3.0).abs() < 1e-12);
        assert!((found.brier.unwrap() - (0.01 + 0.64 + 0.81) / 3.0).abs() < 1e-12);
        assert_eq!(found.candidates[1].outcomes, 1);
        let estimates = &found.estimates;
        assert!((estimates.ece.unwrap().value - found.ece.unwrap()).abs() < 1e-12);
        assert!((estimates.brier.unwrap().value - found.brier.unwrap()).abs() < 1e-12);
        assert!((estimates.log_loss.unwrap().value - found.log_loss.unwrap()).abs() < 1e-12);
    }
}
