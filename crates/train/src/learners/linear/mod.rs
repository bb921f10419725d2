//! Per-candidate ridge regression on the vectors.

use nalgebra::DMatrix;

use super::{Fitted, Heads, Learner, LearnerName};
use crate::problem::{Problem, request_effects};
use crate::ridge::Ridge;

/// Rounds of taking request effects and fitting in turn; a full matrix settles in two.
const ROUNDS: usize = 3;

/// The learner.
#[derive(Debug)]
pub(crate) struct Linear;

/// `(width, candidates)` coefficients.
#[derive(Debug)]
struct Coefficients(DMatrix<f64>);

impl Learner for Linear {
    fn name(&self) -> LearnerName {
        LearnerName::Linear
    }

    fn setting_name(&self) -> &'static str {
        "penalty"
    }

    fn settings(&self, _: &Problem) -> Vec<f64> {
        vec![100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1]
    }

    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let vectors = problem.vectors.select_rows(rows);
        let residual = problem.residual.select_rows(rows);
        let difficulty = problem.difficulty.select_rows(rows);
        let ridge = Ridge::new(&vectors, &residual);
        let fit = |&penalty: &f64| -> Box<dyn Fitted> {
            let ridge = ridge.penalise(penalty);
            let mut coefficients = DMatrix::zeros(vectors.ncols(), residual.ncols());
            for _ in 0..ROUNDS {
                let predicted = &vectors * &coefficients;
                let effects = request_effects(&residual, &predicted, &difficulty);
                let mut targets = residual.clone();
                for mut column in targets.column_iter_mut() {
                    column -= &effects;
                }
                coefficients = ridge.solve(&targets);
            }
            Box::new(Coefficients(coefficients))
        };
        settings.iter().map(fit).collect()
    }
}

impl Fitted for Coefficients {
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
        problem.vectors.select_rows(rows) * &self.0
    }

    fn add_to(&self, heads: &mut Heads, weight: f64) {
        heads.quality += &self.0 * weight;
    }
}
