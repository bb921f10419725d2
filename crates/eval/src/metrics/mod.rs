//! Cost/quality metrics on plain matrices; needs nothing but `std`, `rand` and `rayon`.
//!
//! Matrices are `(requests, candidates)`; scores lie in [0, 1], costs are USD a request. A sweep's
//! choices never change under resampling, so they are computed once ([`Choices`]), summed by group
//! of near-duplicate prompts ([`Sweep`], [`GroupSums`]) and only weighed in each bootstrap resample.
//!
//! Three kinds, by what a resample asks of them:
//!
//! | of | is given | modules, by source |
//! |---|---|---|
//! | a curve | points that are weighed already | `frontier`, `routerbench`, `deferral`, `cascade`, `llmrouterbench` |
//! | an order of requests | counts, after it was prepared once | `routellm`, `routellm_paper`, `routerxbench`, `selective`, [`DatasetMeans`] |
//! | choices | nothing: each request's part of a ratio, a [`RatioColumn`] | `bar`, `routerarena`, `routereval`, `twinrouterbench` |
//!
//! Where a source's paper and code differ there is one function for each, and it says which it is.
//! Without requests or points, or where what a figure is measured by is 0, a figure is NaN or `None`.
//!
//! ```
//! use farthing_eval::metrics::{Matrix, aiq, dial_sweep};
//!
//! let quality = Matrix::new(2, vec![0.2, 0.9, 0.8, 0.9]); // 2 requests x 2 candidates
//! let cost = Matrix::new(2, vec![0.001, 0.01, 0.001, 0.01]);
//! let points = dial_sweep(&quality, &cost, &quality, &cost);
//! let area = aiq(&points, 0.001, 0.01);
//! assert!(0.5 < area && area < 0.9);
//! ```

mod arena;
mod bar;
mod bootstrap;
mod calibration;
mod cascade;
mod decided;
mod deferral;
mod frontier;
mod line;
mod llmrouterbench;
mod matrix;
mod oracle;
mod ranking;
mod recalibration;
mod routellm;
mod routellm_paper;
mod routerarena;
mod routerbench;
mod routereval;
mod routerxbench;
mod selective;
mod sweep;
mod twinrouterbench;

pub use arena::{Arena, Marks, Truth};
pub use bar::BarColumns;
pub use bootstrap::{Bootstrap, GroupSums, Groups, Interval, quantile};
pub use calibration::{
    BrierParts, ECE_BINS, ReliabilityBin, bin_of_each, brier, brier_parts, ece, log_loss,
    near_threshold, reliability,
};
pub use cascade::{cascade_auc, cascade_max_diff};
pub use decided::{Decided, RatioColumn, ratio};
pub use deferral::{DeferralFigures, deferral};
pub use frontier::{Point, aiq, cost_at_quality, earned_share_pct, height, hull, peak_gap};
pub use llmrouterbench::{DatasetMeans, Gains, avengers_pro, cost_save, pareto_dist, perf_gain};
pub use matrix::Matrix;
pub use oracle::{best_column, oracle_choices};
pub use recalibration::{Recalibration, recalibration};
pub use routellm::{PairDial, PairFigures};
pub use routellm_paper::{PairOrder, PaperPairFigures, pgr};
pub use routerarena::{Optimality, OptimalityReading, optimality, robustness, router_arena_score};
pub use routerbench::{aiq_code, quality_cost_score};
pub use routereval::{
    REFERENCE_ACCURACIES, choice_entropies, oracle_mix, reference_accuracy, selected_scores,
};
pub use routerxbench::{XBenchFigures, XBenchOrder};
pub use selective::{SelectiveFigures, SelectiveOrder};
pub use sweep::{Choices, Sweep, dial_lambdas, dial_sweep};
pub use twinrouterbench::{Step, TwinColumns};
