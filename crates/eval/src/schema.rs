//! The JSON schema of what commands print, and the shapes of foreign types in it.
//!
//! The router crates know no schemas, for the server links them; what of theirs stands in a report is
//! said once more here, and held to the truth by a test that validates real reports.

#![expect(dead_code, reason = "these types only describe others")]

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};

/// The schema of a type as it is written: fields that may be `null` are still always there.
pub fn json_schema<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// A finite-sample bound on how often a downgraded request goes wrong.
#[derive(JsonSchema)]
pub(crate) struct Certificate {
    /// The bad event that `alpha` bounds.
    guarantee: Guarantee,
    /// Greatest rate that was accepted.
    alpha: f64,
    /// The bounds hold with probability `1 - delta`.
    delta: f64,
    /// Requests of the certificate split.
    requests: u64,
    /// Requests of it that were downgraded.
    downgraded: u64,
    /// Downgraded requests where the choice missed the bar and the reference met it.
    excess_misses: u64,
    /// Upper bound on their rate.
    excess_bound: f64,
    /// Downgraded requests where the choice missed the bar.
    misses: u64,
    /// Upper bound on their rate.
    miss_bound: f64,
    /// The same for every request served by a candidate cheaper than the dearer one that the reference
    /// stands in for.
    against_best: Option<Bounds>,
    /// The same by slice of the traffic, each on its own.
    slices: Vec<SliceBounds>,
}

/// Which bad event a certificate bounds.
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum Guarantee {
    /// The choice misses the bar and the reference meets it.
    Excess,
    /// The choice misses the bar.
    Absolute,
}

/// Bounds on how often downgraded requests go wrong.
#[derive(JsonSchema)]
struct Bounds {
    /// Downgraded requests.
    downgraded: u64,
    /// Those where the choice missed the bar and the other candidate met it.
    excess_misses: u64,
    /// Upper bound on their rate; `null`: too few.
    excess_bound: Option<f64>,
    /// Those where the choice missed the bar.
    misses: u64,
    /// Upper bound on their rate; `null`: too few.
    miss_bound: Option<f64>,
}

/// Bounds of the requests that have one value in a label or context column.
#[derive(JsonSchema)]
struct SliceBounds {
    /// The column.
    column: String,
    /// Its value.
    value: String,
    /// Requests of the certificate split that have it.
    requests: u64,
    /// What happened to them.
    bounds: Bounds,
}
