//! The published schemas in `data/schemas` are those of what the commands print.

use std::fs;
use std::path::Path;

use farthing_eval::{Report, json_schema};
use schemars::JsonSchema;

use crate::compare::ComparisonJson;

#[track_caller]
fn is_current<T: JsonSchema>(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/schemas").join(name);
    let current = serde_json::to_string_pretty(&json_schema::<T>()).unwrap() + "\n";
    if std::env::var_os("FARTHING_UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &current).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == current,
        "data/schemas/{name} is not what the code prints; hint: run this test with \
         FARTHING_UPDATE_SCHEMAS=1 set and look at the difference"
    );
}

#[test]
fn of_eval() {
    is_current::<Report>("eval-report.schema.json");
}

#[test]
fn of_compare() {
    is_current::<ComparisonJson<'_>>("compare.schema.json");
}
