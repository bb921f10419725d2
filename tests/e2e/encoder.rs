//! `--encoder minilm`: a sentence encoder reads requests, in training and in serving.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::folder::{Folder, Ran, copy_dir, files};
use crate::sample;

/// A tiny encoder of random weights, drawn by the tests of `farthing-model`.
fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/encoder")
}

fn trained(threads: &str) -> Folder {
    let folder = Folder::new();
    copy_dir(&tiny().join("1_Pooling"), &folder.path("encoder/1_Pooling"));
    for name in ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"] {
        std::fs::copy(tiny().join(name), folder.path("encoder").join(name)).unwrap();
    }
    folder.write("log.ndjson", sample::ndjson(&sample::simulated(120)));
    let args = "train log.ndjson -o router --force --encoder minilm --encoder-dir encoder";
    let mut train = folder.command();
    Ran::of(train.args(args.split(' ')).env("RAYON_NUM_THREADS", threads)).ok();
    std::fs::remove_dir_all(folder.path("encoder")).unwrap();
    folder
}

#[test]
fn a_router_holds_its_encoder_and_is_the_same_for_any_number_of_threads() {
    let (one, three) = (trained("1"), trained("3"));
    assert!(files(&one.path("router")) == files(&three.path("router")));
    // The directory that it was trained from is gone.
    one.write("body.json", json!({"prompt": "explain the price of this table"}).to_string());
    let decision = one.run("route router --file body.json --json").ok().json();
    assert!(decision["model"].is_string(), "{decision}");
    let manifest = one.read_json("router/manifest.json");
    let encoder = &manifest["features"]["encoder"];
    assert_eq!((&encoder["layers"], &encoder["window"]), (&json!(1), &json!(40)));
    assert!(one.read("router/README.md").contains("a sentence encoder (1 layers, 8 wide)"));
}

#[test]
fn a_router_with_an_encoder_can_be_extended() {
    let folder = trained("2");
    let rows = sample::simulated(120).into_iter().filter(|row| row["model"] == "bustard-large");
    let rows: Vec<_> = rows
        .map(|mut row| {
            row["model"] = json!("newcomer");
            row
        })
        .collect();
    folder.write("new.ndjson", sample::ndjson(&rows));
    folder.run("add-model router new.ndjson --model newcomer -o wider").ok();
    let decision = folder.run_args(&["route", "wider", "how is this", "--json"]).ok().json();
    assert!(decision["model"].is_string(), "{decision}");
    assert!(folder.path("wider/encoder.safetensors").exists());
}

#[test]
fn weights_come_from_the_user() {
    let folder = Folder::new();
    folder.write("log.ndjson", "");
    let said = ["`--encoder minilm` needs `--encoder-dir DIR`", "models/README.md"];
    folder.run("train log.ndjson -o router --encoder minilm").ended(2, &said);
    let said = ["cannot read `nowhere/config.json`", "sentence-transformer directory"];
    folder.run("train log.ndjson -o router --encoder minilm --encoder-dir nowhere").ended(2, &said);
    let said = ["`--encoder-dir` is read with `--encoder minilm` only"];
    folder.run("train log.ndjson -o router --encoder-dir nowhere").ended(2, &said);
}

#[test]
fn compare_reads_the_encoder_from_its_file() {
    let folder = Folder::new();
    folder.run("simulate -o log.parquet --rows 300").ok();
    folder.write(
        "config.toml",
        format!("encoder = \"minilm\"\nencoder_dir = {:?}\n", tiny().display().to_string()),
    );
    let compared = folder.run("compare config.toml log.parquet --json").ok().json();
    assert_eq!(compared["requests"], 300);
    folder.write("config.toml", "encoder = \"minilm\"\n");
    folder.run("compare config.toml log.parquet").ended(2, &["needs `--encoder-dir DIR`"]);
}
