//! A column that was named and is not in the file.

use crate::folder::Folder;
use crate::sample;

/// Runs the command beside a tiny log; it refuses, and leaves only the log behind.
fn check(args: &str, said: &[&str]) {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    folder.run(args).ended(2, said);
    let left: Vec<_> = crate::folder::files(&folder.path("")).into_iter().map(|f| f.0).collect();
    assert_eq!(left, ["log.ndjson"]);
}

#[test]
fn of_map() {
    let folder = Folder::new();
    folder.write(
        "in.csv",
        "questions,model,score
a,m,1
",
    );
    let said = "error: no column `question` in `in.csv`, which has `questions`, `model`, `score`; \
                hint: did you mean `questions`?";
    folder.run("import in.csv -o log.parquet --map prompt=question").ended(2, &[said]);
    folder.write("in.ndjson", sample::ndjson(&sample::tiny_rows()));
    let said = "error: no column `question` in `in.ndjson`, which has ";
    folder.run("import in.ndjson -o log.parquet --map prompt=question").ended(2, &[said]);
    assert!(!folder.path("log.parquet").exists());
}

#[test]
fn of_context() {
    check(
        "train log.ndjson -o router --context features",
        &[
            "error: no column `features` in `log.ndjson`, which has ",
            "hint: did you mean `feature`?",
        ],
    );
}

#[test]
fn of_label() {
    check(
        "train log.ndjson -o router --label tusk",
        &["error: no column `tusk` in `log.ndjson`, which has ", "hint: did you mean `task`?"],
    );
}

#[test]
fn of_split_column() {
    check(
        "train log.ndjson -o router --split-column fold --train-values train",
        &["error: no column `fold` in `log.ndjson`, which has "],
    );
}
