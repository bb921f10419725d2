//! What a server logged, decisions and outcomes, into an outcome log or into Parquet.
//!
//! `files` finds segments and their compacted form, `rows` reads both, `join` brings decisions and
//! outcomes together, `compact` turns sealed segments into Parquet. What a segment's line may hold is
//! said in `farthing-core`.

mod compact;
mod files;
mod join;
mod outcomes;
mod prompts;
mod rows;

pub use compact::{CompactReport, compact};
pub use join::{JoinOptions, JoinReport, join};
