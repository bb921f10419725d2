//! `farthing compare`: every learner on the same folds.

use crate::folder::Folder;

#[test]
fn learners_stand_side_by_side_with_their_blend() {
    let folder = Folder::new();
    folder.run("simulate -o log.parquet --rows 400").ok();
    folder.write("config.toml", "label = [\"task\"]\nseed = 3\n");
    let compared = folder.run("compare config.toml log.parquet --json").ok().json();
    let learners = compared["learners"].as_array().unwrap();
    let names: Vec<_> = learners.iter().map(|entry| entry["learner"].as_str().unwrap()).collect();
    assert_eq!(names, ["context", "linear", "task", "cluster", "blend"]);
    assert!(learners.iter().all(|entry| entry["folds_pct"].as_array().unwrap().len() == 5));
    // 400 prompts of clear families are enough for the labels to pay.
    let blend = learners[4]["earned_share_pct"].as_f64().unwrap();
    assert!(blend > 0.0, "{compared}");
    assert_eq!(compared["requests"], 400);
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let folder = Folder::new();
    folder.write("config.toml", "labels = [\"task\"]\n");
    let said = ["`config.toml` is not a configuration", "line 1", "unknown field `labels`"];
    folder.run("compare config.toml log.parquet").ended(2, &said);
}
