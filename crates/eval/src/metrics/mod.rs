//! Cost/quality metrics on plain matrices; needs nothing but `std`, `rand` and `rayon`.
//!
//! Matrices are `(requests, candidates)`; scores lie in [0, 1], costs are USD a request. A sweep's
//! choices never change under resampling, so they are computed once ([`Choices`]), summed by group
//! of near-duplicate prompts ([`Sweep`], [`GroupSums`]) and only weighed in each bootstrap resample.
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
mod bootstrap;
mod calibration;
mod frontier;
mod matrix;
mod oracle;
mod routellm;
mod sweep;

pub use arena::{Arena, Marks, Truth};
pub use bootstrap::{Bootstrap, GroupSums, Groups, Interval, quantile};
pub use calibration::{ECE_BINS, ReliabilityBin, brier, ece, log_loss, reliability};
pub use frontier::{Point, aiq, cost_at_quality, earned_share_pct, height, hull};
pub use matrix::Matrix;
pub use oracle::{best_column, oracle_choices};
pub use routellm::{PairDial, PairFigures};
pub use sweep::{Choices, Sweep, dial_lambdas, dial_sweep};
