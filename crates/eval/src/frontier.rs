//! The cost/quality plane, on requests that every priced candidate answered.
//!
//! Choices are made once, on the data; a resample weighs them. The single models' range of mean
//! costs is that of the resample, and so is the quality that a [`CostTarget`] asks for; which model
//! is the best single one is settled on the data.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::Estimate;
use crate::metrics::{
    Bootstrap, Choices, GroupSums, Groups, Matrix, Point, Sweep, aiq, best_column, cost_at_quality,
    dial_lambdas, earned_share_pct, hull, oracle_choices,
};

/// Fewer complete requests than this say nothing.
pub(crate) const LEAST_REQUESTS: usize = 200;

/// The cost/quality plane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frontier {
    /// Requests answered, with score and cost, by every priced candidate.
    pub requests: u64,
    /// Groups of near-duplicate prompts among them.
    pub groups: u64,
    /// The priced candidates on these requests, in the router's order.
    pub singles: Vec<SingleModel>,
    /// The one of highest quality, ties to the cheaper.
    pub best_single: SingleModel,
    /// The cheapest candidate that really met the bar, for each request.
    pub oracle: OracleFigures,
    /// The single models that a mix of two others does not beat, by rising cost.
    pub hindsight_zero_hull: Vec<SingleModel>,
    /// Settings of the router's dial that a mix of two others does not beat, by rising cost.
    pub router_hull: Vec<DialPoint>,
    /// Areas under the hulls.
    pub aiq: AiqFigures,
    /// What learning earned of what there was to earn: 0 is the fitted zero router, 100 the oracle
    /// sweep.
    pub earned_share_pct: Option<Estimate>,
    /// The same with each request given another request's predictions.
    pub shuffled_control: NullControl,
    /// What qualities cost.
    pub cost_targets: Vec<CostTarget>,
}

/// A single model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SingleModel {
    /// Its name.
    pub model: String,
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
}

/// The oracle at the bar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OracleFigures {
    /// Mean score.
    pub quality: Estimate,
    /// Mean cost of a request in USD.
    pub cost_usd: Estimate,
    /// Share of requests where some candidate met the bar, in percent.
    pub attainment_pct: Estimate,
}

/// One setting of the router's dial.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DialPoint {
    /// What one USD is worth in quality.
    pub lambda: f64,
    /// Mean cost of a request in USD.
    pub cost_usd: f64,
    /// Mean score.
    pub quality: f64,
}

/// AIQ: mean height of a hull between the mean costs of the cheapest and the dearest single model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AiqFigures {
    /// Mixing the single models, known in hindsight.
    pub hindsight_zero: Estimate,
    /// Mixing them by their training means: the floor.
    pub fitted_zero: Estimate,
    /// The router.
    pub router: Estimate,
    /// The dial sweep over true scores and mean costs: the ceiling.
    pub oracle_sweep: Estimate,
}

/// Predictions permuted across requests: a router that learned nothing about them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NullControl {
    /// Its AIQ.
    pub aiq: Estimate,
    /// Its earned share; about 0, or below where predictions vary in vain.
    pub earned_share_pct: Option<Estimate>,
}

/// What a quality costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostTarget {
    /// `best_single_95_pct`, `best_single_minus_0.005` or `best_single_100_pct`.
    pub target: String,
    /// The mean score asked for.
    pub quality: f64,
    /// What the router costs there; `null` where it never gets there.
    pub cost_usd: Option<Estimate>,
    /// As a ratio to the best single model's cost.
    pub ratio_to_best_single: Option<Estimate>,
    /// What the fitted zero router costs there.
    pub fitted_zero_cost_usd: Option<Estimate>,
}

/// What a target asks of the best single model's quality.
struct Target {
    name: &'static str,
    factor: f64,
    offset: f64,
}

const TARGETS: [Target; 3] = [
    Target { name: "best_single_95_pct", factor: 0.95, offset: 0.0 },
    Target { name: "best_single_minus_0.005", factor: 1.0, offset: -0.005 },
    Target { name: "best_single_100_pct", factor: 1.0, offset: 0.0 },
];

impl Target {
    fn quality(&self, best_single: f64) -> f64 {
        self.factor * best_single + self.offset
    }
}

/// What a frontier is made from; matrices are `(requests, priced candidates)`, nothing unknown.
pub(crate) struct Plane {
    pub(crate) names: Vec<String>,
    /// Mean training score of each candidate.
    pub(crate) fitted_quality: Vec<f64>,
    /// Mean training cost of each candidate, where known; else its mean predicted cost is taken.
    pub(crate) fitted_cost: Vec<Option<f64>>,
    pub(crate) predicted_quality: Matrix,
    pub(crate) predicted_cost: Matrix,
    pub(crate) score: Matrix,
    pub(crate) cost: Matrix,
    pub(crate) groups: Groups,
    pub(crate) bar: f64,
}

/// Everything that a resample weighs.
struct Weighed {
    /// Mean scores of the candidates, then mean costs, then the oracle's score, cost and attainment.
    means: GroupSums,
    candidates: usize,
    best: usize,
    router: Sweep,
    fitted_zero: Sweep,
    oracle: Sweep,
    shuffled: Sweep,
}

/// The figures of one resample, or of the data themselves.
struct Figures {
    means: Vec<f64>,
    hindsight_zero: f64,
    fitted_zero: f64,
    router: f64,
    oracle: f64,
    shuffled: f64,
    /// Router's cost, its ratio to the best single model's, fitted zero's cost; one a target.
    targets: [[f64; 3]; TARGETS.len()],
}

/// Fills the plane in.
pub(crate) fn frontier(plane: &Plane, bootstrap: Bootstrap) -> Option<Frontier> {
    let weighed = Weighed::new(plane, bootstrap.seed);
    let found = weighed.figures(&plane.groups.once());
    let draws = bootstrap.resample(&plane.groups, |counts| weighed.figures(counts));
    let estimate = |of: &dyn Fn(&Figures) -> f64| {
        let draws: Vec<f64> = draws.iter().map(of).collect();
        Estimate::new(of(&found), &draws)
    };
    let candidates = plane.names.len();
    let single = |i: usize| {
        Some(SingleModel {
            model: plane.names[i].clone(),
            quality: estimate(&|f| f.means[i])?,
            cost_usd: estimate(&|f| f.means[candidates + i])?,
        })
    };
    let target = |(i, target): (usize, &Target)| CostTarget {
        target: target.name.to_owned(),
        quality: target.quality(found.means[weighed.best]),
        cost_usd: estimate(&|f| f.targets[i][0]),
        ratio_to_best_single: estimate(&|f| f.targets[i][1]),
        fitted_zero_cost_usd: estimate(&|f| f.targets[i][2]),
    };
    let singles: Option<Vec<SingleModel>> = (0..candidates).map(single).collect();
    let singles = singles?;
    Some(Frontier {
        requests: plane.score.rows() as u64,
        groups: plane.groups.len() as u64,
        best_single: singles[weighed.best].clone(),
        oracle: OracleFigures {
            quality: estimate(&|f| f.means[2 * candidates])?,
            cost_usd: estimate(&|f| f.means[2 * candidates + 1])?,
            attainment_pct: estimate(&|f| 100.0 * f.means[2 * candidates + 2])?,
        },
        hindsight_zero_hull: hindsight_hull(&singles),
        router_hull: dial_hull(&weighed.router.points(&plane.groups.once())),
        aiq: AiqFigures {
            hindsight_zero: estimate(&|f| f.hindsight_zero)?,
            fitted_zero: estimate(&|f| f.fitted_zero)?,
            router: estimate(&|f| f.router)?,
            oracle_sweep: estimate(&|f| f.oracle)?,
        },
        earned_share_pct: estimate(&|f| f.earned_pct(f.router)),
        shuffled_control: NullControl {
            aiq: estimate(&|f| f.shuffled)?,
            earned_share_pct: estimate(&|f| f.earned_pct(f.shuffled)),
        },
        cost_targets: TARGETS.iter().enumerate().map(target).collect(),
        singles,
    })
}

impl Weighed {
    fn new(plane: &Plane, seed: u64) -> Self {
        let rows = plane.score.rows();
        let (mean_score, mean_cost) = (plane.score.column_means(), plane.cost.column_means());
        let sweep_of = |quality: &Matrix, cost: &Matrix| {
            let choices = Choices::of_dial(quality, cost);
            Sweep::new(&choices, &plane.score, &plane.cost, &plane.groups)
        };
        let predicted_means = plane.predicted_cost.column_means();
        let fitted_cost: Vec<f64> = plane
            .fitted_cost
            .iter()
            .zip(predicted_means)
            .map(|(fitted, predicted)| fitted.unwrap_or(predicted))
            .collect();
        let mut order: Vec<usize> = (0..rows).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        Self {
            means: GroupSums::new(&plane.means_table(), &plane.groups),
            candidates: plane.names.len(),
            best: best_column(&mean_score, &mean_cost),
            router: sweep_of(&plane.predicted_quality, &plane.predicted_cost),
            fitted_zero: sweep_of(
                &Matrix::repeat(rows, &plane.fitted_quality),
                &Matrix::repeat(rows, &fitted_cost),
            ),
            oracle: sweep_of(&plane.score, &Matrix::repeat(rows, &mean_cost)),
            shuffled: sweep_of(
                &plane.predicted_quality.reorder(&order),
                &plane.predicted_cost.reorder(&order),
            ),
        }
    }

    fn figures(&self, counts: &[u32]) -> Figures {
        let means = self.means.means(counts);
        let (quality, cost) = means.split_at(self.candidates);
        let cost = &cost[..self.candidates];
        let singles: Vec<Point> = quality
            .iter()
            .zip(cost)
            .map(|(&quality, &cost_usd)| Point { cost_usd, quality })
            .collect();
        let c_min = cost.iter().copied().fold(f64::INFINITY, f64::min);
        let c_max = cost.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let router = self.router.points(counts);
        let fitted_zero = self.fitted_zero.points(counts);
        let (router_hull, zero_hull) = (hull(&router), hull(&fitted_zero));
        let best = singles[self.best];
        let targets = TARGETS.map(|target| {
            let quality = target.quality(best.quality);
            let cost_on = |hull| cost_at_quality(hull, quality).unwrap_or(f64::INFINITY);
            let cost = cost_on(&router_hull);
            [cost, cost / best.cost_usd, cost_on(&zero_hull)]
        });
        let area = |points: &[Point]| aiq(points, c_min, c_max);
        Figures {
            hindsight_zero: area(&singles),
            fitted_zero: area(&fitted_zero),
            router: area(&router),
            oracle: area(&self.oracle.points(counts)),
            shuffled: area(&self.shuffled.points(counts)),
            targets,
            means,
        }
    }
}

impl Plane {
    /// One row a request, see [`Weighed::means`].
    fn means_table(&self) -> Matrix {
        let oracle = oracle_choices(&self.score, &self.cost, self.bar);
        let mut values = Vec::with_capacity(oracle.len() * (2 * self.names.len() + 3));
        for ((score, cost), chosen) in self.score.iter().zip(self.cost.iter()).zip(oracle) {
            let met = f64::from(u8::from(score[chosen] >= self.bar));
            values.extend(score.iter().chain(cost));
            values.extend([score[chosen], cost[chosen], met]);
        }
        Matrix::new(2 * self.names.len() + 3, values)
    }
}

impl Figures {
    fn earned_pct(&self, aiq: f64) -> f64 {
        earned_share_pct(aiq, self.fitted_zero, self.oracle).unwrap_or(f64::NAN)
    }
}

fn hindsight_hull(singles: &[SingleModel]) -> Vec<SingleModel> {
    let point = |single: &SingleModel| Point {
        cost_usd: single.cost_usd.value,
        quality: single.quality.value,
    };
    let corners = hull(&singles.iter().map(point).collect::<Vec<_>>());
    let at = |corner: &Point| singles.iter().find(|single| point(single) == *corner).cloned();
    corners.iter().filter_map(at).collect()
}

fn dial_hull(points: &[Point]) -> Vec<DialPoint> {
    let lambdas = dial_lambdas();
    let at = |corner: Point| {
        let setting = points.iter().position(|point| *point == corner)?;
        let Point { cost_usd, quality } = corner;
        Some(DialPoint { lambda: lambdas[setting], cost_usd, quality })
    };
    hull(points).into_iter().filter_map(at).collect()
}
