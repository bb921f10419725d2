//! Fitting: representation, difficulty, context, then the blend of learners, all cross-fitted.

use farthing_data::{Record, split};
use farthing_model::features::Features;
use farthing_model::network::{ClusterTable, ContextTable, Weights};
use farthing_model::{ClusterShape, DroppedLearner, LearnerCard};
use half::f16;
use nalgebra::{DMatrix, DVector};

use crate::blend::{self, FittedPart, Work};
use crate::checkpoint::Checkpoint;
use crate::latent;
use crate::learners::{Heads, LearnerName, stages};
use crate::length::{self, Lengths};
use crate::objective::{FOLDS, Objective, Truth};
use crate::problem::{Problem, Tasks, column_means, matrix};
use crate::progress::{Observer, Steps};
use crate::representation::{Csr, Representation, left_singular_vectors};
use crate::ridge::Ridge;
use crate::time_limit::TimeLimit;
use crate::{Stage, TrainConfig};

/// What was learned on the fit split.
#[derive(Debug)]
pub(crate) struct Learned {
    pub(crate) weights: Weights,
    /// Components of each mixture.
    pub(crate) mixtures: Vec<usize>,
    pub(crate) clusters: Option<ClusterShape>,
    pub(crate) lengths: Lengths,
    pub(crate) learners: Vec<LearnerCard>,
    /// What had to go for a decision to be fast enough.
    pub(crate) left_out: Vec<DroppedLearner>,
    /// `(candidates)` mean score.
    pub(crate) mean_score: Vec<f64>,
    /// `(n, candidates)` score, NaN where unknown.
    pub(crate) score: DMatrix<f64>,
    /// `(n, candidates)` cross-fitted expected score: no request's own outcomes are in it.
    pub(crate) cross_fitted: DMatrix<f64>,
    /// What a router fitted on shuffled labels would store.
    pub(crate) null: Weights,
}

/// Everything that does not depend on which learners are blended.
#[derive(Debug)]
pub(crate) struct Prepared {
    representation: Representation,
    /// `(width, latent)`
    projection: DMatrix<f64>,
    problem: Problem,
    objective: Objective,
    /// `(width)`
    difficulty: DVector<f64>,
    lengths: Lengths,
    mean_score: Vec<f64>,
    score: DMatrix<f64>,
    seed: u64,
    checkpoint: Checkpoint,
}

impl Prepared {
    /// From the records of the fit split; `features` are theirs, in the same order.
    pub(crate) fn new(
        records: &[&Record],
        features: &[Features],
        candidates: &[String],
        config: &TrainConfig,
        observer: &Observer<'_>,
    ) -> Self {
        let steps = Steps::enter(observer, Stage::Represent, 1);
        let checkpoint = Checkpoint::new(records, candidates, config);
        let directions = |words: &Csr, rank: usize| {
            checkpoint
                .step(("words", 1), &steps, || left_singular_vectors(words, rank, config.seed))
        };
        let representation = Representation::learn_from(features, &config.encoder, &directions);
        let vectors = representation.embed(features);
        let projection = latent::projection(&vectors);
        // Not the folds of a comparison around this fit, which leave one of theirs empty here.
        let seed = config.seed.wrapping_add(1);
        let folds: Vec<usize> =
            records.iter().map(|record| split::fold(record.group, seed, FOLDS)).collect();

        Steps::enter(observer, Stage::Difficulty, 1);
        let score = matrix(records, candidates.len(), |cell| cell.score);
        let mean_score = column_means(&score);
        let mut residual = score.clone();
        for (mut column, mean) in residual.column_iter_mut().zip(&mean_score) {
            column.add_scalar_mut(-mean);
        }
        let difficulty = Difficulty::learn(&vectors, &residual, &folds);
        let lengths = length::learn(records, candidates, &vectors, &folds, config);
        let problem = Problem {
            directions: latent::directions(&vectors, &projection),
            vectors,
            words: representation.words(features),
            residual,
            difficulty: difficulty.cross_fitted,
            tasks: Tasks::of(records),
            context: context(features),
            folds,
            seed: config.seed,
        };
        let objective = objective(&problem, &score, &mean_score, &lengths.cost);
        let (difficulty, seed) = (difficulty.coefficients, config.seed);
        Self {
            representation,
            projection,
            problem,
            objective,
            difficulty,
            lengths,
            mean_score,
            score,
            seed,
            checkpoint,
        }
    }

    /// What learners are fitted on.
    pub(crate) fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What blends of them are judged by.
    pub(crate) fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Requests that nothing was fitted on, for fitted learners to predict; no outcome of them is known.
    pub(crate) fn unseen(&self, features: &[Features]) -> Problem {
        let vectors = self.representation.embed(features);
        Problem {
            directions: latent::directions(&vectors, &self.projection),
            words: self.representation.words(features),
            residual: DMatrix::from_element(features.len(), self.score.ncols(), f64::NAN),
            difficulty: &vectors * &self.difficulty,
            vectors,
            tasks: Tasks::default(),
            context: context(features),
            folds: vec![0; features.len()],
            seed: self.seed,
        }
    }

    /// Chooses a blend of the learners and fits it on every row.
    pub(crate) fn learn(
        &self,
        names: &[LearnerName],
        limit: &TimeLimit,
        observer: &Observer<'_>,
    ) -> Learned {
        let mut problem = self.problem.clone();
        let mut differences = DMatrix::zeros(self.score.nrows(), self.score.ncols());
        let (mut fitted, mut null, mut learners) = (Vec::new(), Vec::new(), Vec::new());
        let mut left_out = Vec::new();
        // Stage by stage: what one leaves unexplained, the next one learns.
        let stages = stages(names, problem.context.len());
        let parts = |stage: &Vec<_>| stage.len() * (FOLDS + 1);
        let steps = Steps::enter(observer, Stage::Learners, stages.iter().map(parts).sum());
        for (i, stage) in stages.into_iter().enumerate() {
            let last_parts = stage.len();
            let work = Work { checkpoint: &self.checkpoint, steps: &steps, stage: i };
            let blend = blend::choose(&problem, &self.objective, &differences, stage, &work);
            let (blend, dropped) = limit.hold(blend, &problem, &self.objective, &differences);
            left_out.extend(dropped);
            let shuffled = problem.shuffled(self.seed);
            for part in &blend.parts {
                fitted.extend(part.fit(&problem));
                null.extend(part.fit(&shuffled));
                learners.push(part.card());
            }
            // Cross-fitted, so that the next stage sees what is left where nothing was fitted.
            problem.residual -= &blend.cross_fitted;
            differences += blend.cross_fitted;
            steps.advance(last_parts);
        }
        let expected =
            |row, c| self.mean_score[c] + problem.difficulty[row] + differences[(row, c)];
        let heads = self.heads(&fitted);
        Learned {
            mixtures: heads.mixtures.iter().map(|mixture| mixture.means.nrows()).collect(),
            clusters: heads.clusters.as_ref().map(|clusters| ClusterShape {
                latent: clusters.centres.nrows(),
                count: clusters.centres.ncols(),
                smallest: Some(clusters.smallest as u64),
            }),
            weights: self.store(&heads),
            lengths: self.lengths.clone(),
            learners,
            left_out,
            mean_score: self.mean_score.clone(),
            score: self.score.clone(),
            cross_fitted: DMatrix::from_fn(self.score.nrows(), self.score.ncols(), expected),
            null: self.store(&self.heads(&null)),
        }
    }

    /// The heads that the fitted parts add up to.
    fn heads(&self, fitted: &[FittedPart]) -> Heads {
        let (width, candidates) = (self.problem.vectors.ncols(), self.score.ncols());
        let mut heads = Heads {
            quality: DMatrix::from_fn(width, candidates, |row, _| self.difficulty[row]),
            mixtures: Vec::new(),
            clusters: None,
            context: vec![ContextTable::default(); self.problem.context.len()],
        };
        for part in fitted {
            part.fitted.add_to(&mut heads, part.weight);
        }
        heads
    }

    /// Expresses the heads in terms of features.
    fn store(&self, heads: &Heads) -> Weights {
        let (width, candidates) = heads.quality.shape();
        // [quality | length | logits of each mixture | latent], as the network reads them.
        let mut columns = vec![heads.quality.clone(), self.lengths.coefficients.clone()];
        let mut bias = [self.mean_score.as_slice(), &vec![1.0; candidates]].concat();
        let mut means = Vec::new();
        for mixture in &heads.mixtures {
            columns.push(mixture.logits.rows(0, width).into_owned());
            bias.extend(mixture.logits.row(width).iter());
            means.extend(row_major(&mixture.means));
        }
        let clusters = heads.clusters.as_ref().map(|clusters| {
            columns.push(self.projection.clone());
            bias.extend(vec![0.0; self.projection.ncols()]);
            ClusterTable {
                centres: row_major(&clusters.centres),
                bias: row_major(&DMatrix::from_columns(std::slice::from_ref(&clusters.bias))),
                means: row_major(&clusters.means),
            }
        });
        let columns: Vec<_> = columns.iter().flat_map(DMatrix::column_iter).collect();
        let (head, bias) = (DMatrix::from_columns(&columns), DVector::from_vec(bias));
        let mut folded = self.representation.fold(&head, &bias);
        let mut first = 2 * candidates;
        for mixture in &heads.mixtures {
            if let Some(words) = &mixture.words {
                let mut logits = folded.rows.columns_mut(first, mixture.means.nrows());
                logits += words.by_bucket();
            }
            first += mixture.means.nrows();
        }
        Weights {
            buckets: folded.buckets,
            rows: row_major(&folded.rows),
            tokens: folded.tokens,
            token_rows: folded.token_rows.iter().map(|&value| f16::from_f64(value)).collect(),
            embedding_rows: row_major(&folded.embedding_rows),
            surface: row_major(&folded.surface),
            bias: row_major(&DMatrix::from_columns(&[folded.bias])),
            means,
            clusters,
            context: heads.context.clone(),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "weights are stored as f32")]
fn row_major(matrix: &DMatrix<f64>) -> Vec<f32> {
    matrix.transpose().iter().map(|&value| value as f32).collect()
}

/// `(context columns, n)` hashed values.
fn context(features: &[Features]) -> Vec<Vec<Option<u64>>> {
    (0..features.first().map_or(0, |f| f.context.len()))
        .map(|column| features.iter().map(|f| f.context[column]).collect())
        .collect()
}

/// Where no cost is known at all, a candidate is taken to cost what it scores on average: each is then
/// worth its price, and what counts is whether requests tell candidates apart.
fn objective(
    problem: &Problem,
    score: &DMatrix<f64>,
    mean_score: &[f64],
    cost: &DMatrix<f64>,
) -> Objective {
    let mut residual = problem.residual.clone();
    for mut column in residual.column_iter_mut() {
        column -= &problem.difficulty;
    }
    let stand_in = || DMatrix::from_fn(score.nrows(), score.ncols(), |_, c| mean_score[c]);
    let cost = if cost.iter().all(|cost| cost.is_nan()) { &stand_in() } else { cost };
    let mean_cost = column_means(cost);
    let (mean_cost, folds) = (&mean_cost, &problem.folds);
    Objective::new(Truth { score, cost, mean_score, mean_cost, residual, folds })
}

/// How hard a request is for all candidates alike. It cancels in every comparison of candidates, but
/// the bar is absolute.
struct Difficulty {
    /// `(width)`
    coefficients: DVector<f64>,
    /// `(n)`
    cross_fitted: DVector<f64>,
}

impl Difficulty {
    const PENALTIES: [f64; 6] = [100.0, 30.0, 10.0, 3.0, 1.0, 0.3];

    fn learn(vectors: &DMatrix<f64>, residual: &DMatrix<f64>, folds: &[usize]) -> Self {
        let n = residual.nrows();
        let target = DMatrix::from_fn(n, 1, |row, _| {
            let known: Vec<f64> =
                residual.row(row).iter().copied().filter(|v| !v.is_nan()).collect();
            known.iter().sum::<f64>() / known.len().max(1) as f64
        });
        let predictions = cross_fit_ridge(vectors, &target, folds, &Self::PENALTIES);
        let error = |p: &DMatrix<f64>| (p - &target).norm_squared();
        // No difficulty at all is a choice too.
        let (mut best, mut least) = (None, target.norm_squared());
        for (i, prediction) in predictions.iter().enumerate() {
            if error(prediction) < least {
                (best, least) = (Some(i), error(prediction));
            }
        }
        match best {
            None => Self {
                coefficients: DVector::zeros(vectors.ncols()),
                cross_fitted: DVector::zeros(n),
            },
            Some(i) => {
                let ridge = Ridge::new(vectors, &target);
                let coefficients = ridge.penalise(Self::PENALTIES[i]).solve(&target);
                Self {
                    coefficients: coefficients.column(0).into_owned(),
                    cross_fitted: predictions[i].column(0).into_owned(),
                }
            }
        }
    }
}

/// Cross-fitted ridge predictions, one `(n, k)` matrix a penalty.
pub(crate) fn cross_fit_ridge(
    vectors: &DMatrix<f64>,
    targets: &DMatrix<f64>,
    folds: &[usize],
    penalties: &[f64],
) -> Vec<DMatrix<f64>> {
    let mut predictions = vec![DMatrix::zeros(targets.nrows(), targets.ncols()); penalties.len()];
    for fold in 0..FOLDS {
        let (inside, outside): (Vec<usize>, Vec<usize>) =
            (0..folds.len()).partition(|&row| folds[row] == fold);
        let targets = targets.select_rows(&outside);
        let ridge = Ridge::new(&vectors.select_rows(&outside), &targets);
        let held_out = vectors.select_rows(&inside);
        for (prediction, &penalty) in predictions.iter_mut().zip(penalties) {
            let predicted = &held_out * ridge.penalise(penalty).solve(&targets);
            for (i, &row) in inside.iter().enumerate() {
                prediction.set_row(row, &predicted.row(i));
            }
        }
    }
    predictions
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use farthing_data::{ReadOptions, Rejects, read_log};
    use farthing_model::encoder::TextEncoder;
    use farthing_model::network::{Frozen, Shape};
    use farthing_model::static_table::StaticTable;

    use super::*;
    use crate::blend::Part;
    use crate::config::Encoder;

    #[test]
    fn what_is_stored_predicts_what_was_fitted() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let options = ReadOptions { labels: vec!["task".to_owned()], ..ReadOptions::default() };
        let dir = tempfile::tempdir().unwrap();
        let mut rejects = Rejects::to_file(dir.path().join("rejects.ndjson"));
        let log = [root.join("data/sample.parquet")];
        let (dataset, _) = read_log(&log, &options, &mut rejects, &|_| ()).unwrap();
        let records: Vec<&Record> = dataset.records.iter().take(700).collect();
        let table = Arc::new(StaticTable::load(&root.join("models/base")).unwrap());
        let encoder = TextEncoder::load(&root.join("tests/fixtures/encoder")).unwrap();
        let encoder = Encoder::Sentence(Arc::new(encoder), table);
        let config = TrainConfig { encoder, ..TrainConfig::default() };
        let featurizer = config.encoder.featurizer(Vec::new());
        let features: Vec<Features> =
            records.iter().map(|r| featurizer.featurize(&r.request).unwrap()).collect();
        let prepared = Prepared::new(&records, &features, &dataset.candidates, &config, &|_| {});

        let problem = &prepared.problem;
        let text = stages(&LearnerName::ALL, 0).pop().unwrap();
        let part = |learner: Box<dyn crate::learners::Learner>| {
            let setting = *learner.settings(problem).last().unwrap();
            Part {
                learner,
                setting,
                scale: 0.5,
                weight: 2.0 / 3.0,
                cross_fitted: DMatrix::zeros(0, 0),
            }
        };
        let parts: Vec<Part> = text.into_iter().map(part).collect();
        let fitted: Vec<FittedPart> = parts.iter().flat_map(|part| part.fit(problem)).collect();
        assert_eq!(fitted.len(), 3, "every learner of text");
        let rows: Vec<usize> = (0..features.len()).collect();
        let mut expected = &problem.vectors
            * &prepared.difficulty
            * DMatrix::from_element(1, dataset.candidates.len(), 1.0);
        for part in &fitted {
            expected += part.fitted.predict(problem, &rows) * part.weight;
        }

        let heads = prepared.heads(&fitted);
        let shape = Shape {
            buckets: featurizer.schema().buckets(),
            candidates: dataset.candidates.len(),
            mixtures: heads.mixtures.iter().map(|mixture| mixture.means.nrows()).collect(),
            latent: prepared.projection.ncols(),
            clusters: heads.clusters.as_ref().map_or(0, |clusters| clusters.means.nrows()),
            context: 0,
            embedding: featurizer.schema().embedding_width(),
        };
        let mut widened = Shape { mixtures: Vec::new(), latent: 0, clusters: 0, ..shape.clone() };
        for part in &parts {
            part.learner.widen(problem, part.setting, &mut widened);
        }
        assert_eq!(widened, shape, "learners say what they take");
        let network = Frozen::new(&prepared.store(&heads), shape);
        for (row, features) in features.iter().enumerate() {
            let outputs = network.forward(features);
            for (c, quality) in outputs.quality.iter().enumerate() {
                let expected = prepared.mean_score[c] + expected[(row, c)];
                // Token rows are stored in sixteen bits.
                assert!(
                    (f64::from(*quality) - expected).abs() < 2e-3,
                    "{row} {c}: {quality} {expected}"
                );
            }
        }
    }
}
