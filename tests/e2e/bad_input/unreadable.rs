//! Files that are not what their names say, and places that cannot be written.

use crate::folder::Folder;
use crate::sample;

#[test]
fn truncated_parquet() {
    let folder = Folder::new();
    let whole = std::fs::read(sample::log()).unwrap();
    let said = ["error: `log.parquet` is not a readable Parquet file; hint: it may be truncated"];
    for kept in [0, 3, 100, whole.len() / 2, whole.len() - 4, whole.len() - 1] {
        folder.write("log.parquet", &whole[..kept]);
        folder.run("train log.parquet -o router").ended(2, &said);
        folder.run("import log.parquet -o out.ndjson").ended(2, &said);
    }
    assert!(!folder.path("router").exists());
    assert!(!folder.path("out.ndjson").exists(), "half an outcome log is worse than none");
}

#[test]
fn a_file_that_is_not_there() {
    let folder = Folder::new();
    let said = ["error: cannot read `log.csv`", "because: No such file"];
    folder.run("train log.csv -o router").ended(2, &said);
    let said = ["error: the extension of `log.txt` names no log format; hint: use .parquet"];
    folder.run("train log.txt -o router").ended(2, &said);
}

#[test]
fn a_place_that_cannot_be_written() {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    folder.write("file", "");
    let check = |command: &str, code: i32, place: &str| {
        folder.run(command).ended(code, &[&format!("error: cannot write `{place}"), "because: "]);
    };
    check("import log.ndjson -o file/log.parquet", 2, "file/log.parquet");
    check("train log.ndjson -o file --force", 2, "file");
    folder.run("train log.ndjson -o router --force").ok();
    check("eval router log.ndjson --json file/report.json", 1, "file/report.json");
    check("demo --dir file/demo", 1, "file/demo");
}
