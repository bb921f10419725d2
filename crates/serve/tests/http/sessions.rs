//! Conversations: who answered the last turn has it in its cache, and that is worth something.

use farthing_core::PriceTable;
use serde_json::{Value, json};

use crate::harness::{Answer, Service, service_with};

/// Both read a cached token at a tenth of the price of another; `large` is cheaper on the whole.
const PRICES: &str = r#"{
    "small": {"usd_per_1m_input": 1.0, "usd_per_1m_output": 1.0, "usd_per_1m_cached_input": 0.1},
    "large": {"usd_per_1m_input": 0.8, "usd_per_1m_output": 1.0, "usd_per_1m_cached_input": 0.08}}"#;
/// The harness's clock stands still.
const NOW: u64 = 1_767_323_045;

fn replica(turns: f64) -> Service {
    service_with(|config, _| {
        config.prices = Some(serde_json::from_str::<PriceTable>(PRICES).unwrap());
        config.sessions.turns = turns;
    })
}

/// A conversation of 40,000 bytes, of which `small` has seen nine tenths.
async fn ask(service: &Service, farthing: Value) -> Answer {
    let mut farthing = farthing;
    farthing.as_object_mut().unwrap().entry("policy").or_insert(json!("cheapest"));
    farthing["explain"] = json!(true);
    let body = json!({"prompt": "abc ".repeat(10_000), "farthing": farthing});
    service.route(body.to_string()).await
}

fn pin(age: u64) -> Value {
    json!(format!("1:1:36000:{}:small", NOW - age))
}

fn chosen(answer: &Answer) -> String {
    let json = answer.json();
    format!("{} by {}", json["model"].as_str().unwrap(), json["reason"].as_str().unwrap())
}

#[tokio::test]
async fn a_session_is_left_where_the_saving_is_more_than_the_cache_that_is_lost() {
    let few = replica(17.0);
    assert_eq!(chosen(&ask(&few, json!({})).await), "large by cheapest");
    let stayed = ask(&few, json!({"pin": pin(0)})).await;
    assert_eq!(chosen(&stayed), "small by session");
    // 1,000 tokens are new, and 9,010 cached; what another would cost is this turn's.
    let usd = |name: &str| {
        let candidates = stayed.json()["candidates"].clone();
        let found = candidates.as_array().unwrap().iter().find(|c| c["model"] == name).cloned();
        found.unwrap()["cost_usd"].as_f64().unwrap()
    };
    let output = 1e-6 * stayed.json()["candidates"][0]["output_tokens"].as_f64().unwrap();
    assert!((usd("small") - output - 1901e-6).abs() < 1e-9, "{}", usd("small"));
    assert!((usd("large") - output - 8008e-6).abs() < 1e-9, "{}", usd("large"));
    // From the 18th turn on the change would have paid.
    let many = replica(22.0);
    assert_eq!(chosen(&ask(&many, json!({"pin": pin(0)})).await), "large by cheapest");
    // There is no cache any more.
    assert_eq!(chosen(&ask(&few, json!({"pin": pin(301)})).await), "large by cheapest");
}

#[tokio::test]
async fn a_session_does_not_stay_with_who_is_not_good_enough_nor_eligible() {
    let service = replica(3.0);
    let hard = json!({"pin": pin(0), "policy": "default", "context": {"task": "hard"}});
    assert_eq!(chosen(&ask(&service, hard).await), "large by cheapest_above_bar");
    let easy = json!({"pin": pin(0), "policy": "default"});
    assert_eq!(chosen(&ask(&service, easy).await), "small by session");
    let excluded = json!({"pin": pin(0), "exclude": ["small"]});
    assert_eq!(chosen(&ask(&service, excluded).await), "large by cheapest");
    // A cap is on this turn: spread over all of them, large would be below it.
    let capped = ask(&service, json!({"pin": pin(0), "max_cost_usd": 0.005})).await;
    assert_eq!(capped.json()["candidates"][1]["excluded_by"], "max_cost");
}

#[tokio::test]
async fn a_session_goes_on_by_its_id_or_by_its_pin() {
    let service = replica(3.0);
    let first = ask(&service, json!({"session_id": "s", "candidates": ["small"]})).await;
    let again = ask(&service, json!({"session_id": "s"})).await;
    assert_eq!(chosen(&again), "small by session");
    assert_eq!(chosen(&ask(&service, json!({"session_id": "other"})).await), "large by cheapest");
    let pin = first.headers["x-farthing-pin"].to_str().unwrap().to_owned();
    assert_eq!(pin, format!("1:1:40000:{NOW}:small"));
    let elsewhere = ask(&replica(3.0), json!({"pin": pin})).await;
    assert_eq!(chosen(&elsewhere), "small by session");
    assert_eq!(elsewhere.headers["x-farthing-pin"], format!("1:2:40000:{NOW}:small"));
    assert!(!ask(&service, json!({})).await.headers.contains_key("x-farthing-pin"));

    let wrong = ask(&service, json!({"pin": "small"})).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.text.contains("no pin of a session"), "{}", wrong.text);
}
