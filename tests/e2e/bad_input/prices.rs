//! Price tables that cannot be read or fit no candidate, and logs without any cost.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::sample;

/// A folder with a tiny log whose rows lack these columns.
fn log_without(columns: &[&str]) -> Folder {
    let mut rows = sample::tiny_rows();
    for row in &mut rows {
        for column in columns {
            row.as_object_mut().unwrap().remove(*column);
        }
    }
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&rows));
    folder
}

const QUALITY_ONLY: &str =
    "warning: no cost is known, so the router compares quality only; hint: log `cost_usd`, or ";

/// The router compares quality only, and routes.
fn check_quality_only(folder: &Folder) -> Value {
    let manifest = folder.read_json("router/manifest.json");
    let policies: Vec<_> = manifest["policies"].as_object().unwrap().keys().collect();
    assert_eq!(policies, ["best_quality", "default", "fixed"]);
    let decision = folder.run("route router hello --json").ok().json();
    assert_eq!(decision["reason"], "best_quality");
    let candidates = decision["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), sample::TINY_CANDIDATES);
    assert!(candidates.iter().all(|c| c["cost_usd"].is_null() && c["eligible"] == true));
    decision
}

#[test]
fn no_price_and_no_cost() {
    let folder = log_without(&["cost_usd", "input_tokens", "output_tokens"]);
    folder.run("train log.ndjson -o router --force").ended(0, &[QUALITY_ONLY]);
    let decision = check_quality_only(&folder);
    assert!(
        decision["candidates"]
            .as_array()
            .unwrap()
            .iter()
            .all(|c| { c["output_tokens"].is_null() && c["output_tokens_q90"].is_null() })
    );
}

#[test]
fn prices_without_tokens_price_nothing() {
    let folder = log_without(&["cost_usd", "input_tokens", "output_tokens"]);
    folder.write("prices.csv", "model,usd_per_1m_input,usd_per_1m_output\nwren-mini,1,2\n");
    let train = "train log.ndjson -o router --force --prices prices.csv";
    folder.run(train).ended(0, &[QUALITY_ONLY]);
    check_quality_only(&folder);
}

#[test]
fn tokens_without_prices_are_priced_when_prices_come() {
    let folder = log_without(&["cost_usd"]);
    folder.run("train log.ndjson -o router --force").ended(0, &[QUALITY_ONLY]);
    check_quality_only(&folder);
    folder.write("prices.csv", "model,usd_per_1m_input,usd_per_1m_output\nwren-mini,1,2\n");
    let said = [
        "warning: the table has no price for `bustard-large`, `finch-small`, ",
        "; cost is unknown\n",
        "warning: the router was trained without costs, so none of its policies compares them; hint: ",
    ];
    let ran = folder.run("route router hello --json --prices prices.csv").ended(0, &said);
    let priced = |c: &&Value| c["cost_usd"].as_f64().is_some_and(|usd| usd > 0.0);
    let decision = ran.json();
    let priced: Vec<_> = decision["candidates"].as_array().unwrap().iter().filter(priced).collect();
    assert_eq!(priced.len(), 1);
    assert_eq!(priced[0]["model"], "wren-mini");
}

#[test]
fn a_table_that_names_no_candidate() {
    let folder = log_without(&["cost_usd"]);
    let litellm =
        json!({"birds/wren-mini": {"input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}});
    folder.write("prices.json", litellm.to_string());
    folder.write("other.toml", "[gpt]\nusd_per_1m_input = 1\nusd_per_1m_output = 1\n");
    folder.write("empty.json", "{}");
    let warning = "warning: the price table names none of the candidates, `bustard-large`, `finch-small`, \
                   `heron-coder`, ...; hint: names must be equal, ";
    let said = |hint: &str| [format!("{warning}{hint}"), QUALITY_ONLY.to_owned()];
    for (table, hint) in [
        ("prices.json", "it has `birds/wren-mini`, here that is `wren-mini`\n"),
        ("other.toml", "it has `gpt`\n"),
        ("empty.json", "it prices nothing by the token\n"),
    ] {
        let said = said(hint);
        let train = format!("train log.ndjson -o router --force --prices {table}");
        folder.run(&train).ended(0, &said.each_ref().map(String::as_str));
    }
    let route = folder.run("route router hello --prices other.toml");
    route.ended(0, &[&format!("{warning}it has `gpt`\n")]);
}

#[test]
fn tables_that_cannot_be_read() {
    let folder = log_without(&[]);
    let check = |name: &str, text: &str, said: &[&str]| {
        folder.write(name, text);
        folder.run(&format!("train log.ndjson -o router --prices {name}")).ended(2, said);
        assert!(!folder.path("router").exists());
    };
    check(
        "prices.csv",
        "model,usd_per_1m_input,usd_per_1m_output\nwren-mini,-1,2\n",
        &[
            "error: `prices.csv`, line 2: `usd_per_1m_input` is not a number of at least 0: `-1`; hint: ",
        ],
    );
    check(
        "broken.json",
        "{\"gpt-4o\": {\"input_cost_per_token\": 1e-6,}}",
        &[
            "error: `broken.json` is not a price table; hint: ",
            "because: trailing comma at line 1 column 42",
        ],
    );
    check(
        "negative.json",
        r#"{"gpt-4o": {"input_cost_per_token": 1e-6, "output_cost_per_token": -1e-6}}"#,
        &[
            "error: `negative.json`, `gpt-4o`: `output_cost_per_token` is not a number of at least 0: ",
        ],
    );
    check(
        "broken.toml",
        "[gpt-4o\n",
        &[
            "error: `broken.toml` is not a price table; hint: ",
            "because: TOML parse error at line 1",
        ],
    );
    check(
        "slip.toml",
        "[gpt-4o]\nusd_per_1m_input = 1\nusd_per_1m_outputs = 1\n",
        &[
            "error: `slip.toml`, `gpt-4o`: unknown key `usd_per_1m_outputs`; hint: did you mean `usd_per_1m_output`?",
        ],
    );
    check(
        "prices.yaml",
        "",
        &[
            "error: the extension of `prices.yaml` names no format of a price table; hint: use .csv, .toml or .json",
        ],
    );
    let missing = folder.run("train log.ndjson -o router --prices nothing.json");
    missing.ended(2, &["error: cannot read `nothing.json`", "because: No such file"]);
}

/// The prices of a router are part of it: they are given from outside, not edited inside.
#[test]
fn prices_edited_in_the_router() {
    let folder = log_without(&[]);
    folder.write("prices.csv", "model,usd_per_1m_input,usd_per_1m_output\nwren-mini,1,2\n");
    folder.run("train log.ndjson -o router --force --prices prices.csv").ok();
    let edited = folder.read("router/prices.json").replace("2.0", "0.5");
    folder.write("edited.json", &edited);
    let route = |flags: &str| folder.run(&format!("route router hello --json {flags}"));
    let (own, other) = (route("").ok().json(), route("--prices edited.json").ok().json());
    assert_ne!(own["candidates"], other["candidates"]);
    folder.write("router/prices.json", &edited);
    let said = [
        "`router/prices.json` was changed after training: its digest is not the one in the manifest; \
         hint: put the file back, and give other prices with `--prices FILE`",
    ];
    for command in ["route router hello", "serve router --check", "eval router log.ndjson"] {
        folder.run(command).ended(2, &said);
    }
}
