//! A run that was interrupted and started again ends as one that was not.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use farthing_data::Dataset;
use farthing_train::{Progress, TrainConfig, Trained, train};

use crate::synthetic::{Candidate, dataset};

fn log() -> Dataset {
    let pool = [
        Candidate::new("large", 0.01, [0.97, 0.9], 1),
        Candidate::new("small", 0.001, [0.9, 0.2], 3),
    ];
    dataset(&pool, 0..400)
}

fn config(checkpoint: Option<&Path>, seed: u64) -> TrainConfig {
    let checkpoint = checkpoint.map(Path::to_owned);
    TrainConfig { force: true, checkpoint, seed, ..TrainConfig::default() }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Trains until so many steps are left in the directory; `None`: it was interrupted there.
fn run_until(steps: usize, dir: &Path) -> Option<Trained> {
    let interrupt = |_| assert!(files(dir).len() < steps, "interrupted, as it should be");
    let run = || train(log(), &config(Some(dir), 0), &interrupt).unwrap();
    catch_unwind(AssertUnwindSafe(run)).ok()
}

/// Trains to the end, and what was noted on the way.
fn run(config: &TrainConfig) -> (Trained, Vec<String>) {
    let notes = Mutex::new(Vec::new());
    let trained = train(log(), config, &|progress| {
        if let Progress::Note(note) = progress {
            notes.lock().unwrap().push(note);
        }
    });
    (trained.unwrap(), notes.into_inner().unwrap())
}

fn same(a: &Trained, b: &Trained) {
    assert_eq!(a.parts.manifest, b.parts.manifest);
    assert!(a.parts.weights == b.parts.weights && a.parts.card == b.parts.card);
}

#[test]
fn after_every_step_it_goes_on_to_the_same_router() {
    let (straight, notes) = run(&config(None, 0));
    assert_eq!(notes, Vec::<String>::new());
    let mut steps = 0;
    loop {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("steps");
        if let Some(trained) = run_until(steps + 1, &dir) {
            same(&trained, &straight);
            break;
        }
        steps += 1;
        assert_eq!(files(&dir).len(), steps);
        let (resumed, notes) = run(&config(Some(&dir), 0));
        assert_eq!(notes.len(), steps, "{notes:?}");
        assert!(
            notes.iter().all(|note| note.contains("is taken from an earlier run")),
            "{notes:?}"
        );
        same(&resumed, &straight);
        assert!(!dir.exists(), "nothing is left once the router is trained");
    }
    assert_eq!(steps, 4, "words, and three learners of text");
}

#[test]
fn what_is_damaged_or_of_another_run_is_said_and_not_taken() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path();
    assert!(run_until(3, dir).is_none());
    let steps = files(dir);
    let mut bytes = fs::read(&steps[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&steps[0], bytes).unwrap();
    fs::write(&steps[1], "{").unwrap();
    let (resumed, notes) = run(&config(Some(dir), 0));
    let said = |what: &str| notes.iter().filter(|note| note.contains(what)).count();
    assert_eq!((said("it is damaged"), said("is taken from")), (2, 1), "{notes:?}");
    same(&resumed, &run(&config(None, 0)).0);

    assert!(run_until(3, dir).is_none());
    let (other, notes) = run(&config(Some(dir), 1));
    assert_eq!(notes.len(), 3);
    assert!(notes.iter().all(|note| note.contains("of another log, configuration, seed or build")));
    same(&other, &run(&config(None, 1)).0);
}

#[test]
fn a_changed_score_is_another_log() {
    let parent = tempfile::tempdir().unwrap();
    assert!(run_until(2, parent.path()).is_none());
    let mut changed = log();
    for record in &mut changed.records {
        record.cells[0].score = record.cells[0].score.map(|score| 1.0 - score);
    }
    let notes = Mutex::new(Vec::new());
    let observer = |progress| {
        if let Progress::Note(note) = progress {
            notes.lock().unwrap().push(note);
        }
    };
    train(changed, &config(Some(parent.path()), 0), &observer).unwrap();
    let notes = notes.into_inner().unwrap();
    assert!(notes.iter().all(|note| note.contains("is computed anew")) && notes.len() == 2);
}
