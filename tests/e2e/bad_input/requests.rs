//! Requests that cannot be routed, over HTTP and on the command line.

use crate::folder::Folder;
use crate::sample;
use crate::server::Server;

fn tiny_router() -> Folder {
    let folder = Folder::new();
    folder.write("log.ndjson", sample::ndjson(&sample::tiny_rows()));
    folder.run("train log.ndjson -o router --force").ok();
    folder
}

#[test]
fn over_http() {
    let folder = tiny_router();
    let server = Server::start(&folder, &folder.path("router"));
    let check = |body: &[u8], code: &str, said: &str| {
        let error = &server.post("/v1/route", body).json(400)["error"];
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    };
    check(br#"{"prompt": "a""#, "invalid_json", "EOF");
    check(b"", "invalid_json", "EOF");
    check(b"{\"prompt\": \"caf\xe9\"}", "invalid_json", "");
    check(br#"{"prompt": 5}"#, "invalid_json", "prompt");
    check(br#"{"prompt": "a", "farthing": {"bars": 0.5}}"#, "invalid_json", "unknown field `bars`");
    check(br#"{"prompt": " "}"#, "empty_prompt", "hint: ");
    check(b"{}", "missing_prompt", "hint: ");
    let unknown = br#"{"prompt": "a", "farthing": {"candidates": ["wren-mini", "nobody"]}}"#;
    check(unknown, "unknown_candidate", "in `candidates`: `nobody`; hint: use any of ");
    check(br#"{"prompt": "a", "farthing": {"bar": 0.7}}"#, "unknown_bar", "hint: ");
    check(br#"{"prompt": "a", "farthing": {"policy": "best"}}"#, "unknown_policy", "hint: ");
    // It still serves.
    assert_eq!(server.post("/v1/route", r#"{"prompt": "a"}"#).status, 200);
    server.stop();
}

#[test]
fn on_the_command_line() {
    let folder = tiny_router();
    let check = |body: &[u8], said: &[&str]| {
        folder.write("body.json", body);
        folder.run("route router --file body.json").ended(2, said);
    };
    check(br#"{"prompt": "a""#, &["error: `body.json` is not a request body: EOF"]);
    check(b"{\"prompt\": \"caf\xe9\"}", &["error: cannot read `body.json`", "UTF-8"]);
    check(br#"{"prompt": ""}"#, &["error: the prompt is empty; hint: "]);
    let unknown = br#"{"prompt": "a", "farthing": {"candidates": ["nobody"]}}"#;
    check(unknown, &["error: unknown candidate in `candidates`: `nobody`; hint: use any of "]);
    folder.run("route router --file nothing.json").ended(2, &["error: cannot read `nothing.json`"]);
    folder.run_args(&["route", "router", " "]).ended(2, &["error: the prompt is empty; hint: "]);
}
