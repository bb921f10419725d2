//! `farthing demo`: the README's first command.

use crate::folder::Folder;

#[test]
fn the_demo_runs_the_whole_loop() {
    let folder = Folder::new();
    let ran = folder.run("demo --gateway --dir demo").ok();
    for heading in ["== 1. the log", "== 2. train", "== 3. eval", "== 4. route"] {
        assert!(ran.stderr.contains(heading), "no {heading:?} in:\n{}", ran.stderr);
    }
    assert!(ran.stdout.contains("earned share: "), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("\n> ").count(), 2, "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("chosen\n").count(), 2, "{}", ran.stdout);
    assert!(ran.stderr.contains("next: farthing serve demo/router"), "{}", ran.stderr);
    folder.run("serve demo/router --check").ok();
}
