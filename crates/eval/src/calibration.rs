//! Whether the router's probabilities are to be believed on the scored requests.

use serde::Serialize;

use crate::metrics::{ECE_BINS, ReliabilityBin, brier, ece, log_loss, reliability};
use crate::rows::Rows;

/// Predicted P(score >= bar) against what came true, every judged answer of every candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationFigures {
    /// Judged answers.
    pub outcomes: u64,
    /// Expected calibration error: 15 bins of equal mass, all candidates together.
    pub ece: Option<f64>,
    /// Mean squared error.
    pub brier: Option<f64>,
    /// Mean log loss, in nats.
    pub log_loss: Option<f64>,
    /// The table behind `ece`, by rising prediction.
    pub bins: Vec<ReliabilityBin>,
    /// Each candidate on its own, in the router's order.
    pub candidates: Vec<CandidateCalibration>,
}

/// One candidate's calibration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateCalibration {
    /// Its name.
    pub model: String,
    /// Judged answers.
    pub outcomes: u64,
    /// As for all together; noise alone makes it about `0.4 * sqrt(15 / outcomes)`.
    pub ece: Option<f64>,
}

pub(crate) fn figures(names: &[String], rows: &Rows, bar: f64) -> CalibrationFigures {
    let of_candidate = |candidate: usize| -> Vec<(f64, bool)> {
        let judged = (0..rows.len()).filter_map(|i| Some((i, rows.score(i, candidate)?)));
        judged.map(|(i, score)| (rows.predicted_p.at(i, candidate), score >= bar)).collect()
    };
    let by_candidate: Vec<_> = (0..names.len()).map(of_candidate).collect();
    let candidate = |(model, pairs): (&String, &Vec<(f64, bool)>)| CandidateCalibration {
        model: model.clone(),
        outcomes: pairs.len() as u64,
        ece: ece(&reliability(pairs, ECE_BINS)),
    };
    let candidates = names.iter().zip(&by_candidate).map(candidate).collect();
    let all = by_candidate.concat();
    let bins = reliability(&all, ECE_BINS);
    CalibrationFigures {
        outcomes: all.len() as u64,
        ece: ece(&bins),
        brier: brier(&all),
        log_loss: log_loss(&all),
        bins,
        candidates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Groups, Matrix};

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
        };
        let found = figures(&["a".to_owned(), "b".to_owned()], &rows, 0.6);
        assert_eq!((found.outcomes, found.bins.len()), (3, 3));
        // One answer a bin: 0.9 met, 0.8 missed, 0.1 met.
        assert!((found.ece.unwrap() - (0.1 + 0.8 + 0.9) / 3.0).abs() < 1e-12);
        assert!((found.brier.unwrap() - (0.01 + 0.64 + 0.81) / 3.0).abs() < 1e-12);
        assert_eq!(found.candidates[1].outcomes, 1);
    }
}
