//! The vocabulary of farthing: requests, outcomes, prices, predictions, policies and decisions.
//!
//! Nothing here does I/O, is asynchronous or knows a framework. Types that cross a boundary (HTTP
//! bodies, log rows, the price file) derive `Serialize` or `Deserialize`; all others do not.

mod body;
mod decision;
mod digest;
mod facts;
pub mod log;
mod outcome;
mod outcome_body;
mod policy;
mod prediction;
mod price;
mod request;
pub mod rules;
mod session;
mod text;
mod usage;

pub use body::{Elsewhere, RouteBody, RouteOptions};
pub use decision::{CandidateReport, Decision};
pub use digest::{Digest, DigestError};
pub use facts::{CandidateFacts, CandidateSettings, Needs, estimated_input_tokens};
pub use outcome::{Outcome, OutcomeError, ScoreSource};
pub use outcome_body::{OutcomeBody, OutcomeBodyError};
pub use policy::{Bar, Choice, Constraints, Exclusion, NoneEligible, Policy, Reason, Rule, decide};
pub use prediction::Prediction;
pub use price::{Price, PriceError, PriceTable};
pub use request::{Message, Request, RequestError, Role};
pub use session::{NotAPin, Pin};
pub use text::{normalise, split_key};
pub use usage::Usage;
