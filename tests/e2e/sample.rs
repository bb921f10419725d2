//! Logs to train on: the sample log of the repository, and tiny ones made by the simulator.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::folder::Folder;

/// Requests of [`tiny_rows`].
pub(crate) const TINY_REQUESTS: usize = 60;
/// Candidates that answered each of them.
pub(crate) const TINY_CANDIDATES: usize = 6;

/// The synthetic log that lies in `data/`.
pub(crate) fn log() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/sample.parquet").canonicalize().unwrap()
}

/// Seeds of [`router`].
pub(crate) const SEEDS: usize = 3;

/// A router trained on the sample log without `--force`.
pub(crate) struct Sample {
    pub(crate) folder: Folder,
    /// What the training printed: the manifest.
    pub(crate) manifest: Value,
}

impl Sample {
    pub(crate) fn dir(&self) -> PathBuf {
        self.folder.path("router")
    }
}

/// The sample router of a seed; each is trained once a test run.
pub(crate) fn router(seed: usize) -> &'static Sample {
    static ROUTERS: [OnceLock<Sample>; SEEDS] = [const { OnceLock::new() }; SEEDS];
    ROUTERS[seed].get_or_init(|| {
        // Never dropped, so it must not lie where nobody clears up.
        let folder = Folder::within(Path::new(env!("CARGO_TARGET_TMPDIR")));
        let log = log();
        let log = log.to_str().unwrap();
        let seed = seed.to_string();
        let args =
            ["train", log, "-o", "router", "--context", "feature", "--seed", &seed, "--json"];
        let trained = folder.run_args(&args).ok();
        Sample { manifest: trained.json(), folder }
    })
}

/// The rows of a small full-matrix log, grouped by request.
pub(crate) fn tiny_rows() -> Vec<Value> {
    static TINY: OnceLock<Vec<Value>> = OnceLock::new();
    TINY.get_or_init(|| simulated(TINY_REQUESTS)).clone()
}

/// The rows of a simulated full-matrix log of so many requests.
pub(crate) fn simulated(requests: usize) -> Vec<Value> {
    let folder = Folder::new();
    folder.run(&format!("simulate -o log.ndjson --rows {requests} --seed 1")).ok();
    let rows = parse(&folder.read("log.ndjson"));
    assert_eq!(rows.len(), requests * TINY_CANDIDATES);
    rows
}

/// The sample log as NDJSON, number by number as the binary writes it.
pub(crate) fn log_ndjson() -> String {
    let folder = Folder::new();
    let log = log();
    let args = ["import", log.to_str().unwrap(), "-o", "log.ndjson", "--map"];
    folder.run_args(&[&args[..], &["feature=feature,task=task"]].concat()).ok();
    folder.read("log.ndjson")
}

/// Rows as NDJSON.
pub(crate) fn ndjson(rows: &[Value]) -> String {
    rows.iter()
        .flat_map(|row| {
            [
                row.to_string(),
                "
"
                .to_owned(),
            ]
        })
        .collect()
}

/// NDJSON as rows.
pub(crate) fn parse(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
