//! Which crate may know which: the arrows of ARCHITECTURE.md.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::binary::cargo;

/// Every package that ends up in what depends on `package`.
fn tree(package: &str) -> BTreeSet<String> {
    let args = ["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package];
    let output = cargo().args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[track_caller]
fn check_without(package: &str, forbidden: &[&str]) {
    let tree = tree(package);
    assert!(tree.contains(package));
    let found: Vec<_> = forbidden.iter().filter(|name| tree.contains(**name)).collect();
    assert!(found.is_empty(), "`{package}` links {found:?}");
}

/// Direct dependencies that are not for tests, as `(package, dependency)`.
fn direct() -> BTreeSet<(String, String)> {
    let args = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let output = cargo().args(args).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut direct = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        for dependency in package["dependencies"].as_array().unwrap() {
            if dependency["kind"] != "dev" {
                let name = |json: &Value| json["name"].as_str().unwrap().to_owned();
                direct.insert((name(package), name(dependency)));
            }
        }
    }
    direct
}

/// The packages of this workspace that name the dependency.
fn users(of: &str) -> Vec<String> {
    direct().into_iter().filter(|(_, name)| name == of).map(|(package, _)| package).collect()
}

#[test]
fn core_is_only_the_vocabulary() {
    let frameworks = ["tokio", "axum", "polars", "candle-core", "rayon", "tracing"];
    check_without("farthing-core", &frameworks);
    let own: Vec<_> =
        tree("farthing-core").into_iter().filter(|p| p.starts_with("farthing")).collect();
    assert_eq!(own, ["farthing-core"]);
}

#[test]
fn the_server_links_neither_tables_nor_optimiser() {
    check_without(
        "farthing-serve",
        &[
            "polars",
            "polars-core",
            "nalgebra",
            "farthing-data",
            "farthing-train",
            "farthing-eval",
            "farthing-sim",
        ],
    );
}

#[test]
fn the_model_knows_no_logs() {
    check_without(
        "farthing-model",
        &["polars", "tokio", "axum", "farthing-data", "farthing-train"],
    );
}

#[test]
fn the_evaluator_knows_neither_trainer_nor_server() {
    check_without("farthing-eval", &["farthing-train", "farthing-serve", "axum"]);
    check_without("farthing-train", &["farthing-serve", "axum"]);
}

#[test]
fn the_simulator_stands_alone() {
    let others = ["farthing-model", "farthing-data", "farthing-serve"];
    check_without("farthing-sim", &others);
    check_without("farthing-sim", &["polars", "candle-core", "axum"]);
}

#[test]
fn heavy_dependencies_have_one_owner() {
    assert_eq!(users("polars"), ["farthing-data"]);
    assert_eq!(users("nalgebra"), ["farthing-train"]);
    assert_eq!(users("axum"), ["farthing-serve"]);
    assert_eq!(users("candle-core"), ["farthing-model", "farthing-train"]);
    assert_eq!(users("clap"), ["farthing", "farthing-sim"]);
    assert_eq!(users("anyhow"), ["farthing"]);
}
