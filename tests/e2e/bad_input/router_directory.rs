//! A router directory of which one byte was flipped, or a file is gone.

use crate::folder::{Folder, copy_dir, files};
use crate::sample;

/// A router in `router` and a copy of it in `copy`.
fn router() -> Folder {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    folder.run("train log.ndjson -o router --force").ok();
    copy_dir(&folder.path("router"), &folder.path("copy"));
    folder
}

/// First, last and a few positions between.
fn positions(length: usize) -> impl Iterator<Item = usize> {
    let step = (length / 8).max(1);
    (0..length).step_by(step).chain([length - 1])
}

#[test]
fn every_file_is_verified() {
    let folder = router();
    for (name, bytes) in files(&folder.path("router")) {
        let path = format!("copy/{name}");
        for at in positions(bytes.len()) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            folder.write(&path, flipped);
            let ran = folder.run_args(&["route", "copy", "hello", "--json"]);
            assert_eq!(ran.stdout, "", "byte {at} of `{name}`");
            ran.ended(2, &["error: ", &format!("`{path}`")]);
        }
        folder.write(&path, bytes);
    }
    folder.run_args(&["route", "copy", "hello"]).ok();
}

#[test]
fn every_command_verifies() {
    let folder = router();
    let path = folder.path("copy/model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let said = [
        "`copy/model.safetensors` was changed after training",
        "hint: copy the directory again or retrain",
    ];
    for command in [
        "route copy hello",
        "eval copy log.ndjson",
        "inspect copy",
        "serve copy --check",
        "serve copy --listen 127.0.0.1:0",
    ] {
        folder.run(command).ended(2, &said);
    }
}

#[test]
fn a_missing_file_is_named() {
    let folder = router();
    for (name, bytes) in files(&folder.path("router")) {
        let path = format!("copy/{name}");
        std::fs::remove_file(folder.path(&path)).unwrap();
        folder.run("route copy hello").ended(2, &[&format!("error: cannot read `{path}`; hint: ")]);
        folder.write(&path, bytes);
    }
}
