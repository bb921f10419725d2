//! From a request to predictions.
//!
//! [`features`] is the one featurizer, [`network`] the one forward pass, [`Router`] the directory
//! that holds what was learned. Training writes a router, evaluation and serving load it; all three
//! call the same functions.

pub mod decision_time;
pub mod encoder;
pub mod features;
pub mod network;
mod reading;
mod route;
mod router;
mod session;
pub mod static_table;

pub use route::{Circumstances, Decided, RouteError};
pub use router::{
    AddedCard, BarCard, Beta, Bounds, Budget, Calibration, CalibrationCard, CalibrationMethod,
    CandidateCard, Certificate, ClusterShape, CostModel, DataCard, DecisionTimeCard,
    DroppedLearner, EarnedShare, GateCheck, GateReport, Guarantee, IntervalCard, InvalidKnots,
    Isotonic, LearnerCard, LeftOutCard, Manifest, Parts, Platt, PolicySpec, Router, RouterError,
    RulesError, Scorer, SeenPrompts, SliceBounds, StandIn, TimeSplitCard, TokenModel,
    UnknownCandidates, write_router,
};
pub use session::Session;
