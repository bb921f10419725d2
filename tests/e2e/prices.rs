//! Prices change without retraining: the router stays, what it expects to pay changes.

use serde_json::{Value, json};

use crate::folder::{Folder, files};
use crate::sample;
use crate::server::Server;

const PROMPT: &str = "Translate to German: The meeting is moved to Thursday.";

/// USD per million tokens that no candidate is worth.
const DEAR: f64 = 1000.0;

fn body(policy: &str) -> String {
    json!({"prompt": PROMPT, "farthing": {"policy": policy, "explain": true}}).to_string()
}

/// A folder with `body.json` and what the sample router decides on it at its own prices.
fn decided(policy: &str) -> (Folder, Value) {
    let folder = Folder::new();
    folder.write("body.json", body(policy));
    let decision = route(&folder, &[]);
    (folder, decision)
}

fn route(folder: &Folder, flags: &[&str]) -> Value {
    let router = sample::router(0).dir();
    let args = ["route", router.to_str().unwrap(), "--file", "body.json", "--json"];
    folder.run_args(&[&args[..], flags].concat()).ok().json()
}

fn candidate<'a>(decision: &'a Value, model: &str) -> &'a Value {
    let mut candidates = decision["candidates"].as_array().unwrap().iter();
    candidates.find(|candidate| candidate["model"] == model).unwrap()
}

fn csv(model: &str, usd: f64) -> String {
    format!("model,usd_per_1m_input,usd_per_1m_output\n{model},{usd},{usd}\n")
}

#[test]
fn a_price_change_flips_the_decision() {
    let before = files(&sample::router(0).dir());
    for policy in ["default", "cheapest"] {
        let (folder, at_own_prices) = decided(policy);
        let chosen = at_own_prices["model"].as_str().unwrap();
        folder.write("prices.csv", csv(chosen, DEAR));
        let repriced = route(&folder, &["--prices", "prices.csv"]);
        assert_ne!(repriced["model"], chosen, "{policy}");

        let (old, new) = (candidate(&at_own_prices, chosen), candidate(&repriced, chosen));
        for field in ["quality", "p_above_bar", "output_tokens", "output_tokens_q90"] {
            assert_eq!(new[field], old[field], "{policy}: {field}");
        }
        assert_eq!(repriced["router"], at_own_prices["router"]);
        // Input tokens a byte, output tokens as expected, each at the new price.
        let cards = sample::router(0).manifest["candidates"].as_array().unwrap();
        let tokens = &cards.iter().find(|card| card["model"] == chosen).unwrap()["cost"]["tokens"];
        let number = |value: &Value| value.as_f64().unwrap();
        let input =
            number(&tokens["input_base"]) + number(&tokens["input_per_byte"]) * PROMPT.len() as f64;
        let cost = (input + number(&new["output_tokens"])) * DEAR / 1e6;
        assert!((number(&new["cost_usd"]) - cost).abs() < 1e-12, "{new} {cost}");
        // Who is not in the table costs what the log taught.
        let rest = repriced["model"].as_str().unwrap();
        let cost = |decision: &Value| candidate(decision, rest)["cost_usd"].clone();
        assert_eq!(cost(&repriced), cost(&at_own_prices));
    }
    assert!(files(&sample::router(0).dir()) == before, "nothing was retrained");
}

#[test]
fn every_format_prices_alike() {
    let (folder, at_own_prices) = decided("cheapest");
    let model = at_own_prices["model"].as_str().unwrap();
    folder.write("prices.csv", csv(model, 2.5));
    folder.write(
        "own.json",
        json!({model: {"usd_per_1m_input": 2.5, "usd_per_1m_output": 2.5}}).to_string(),
    );
    folder.write(
        "litellm.json",
        json!({
            "sample_spec": {"input_cost_per_token": "a number"},
            model: {"input_cost_per_token": 2.5e-6, "output_cost_per_token": "2.5e-06", "mode": "chat"},
        })
        .to_string(),
    );
    let toml = format!("[\"{model}\"]\nusd_per_1m_input = 2.5\nusd_per_1m_output = 2.5\n");
    folder.write("prices.toml", toml);
    let expected = route(&folder, &["--prices", "prices.csv"])["candidates"].clone();
    assert_ne!(expected, at_own_prices["candidates"]);
    for name in ["own.json", "litellm.json", "prices.toml"] {
        assert_eq!(route(&folder, &["--prices", name])["candidates"], expected, "{name}");
    }
}

#[test]
fn a_price_of_0_is_free_and_not_unknown() {
    let (folder, _) = decided("cheapest");
    let dearest = "bustard-large";
    folder.write("prices.csv", csv(dearest, 0.0));
    let decision = route(&folder, &["--prices", "prices.csv"]);
    assert_eq!(decision["model"], dearest);
    assert_eq!(candidate(&decision, dearest)["cost_usd"], 0.0);
}

#[test]
fn the_server_decides_at_other_prices_and_its_log_tells() {
    let (folder, at_own_prices) = decided("default");
    let chosen = at_own_prices["model"].as_str().unwrap();
    folder.write("prices.csv", csv(chosen, DEAR));
    let router = sample::router(0).dir();
    let mut policies = Vec::new();
    for flags in [&[][..], &["--prices", "prices.csv"]] {
        let server = Server::start_with(&folder, &router, flags);
        let answered = server.post("/v1/route", body("default")).json(200);
        let said = server.stop();
        let printed = route(&folder, flags);
        assert_eq!(answered["model"], printed["model"], "{said}");
        assert_eq!(answered["candidates"], printed["candidates"]);
        assert_eq!(answered["model"] == chosen, flags.is_empty());
        let logged = files(&folder.path("decisions")).pop().unwrap().1;
        let decision = logged.split(|byte| *byte == b'\n').nth_back(1).unwrap();
        let row: Value = serde_json::from_slice(decision).unwrap();
        policies.push(row["policy_digest"].as_str().unwrap().to_owned());
        std::fs::remove_dir_all(folder.path("decisions")).unwrap();
    }
    assert_ne!(policies[0], policies[1], "the router's digest does not cover the new prices");
}

#[test]
fn eval_scores_what_other_prices_would_choose() {
    let (folder, at_own_prices) = decided("default");
    folder.write("prices.csv", csv(at_own_prices["model"].as_str().unwrap(), DEAR));
    let (router, log) = (sample::router(0).dir(), sample::log());
    let eval = |flags: &[&str]| {
        let args = ["eval", router.to_str().unwrap(), log.to_str().unwrap()];
        let rest = ["--resamples", "50", "--json", "-"];
        folder.run_args(&[&args[..], &rest, flags].concat()).ok().json()
    };
    let (own, other) = (eval(&[]), eval(&["--prices", "prices.csv"]));
    assert_eq!(own["router"], other["router"]);
    assert_ne!(own["policy"], other["policy"]);
}

#[test]
fn what_prices_leave_open_is_said() {
    let (folder, _) = decided("default");
    folder.write("prices.csv", csv("finch-small", 1.0));
    let router = sample::router(0).dir();
    let args = ["route", router.to_str().unwrap(), "hello", "--prices", "prices.csv"];
    let said = [
        "warning: the table has no price for `bustard-large`, `heron-coder`, ",
        "`wren-mini`; cost is predicted from the costs of the training log\n",
        "certificates were computed at the prices of training",
    ];
    let ran = folder.run_args(&args).ended(0, &said);
    assert!(!ran.stderr.contains("`finch-small`"), "{}", ran.stderr);
    assert!(ran.stdout.contains("nine in ten"), "{}", ran.stdout);
}
