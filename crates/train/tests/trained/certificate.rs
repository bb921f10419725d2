//! The certificate keeps its promise on the sample log: one router, 200 ways to split the rest.

use std::path::Path;

use farthing_data::{ReadOptions, Rejects, read_log};
use farthing_train::{TrainConfig, resplit, train};

fn sample() -> farthing_data::Dataset {
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/sample.parquet");
    let options = ReadOptions {
        labels: vec!["task".to_owned()],
        context: vec!["feature".to_owned()],
        ..ReadOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut rejects = Rejects::to_file(folder.path().join("rejects.ndjson"));
    read_log(&[log], &options, &mut rejects, &|_| ()).unwrap().0
}

/// Of 200 trials at `delta` 0.05 no more than 17 are violations but once in a hundred runs.
#[test]
fn violations_are_as_rare_as_promised() {
    let found = resplit(sample(), &TrainConfig::default(), 200).unwrap();
    assert_eq!((found.trials, found.requests), (200, 600));
    assert!(found.certified >= 190 && found.downgraded > 0.3, "{found:?}");
    assert!(found.violations <= 17, "{found:?}");
    // Where alpha is out of reach nothing is certified.
    let strict = TrainConfig { alpha: 0.01, ..TrainConfig::default() };
    assert_eq!(resplit(sample(), &strict, 20).unwrap().certified, 0);
}

#[test]
fn slices_add_up_to_the_certificate() {
    let config = TrainConfig { force: true, ..TrainConfig::default() };
    let manifest = train(sample(), &config, &|_| ()).unwrap().parts.manifest;
    let certificate = manifest.bars[0].certificate.as_ref().unwrap();
    for column in ["task", "feature"] {
        let slices: Vec<_> = certificate.slices.iter().filter(|s| s.column == column).collect();
        let sum = |of: fn(&farthing_model::SliceBounds) -> u64| slices.iter().map(|s| of(s)).sum();
        let (requests, downgraded): (u64, u64) =
            (sum(|s| s.requests), sum(|s| s.bounds.downgraded));
        assert!(slices.len() > 5 && requests <= certificate.requests, "{column}");
        // Only values that fewer than ten requests have are left out.
        assert!(
            certificate.downgraded >= downgraded && downgraded > certificate.downgraded * 4 / 5
        );
        let bounded = |s: &&&farthing_model::SliceBounds| s.bounds.excess_bound.is_some();
        assert!(slices.iter().filter(bounded).all(|s| s.bounds.downgraded >= 29));
        assert!(slices.iter().any(|s| s.bounds.excess_bound.is_none()));
    }
}
