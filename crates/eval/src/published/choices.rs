//! Metrics of the default policy's choices.

use super::Unit::{Bits, Share, Usd};
use super::{Entry, Ground, PublishedFigures, PublishedMetric, UNDEFINED, entry};
use crate::estimate::{Column, Drawn, Estimates, Ratios};
use crate::metrics::{
    BarColumns, Decided, Matrix, Optimality, OptimalityReading, RatioColumn, choice_entropies,
    optimality, router_arena_score, selected_scores,
};

const FARTHING: &str = "Farthing; names as in vLLM Semantic Router";
const ARENA: &str = "RouterArena, arXiv 2510.00202";
const ARENA_PUBLISHED: &str =
    "RouterArena, arXiv 2510.00202, over all queries that some model gets right";
const ARENA_CODE: &str =
    "RouterArena, arXiv 2510.00202, code: over those that the router gets right";
const ROUTEREVAL: &str = "RouterEval, arXiv 2503.10657";

static BAR: [Entry; 6] = [
    entry("bar.attainment", "attainment: share that meets the bar", FARTHING, Share),
    entry(
        "bar.violation",
        "violation: share below the bar of what did not go to the reference",
        FARTHING,
        Share,
    ),
    entry(
        "bar.underpowered",
        "underpowered: below the bar though some candidate met it",
        FARTHING,
        Share,
    ),
    entry(
        "bar.overprovisioned",
        "overprovisioned: a cheaper candidate met the bar",
        FARTHING,
        Share,
    ),
    entry("bar.cost_regret", "cost regret against the oracle", FARTHING, Usd),
    entry("bar.quality_regret", "quality regret against the oracle", FARTHING, Share),
];

const SELECTION: &str = "Opt.Sel, share of optimal choices";
const COST: &str = "Opt.Cost, optimal cost over the router's";
const ACCURACY: &str = "Opt.Acc, accuracy over the optimal";

static OPTIMALITY: [Entry; 3] = [
    entry("routerarena.opt_sel_published", SELECTION, ARENA_PUBLISHED, Share),
    entry("routerarena.opt_cost_published", COST, ARENA_PUBLISHED, Share),
    entry("routerarena.opt_acc_published", ACCURACY, ARENA_PUBLISHED, Share),
];

static OPTIMALITY_CODE: [Entry; 3] = [
    entry("routerarena.opt_sel_code", SELECTION, ARENA_CODE, Share),
    entry("routerarena.opt_cost_code", COST, ARENA_CODE, Share),
    entry("routerarena.opt_acc_code", ACCURACY, ARENA_CODE, Share),
];

static SELECTED: [Entry; 3] = [
    entry("routereval.mu", "mean score of what was selected", ROUTEREVAL, Share),
    entry("routereval.v_b", "V_B, mean score over the best single model's", ROUTEREVAL, Share),
    entry("routereval.e_p", "E_p, entropy of the softmax of predicted qualities", ROUTEREVAL, Bits),
];

const SCORE: Entry = entry("routerarena.score", "score S of the default policy", ARENA, Share);
pub(super) const ROBUSTNESS: Entry = entry(
    "routerarena.robustness",
    "robustness, on this log's prompts changed in harmless ways",
    ARENA,
    Share,
);

const TWIN: &str = "TwinRouterBench, arXiv 2605.18859";
const STEPS: &str =
    "it needs the gold tier of each step of an agent's run, which an outcome log does not have";

/// Published metrics that an outcome log cannot give, and why.
pub(super) static ELSEWHERE: [(Entry, &str); 7] = [
    (entry("twinrouterbench.case_pass", "case pass", TWIN, Share), STEPS),
    (entry("twinrouterbench.exact_match", "exact match", TWIN, Share), STEPS),
    (entry("twinrouterbench.trajectory_pass", "trajectory pass", TWIN, Share), STEPS),
    (entry("twinrouterbench.combined", "mean of these and the saving", TWIN, Share), STEPS),
    (
        entry("routereval.v_r", "V_R, mean score over a reference accuracy", ROUTEREVAL, Share),
        "it needs a benchmark for which a reference accuracy is published",
    ),
    (
        entry("routereval.r_o", "r_o(p), oracle with probability p", ROUTEREVAL, Share),
        "it describes no router: see the baselines `oracle` and `random choice`, which it mixes",
    ),
    (
        entry(
            "avengers_pro.score",
            "score of a model in a cluster",
            "Avengers-Pro, arXiv 2508.12631, code",
            Share,
        ),
        "it ranks models inside a cluster: see the baseline `means of 32 clusters`",
    ),
];

/// Ratios of choices.
pub(super) struct Choices {
    columns: Vec<(&'static Entry, Column)>,
    score: Column,
    cost: Column,
}

impl Choices {
    pub(super) fn new(ground: &Ground<'_>, ratios: &mut Ratios<'_>) -> Self {
        let rows = ground.rows;
        let pick = |matrix: &Matrix| {
            let of_row = |row: &[f64]| ground.priced.iter().map(|&c| row[c]).collect::<Vec<_>>();
            Matrix::new(ground.priced.len(), matrix.iter().flat_map(of_row).collect())
        };
        let place = |candidate: usize| ground.priced.iter().position(|&c| c == candidate);
        let choices: Vec<Option<usize>> = rows.choices.iter().map(|c| place((*c)?)).collect();
        let (score, cost) = (pick(&rows.score), pick(&rows.cost));
        // What needs scores only is of all candidates, what compares costs of the priced ones.
        let judged = Decided { choices: &rows.choices, score: &rows.score, cost: &rows.cost };
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let of_all = BarColumns::new(&judged, ground.bar, ground.reference);
        let bar = BarColumns::new(&decided, ground.bar, ground.reference);
        let bar = [
            of_all.attainment,
            of_all.violation,
            bar.underpowered,
            bar.overprovisioned,
            bar.cost_regret,
            bar.quality_regret,
        ];
        let of = |reading| {
            let Optimality { selection, cost, accuracy } = optimality(&decided, reading);
            [selection, cost, accuracy]
        };
        let selected = [
            selected_scores(&judged),
            beside(&judged, ground.best_single),
            choice_entropies(&rows.predicted_quality),
        ];
        let all = (BAR.iter().zip(bar))
            .chain(OPTIMALITY.iter().zip(of(OptimalityReading::Published)))
            .chain(OPTIMALITY_CODE.iter().zip(of(OptimalityReading::Code)))
            .chain(SELECTED.iter().zip(selected));
        let columns = all.map(|(entry, column)| (entry, add(ratios, column))).collect();
        let both = |i: usize| {
            let chosen = choices[i]?;
            let (score, cost) = (score.at(i, chosen), cost.at(i, chosen));
            (!score.is_nan() && !cost.is_nan()).then_some((score, cost))
        };
        let known = || (0..rows.len()).filter_map(|i| Some((i, both(i)?)));
        Self {
            columns,
            score: ratios.mean(known().map(|(i, (score, _))| (i, score))),
            cost: ratios.mean(known().map(|(i, (_, cost))| (i, cost))),
        }
    }

    pub(super) fn report(
        &self,
        drawn: &Drawn<(&PublishedFigures, &[f64])>,
        estimates: &Estimates,
    ) -> Vec<PublishedMetric> {
        const NONE: &str = "no request has what it needs: the outcome of the chosen candidate, or of every priced one";
        let metric = |(entry, column): &(&Entry, Column)| {
            let why = if estimates.known(*column) == 0 { NONE } else { UNDEFINED };
            entry.metric(estimates.known(*column), estimates.of(*column), why)
        };
        let mut all: Vec<PublishedMetric> = self.columns.iter().map(metric).collect();
        let score = drawn.estimate(|(_, ratios)| {
            router_arena_score(self.score.of(ratios), 1000.0 * self.cost.of(ratios))
        });
        all.push(SCORE.metric(estimates.known(self.score), score, NONE));
        all
    }
}

/// The chosen score over that of one candidate, where both are known.
fn beside(decided: &Decided<'_>, candidate: Option<usize>) -> RatioColumn {
    let score = |i: usize, c: usize| Some(decided.score.at(i, c)).filter(|score| !score.is_nan());
    let each =
        |(i, chosen): (usize, &Option<usize>)| score(i, (*chosen)?).zip(score(i, candidate?));
    decided.choices.iter().enumerate().map(each).collect()
}

fn add(ratios: &mut Ratios<'_>, column: RatioColumn) -> Column {
    ratios.ratio(column.into_iter().enumerate().filter_map(|(i, part)| Some((i, part?))))
}
