//! Metrics of a router of two candidates, on the requests that both answered.

use super::Unit::{Percent, Share};
use super::{Entry, entry};
use crate::metrics::{PairFigures, PaperPairFigures, XBenchFigures};
use crate::pair::Pair;

const PAPER: &str = "RouteLLM, arXiv 2406.18665, paper";
const CODE: &str = "RouteLLM, arXiv 2406.18665, code";
const XBENCH: &str = "RouterXBench, arXiv 2602.11877, code";

/// What the metrics of one weighing are read from.
pub(super) struct OfPair {
    code: PairFigures,
    paper: PaperPairFigures,
    xbench: XBenchFigures,
    policy_pgr: f64,
}

/// A metric and how it is read.
type PairMetric = (Entry, fn(&OfPair) -> f64);

pub(super) static PAIRS: [PairMetric; 13] = [
    (entry("routellm.apgr_paper", "APGR", PAPER, Share), |of| of.paper.apgr),
    (entry("routellm.cpt20_paper", "CPT(20 %)", PAPER, Percent), |of| of.paper.cpt20_pct),
    (entry("routellm.cpt50_paper", "CPT(50 %)", PAPER, Percent), |of| of.paper.cpt50_pct),
    (entry("routellm.cpt80_paper", "CPT(80 %)", PAPER, Percent), |of| of.paper.cpt80_pct),
    (entry("routellm.apgr_code", "APGR", CODE, Share), |of| of.code.apgr),
    (entry("routellm.cpt20_code", "CPT(20 %)", CODE, Percent), |of| of.code.cpt20_pct),
    (entry("routellm.cpt50_code", "CPT(50 %)", CODE, Percent), |of| of.code.cpt50_pct),
    (entry("routellm.cpt80_code", "CPT(80 %)", CODE, Percent), |of| of.code.cpt80_pct),
    (entry("routellm.pgr", "PGR of the default policy", PAPER, Share), |of| of.policy_pgr),
    (
        entry(
            "routerxbench.auroc",
            "AUROC of telling whether the small model suffices",
            XBENCH,
            Share,
        ),
        |of| of.xbench.auroc,
    ),
    (entry("routerxbench.lpm", "LPM, quality at up to 10 % of calls", XBENCH, Share), |of| {
        of.xbench.lpm
    }),
    (
        entry("routerxbench.hcr", "HCR, share of calls spared in the recovery band", XBENCH, Share),
        |of| of.xbench.hcr,
    ),
    (entry("routerxbench.mpm", "MPM, quality between the two", XBENCH, Share), |of| of.xbench.mpm),
];

/// In the order of [`PAIRS`].
pub(super) fn figures(pair: &Pair, counts: &[u32]) -> Vec<f64> {
    let code = pair.figures(counts);
    let of = OfPair {
        policy_pgr: pair.policy_pgr(counts, &code),
        paper: pair.paper(counts),
        xbench: pair.xbench(counts),
        code,
    };
    PAIRS.iter().map(|(_, figure)| figure(&of)).collect()
}
