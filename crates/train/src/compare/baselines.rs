//! Rows to hold learners against: what needs no learning, what cannot be served, what nobody knows.

use farthing_data::Record;
use farthing_eval::metrics::Arena;
use farthing_model::features::context_key;
use nalgebra::DMatrix;

use super::{Fold, Row};
use crate::blend::{by_setting, cross_fit, earns, most_shrunk};
use crate::fit::Prepared;
use crate::learners::Learner as _;
use crate::learners::context::ContextMeans;
use crate::learners::nearest::{Bank, COUNTS};
use crate::problem::Problem;

/// Neighbours of the row without a choice.
const FEW: usize = 40;
/// Name of the row that chooses.
pub(super) const NEAREST_CHOSEN: &str = "nearest neighbours, exact, k chosen";

/// What routing by averages alone comes to. `zero_us` is the time of a decision without learners.
pub(super) fn floor(arena: &Arena, zero_us: f64) -> Vec<Row> {
    let marks = arena.marks(&arena.groups().once());
    let row = |name: &str, points, decision_us| Row { name: name.to_owned(), points, decision_us };
    vec![
        row("zero", marks.zero_points, Some(zero_us)),
        row("best single model", vec![marks.best_single], None),
        row("mix of single models, in hindsight", marks.singles, None),
    ]
}

/// Differences `(test, candidates)` of exact neighbours and of knowing a label, by name.
pub(super) fn learned(fold: &Fold<'_>) -> Vec<(String, DMatrix<f64>)> {
    let unseen = fold.prepared.unseen(&fold.test_features);
    let [few, chosen] = nearest(&fold.prepared, &unseen);
    let mut rows = vec![
        (format!("nearest neighbours, exact, k = {FEW}"), few),
        (NEAREST_CHOSEN.to_owned(), chosen),
    ];
    let with_labels = |problem: &Problem, records: &[&Record]| {
        let labels =
            |i: usize| records.iter().map(|r| r.labels[i].as_deref().map(context_key)).collect();
        let mut columns: Vec<_> = (0..fold.log.dataset.label_columns.len()).map(labels).collect();
        columns.extend(problem.context.iter().cloned());
        Problem { context: columns, ..problem.clone() }
    };
    let (fit, test) =
        (with_labels(fold.prepared.problem(), &fold.fit), with_labels(&unseen, &fold.test));
    let names = fold.log.dataset.label_columns.iter().chain(&fold.log.dataset.context_columns);
    for (column, name) in names.enumerate() {
        let means = ContextMeans { column };
        for fitted in means.fit(&fit, &fit.rows(), &means.settings(&fit)) {
            rows.push((format!("known label, {name}"), fitted.predict(&test, &test.rows())));
        }
    }
    rows
}

/// With a fixed number of neighbours, and with one chosen on the rows to fit as learners' settings are, the
/// zero router among the choices.
fn nearest(prepared: &Prepared, unseen: &Problem) -> [DMatrix<f64>; 2] {
    let (problem, objective) = (prepared.problem(), prepared.objective());
    let side_by_side = cross_fit(problem, COUNTS.len(), |outside, inside| {
        Bank::fit(problem, outside, &COUNTS).predict(problem, inside)
    });
    let cross_fitted = by_setting(&side_by_side, COUNTS.len());
    let none = DMatrix::zeros(problem.residual.nrows(), problem.residual.ncols());
    let chosen = most_shrunk(objective, &none, &cross_fitted)
        .filter(|&i| earns(objective, &none, &cross_fitted[i]));
    let predict = |count: usize| {
        Bank::fit(problem, &problem.rows(), &[count]).predict(unseen, &unseen.rows()).remove(0)
    };
    let none = || DMatrix::zeros(unseen.directions.nrows(), problem.residual.ncols());
    [predict(FEW), chosen.map_or_else(none, |i| predict(COUNTS[i]))]
}
