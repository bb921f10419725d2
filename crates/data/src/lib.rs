//! From logs to a [`Dataset`]: readers, importers, prices and splits.
//!
//! This is the only crate that knows polars, and the only one that opens log files. What a row may
//! hold is the outcome-log schema of `farthing-core`; what a good model of it is, is not decided here.

mod assemble;
mod cap;
mod columns;
mod convert;
mod dataset;
mod decisions;
mod error;
mod groups;
mod import;
mod prices;
mod read;
mod recipe;
mod rejects;
mod server_log;
pub mod split;
mod table;
mod value;
mod wide;
mod write;

pub use cap::RequestCap;
pub use dataset::{Cell, Dataset, LeftOut, Record};
pub use decisions::{Decisions, read_decisions};
pub use error::DataError;
pub use import::{ImportOptions, ImportReport, import};
pub use prices::read_prices;
pub use read::{ReadOptions, ReadReport, SplitFilter, read_log};
pub use recipe::{Recipe, WideColumns};
pub use rejects::Rejects;
pub use server_log::{CompactReport, JoinOptions, JoinReport, compact, join};
pub use write::LogWriter;
