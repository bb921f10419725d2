//! Every learner on the same folds, so that anyone can see what earns.

use farthing_data::{Dataset, Record, split};
use farthing_eval::metrics::{Matrix, aiq, dial_sweep, earned_share_pct};
use farthing_model::features::{Features, Featurizer};
use farthing_model::{Parts, Router};
use rayon::prelude::*;

use crate::fit::{Learned, Prepared};
use crate::learners::LearnerName;
use crate::objective::FOLDS;
use crate::problem::{column_means, matrix};
use crate::split::Roles;
use crate::{TrainConfig, TrainError, assemble, judged_only, predict, tabulate};

/// Candidates that answered less than this share of the requests are left out.
const MIN_COVERAGE: f64 = 0.9;

/// Learners side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Candidates that were compared: priced, and with enough coverage.
    pub candidates: Vec<String>,
    /// Requests that all of them answered, over all folds.
    pub requests: u64,
    /// One entry a learner, then the blend of them all.
    pub entries: Vec<Compared>,
}

/// How one learner did on requests it was not fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The learner, or `blend`.
    pub learner: String,
    /// Earned share of each fold, in percent.
    pub folds_pct: Vec<f64>,
}

impl Compared {
    /// Mean over folds, in percent.
    pub fn mean_pct(&self) -> f64 {
        crate::objective::mean(&self.folds_pct)
    }

    /// Standard error of that mean, in percent.
    pub fn standard_error_pct(&self) -> f64 {
        crate::objective::paired_error(&self.folds_pct, &vec![0.0; self.folds_pct.len()])
    }
}

/// Cross-validates each learner of the configuration alone, each with the zero router among its
/// choices, and their blend, on folds by group of near-duplicate prompts. `progress` is called with
/// the number of fits done and due.
pub fn compare(
    dataset: Dataset,
    config: &TrainConfig,
    progress: &dyn Fn(usize, usize),
) -> Result<Comparison, TrainError> {
    let (dataset, _) = judged_only(with_coverage(dataset))?;
    let featurizer = Featurizer::new(dataset.context_columns.clone(), config.encoder.tokenizer());
    let features: Vec<Features> =
        dataset.records.par_iter().map(|record| featurizer.featurize(&record.request)).collect();
    let mut runs: Vec<(String, Vec<LearnerName>)> =
        config.learners.iter().map(|name| (name.as_str().to_owned(), vec![*name])).collect();
    runs.push(("blend".to_owned(), config.learners.clone()));
    let mut entries: Vec<Compared> = runs
        .iter()
        .map(|(learner, _)| Compared { learner: learner.clone(), folds_pct: Vec::new() })
        .collect();
    let (mut requests, mut done) = (0, 0);
    for fold in 0..FOLDS {
        let (test, fit): (Vec<usize>, Vec<usize>) = (0..dataset.records.len())
            .partition(|&row| split::fold(dataset.records[row].group, config.seed, FOLDS) == fold);
        let roles = Roles { fit, certificate: Vec::new(), sealed: test };
        let fit_records: Vec<&Record> = roles.fit.iter().map(|&r| &dataset.records[r]).collect();
        let fit_features: Vec<_> = roles.fit.iter().map(|&r| features[r].clone()).collect();
        let prepared =
            Prepared::new(&fit_records, &fit_features, &dataset.candidates, config, &|_| {});
        for ((_, learners), entry) in runs.iter().zip(&mut entries) {
            let learned = prepared.learn(learners, &|_| ());
            let parts = assemble(&dataset, &roles, &learned, &featurizer, config);
            let (share, complete) = held_out(&dataset, &features, &roles, &learned, &parts)?;
            entry.folds_pct.push(share);
            requests += if entry.learner == "blend" { complete } else { 0 };
            done += 1;
            progress(done, FOLDS * runs.len());
        }
    }
    Ok(Comparison { candidates: dataset.candidates, requests, entries })
}

/// The dataset with only its candidates of known cost that answered enough.
fn with_coverage(mut dataset: Dataset) -> Dataset {
    let mut answered = vec![0_usize; dataset.candidates.len()];
    for cell in dataset.records.iter().flat_map(|record| &record.cells) {
        answered[cell.candidate] += usize::from(cell.score.is_some() && cell.cost_usd.is_some());
    }
    let needed = MIN_COVERAGE * dataset.records.len() as f64;
    for record in &mut dataset.records {
        // A candidate without outcomes is left out by `judged_only`.
        record.cells.retain(|cell| answered[cell.candidate] as f64 >= needed);
    }
    dataset
}

/// The earned share in percent on the sealed role, and its complete requests.
fn held_out(
    dataset: &Dataset,
    features: &[Features],
    roles: &Roles,
    learned: &Learned,
    parts: &Parts,
) -> Result<(f64, u64), TrainError> {
    let sealed: Vec<_> = roles.sealed.iter().map(|&r| features[r].clone()).collect();
    let predictions = predict(&Router::from_parts(parts)?, &sealed, 0)?;
    let test: Vec<&Record> = roles.sealed.iter().map(|&r| &dataset.records[r]).collect();
    let candidates = dataset.candidates.len();
    let score = matrix(&test, candidates, |cell| cell.score);
    let cost = matrix(&test, candidates, |cell| cell.cost_usd);
    let complete = |row: &usize| {
        (0..candidates).all(|c| !score[(*row, c)].is_nan() && !cost[(*row, c)].is_nan())
    };
    let rows: Vec<usize> = (0..test.len()).filter(complete).collect();
    let pick = |from: &nalgebra::DMatrix<f64>| {
        let values = rows.iter().flat_map(|&row| from.row(row).iter().copied().collect::<Vec<_>>());
        Matrix::new(candidates, values.collect())
    };
    let (score, cost) = (pick(&score), pick(&cost));
    let singles = cost.column_means();
    let range = singles.iter().fold((f64::INFINITY, 0.0_f64), |(l, h), &c| (l.min(c), h.max(c)));
    let area = |quality: &Matrix, predicted_cost: &Matrix| {
        aiq(&dial_sweep(quality, predicted_cost, &score, &cost), range.0, range.1)
    };
    let repeat = |means: &[f64]| Matrix::repeat(rows.len(), means);
    let zero = area(&repeat(&learned.mean_score), &repeat(&column_means(&learned.lengths.cost)));
    let oracle = area(&score, &repeat(&singles));
    let router = area(
        &pick(&tabulate(&predictions, |p| p.quality)),
        &pick(&tabulate(&predictions, |p| p.cost_usd.unwrap_or(f64::NAN))),
    );
    Ok((earned_share_pct(router, zero, oracle).unwrap_or(0.0), rows.len() as u64))
}
