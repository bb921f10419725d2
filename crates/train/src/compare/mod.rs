//! Every learner and baseline on the same folds and requests, so that anyone can see what earns.

mod baselines;

use farthing_data::{Dataset, Record, split};
use farthing_eval::metrics::{Arena, Groups, Marks, Point, Truth};
use farthing_model::features::{Features, Featurizer};
use farthing_model::{Parts, Router, decision_time};
use nalgebra::DMatrix;

use crate::featurize::featurize;
use crate::fit::{Learned, Prepared};
use crate::learners::LearnerName;
use crate::objective::{FOLDS, mean, paired_error};
use crate::problem::{column_means, matrix};
use crate::split::Roles;
use crate::time_limit::TimeLimit;
use crate::{
    Progress, TrainConfig, TrainError, assemble, judged_only, null_quality, predict, tabulate,
};

/// Candidates that answered less than this share of the requests are left out.
const MIN_COVERAGE: f64 = 0.9;
/// Share of best single's quality whose cost is shown.
const QUALITY_SHARE: f64 = 0.95;

/// Learners and baselines side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Candidates that were compared: priced, and with enough coverage.
    pub candidates: Vec<String>,
    /// Requests that all of them answered, over all folds.
    pub requests: u64,
    /// One entry a row, from the fitted zero router to the oracle.
    pub entries: Vec<Compared>,
}

/// How one way of choosing did on requests it was not fitted on.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// A learner's name, `blend`, or a baseline.
    pub name: String,
    /// Earned share of each fold, in percent.
    pub folds_pct: Vec<f64>,
    /// Cost at 95 % of best single's quality as a share of best single's cost, of each fold; `None` where
    /// the sweep never gets there.
    pub cost_ratios: Vec<Option<f64>>,
    /// Estimated time of a decision at 2,000 tokens in microseconds, the longest over folds; `None` for
    /// what no router can serve.
    pub decision_us: Option<f64>,
}

impl Compared {
    /// Mean earned share over folds, in percent.
    pub fn mean_pct(&self) -> f64 {
        mean(&self.folds_pct)
    }

    /// Standard error of that mean, in percent.
    pub fn standard_error_pct(&self) -> f64 {
        paired_error(&self.folds_pct, &vec![0.0; self.folds_pct.len()])
    }

    /// Mean cost ratio over folds; `None` where one fold has none.
    pub fn cost_ratio(&self) -> Option<f64> {
        let ratios: Option<Vec<f64>> = self.cost_ratios.iter().copied().collect();
        ratios.map(|ratios| mean(&ratios))
    }
}

impl Comparison {
    /// What serving soft clusters in place of exact neighbours earns more, in percent, with its standard
    /// error: the mean over folds of the `cluster` row less that of exact neighbours, both with the zero
    /// router among their choices. Negative: a loss.
    pub fn distillation_pct(&self) -> Option<(f64, f64)> {
        let folds = |name| self.entries.iter().find(|e| e.name == name).map(|e| &e.folds_pct);
        let served = folds(LearnerName::Cluster.as_str())?;
        let exact = folds(baselines::NEAREST_CHOSEN)?;
        Some((mean(served) - mean(exact), paired_error(served, exact)))
    }
}

/// One row in one fold.
struct Row {
    name: String,
    points: Vec<Point>,
    decision_us: Option<f64>,
}

/// Cross-validates each learner of the configuration alone, each with the zero router among its
/// choices, their blend, and baselines, on folds by group of near-duplicate prompts. There is no limit on
/// the decision time. `progress` is called with the number of requests read and due, then with that of fits.
pub fn compare(
    dataset: Dataset,
    config: &TrainConfig,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Comparison, TrainError> {
    let (dataset, _) = judged_only(with_coverage(dataset))?;
    let learners = config.learners.iter().copied().filter(|name| match name {
        LearnerName::Context => !dataset.context_columns.is_empty(),
        LearnerName::Task => !dataset.label_columns.is_empty(),
        LearnerName::Linear | LearnerName::Cluster => true,
    });
    let config = &TrainConfig { learners: learners.collect(), ..config.clone() };
    let featurizer = config.encoder.featurizer(dataset.context_columns.clone());
    let requests: Vec<_> = dataset.records.iter().map(|record| &record.request).collect();
    let features = featurize(&featurizer, &requests, &|said| {
        if let Progress::At { done, due, .. } = said {
            progress(done, due);
        }
    })?;
    let schema = featurizer.schema().clone();
    let limit = TimeLimit::new(schema, dataset.candidates.len(), f64::INFINITY)?;
    let log = Log { dataset, featurizer, features, limit };
    let (mut requests, mut entries) = (0, Vec::new());
    let fits = config.learners.len() + 2;
    for fold in 0..FOLDS {
        let done = |fits_done| progress(fold * fits + fits_done, FOLDS * fits);
        let (arena, rows) = Fold::new(&log, config, fold).rows(config, &done)?;
        requests += arena.requests() as u64;
        let marks = arena.marks(&arena.groups().once());
        for row in rows {
            let known = entries.iter().position(|entry: &Compared| entry.name == row.name);
            let place = known.unwrap_or_else(|| {
                entries.push(Compared::new(&row.name));
                entries.len() - 1
            });
            entries[place].note(&marks, &row);
        }
    }
    Ok(Comparison { candidates: log.dataset.candidates, requests, entries })
}

impl Compared {
    fn new(name: &str) -> Self {
        let (folds_pct, cost_ratios) = (Vec::new(), Vec::new());
        Self { name: name.to_owned(), folds_pct, cost_ratios, decision_us: None }
    }

    fn note(&mut self, marks: &Marks, row: &Row) {
        self.folds_pct.push(marks.earned_share_pct(&row.points).unwrap_or(0.0));
        let quality = QUALITY_SHARE * marks.best_single.quality;
        self.cost_ratios.push(marks.cost_ratio(&row.points, quality));
        self.decision_us = self.decision_us.into_iter().chain(row.decision_us).reduce(f64::max);
    }
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

/// What every fold is cut from.
struct Log {
    dataset: Dataset,
    featurizer: Featurizer,
    /// Of every record.
    features: Vec<Features>,
    limit: TimeLimit,
}

/// One split into requests to fit and requests to judge on.
struct Fold<'a> {
    log: &'a Log,
    roles: Roles,
    fit: Vec<&'a Record>,
    test: Vec<&'a Record>,
    test_features: Vec<Features>,
    prepared: Prepared,
}

impl<'a> Fold<'a> {
    fn new(log: &'a Log, config: &TrainConfig, fold: usize) -> Self {
        let Log { dataset, features, .. } = log;
        let (test, fit): (Vec<usize>, Vec<usize>) = (0..dataset.records.len())
            .partition(|&row| split::fold(dataset.records[row].group, config.seed, FOLDS) == fold);
        let records = |rows: &[usize]| -> Vec<&'a Record> {
            rows.iter().map(|&row| &dataset.records[row]).collect()
        };
        let features = |rows: &[usize]| -> Vec<Features> {
            rows.iter().map(|&row| features[row].clone()).collect()
        };
        let fit_records = records(&fit);
        let prepared =
            Prepared::new(&fit_records, &features(&fit), &dataset.candidates, config, &|_| {});
        Self {
            log,
            fit: fit_records,
            test: records(&test),
            test_features: features(&test),
            roles: Roles { fit, certificate: Vec::new(), sealed: test },
            prepared,
        }
    }

    /// The requests judged on, and every row of the table; `done` is called with the number of fits done.
    fn rows(
        &self,
        config: &TrainConfig,
        done: &dyn Fn(usize),
    ) -> Result<(Arena, Vec<Row>), TrainError> {
        let blend = self.router(&config.learners, config)?;
        done(1);
        let arena = self.arena(&blend);
        // Costs are predicted alike, whatever is blended.
        let cost = |row: usize, c: usize| blend.cost[(row, c)];
        let points = |quality: &DMatrix<f64>| arena.points(|row, c| quality[(row, c)], cost);
        let row =
            |name: &str, points, decision_us| Row { name: name.to_owned(), points, decision_us };

        let zero = self.router(&[], config)?;
        let mut rows = baselines::floor(&arena, zero.decision_us);
        rows.push(row("zero, costs predicted", points(&zero.quality), Some(zero.decision_us)));
        for (i, learner) in config.learners.iter().enumerate() {
            let alone = self.router(&[*learner], config)?;
            rows.push(row(learner.as_str(), points(&alone.quality), Some(alone.decision_us)));
            done(2 + i);
        }
        rows.push(row("blend", points(&blend.quality), Some(blend.decision_us)));
        rows.push(row(
            "blend, shuffled labels",
            points(&null_quality((&blend.learned, &blend.parts), &self.test_features)?),
            Some(blend.decision_us),
        ));
        let quality = |differences: &DMatrix<f64>| {
            let mean = &blend.learned.mean_score;
            DMatrix::from_fn(self.test.len(), mean.len(), |row, c| mean[c] + differences[(row, c)])
        };
        for (name, differences) in baselines::learned(self) {
            rows.push(row(&name, points(&quality(&differences)), None));
        }
        rows.push(row("oracle", arena.marks(&arena.groups().once()).oracle_points, None));
        done(config.learners.len() + 2);
        Ok((arena, rows))
    }

    fn arena(&self, blend: &Fitted) -> Arena {
        let n = self.log.dataset.candidates.len();
        let score = matrix(&self.test, n, |cell| cell.score);
        let cost = matrix(&self.test, n, |cell| cell.cost_usd);
        let keys: Vec<u64> = self.test.iter().map(|record| record.group).collect();
        let truth = Truth {
            score: |row, c| score[(row, c)],
            cost_usd: |row, c| cost[(row, c)],
            groups: &Groups::by_key(&keys),
            fitted_score: &blend.learned.mean_score,
            fitted_cost: &blend.mean_cost,
        };
        Arena::new((0..n).collect(), &truth)
    }

    /// A router of these learners, on the requests judged on.
    fn router(&self, learners: &[LearnerName], config: &TrainConfig) -> Result<Fitted, TrainError> {
        let learned = self.prepared.learn(learners, &self.log.limit, &|_| {});
        let parts =
            assemble(&self.log.dataset, &self.roles, &learned, &self.log.featurizer, config);
        let predictions = predict(&Router::from_parts(&parts)?, &self.test_features, 0);
        Ok(Fitted {
            quality: tabulate(&predictions, |p| p.quality),
            cost: tabulate(&predictions, |p| p.cost_usd.unwrap_or(f64::NAN)),
            decision_us: decision_time::estimate_us(self.log.featurizer.schema(), &parts.shape()),
            mean_cost: column_means(&learned.lengths.cost),
            parts,
            learned,
        })
    }
}

/// What a router says of the requests judged on; matrices are `(test, candidates)`.
struct Fitted {
    quality: DMatrix<f64>,
    /// USD
    cost: DMatrix<f64>,
    decision_us: f64,
    /// `(candidates)` USD
    mean_cost: Vec<f64>,
    learned: Learned,
    parts: Parts,
}
