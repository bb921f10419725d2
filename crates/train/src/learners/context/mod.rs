//! Shrunken means by context value: for context that the request itself carries.

use std::collections::BTreeMap;

use farthing_model::network::ContextTable;
use nalgebra::DMatrix;

use super::shrink::group_means;
use super::{Fitted, Heads, Learner, LearnerName};
use crate::problem::Problem;

/// The learner for one context column.
#[derive(Debug)]
pub(crate) struct ContextMeans {
    /// Position of the column.
    pub(crate) column: usize,
}

#[derive(Debug)]
struct Offsets {
    column: usize,
    keys: Vec<u64>,
    /// `(keys, candidates)`
    means: DMatrix<f64>,
}

impl Learner for ContextMeans {
    fn name(&self) -> LearnerName {
        LearnerName::Context
    }

    fn setting_name(&self) -> &'static str {
        "column"
    }

    /// Shrinkage is estimated, so there is nothing to try.
    fn settings(&self, _: &Problem) -> Vec<f64> {
        vec![self.column as f64]
    }

    fn fit(&self, problem: &Problem, rows: &[usize], settings: &[f64]) -> Vec<Box<dyn Fitted>> {
        let values = &problem.context[self.column];
        let keys: Vec<u64> = {
            let known: BTreeMap<u64, ()> =
                rows.iter().filter_map(|&row| values[row]).map(|key| (key, ())).collect();
            known.into_keys().collect()
        };
        let group = |row: usize| values[row].and_then(|key| keys.binary_search(&key).ok());
        let known: Vec<usize> = rows.iter().copied().filter(|&row| group(row).is_some()).collect();
        let group_of: Vec<usize> = known.iter().filter_map(|&row| group(row)).collect();
        let means = group_means(problem, &known, &group_of, keys.len());
        let fitted = |_: &f64| -> Box<dyn Fitted> {
            Box::new(Offsets { column: self.column, keys: keys.clone(), means: means.clone() })
        };
        settings.iter().map(fitted).collect()
    }
}

impl Fitted for Offsets {
    fn predict(&self, problem: &Problem, rows: &[usize]) -> DMatrix<f64> {
        let mut predicted = DMatrix::zeros(rows.len(), self.means.ncols());
        for (i, &row) in rows.iter().enumerate() {
            let key = problem.context[self.column][row];
            if let Some(group) = key.and_then(|key| self.keys.binary_search(&key).ok()) {
                predicted.set_row(i, &self.means.row(group));
            }
        }
        predicted
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are stored as f32")]
    fn add_to(&self, heads: &mut Heads, weight: f64) {
        let means = self.means.transpose();
        heads.context[self.column] = ContextTable {
            keys: self.keys.clone(),
            // Column-major after the transposition: one run of candidates a key.
            offsets: means.iter().map(|mean| (mean * weight) as f32).collect(),
        };
    }
}
