//! Metrics of a router of two candidates, on the requests that both answered.

use super::Unit::{Percent, Share};
use super::{Entry, entry};
use crate::pair::Pair;

const PAPER: &str = "RouteLLM, arXiv 2406.18665, paper";
const CODE: &str = "RouteLLM, arXiv 2406.18665, code";
const XBENCH: &str = "RouterXBench, arXiv 2602.11877, code";

/// In the order of [`figures`].
pub(super) const ENTRIES: [Entry; 13] = [
    entry("routellm.apgr_paper", "APGR", PAPER, Share),
    entry("routellm.cpt20_paper", "CPT(20 %)", PAPER, Percent),
    entry("routellm.cpt50_paper", "CPT(50 %)", PAPER, Percent),
    entry("routellm.cpt80_paper", "CPT(80 %)", PAPER, Percent),
    entry("routellm.apgr_code", "APGR", CODE, Share),
    entry("routellm.cpt20_code", "CPT(20 %)", CODE, Percent),
    entry("routellm.cpt50_code", "CPT(50 %)", CODE, Percent),
    entry("routellm.cpt80_code", "CPT(80 %)", CODE, Percent),
    entry("routerxbench.auroc", "AUROC of telling whether the small model suffices", XBENCH, Share),
    entry("routerxbench.lpm", "LPM, quality at up to 10 % of calls", XBENCH, Share),
    entry("routerxbench.hcr", "HCR, share of calls spared in the recovery band", XBENCH, Share),
    entry("routerxbench.mpm", "MPM, quality between the two", XBENCH, Share),
    entry("routellm.pgr", "PGR of the default policy", PAPER, Share),
];

pub(super) fn figures(pair: &Pair, counts: &[u32]) -> Vec<f64> {
    let (code, paper, xbench) = (pair.figures(counts), pair.paper(counts), pair.xbench(counts));
    vec![
        paper.apgr,
        paper.cpt20_pct,
        paper.cpt50_pct,
        paper.cpt80_pct,
        code.apgr,
        code.cpt20_pct,
        code.cpt50_pct,
        code.cpt80_pct,
        xbench.auroc,
        xbench.lpm,
        xbench.hcr,
        xbench.mpm,
        pair.policy_pgr(counts, &code),
    ]
}
