//! Foreign tables, long and wide.

use std::path::Path;

use farthing_data::{
    Dataset, ImportOptions, ImportReport, ReadOptions, Recipe, Rejects, import, read_log,
};

use crate::{chain, file, rejected_lines, strings};

struct Imported {
    result: Result<(Dataset, ImportReport), String>,
    rejects: Vec<String>,
}

/// Imports a file of this text and reads the log, with these columns as context.
fn check(name: &str, text: &str, recipe: Recipe, context: &[&str]) -> Imported {
    let (dir, input) = file(name, text);
    let rejects_path = dir.path().join("rejects.ndjson");
    let output = dir.path().join("out.ndjson");
    let options = ImportOptions { inputs: vec![input], output: output.clone(), recipe };
    let result = import(&options, &mut Rejects::to_file(&rejects_path), &|_| {});
    let folder = format!("{}/", dir.path().display());
    Imported {
        result: result
            .map(|report| (log(&output, context), report))
            .map_err(|error| chain(&error).replace(&folder, "")),
        rejects: rejected_lines(&rejects_path),
    }
}

fn log(path: &Path, context: &[&str]) -> Dataset {
    let options = ReadOptions { context: strings(context), ..ReadOptions::default() };
    read_log(&[path.to_owned()], &options, &mut Rejects::count_only(), &|_| {}).unwrap().0
}

fn mapped(entries: &str) -> Recipe {
    Recipe::default().with_map(&[entries.to_owned()]).unwrap()
}

fn toml(text: &str) -> Recipe {
    let (_dir, path) = file("r.toml", text);
    Recipe::load(path.to_str().unwrap()).unwrap()
}

#[test]
fn a_long_table_with_a_mapping() {
    let csv = "question,model,correct,subject,answer\n\
               q1,a,true,law,x\nq1,b,0,law,y\nq2,a,1.7,law,z\n";
    let got =
        check("in.csv", csv, mapped("prompt=question,score=correct,dataset=subject"), &["dataset"]);
    let (dataset, report) = got.result.unwrap();
    assert_eq!(dataset.records.len(), 1);
    assert_eq!(dataset.records[0].request.context["dataset"], "law");
    assert_eq!(dataset.records[0].cells[0].score, Some(1.0));
    assert_eq!((report.rows, report.written, report.rejected), (3, 2, 1));
    assert_eq!(report.ignored_columns.iter().collect::<Vec<_>>(), ["answer"]);
    assert_eq!(report.models.keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(got.rejects, ["4: score is not in [0, 1]: 1.7"]);
}

#[test]
fn scores_as_text_and_on_another_scale() {
    let rows = [
        r#"{"prompt": "p", "model": "a", "score": "8.5", "dataset": "mt"}"#,
        r#"{"prompt": "p", "model": "b", "score": 10}"#,
        r#"{"prompt": "p", "model": "c", "score": 11}"#,
    ];
    let recipe = toml("keep = [\"dataset\"]\nscore_scale = 10.0\n");
    let got = check("in.ndjson", &rows.join("\n"), recipe, &["dataset"]);
    let (dataset, _) = got.result.unwrap();
    let scores: Vec<_> = dataset.records.iter().flat_map(|r| &r.cells).map(|c| c.score).collect();
    assert!(scores.contains(&Some(0.85)) && scores.contains(&Some(1.0)), "{scores:?}");
    assert_eq!(got.rejects, ["3: score is not in [0, 1]: 1.1"]);
}

#[test]
fn a_mapped_prompt_replaces_messages() {
    let csv = "question,messages,model\nq,[],a\n";
    let (dataset, report) = check("in.csv", csv, mapped("prompt=question"), &[]).result.unwrap();
    assert_eq!(dataset.records.len(), 1);
    assert_eq!(report.ignored_columns.iter().collect::<Vec<_>>(), ["messages"]);
}

const WIDE: &str = "sample_id,prompt,eval,a,b/c,a|cost,b/c|cost\n\
                    s1,p1,gsm,1,0,0.1,0.2\ns2,p2,gsm,,0.5,,0.3\ns3,p3,gsm,2,1,0.1,\ns4,,gsm,1,1,0,0\n";

#[test]
fn a_wide_table_finds_its_models() {
    let recipe = toml(
        "[map]\nrequest_id = \"sample_id\"\ndataset = \"eval\"\n\
         [wide]\nscore = \"{model}\"\ncost_usd = \"{model}|cost\"\n",
    );
    let got = check("in.csv", WIDE, recipe, &["dataset"]);
    let (dataset, report) = got.result.unwrap();
    assert_eq!(dataset.candidates, ["a", "b/c"]);
    assert_eq!(dataset.records.len(), 3);
    assert_eq!((report.rows, report.written, report.rejected, report.empty_cells), (4, 4, 2, 1));
    assert_eq!(
        got.rejects,
        ["4: score is not in [0, 1]: 2 (model `a`)", "5: neither prompt nor messages"]
    );
    let first = dataset.records.iter().find(|r| r.request_id.as_deref() == Some("s1")).unwrap();
    assert_eq!(first.cells[1].cost_usd, Some(0.2));
}

#[test]
fn a_wide_table_with_named_models() {
    let recipe = toml("[wide]\nmodels = [\"b/c\"]\nscore = \"{model}\"\n");
    let (dataset, report) = check("in.csv", WIDE, recipe, &[]).result.unwrap();
    assert_eq!(dataset.candidates, ["b/c"]);
    assert!(report.ignored_columns.contains("a|cost"));
    let recipe = toml("[wide]\nmodels = [\"b/d\"]\nscore = \"{model}\"\n");
    let error = check("in.csv", WIDE, recipe, &[]).result.unwrap_err();
    assert!(error.starts_with("no column `b/d` in `in.csv`"), "{error}");
    assert!(error.ends_with("hint: did you mean `b/c`?"), "{error}");
}

#[test]
fn mistakes_name_the_mapping() {
    let error = |text: &str, recipe: Recipe| check("in.csv", text, recipe, &[]).result.unwrap_err();
    let missing = error("question,model\nq,a\n", mapped("prompt=questions"));
    assert!(missing.contains(
        "no column `questions` in `in.csv`, which has `question`, `model`; hint: did you mean"
    ));
    let model = error("prompt,name\nq,a\n", Recipe::default());
    assert!(model.ends_with("hint: say which column it is with `--map model=COLUMN`"), "{model}");
    let pattern = error(WIDE, toml("[wide]\nscore = \"model\"\n"));
    assert!(
        pattern.contains("the pattern `model` of `score` does not hold `{model}` once"),
        "{pattern}"
    );
    let scale = error(WIDE, toml("score_scale = 0.0\n"));
    assert!(scale.contains("`score_scale` is not a number above 0: 0"), "{scale}");
    let nothing = error("prompt,model,score\np,m,3\n", Recipe::default());
    assert!(
        nothing.starts_with("no usable row in `in.csv`: 1 rejected: score is not"),
        "{nothing}"
    );
}

#[test]
fn without_a_usable_row_there_is_no_log() {
    let (dir, input) = file("in.csv", "prompt,model\n,m\n");
    let output = dir.path().join("out.parquet");
    let options =
        ImportOptions { inputs: vec![input], output: output.clone(), recipe: Recipe::default() };
    assert!(import(&options, &mut Rejects::count_only(), &|_| {}).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "only the input");
}
