//! A candidate added from few outcomes beside a full retrain: quality at equal cost.

use farthing_data::{Dataset, Record, split};
use farthing_eval::metrics::{Matrix, Point, dial_sweep, height, hull};
use farthing_model::{IntervalCard, Parts, Router};
use farthing_train::{AddConfig, TrainConfig, add_model, train};

/// Cost levels at which qualities are compared.
const LEVELS: i32 = 60;

/// What the new candidate's few outcomes come with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// The outcomes of every other candidate on the same requests.
    Paired,
    /// Nothing.
    Alone,
}

/// Points of quality (scores times 100) by which routers fall short of the full retrain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shortfall {
    /// At the worst cost level.
    pub(crate) worst: f64,
    /// Over cost levels.
    pub(crate) mean: f64,
}

/// What came of adding one candidate.
#[derive(Debug)]
pub(crate) struct Gap {
    /// The router as `add_model` extends it.
    pub(crate) added: Shortfall,
    /// The same with the candidate's mean and the requests' difficulty only.
    pub(crate) mean_only: Shortfall,
    /// The same with the new column's predictions of each request given to another one.
    pub(crate) scrambled: Shortfall,
    /// The router without the candidate.
    pub(crate) without: Shortfall,
    /// What `add_model` says of its mean score, and what that is on the test requests.
    pub(crate) quality: (IntervalCard, f64),
    /// What `add_model` says of its difference to the reference, and what that is there.
    pub(crate) difference: (IntervalCard, f64),
    /// Penalties of its column.
    pub(crate) settings: String,
    /// What keeps it from taking part.
    pub(crate) explore_only: Option<String>,
}

/// A router trained with the candidate, one trained without it, and requests that neither saw.
pub(crate) struct Contest {
    model: String,
    position: usize,
    parent: Parts,
    fit: Dataset,
    test: Dataset,
    truth: Truth,
    /// Quality of the full retrain at each cost level.
    full: Vec<f64>,
}

impl Contest {
    /// A fifth of the requests, those that every candidate answered, are for testing.
    pub(crate) fn new(dataset: &Dataset, model: &str, seed: u64) -> Self {
        let is_test = |record: &Record| split::fold(record.group, seed.wrapping_add(77), 5) == 0;
        let fit = split::subset(dataset, |record| !is_test(record));
        let test = split::subset(dataset, |record| is_test(record) && complete(record, dataset));
        let config = TrainConfig { seed, force: true, ..TrainConfig::default() };
        let train = |dataset: Dataset| train(dataset, &config, &|_| {}).unwrap().parts;
        let position = dataset.candidates.iter().position(|name| name == model).unwrap();
        let parent = train(keep(&fit, |candidate| candidate != position));
        let truth = Truth::of(&test);
        let full = truth.heights(&Predicted::of(&train(fit.clone()), &test));
        Self { model: model.to_owned(), position, parent, fit, test, truth, full }
    }

    /// Adds the candidate with so many outcomes from the fitting requests.
    pub(crate) fn add(&self, outcomes: usize, log: Log) -> Gap {
        let position = self.position;
        // Records are in the order of a digest: the first ones are any.
        let mut few = self.fit.clone();
        few.records.retain(|record| record.cells.iter().any(|cell| cell.candidate == position));
        few.records.truncate(outcomes);
        if log == Log::Alone {
            few = keep(&few, |candidate| candidate == position);
        }
        let add = AddConfig { model: self.model.clone(), ..AddConfig::default() };
        let digest = farthing_core::Digest::of(b"parent");
        let added = add_model(&self.parent, digest, &few, &add).unwrap();
        let card = added.card().added.clone().unwrap();

        let wide = Predicted::of(&added.parts, &self.test);
        let short = |predicted: &Predicted| self.truth.shortfall(&self.full, predicted);
        let names = &self.fit.candidates;
        let reference = names.iter().position(|n| *n == self.parent.manifest.reference);
        let singles = self.truth.score.column_means();
        Gap {
            added: short(&wide),
            mean_only: short(&wide.with_mean_only(position, card.quality.value, &self.parent)),
            scrambled: short(&wide.scrambled(position)),
            without: short(&wide.without(position)),
            quality: (card.quality, singles[position]),
            difference: (card.difference, singles[position] - singles[reference.unwrap()]),
            settings: format!("{:?}", card.settings),
            explore_only: card.explore_only,
        }
    }
}

fn complete(record: &Record, dataset: &Dataset) -> bool {
    let known = |cell: &&farthing_data::Cell| cell.score.is_some() && cell.cost_usd.is_some();
    record.cells.iter().filter(known).count() == dataset.candidates.len()
}

/// The outcomes of some candidates, under the same positions.
fn keep(dataset: &Dataset, keep: impl Fn(usize) -> bool) -> Dataset {
    let mut kept = dataset.clone();
    for record in &mut kept.records {
        record.cells.retain(|cell| keep(cell.candidate));
    }
    kept
}

/// True outcomes of the test requests.
struct Truth {
    score: Matrix,
    cost: Matrix,
    levels: Vec<f64>,
}

impl Truth {
    fn of(test: &Dataset) -> Self {
        let table = |field: fn(&farthing_data::Cell) -> Option<f64>| {
            let cells = test.records.iter().flat_map(|record| &record.cells);
            Matrix::new(test.candidates.len(), cells.map(|cell| field(cell).unwrap()).collect())
        };
        let (score, cost) = (table(|cell| cell.score), table(|cell| cell.cost_usd));
        let singles = cost.column_means();
        let low = singles.iter().copied().fold(f64::INFINITY, f64::min);
        let high = singles.iter().copied().fold(0.0, f64::max);
        let level = |i: i32| low * (high / low).powf(f64::from(i) / f64::from(LEVELS - 1));
        Self { score, cost, levels: (0..LEVELS).map(level).collect() }
    }

    /// Quality at each cost level.
    fn heights(&self, predicted: &Predicted) -> Vec<f64> {
        let points: Vec<Point> =
            dial_sweep(&predicted.quality, &predicted.cost, &self.score, &self.cost);
        let hull = hull(&points);
        self.levels.iter().map(|&cost| height(&hull, cost)).collect()
    }

    fn shortfall(&self, base: &[f64], predicted: &Predicted) -> Shortfall {
        let heights = self.heights(predicted);
        let gaps: Vec<f64> = base.iter().zip(heights).map(|(a, b)| 100.0 * (a - b)).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        Shortfall { worst: gaps.iter().copied().fold(f64::NEG_INFINITY, f64::max), mean }
    }
}

/// Predictions for the test requests, in the order of the data set's candidates.
struct Predicted {
    quality: Matrix,
    cost: Matrix,
}

impl Predicted {
    fn of(parts: &Parts, test: &Dataset) -> Self {
        let router = Router::from_parts(parts).unwrap();
        assert_eq!(router.candidates(), test.candidates);
        let predict =
            |record: &Record| router.predict(&router.featurize(&record.request).unwrap(), 0);
        let predictions: Vec<_> = test.records.iter().flat_map(predict).collect();
        let n = test.candidates.len();
        Self {
            quality: Matrix::new(n, predictions.iter().map(|p| p.quality).collect()),
            cost: Matrix::new(n, predictions.iter().map(|p| p.cost_usd.unwrap()).collect()),
        }
    }

    fn with_column(&self, of: impl Fn(usize, usize) -> f64) -> Self {
        let columns = self.quality.columns();
        let rows = 0..self.quality.rows();
        let values = rows.flat_map(|row| (0..columns).map(move |c| (row, c)));
        let quality = Matrix::new(columns, values.map(|(row, c)| of(row, c)).collect());
        Self { quality, cost: self.cost.clone() }
    }

    /// The column of `at` as its mean and the average difference of the others from theirs.
    fn with_mean_only(&self, at: usize, mean: f64, parent: &Parts) -> Self {
        let means: Vec<f64> = parent.manifest.candidates.iter().map(|c| c.mean_score).collect();
        let average = means.iter().sum::<f64>() / means.len() as f64;
        self.with_column(|row, c| {
            let others = self.quality.row(row).iter().sum::<f64>() - self.quality.at(row, at);
            if c == at {
                mean - average + others / means.len() as f64
            } else {
                self.quality.at(row, c)
            }
        })
    }

    /// The column of `at` in another order.
    fn scrambled(&self, at: usize) -> Self {
        let rows = self.quality.rows();
        let other = |row: usize| (row + rows / 2) % rows;
        self.with_column(|row, c| self.quality.at(if c == at { other(row) } else { row }, c))
    }

    /// `at` is never chosen.
    fn without(&self, at: usize) -> Self {
        self.with_column(|row, c| if c == at { -1e9 } else { self.quality.at(row, c) })
    }
}
