//! Rules, tried out before they are served.

use serde_json::Value;

use crate::folder::Folder;
use crate::sample;

const CONFIG: &str = r#"
[[rules]]
name = "long ones"
when.input_tokens = { at_least = 40 }
policy = "best_quality"
[[rules]]
name = "nights"
when.hours = "22:00-06:00"
policy = "cheapest"
[[rules]]
name = "unsure"
when.chosen.p_above_bar = { below = 0.7 }
policy = "best_quality"
"#;

fn test(folder: &Folder, more: &[&str]) -> Value {
    let router = sample::router(0).dir();
    let flags = ["rules", "test", "farthing.toml", "--router", router.to_str().unwrap(), "--json"];
    folder.run_args(&[&flags[..], more].concat()).ok().json()
}

#[test]
fn a_request_is_decided_with_rules_and_without() {
    let folder = Folder::new();
    folder.write("farthing.toml", CONFIG);
    let night = ["Translate to German: hello", "--at", "2026-01-31T23:30:00Z"];
    let both = test(&folder, &night);
    assert_eq!(both["with_rules"]["rules"][0], "nights");
    assert_eq!(both["with_rules"]["policy"], "cheapest");
    assert_eq!(both["without_rules"]["rules"], Value::Null);
    let day = test(&folder, &["Translate to German: hello", "--at", "2026-01-31T12:30:00Z"]);
    assert!(!day["with_rules"]["rules"].to_string().contains("nights"), "{day}");
}

#[test]
fn a_log_is_decided_with_rules_and_without() {
    let folder = Folder::new();
    folder.write("farthing.toml", CONFIG);
    let log = sample::log();
    let tally = test(&folder, &["--log", log.to_str().unwrap()]);
    let number = |value: &Value| value.as_u64().unwrap();
    let rules = tally["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    assert!(rules.iter().all(|rule| number(&rule["held"]) >= number(&rule["changed"])), "{tally}");
    assert!(
        number(&tally["changed"]) > 0 && number(&tally["changed"]) < number(&tally["requests"])
    );
    assert!(number(&rules[0]["held"]) > 0 && number(&rules[2]["held"]) > 0, "{tally}");
    let [without, with] = ["0", "1"]
        .map(|side| tally["expected_quality"][side.parse::<usize>().unwrap()].as_f64().unwrap());
    // Two of three rules ask for the best.
    assert!(with > without, "{tally}");
}

#[test]
fn rules_that_the_router_cannot_follow_are_refused() {
    let folder = Folder::new();
    folder.write("farthing.toml", "[[rules]]\nname = \"x\"\nbar = 0.123\n");
    let router = sample::router(0).dir();
    let args = ["rules", "test", "farthing.toml", "hi", "--router", router.to_str().unwrap()];
    let untrained = "the rule `x` sets the bar 0.123; hint: the router is trained for";
    folder.run_args(&args).ended(2, &[untrained]);
    folder.write("farthing.toml", "");
    folder.run_args(&args).ended(2, &["the configuration has no rules"]);
}
