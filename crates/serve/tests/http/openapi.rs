//! The description: equal to the committed one, and true.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{service, service_with};

fn document() -> Value {
    serde_json::from_str(&farthing_serve::openapi_json()).unwrap()
}

/// That an object has exactly the properties of a schema, optional ones aside.
fn check_keys(object: &Value, schema: &str, optional: &[&str]) {
    let document = document();
    let properties = document["components"]["schemas"][schema]["properties"].as_object().unwrap();
    let optional: BTreeSet<&str> = optional.iter().copied().collect();
    let of = |object: &serde_json::Map<String, Value>| -> BTreeSet<String> {
        object.keys().filter(|key| !optional.contains(key.as_str())).cloned().collect()
    };
    assert_eq!(of(object.as_object().unwrap()), of(properties), "{schema}");
    for name in optional {
        assert!(properties.contains_key(name), "{schema}.{name}");
    }
}

#[test]
fn the_committed_description_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = farthing_serve::openapi_json() + "\n";
    if std::env::var_os("FARTHING_UPDATE_OPENAPI").is_some() {
        fs::write(path, &current).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == current,
        "crates/serve/openapi.json is not what the code describes; hint: run this test with \
         FARTHING_UPDATE_OPENAPI=1 set and look at the difference"
    );
}

#[tokio::test]
async fn it_is_served_and_names_every_path() {
    let served = service().get("/openapi.json").await;
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.json(), document());
    let paths: Vec<_> = served.json()["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        paths,
        [
            "/admin/health",
            "/admin/reload",
            "/admin/rollback",
            "/livez",
            "/metrics",
            "/openapi.json",
            "/readyz",
            "/v1/chat/completions",
            "/v1/embeddings",
            "/v1/messages",
            "/v1/models",
            "/v1/outcomes",
            "/v1/responses",
            "/v1/route",
            "/v1/route/batch",
            "/v1/router",
        ]
    );
}

#[tokio::test]
async fn answers_have_the_properties_of_their_schemas() {
    let service = service();
    let body = r#"{"prompt": "hello", "farthing": {"explain": true, "exclude": ["small"]}}"#;
    let decision = service.route(body).await.json();
    check_keys(&decision, "Decision", &["arm", "rules"]);
    check_keys(&decision["candidates"][0], "CandidateReport", &[]);
    check_keys(&decision["candidates"][1], "CandidateReport", &["excluded_by"]);
    let optional = ["extended_from", "clusters", "decision_time"];
    let mut router = service.get("/v1/router").await.json();
    let serving = router.as_object_mut().unwrap().remove("serving").unwrap();
    check_keys(&serving, "ServingReport", &[]);
    check_keys(&router, "Manifest", &optional);
    check_keys(&service.route("{}").await.json(), "ErrorBody", &[]);
    check_keys(&service.route("{}").await.json()["error"], "ErrorDetail", &[]);
}

/// Core refuses unknown fields and names the known ones, so its message is its own list.
async fn check_fields(path: &str, body: &str, schema: &str) {
    let service = service_with(|config, dir| {
        config.log = Some(farthing_serve::LogConfig::new(dir.join("log")));
    });
    let answer = service.post(path, body.to_owned()).await.json();
    let message = answer["error"]["message"].as_str().unwrap();
    let (_, known) = message.split_once("expected one of ").unwrap();
    let known = known.split(" at line").next().unwrap();
    let fields: serde_json::Map<String, Value> =
        known.split(", ").map(|name| (name.trim_matches('`').to_owned(), json!(null))).collect();
    check_keys(&Value::Object(fields), schema, &[]);
}

#[tokio::test]
async fn fields_are_those_that_core_knows() {
    check_fields("/v1/route", r#"{"prompt": "a", "farthing": {"?": 1}}"#, "RouteOptions").await;
    check_fields("/v1/outcomes", r#"{"?": 1}"#, "OutcomeBody").await;
}
