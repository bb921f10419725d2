//! Metrics of the router's dial, on the requests that every priced candidate answered.

use super::Unit::{Percent, Share, Usd};
use super::{Entry, entry};
use crate::frontier::Figures;
use crate::metrics::{
    Point, aiq_code, cascade_auc, cascade_max_diff, cost_save, deferral, hull, pareto_dist,
    peak_gap, perf_gain, quality_cost_score,
};

/// What a right answer is worth to whom the quality-cost score speaks, in USD.
const WILLINGNESS_USD: f64 = 0.01;

const ROUTERBENCH: &str = "RouterBench, arXiv 2403.12031, paper";
const UNIROUTE: &str = "UniRoute, arXiv 2502.08773";
const LLMROUTERBENCH: &str = "LLMRouterBench, arXiv 2601.07206";
const CASCADE: &str = "ETH cascade routing, arXiv 2410.10347, code";

/// In the order of [`figures`].
pub(super) const ENTRIES: [Entry; 13] = [
    entry(
        "routerbench.aiq_paper",
        "AIQ between the cheapest and the dearest single model",
        ROUTERBENCH,
        Share,
    ),
    entry(
        "routerbench.aiq_code",
        "AIQ from the router's least cost, over the greatest cost",
        "RouterBench, arXiv 2403.12031, code, compared with the single models",
        Share,
    ),
    entry(
        "routerbench.quality_cost_score",
        "greatest w x quality - cost at w = 0.01 USD",
        ROUTERBENCH,
        Usd,
    ),
    entry("uniroute.area", "deferral area", UNIROUTE, Share),
    entry(
        "uniroute.area_to_half",
        "deferral area up to half of the greatest cost",
        UNIROUTE,
        Share,
    ),
    entry("uniroute.qnc", "quality-neutral cost (QNC)", UNIROUTE, Percent),
    entry("uniroute.peak", "peak accuracy", UNIROUTE, Share),
    entry("llmrouterbench.perf_gain", "PerfGain over the best single model", LLMROUTERBENCH, Share),
    entry(
        "llmrouterbench.cost_save",
        "CostSave at the best single model's quality",
        LLMROUTERBENCH,
        Share,
    ),
    entry(
        "llmrouterbench.pareto_dist",
        "ParetoDist, the router's settings among the single models",
        "LLMRouterBench, arXiv 2601.07206, our normalisation: theirs is not known",
        Share,
    ),
    entry("cascade.auc", "AUC between the cheapest and the dearest single model", CASCADE, Share),
    entry("cascade.max_diff", "greatest advantage over the single models", CASCADE, Share),
    entry(
        "farthing.peak_gap",
        "greatest shortfall of the oracle sweep at one budget",
        "Farthing",
        Share,
    ),
];

pub(super) fn figures(of: &Figures) -> Vec<f64> {
    let (points, marks) = (&of.points, &of.marks);
    let singles = &marks.singles;
    let known = |figure: Option<f64>| figure.unwrap_or(f64::NAN);
    let worth = |point: &Point| quality_cost_score(*point, WILLINGNESS_USD);
    let deferral = deferral(points, singles);
    let of_deferral =
        |figure: fn(&crate::metrics::DeferralFigures) -> f64| known(deferral.as_ref().map(figure));
    vec![
        marks.aiq(points),
        aiq_code(&[points.clone(), singles.clone()])[0],
        points.iter().map(worth).fold(f64::NEG_INFINITY, f64::max),
        of_deferral(|d| d.area),
        of_deferral(|d| d.area_to_half),
        of_deferral(|d| d.qnc_pct),
        of_deferral(|d| d.peak_quality),
        known(perf_gain(points, marks.best_single)),
        // No setting is as good: then the best single model itself is the configuration.
        cost_save(points, marks.best_single).unwrap_or(0.0),
        known(pareto_dist(points, singles)),
        known(cascade_auc(points, singles)),
        known(cascade_max_diff(points, singles)),
        peak_gap(&hull(&marks.oracle_points), &hull(points)),
    ]
}
