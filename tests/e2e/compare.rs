//! `farthing compare`: every learner and baseline on the same folds.

use crate::folder::Folder;
use crate::schema::validates;

#[test]
fn learners_stand_between_the_zero_router_and_the_oracle() {
    let folder = Folder::new();
    folder.run("simulate -o log.parquet --rows 400").ok();
    folder.write("config.toml", "label = [\"task\"]\nseed = 3\n");
    let compared = folder.run("compare config.toml log.parquet --json").ok().json();
    validates(&compared, "compare.schema.json");
    let rows = compared["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    let expected = [
        "zero",
        "best single model",
        "mix of single models, in hindsight",
        "zero, costs predicted",
        "linear",
        "task",
        "cluster",
        "blend",
        "blend, shuffled labels",
        "nearest neighbours, exact, k = 40",
        "nearest neighbours, exact, k chosen",
        "known label, task",
        "oracle",
    ];
    assert_eq!(names, expected);
    assert!(rows.iter().all(|row| row["folds_pct"].as_array().unwrap().len() == 5));
    let of = |name: &str, figure: &str| {
        rows.iter().find(|row| row["name"] == name).unwrap()[figure].as_f64()
    };
    let earned = |name| of(name, "earned_share_pct").unwrap();
    assert!(earned("zero").abs() < 1e-9 && (earned("oracle") - 100.0).abs() < 1e-9);
    // 400 prompts of clear families are enough for the labels to pay, shuffled ones never are.
    assert!(earned("blend") > 0.0, "{compared}");
    assert!(earned("known label, task") > earned("blend, shuffled labels"), "{compared}");
    let cost = |name| of(name, "cost_ratio_at_95_pct_quality").unwrap();
    assert!((cost("best single model") - 1.0).abs() < 1e-9);
    assert!(cost("oracle") < cost("blend") && cost("blend") < cost("best single model"));
    let time = |name| of(name, "decision_us");
    assert!(time("zero") < time("task") && time("linear") == time("zero"), "{compared}");
    assert_eq!((time("oracle"), time("known label, task")), (None, None));
    let loss = compared["cluster_less_exact_neighbours"]["earned_share_pct"].as_f64().unwrap();
    let exact = earned("nearest neighbours, exact, k chosen");
    assert!((loss - (earned("cluster") - exact)).abs() < 1e-9, "{compared}");
    assert_eq!(compared["requests"], 400);
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let folder = Folder::new();
    folder.write("config.toml", "labels = [\"task\"]\n");
    let said = ["`config.toml` is not a configuration", "line 1", "unknown field `labels`"];
    folder.run("compare config.toml log.parquet").ended(2, &said);
}
