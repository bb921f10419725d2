//! Metrics of an order of requests by confidence, and of means over data sets.

use super::Unit::Share;
use super::{Entry, Ground, LLMROUTERBENCH, entry};
use crate::metrics::{DatasetMeans, Gains, SelectiveFigures, SelectiveOrder};

const LOSS: &str = "selective classification, loss: the choice misses the bar";

/// What the metrics of one weighing are read from.
pub(super) struct OfOrder {
    avg_acc: f64,
    gains: Gains,
    surest: SelectiveFigures,
}

/// A metric and how it is read.
type OrderMetric = (Entry, fn(&OfOrder) -> f64);

/// Means over data sets, of complete requests.
static DATASETS: [OrderMetric; 4] = [
    (
        entry(
            "llmrouterbench.avg_acc",
            "AvgAcc of the default policy, over data sets",
            LLMROUTERBENCH,
            Share,
        ),
        |of| of.avg_acc,
    ),
    (entry("llmrouterbench.gain_r", "Gain@R over a random choice", LLMROUTERBENCH, Share), |of| {
        of.gains.at_random
    }),
    (
        entry("llmrouterbench.gain_b", "Gain@B over the best single model", LLMROUTERBENCH, Share),
        |of| of.gains.at_best_single,
    ),
    (entry("llmrouterbench.gap_o", "Gap@O to the oracle", LLMROUTERBENCH, Share), |of| {
        of.gains.gap_at_oracle
    }),
];

/// By confidence, of judged decisions.
static SELECTIVE: [OrderMetric; 2] = [
    (entry("selective.aurc", "AURC", LOSS, Share), |of| of.surest.aurc),
    (entry("selective.risk_at_90", "risk of the surest 90 %", LOSS, Share), |of| {
        of.surest.risk_at_90
    }),
];

/// Metrics of an order of requests, or of data sets.
pub(super) struct Orders {
    /// Router, random choice, best single model, the best answer.
    datasets: DatasetMeans<4>,
    surest: SelectiveOrder,
    complete: usize,
    judged: usize,
}

impl Orders {
    pub(super) fn new(ground: &Ground<'_>) -> Self {
        let rows = ground.rows;
        let systems = |&i: &usize| {
            let score: Vec<f64> = ground.priced.iter().map(|&c| rows.score.at(i, c)).collect();
            let mean = score.iter().sum::<f64>() / score.len() as f64;
            let of = |c: Option<usize>| c.and_then(|c| rows.score(i, c)).unwrap_or(f64::NAN);
            let oracle = score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            [of(rows.choices[i]), mean, of(ground.best_single), oracle]
        };
        let scores: Vec<[f64; 4]> = ground.complete.iter().map(systems).collect();
        let datasets: Vec<usize> = ground.complete.iter().map(|&i| ground.datasets[i]).collect();
        let groups = rows.groups.of(ground.complete);
        let of_chosen = |of: &dyn Fn(usize, usize) -> Option<f64>| {
            let each = rows.choices.iter().enumerate();
            each.map(|(i, chosen)| chosen.and_then(|c| of(i, c)).unwrap_or(f64::NAN)).collect()
        };
        let confidence: Vec<f64> = of_chosen(&|i, c| Some(rows.predicted_p.at(i, c)));
        let loss: Vec<f64> =
            of_chosen(&|i, c| rows.score(i, c).map(|s| f64::from(u8::from(s < ground.bar))));
        Self {
            datasets: DatasetMeans::new(&scores, &datasets, &groups),
            complete: ground.complete.len(),
            judged: loss.iter().filter(|loss| !loss.is_nan()).count(),
            surest: SelectiveOrder::new(&confidence, &loss, &rows.groups),
        }
    }

    /// Each metric with the requests that it rests on, in the order of [`Orders::figures`].
    pub(super) fn entries(&self) -> Vec<(&'static Entry, u64)> {
        let of_datasets = DATASETS.iter().map(|(entry, _)| (entry, self.complete as u64));
        let selective = SELECTIVE.iter().map(|(entry, _)| (entry, self.judged as u64));
        of_datasets.chain(selective).collect()
    }

    pub(super) fn figures(&self, counts: &[u32]) -> Vec<f64> {
        let [avg_acc, random, best_single, oracle] = self.datasets.figures(counts);
        let gains = Gains::new(avg_acc, random, best_single, oracle);
        let of = OfOrder { avg_acc, gains, surest: self.surest.figures(counts) };
        DATASETS.iter().chain(&SELECTIVE).map(|(_, figure)| figure(&of)).collect()
    }
}
