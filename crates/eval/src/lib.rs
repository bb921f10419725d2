//! From a router and held-out outcomes to a report.
//!
//! [`metrics`] are pure functions on plain matrices: they know neither routers nor logs. [`evaluate()`]
//! lays a router's predictions beside what a log says and fills a [`Report`], which [`page()`] turns into
//! HTML. Nothing here does I/O.

mod baselines;
mod calibration;
mod candidates;
mod columns;
mod decisions;
mod error;
mod estimate;
mod evaluate;
mod frontier;
pub mod metrics;
mod page;
mod pair;
mod policy;
mod published;
mod report;
mod robustness;
mod rows;
mod schema;
mod scored;
mod sections;
mod slices;
mod worst;

pub use baselines::{Baseline, BaselineKind, Fitting};
pub use calibration::{CalibrationEstimates, CalibrationFigures, CandidateCalibration};
pub use candidates::CandidateFigures;
pub use decisions::{DecisionFigures, OtherDecisions, OtherRouter, PairedDecisions};
pub use error::EvalError;
pub use estimate::Estimate;
pub use evaluate::{EvalOptions, Subject, evaluate};
pub use frontier::{
    AiqFigures, CostTarget, DialPoint, DialSetting, Frontier, NullControl, OracleFigures,
    PolicyPoint, SingleModel,
};
pub use page::page;
pub use pair::PairReport;
pub use policy::{ChoiceShare, Comparison, PolicyReport, ReasonShare};
pub use published::{PublishedMetric, Unit};
pub use report::{DataCounts, IgnoredCandidate, Report, Settings};
pub use robustness::{Change, ChangeFigures, Robustness, RobustnessOptions, robustness};
pub use schema::json_schema;
pub use slices::{Slice, SliceFigures};
pub use worst::WorstRequest;
