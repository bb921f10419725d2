//! `farthing simulate`: the sample log is what the data folder says it is.

use crate::folder::Folder;
use crate::sample;

#[test]
fn the_committed_sample_log_is_what_the_command_writes() {
    let folder = Folder::new();
    folder.run("simulate -o again.parquet --rows 3000").ok();
    let again = std::fs::read(folder.path("again.parquet")).unwrap();
    let committed = std::fs::read(sample::log()).unwrap();
    assert!(again == committed, "run `farthing simulate -o data/sample.parquet --rows 3000`");
}
