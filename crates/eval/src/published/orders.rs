//! Metrics of an order of requests by confidence, and of means over data sets.

use super::Unit::Share;
use super::{Entry, Ground, entry};
use crate::metrics::{DatasetMeans, Gains, SelectiveOrder};

const LLMROUTERBENCH: &str = "LLMRouterBench, arXiv 2601.07206";
const SELECTIVE: &str = "selective classification, loss: the choice misses the bar";

/// In the order of [`Orders::figures`].
pub(super) static ORDERS: [Entry; 6] = [
    entry(
        "llmrouterbench.avg_acc",
        "AvgAcc of the default policy, over data sets",
        LLMROUTERBENCH,
        Share,
    ),
    entry("llmrouterbench.gain_r", "Gain@R over a random choice", LLMROUTERBENCH, Share),
    entry("llmrouterbench.gain_b", "Gain@B over the best single model", LLMROUTERBENCH, Share),
    entry("llmrouterbench.gap_o", "Gap@O to the oracle", LLMROUTERBENCH, Share),
    entry("selective.aurc", "AURC", SELECTIVE, Share),
    entry("selective.risk_at_90", "risk of the surest 90 %", SELECTIVE, Share),
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

    /// Requests that each of [`ORDERS`] rests on.
    pub(super) fn requests(&self) -> [u64; ORDERS.len()] {
        let (complete, judged) = (self.complete as u64, self.judged as u64);
        [complete, complete, complete, complete, judged, judged]
    }

    /// In the order of [`ORDERS`].
    pub(super) fn figures(&self, counts: &[u32]) -> Vec<f64> {
        let [router, random, best_single, oracle] = self.datasets.figures(counts);
        let gains = Gains::new(router, random, best_single, oracle);
        let surest = self.surest.figures(counts);
        vec![
            router,
            gains.at_random,
            gains.at_best_single,
            gains.gap_at_oracle,
            surest.aurc,
            surest.risk_at_90,
        ]
    }
}
