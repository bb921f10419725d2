//! What one bootstrap resample of each metric costs beside a plain sum over the same cells.
//!
//! A report weighs everything 2,000 times, so this is what its intervals cost. Ratios travel between
//! machines, seconds do not: they are printed after criterion's own table.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::Criterion;
use farthing_eval::metrics::{
    Bootstrap, Choices, DatasetMeans, Groups, Matrix, PairDial, PairOrder, Point, SelectiveOrder,
    Sweep, XBenchOrder, aiq, cascade_auc, deferral, pareto_dist,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const REQUESTS: usize = 50_000;
const CANDIDATES: usize = 20;
/// As in every report.
const RESAMPLES: u32 = 2_000;

fn main() {
    let log = Log::new();
    let mut criterion = Criterion::default().configure_from_args();
    let mut time = |name: &str, run: &dyn Fn()| time(&mut criterion, name, run);
    let plain = time("plain sum", &|| {
        black_box([&log.score, &log.cost].map(|m| m.iter().flatten().sum::<f64>()));
    });
    let counts = &log.counts;
    let sweep = log.sweep();
    let points = sweep.points(counts);
    let singles = log.singles();
    let (pair, groups) = (log.pair(), &log.groups);
    let dial = PairDial::new(&log.margin, &pair, groups);
    let order = PairOrder::new(&log.margin, &pair, groups);
    let bench = XBenchOrder::new(&log.margin, &pair, groups);
    let selective = SelectiveOrder::new(&log.margin, &log.loss, groups);
    let datasets: Vec<usize> = (0..REQUESTS).map(|i| i % 14).collect();
    let datasets = DatasetMeans::new(&log.pair_rows(), &datasets, groups);
    let once = Bootstrap { seed: 1, resamples: 1 };
    let resamples = [
        ("draw", time("draw", &|| drop(once.resample(groups, |counts| counts[0])))),
        ("sweep", time("sweep", &|| drop(black_box(sweep.points(counts))))),
        ("curve metrics", time("curve metrics", &|| curve_metrics(&points, &singles))),
        ("RouteLLM, code", time("RouteLLM, code", &|| _ = black_box(dial.figures(counts)))),
        ("RouteLLM, paper", time("RouteLLM, paper", &|| _ = black_box(order.figures(counts)))),
        ("RouterXBench", time("RouterXBench", &|| _ = black_box(bench.figures(counts)))),
        ("AURC", time("AURC", &|| _ = black_box(selective.figures(counts)))),
        ("AvgAcc", time("AvgAcc", &|| _ = black_box(datasets.figures(counts)))),
    ];
    criterion.final_summary();
    for (name, took) in resamples {
        let ratio = took.as_secs_f64() / plain.as_secs_f64();
        println!("{name}: {ratio:.2} times a plain sum over {REQUESTS} x {CANDIDATES} cells");
    }
    let all: Duration = resamples.iter().map(|(_, took)| *took).sum();
    println!("{RESAMPLES} resamples of all, on one core: {:.1} s", (all * RESAMPLES).as_secs_f64());
}

/// A made-up full log and predictions that are somewhat right about it.
struct Log {
    groups: Groups,
    /// Of one resample.
    counts: Vec<u32>,
    quality: Matrix,
    score: Matrix,
    cost: Matrix,
    /// How much better the last candidate is predicted to be than the first.
    margin: Vec<f64>,
    /// Of the first candidate.
    loss: Vec<f64>,
}

impl Log {
    fn new() -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(0);
        let mut quality = Vec::with_capacity(REQUESTS * CANDIDATES);
        let mut score = Vec::with_capacity(REQUESTS * CANDIDATES);
        let mut cost = Vec::with_capacity(REQUESTS * CANDIDATES);
        for _ in 0..REQUESTS {
            let difficulty: f64 = generator.random();
            for candidate in 0..CANDIDATES {
                let strength = candidate as f64 / CANDIDATES as f64;
                let p = (strength + 1.0 - difficulty + 0.2 * generator.random::<f64>()) / 2.2;
                quality.push(p);
                score.push(f64::from(u8::from(generator.random::<f64>() < p)));
                cost.push(1e-4 * 1.4_f64.powf(candidate as f64) * generator.random_range(0.5..2.0));
            }
        }
        let [quality, score, cost] =
            [quality, score, cost].map(|values| Matrix::new(CANDIDATES, values));
        let groups = Groups::each_alone(REQUESTS);
        let drawn = Bootstrap { seed: 0, resamples: 1 }.resample(&groups, <[u32]>::to_vec);
        Self {
            counts: drawn.concat(),
            groups,
            margin: quality.iter().map(|row| row[CANDIDATES - 1] - row[0]).collect(),
            loss: score.iter().map(|row| 1.0 - row[0]).collect(),
            quality,
            score,
            cost,
        }
    }

    fn sweep(&self) -> Sweep {
        let mean_cost = Matrix::repeat(REQUESTS, &self.cost.column_means());
        let choices = Choices::of_dial(&self.quality, &mean_cost);
        Sweep::new(&choices, &self.score, &self.cost, &self.groups)
    }

    fn singles(&self) -> Vec<Point> {
        let means = self.cost.column_means().into_iter().zip(self.score.column_means());
        means.map(|(cost_usd, quality)| Point { cost_usd, quality }).collect()
    }

    /// Scores of the first and the last candidate.
    fn pair(&self) -> Matrix {
        Matrix::new(2, self.pair_rows().concat())
    }

    fn pair_rows(&self) -> Vec<[f64; 2]> {
        self.score.iter().map(|row| [row[0], row[CANDIDATES - 1]]).collect()
    }
}

fn curve_metrics(points: &[Point], singles: &[Point]) {
    black_box(aiq(points, singles[0].cost_usd, singles[CANDIDATES - 1].cost_usd));
    black_box(deferral(points, singles));
    black_box(cascade_auc(points, singles));
    black_box(pareto_dist(points, singles));
}

/// The shortest of the runs that criterion makes.
fn time(criterion: &mut Criterion, name: &str, run: &dyn Fn()) -> Duration {
    let shortest = Cell::new(Duration::MAX);
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|iterations| {
            let once = |_| {
                let start = Instant::now();
                run();
                let took = start.elapsed();
                shortest.set(shortest.get().min(took));
                took
            };
            (0..iterations).map(once).sum()
        });
    });
    shortest.get()
}
