//! A router directory written by an earlier build still loads and decides as it did.
//!
//! `FARTHING_UPDATE_FIXTURES=1 cargo test -p farthing-tests artifact_compat` writes it anew.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::folder::{Folder, copy_dir, files};
use crate::sample;

pub(crate) const FIXTURE: &str = "router-v1";
const LARGEST_BYTES: usize = 300_000;

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn bodies() -> [Value; 3] {
    let options = |feature: &str, policy: &str| json!({"context": {"feature": feature}, "policy": policy, "explain": true});
    [
        json!({"prompt": "Translate to German: The meeting is moved to Thursday.", "farthing": options("chat", "best_quality")}),
        json!({"prompt": "fn main() { let x = 5; println!(\"{}\", x + y); } // why does it not compile?", "farthing": options("code", "cheapest")}),
        json!({"messages": [{"role": "user", "content": "Sum the column `price` of this table."}], "farthing": options("report", "cheapest_above_bar")}),
    ]
}

fn decide(router: &Path, body: &Value) -> Value {
    let folder = Folder::new();
    folder.write("body.json", body.to_string());
    let args = ["route", router.to_str().unwrap(), "--file", "body.json", "--json"];
    folder.run_args(&args).ok().json()
}

#[test]
fn version_1_decides_as_it_did() {
    if std::env::var_os("FARTHING_UPDATE_FIXTURES").is_some() {
        update();
    }
    let router = fixture(FIXTURE);
    let bytes: usize = files(&router).iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(bytes < LARGEST_BYTES, "{bytes} bytes");
    let recorded = std::fs::read(fixture("router-v1.decisions.json")).unwrap();
    let recorded: Vec<Value> = serde_json::from_slice(&recorded).unwrap();
    assert_eq!(recorded.len(), bodies().len());
    for (body, recorded) in bodies().iter().zip(&recorded) {
        let decision = decide(&router, body);
        for field in ["model", "reason", "policy", "router"] {
            assert_eq!(decision[field], recorded[field], "{body}");
        }
        let probabilities = |decision: &Value| -> Vec<f64> {
            let candidates = decision["candidates"].as_array().unwrap();
            candidates.iter().map(|c| c["p_above_bar"].as_f64().unwrap()).collect()
        };
        let (now, then) = (probabilities(&decision), probabilities(recorded));
        assert_eq!(now.len(), sample::TINY_CANDIDATES);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-3;
        assert!(now.iter().zip(&then).all(close), "{body}\n{now:?}\n{then:?}");
    }
}

/// Trains a router on a tiny simulated log and records what it decides.
fn update() {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    // Without the token table, whose rows alone are larger than a fixture should be.
    folder.run("train log.ndjson -o router --context feature --encoder none --force").ok();
    copy_dir(&folder.path("router"), &fixture(FIXTURE));
    let decisions = bodies().map(|body| {
        let decision = decide(&folder.path("router"), &body);
        let fields = ["model", "reason", "policy", "router", "candidates"];
        Value::Object(
            fields.map(|field| (field.to_owned(), decision[field].clone())).into_iter().collect(),
        )
    });
    let text = serde_json::to_string_pretty(&decisions).unwrap() + "\n";
    std::fs::write(fixture("router-v1.decisions.json"), text).unwrap();
}
