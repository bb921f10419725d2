//! How a [`Frontier`] is computed: what every resample weighs, and the figures it gives.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{
    AiqFigures, CostTarget, DialPoint, DialSetting, Frontier, NullControl, OracleFigures,
    PolicyPoint, SingleModel,
};
use crate::baselines::{BaselineFigures, Contender, Fitting};
use crate::estimate::Drawn;
use crate::metrics::{
    Arena, Choices, GroupSums, Marks, Matrix, Point, Sweep, cost_at_quality, dial_lambdas, hull,
    oracle_choices,
};
use crate::rows::Rows;

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

/// What the router says of the arena's requests.
pub(crate) struct Predicted<'a> {
    pub(crate) rows: &'a Rows,
    pub(crate) bar: f64,
    /// Seed of the permutation that gives each request another one's predictions.
    pub(crate) seed: u64,
}

/// Everything that a resample weighs.
pub(crate) struct Plane {
    pub(crate) arena: Arena,
    names: Vec<String>,
    choices: Choices,
    router: Sweep,
    shuffled: Sweep,
    null: Option<Sweep>,
    /// Score, cost and attainment of the oracle at the bar.
    oracle: GroupSums,
    /// Score and cost of the default policy.
    policy: Option<GroupSums>,
    contenders: Vec<Contender>,
    fitting: Fitting,
}

/// The figures of one resample, or of the data themselves.
pub(crate) struct Figures {
    pub(crate) marks: Marks,
    hindsight_zero: f64,
    /// Of the router's dial.
    pub(crate) points: Vec<Point>,
    router: f64,
    shuffled: f64,
    null: f64,
    /// Oracle at the bar: score, cost, attainment.
    oracle: Vec<f64>,
    /// Default policy: score, cost; not numbers without it.
    policy: [f64; 2],
    targets: [TargetFigures; TARGETS.len()],
    baselines: Vec<BaselineFigures>,
}

/// What one target costs.
#[derive(Clone, Copy)]
struct TargetFigures {
    cost: f64,
    ratio: f64,
    zero_cost: f64,
    saving: f64,
    null_saving: f64,
}

impl Plane {
    /// `names` are those of the arena's candidates.
    pub(crate) fn new(
        arena: Arena,
        names: Vec<String>,
        predicted: &Predicted<'_>,
        (contenders, fitting): (Vec<Contender>, Fitting),
    ) -> Self {
        let rows = predicted.rows;
        let cost = |row, c| rows.predicted_cost.at(row, c);
        let choices = arena.choices(|row, c| rows.predicted_quality.at(row, c), cost);
        let other = permuted(&arena, rows.len(), predicted.seed);
        let shuffled = arena.sweep(
            |row, c| rows.predicted_quality.at(other[row], c),
            |row, c| rows.predicted_cost.at(other[row], c),
        );
        let null = rows.null_quality.as_ref();
        let null = null.map(|quality| arena.sweep(|row, c| quality.at(row, c), cost));
        let oracle = GroupSums::new(&oracle_table(&arena, predicted.bar), arena.groups());
        let policy = policy_table(&arena, rows);
        let policy = policy.map(|table| GroupSums::new(&table, arena.groups()));
        let router = arena.outcomes(&choices);
        Self { arena, names, choices, router, shuffled, null, oracle, policy, contenders, fitting }
    }

    /// Requests that all priced candidates answered.
    pub(crate) fn requests(&self) -> u64 {
        self.arena.requests() as u64
    }

    /// Position in the router of the best single model.
    pub(crate) fn best_single(&self) -> usize {
        self.arena.candidates()[self.arena.best_single()]
    }

    pub(crate) fn figures(&self, counts: &[u32]) -> Figures {
        let marks = self.arena.marks(counts);
        let points = self.router.points(counts);
        let null = self.null.as_ref().map(|sweep| sweep.points(counts));
        let (router_hull, zero_hull) = (hull(&points), hull(&marks.zero_points));
        let best = marks.best_single;
        let targets = TARGETS.map(|target| {
            let quality = target.quality(best.quality);
            let cost_on = |hull| cost_at_quality(hull, quality).unwrap_or(f64::INFINITY);
            let cost = cost_on(&router_hull);
            let saving = |points: &Vec<Point>| marks.saving_pct(points, quality);
            TargetFigures {
                cost,
                ratio: cost / best.cost_usd,
                zero_cost: cost_on(&zero_hull),
                saving: saving(&points),
                null_saving: null.as_ref().map_or(f64::NAN, saving),
            }
        });
        let quality = TARGETS[1].quality(best.quality);
        let baselines =
            self.contenders.iter().map(|c| c.figures(counts, &marks, &router_hull, quality));
        Figures {
            hindsight_zero: marks.aiq(&marks.singles),
            router: marks.aiq(&points),
            shuffled: marks.aiq(&self.shuffled.points(counts)),
            null: null.as_ref().map_or(f64::NAN, |null| marks.aiq(null)),
            oracle: self.oracle.means(counts),
            policy: self.policy.as_ref().map_or([f64::NAN; 2], |policy| {
                let means = policy.means(counts);
                [means[0], means[1]]
            }),
            targets,
            baselines: baselines.collect(),
            points,
            marks,
        }
    }

    /// The frontier of what was drawn; `None` where a figure is not a number.
    pub(crate) fn report(&self, drawn: &Drawn<&Figures>) -> Option<Frontier> {
        let found = drawn.found;
        let singles: Option<Vec<SingleModel>> =
            (0..self.names.len()).map(|i| self.single(i, drawn)).collect();
        let (singles, earned) =
            (singles?, |of: fn(&Figures) -> f64| drawn.estimate(|f| f.earned_pct(of(f))));
        let control = |of: fn(&Figures) -> f64| {
            Some(NullControl { aiq: drawn.estimate(|f| of(f))?, earned_share_pct: earned(of) })
        };
        let contenders = self.contenders.iter().enumerate();
        Some(Frontier {
            requests: self.requests(),
            groups: self.groups(),
            best_single: singles[self.arena.best_single()].clone(),
            oracle: OracleFigures {
                quality: drawn.estimate(|f| f.oracle[0])?,
                cost_usd: drawn.estimate(|f| f.oracle[1])?,
                attainment_pct: drawn.estimate(|f| 100.0 * f.oracle[2])?,
            },
            hindsight_zero_hull: hindsight_hull(&singles),
            router_hull: dial_hull(&found.points),
            fitted_zero_hull: dial_hull(&found.marks.zero_points),
            aiq: AiqFigures {
                hindsight_zero: drawn.estimate(|f| f.hindsight_zero)?,
                fitted_zero: drawn.estimate(|f| f.marks.zero)?,
                router: drawn.estimate(|f| f.router)?,
                oracle_sweep: drawn.estimate(|f| f.marks.oracle)?,
            },
            earned_share_pct: earned(|f| f.router),
            shuffled_control: control(|f| f.shuffled)?,
            null_control: control(|f| f.null),
            policy: policy_point(drawn),
            cost_targets: (0..TARGETS.len()).map(|i| target(i, drawn)).collect(),
            dial: self.dial(drawn)?,
            baselines: contenders
                .map(|(i, contender)| contender.report(&drawn.map(|f| f.baselines[i])))
                .collect(),
            fitting: self.fitting.clone(),
            singles,
        })
    }

    fn groups(&self) -> u64 {
        let mut used = vec![false; self.arena.groups().len()];
        for &group in self.arena.groups().of_requests() {
            used[group] = true;
        }
        used.into_iter().filter(|used| *used).count() as u64
    }

    fn single(&self, i: usize, drawn: &Drawn<&Figures>) -> Option<SingleModel> {
        Some(SingleModel {
            model: self.names[i].clone(),
            quality: drawn.estimate(|f| f.marks.singles[i].quality)?,
            cost_usd: drawn.estimate(|f| f.marks.singles[i].cost_usd)?,
        })
    }

    fn dial(&self, drawn: &Drawn<&Figures>) -> Option<Vec<DialSetting>> {
        let shares = self.choices.shares(self.names.len());
        let setting = |(i, lambda): (usize, f64)| {
            let best = |f: &&Figures| f.marks.best_single;
            Some(DialSetting {
                lambda,
                quality: drawn.estimate(|f| f.points[i].quality)?,
                cost_usd: drawn.estimate(|f| f.points[i].cost_usd)?,
                saving_pct: drawn
                    .estimate(|f| 100.0 * (1.0 - f.points[i].cost_usd / best(f).cost_usd)),
                quality_difference: drawn.estimate(|f| f.points[i].quality - best(f).quality)?,
                mix_pct: shares.row(i).iter().map(|share| 100.0 * share).collect(),
            })
        };
        dial_lambdas().into_iter().enumerate().map(setting).collect()
    }
}

fn policy_point(drawn: &Drawn<&Figures>) -> Option<PolicyPoint> {
    Some(PolicyPoint {
        quality: drawn.estimate(|f| f.policy[0])?,
        cost_usd: drawn.estimate(|f| f.policy[1])?,
    })
}

/// What the quality of target `i` costs.
fn target(i: usize, drawn: &Drawn<&Figures>) -> CostTarget {
    let estimate = |of: fn(&TargetFigures) -> f64| drawn.estimate(|f| of(&f.targets[i]));
    CostTarget {
        target: TARGETS[i].name.to_owned(),
        quality: TARGETS[i].quality(drawn.found.marks.best_single.quality),
        cost_usd: estimate(|t| t.cost),
        ratio_to_best_single: estimate(|t| t.ratio),
        fitted_zero_cost_usd: estimate(|t| t.zero_cost),
        saving_pct: estimate(|t| t.saving),
        null_saving_pct: estimate(|t| t.null_saving),
        earned_saving_pct: estimate(|t| t.saving - t.null_saving),
    }
}

/// For each of `len` positions in the log another one of the arena's, drawn by the seed.
fn permuted(arena: &Arena, len: usize, seed: u64) -> Vec<usize> {
    let mut order = arena.rows().to_vec();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let mut other: Vec<usize> = (0..len).collect();
    for (&row, drawn) in arena.rows().iter().zip(order) {
        other[row] = drawn;
    }
    other
}

/// Score and cost of the default policy, one row a request; `None` where it chose nobody or somebody
/// else.
fn policy_table(arena: &Arena, rows: &Rows) -> Option<Matrix> {
    let place = |chosen: usize| arena.candidates().iter().position(|&c| c == chosen);
    let of = |(i, &row): (usize, &usize)| {
        let c = place(rows.choices[row]?)?;
        Some([arena.score().at(i, c), arena.cost_usd().at(i, c)])
    };
    let table: Option<Vec<[f64; 2]>> = arena.rows().iter().enumerate().map(of).collect();
    table.map(|table| Matrix::new(2, table.concat()))
}

/// Score, cost and attainment of the oracle at the bar, one row a request.
fn oracle_table(arena: &Arena, bar: f64) -> Matrix {
    let (score, cost) = (arena.score(), arena.cost_usd());
    let chosen = oracle_choices(score, cost, bar).into_iter().enumerate();
    let values = chosen.flat_map(|(i, c)| {
        let score = score.at(i, c);
        [score, cost.at(i, c), f64::from(u8::from(score >= bar))]
    });
    Matrix::new(3, values.collect())
}

impl Figures {
    fn earned_pct(&self, aiq: f64) -> f64 {
        self.marks.share_pct(aiq).unwrap_or(f64::NAN)
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
