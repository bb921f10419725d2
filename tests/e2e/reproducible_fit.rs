//! Same log, same settings, same seed: the same bytes, whatever the machine was doing.

use crate::folder::{Folder, Ran, files};
use crate::sample;

/// The lines in the order of their hashes. Not parsed: every bit of a number counts.
fn shuffled(ndjson: &str) -> String {
    let mut lines: Vec<_> = ndjson.split_inclusive('\n').collect();
    lines.sort_by_cached_key(|line| farthing_core::Digest::of(line.as_bytes()).prefix());
    lines.concat()
}

#[test]
fn row_order_format_threads_and_place_do_not_matter() {
    let folder = Folder::new();
    folder.write("shuffled.ndjson", shuffled(&sample::log_ndjson()));
    let args = "train shuffled.ndjson -o elsewhere/deep/inside --context feature";
    let mut train = folder.command();
    Ran::of(train.args(args.split(' ')).env("RAYON_NUM_THREADS", "1")).ok();

    let first = files(&sample::router(0).dir());
    let second = files(&folder.path("elsewhere/deep/inside"));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), names(&second));
    for ((name, one), (_, other)) in first.iter().zip(&second) {
        assert!(one == other, "`{name}` differs");
    }
}

#[test]
fn another_seed_is_another_router() {
    let digest = |seed| sample::router(seed).manifest["digest"].clone();
    assert_ne!(digest(0), digest(1));
}
