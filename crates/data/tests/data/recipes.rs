//! Each built-in recipe on the real file it is for, where that file is at hand.

use std::path::{Path, PathBuf};

use farthing_data::{ImportOptions, ReadOptions, Recipe, Rejects, import, read_log, read_prices};

use crate::strings;

struct Expected {
    recipe: &'static str,
    rows: u64,
    models: usize,
    prompts: usize,
    tasks: usize,
}

const EXPECTED: [Expected; 4] = [
    Expected { recipe: "mmlu_pro", rows: 395_189, models: 33, prompts: 12_032, tasks: 14 },
    Expected { recipe: "zeroeval", rows: 205_245, models: 58, prompts: 4_279, tasks: 15 },
    Expected { recipe: "routellm", rows: 30_882, models: 2, prompts: 15_441, tasks: 66 },
    Expected { recipe: "uiuc_llmrouter", rows: 54_972, models: 9, prompts: 6_108, tasks: 14 },
];

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    path.exists().then_some(path)
}

#[test]
fn recipes_on_their_files() {
    for expected in EXPECTED {
        match shared(&format!("{}.parquet", expected.recipe)) {
            Some(path) => check(&expected, path),
            None => eprintln!("recipe `{}`: left out, its data is not here", expected.recipe),
        }
    }
}

fn check(expected: &Expected, input: PathBuf) {
    let name = expected.recipe;
    let dir = tempfile::tempdir().unwrap();
    let output = dir.path().join("log.parquet");
    let recipe = Recipe::load(name).unwrap();
    let options = ImportOptions { inputs: vec![input], output: output.clone(), recipe };
    let mut rejects = Rejects::count_only();
    let imported = import(&options, &mut rejects, &|_| {}).unwrap();
    assert_eq!(rejects.summary(), "", "{name}");
    assert_eq!((imported.rows, imported.written), (expected.rows, expected.rows), "{name}");
    assert_eq!(imported.models.len(), expected.models, "{name}");

    let options = ReadOptions { labels: strings(&["dataset"]), ..ReadOptions::default() };
    let (dataset, report) = read_log(&[output], &options, &mut rejects, &|_| {}).unwrap();
    assert_eq!(report.rows, expected.rows, "{name}");
    assert_eq!(report.repeated_pairs, 0, "{name}");
    assert_eq!(dataset.records.len(), expected.prompts, "{name}");
    let mut tasks: Vec<_> = dataset.records.iter().map(|r| &r.labels[0]).collect();
    tasks.sort();
    tasks.dedup();
    assert_eq!(tasks.len(), expected.tasks, "{name}: {tasks:?}");
}

#[test]
fn their_price_tables() {
    for name in ["prices.csv", "prices_uiuc.csv"] {
        match shared(name) {
            Some(path) => assert!(!read_prices(&path).unwrap().is_empty(), "{name}"),
            None => eprintln!("`{name}`: left out, it is not here"),
        }
    }
}
