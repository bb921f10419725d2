//! A prompt of 5 MB is legal: it trains, routes and serves, and the decision says that it was cut.

use serde_json::json;

use crate::folder::Folder;
use crate::sample;
use crate::server::Server;

#[test]
fn five_megabytes() {
    let prompt = "lorem ipsum ".repeat(5_000_000 / 12 + 1);
    let folder = Folder::new();
    let mut rows = sample::tiny_rows();
    for row in &mut rows[..sample::TINY_CANDIDATES] {
        row["prompt"] = json!(prompt);
        row.as_object_mut().unwrap().remove("messages");
    }
    folder.write("log.ndjson", sample::ndjson(&rows));
    let said = [format!("trained on {} requests", sample::TINY_REQUESTS)];
    folder.run("train log.ndjson -o router --force").ended(0, &[&said[0]]);

    let body = json!({"prompt": prompt, "farthing": {"explain": true}}).to_string();
    folder.write("body.json", &body);
    let printed = folder.run("route router --file body.json --json").ok().json();
    assert_eq!(printed["truncated"], true);

    let server = Server::start(&folder, &folder.path("router"));
    let answered = server.post("/v1/route", body).json(200);
    assert_eq!((&answered["truncated"], &answered["model"]), (&json!(true), &printed["model"]));
    assert_eq!(answered["candidates"], printed["candidates"]);
    server.stop();
}
