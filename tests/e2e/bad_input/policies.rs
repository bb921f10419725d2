//! Budgets that cannot be kept, policies that do not exist.

use serde_json::Value;

use crate::folder::Folder;
use crate::sample;

fn tiny() -> Folder {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    folder
}

#[test]
fn a_budget_below_the_cheapest_names_the_least_possible_one() {
    let said = [
        "error: no policy keeps a mean cost of 0.0000001 USD a request: always taking the cheapest candidate costs ",
        "; hint: give `--budget` at least that",
    ];
    let folder = tiny();
    folder.run("train log.ndjson -o router --force --budget 1e-7").ended(2, &said);
    assert!(!folder.path("router").exists());
    let said = ["error: `--budget` is not in (0, infinity): 0"];
    folder.run("train log.ndjson -o router --force --budget 0").ended(2, &said);
    let said = ["error: `--lambda` is not in [0, infinity): -1"];
    folder.run("train log.ndjson -o router --force --lambda=-1").ended(2, &said);
}

#[test]
fn a_budget_needs_costs() {
    let mut rows = sample::tiny_rows();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("cost_usd");
    }
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&rows));
    let said = ["error: `--budget` needs costs, and the log has none; hint: "];
    folder.run("train log.ndjson -o router --force --budget 1").ended(2, &said);
}

#[test]
fn policies_by_name() {
    let folder = tiny();
    folder.run("train log.ndjson -o router --force --budget 1000 --lambda 5").ok();
    let route = |policy: &str| -> Value {
        folder.run(&format!("route router hello --json --policy {policy}")).ok().json()
    };
    for (policy, reason) in [
        ("budget", "utility"),
        ("utility", "utility"),
        ("cheapest", "cheapest"),
        ("fixed", "fixed"),
    ] {
        let decision = route(policy);
        assert_eq!((&decision["policy"], &decision["reason"]), (&policy.into(), &reason.into()));
    }
    // A budget that does not bind buys the best.
    assert_eq!(route("budget")["model"], route("best_quality")["model"]);
    let said = ["error: unknown policy: `no-such`; hint: use one of `best_quality`, `budget`, "];
    folder.run("route router hello --policy no-such").ended(2, &said);
}
