//! Metrics of the router's dial, on the requests that every priced candidate answered.

use super::Unit::{Percent, Share, Usd};
use super::{Entry, LLMROUTERBENCH, entry};
use crate::frontier::Figures;
use crate::metrics::{
    DeferralFigures, aiq_code, cascade_auc, cascade_max_diff, cost_save, deferral, hull,
    pareto_dist, peak_gap, perf_gain, quality_cost_score,
};

/// What a right answer is worth to whom the quality-cost score speaks, in USD.
const WILLINGNESS_USD: f64 = 0.01;

const UNIROUTE: &str = "UniRoute, arXiv 2502.08773";
const ROUTERBENCH: &str = "RouterBench, arXiv 2403.12031, paper";
const CASCADE: &str = "ETH cascade routing, arXiv 2410.10347, code";

/// A metric and how it is computed.
type Curve = (Entry, fn(&Figures) -> f64);

pub(super) static CURVES: [Curve; 13] = [
    (
        entry(
            "routerbench.aiq_paper",
            "AIQ between the cheapest and the dearest single model",
            ROUTERBENCH,
            Share,
        ),
        |of| of.marks.aiq(&of.points),
    ),
    (
        entry(
            "routerbench.aiq_code",
            "AIQ from the router's least cost, over the greatest cost",
            "RouterBench, arXiv 2403.12031, code, compared with the single models",
            Share,
        ),
        |of| aiq_code(&[of.points.clone(), of.marks.singles.clone()])[0],
    ),
    (
        entry(
            "routerbench.quality_cost_score",
            "greatest w x quality - cost at w = 0.01 USD",
            ROUTERBENCH,
            Usd,
        ),
        |of| {
            let worth = of.points.iter().map(|point| quality_cost_score(*point, WILLINGNESS_USD));
            worth.fold(f64::NEG_INFINITY, f64::max)
        },
    ),
    (entry("uniroute.area", "deferral area", UNIROUTE, Share), |of| {
        of_deferral(of, |deferral| deferral.area)
    }),
    (
        entry(
            "uniroute.area_to_half",
            "deferral area up to half of the greatest cost",
            UNIROUTE,
            Share,
        ),
        |of| of_deferral(of, |deferral| deferral.area_to_half),
    ),
    (entry("uniroute.qnc", "quality-neutral cost (QNC)", UNIROUTE, Percent), |of| {
        of_deferral(of, |deferral| deferral.qnc_pct)
    }),
    (entry("uniroute.peak", "peak accuracy", UNIROUTE, Share), |of| {
        of_deferral(of, |deferral| deferral.peak_quality)
    }),
    (
        entry(
            "llmrouterbench.perf_gain",
            "PerfGain over the best single model",
            LLMROUTERBENCH,
            Share,
        ),
        |of| known(perf_gain(&of.points, of.marks.best_single)),
    ),
    (
        entry(
            "llmrouterbench.cost_save",
            "CostSave at the best single model's quality",
            LLMROUTERBENCH,
            Share,
        ),
        // No setting is as good: then the best single model itself is the configuration.
        |of| cost_save(&of.points, of.marks.best_single).unwrap_or(0.0),
    ),
    (
        entry(
            "llmrouterbench.pareto_dist",
            "ParetoDist, the router's settings among the single models",
            "LLMRouterBench, arXiv 2601.07206, our normalisation: theirs is not known",
            Share,
        ),
        |of| known(pareto_dist(&of.points, &of.marks.singles)),
    ),
    (
        entry(
            "cascade.auc",
            "AUC between the cheapest and the dearest single model",
            CASCADE,
            Share,
        ),
        |of| known(cascade_auc(&of.points, &of.marks.singles)),
    ),
    (
        entry("cascade.max_diff", "greatest advantage over the single models", CASCADE, Share),
        |of| known(cascade_max_diff(&of.points, &of.marks.singles)),
    ),
    (
        entry(
            "farthing.peak_gap",
            "greatest shortfall of the oracle sweep at one budget",
            "Farthing",
            Share,
        ),
        |of| peak_gap(&hull(&of.marks.oracle_points), &hull(&of.points)),
    ),
];

/// In the order of [`CURVES`].
pub(super) fn figures(of: &Figures) -> Vec<f64> {
    CURVES.iter().map(|(_, figure)| figure(of)).collect()
}

fn of_deferral(of: &Figures, figure: fn(DeferralFigures) -> f64) -> f64 {
    known(deferral(&of.points, &of.marks.singles).map(figure))
}

fn known(figure: Option<f64>) -> f64 {
    figure.unwrap_or(f64::NAN)
}
