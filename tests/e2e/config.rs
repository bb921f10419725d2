//! `farthing serve --config`: what a file comes to, and what is wrong with it.

use farthing_core::Digest;
use serde_json::{Value, json};

use crate::artifact_compat::{FIXTURE, fixture};
use crate::folder::{Folder, Ran, copy_dir};
use crate::sample;
use crate::server::Server;

const FILE: &str = r#"
[router]
path = "current"
prices = "prices.csv"
[policy]
when_none_eligible = "bustard-large"
[candidates.finch-small]
context_window = 8_000
tools = false
[candidates."bustard-large"]
region = "eu"
tags = ["no-training"]
[log]
dir = "log"
[limits]
body_bytes = 1_000
[auth]
keys = ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
"#;

/// A folder with `conf/farthing.toml`, and a router behind a pointer beside it.
fn folder(file: &str) -> Folder {
    let folder = Folder::new();
    copy_dir(&fixture(FIXTURE), &folder.path("conf/routers/v1"));
    folder.write("conf/current", "routers/v1\n");
    folder.write(
        "conf/prices.csv",
        "model,usd_per_1m_input,usd_per_1m_output\nfinch-small,1,1\nbustard-large,9,9\n",
    );
    folder.write("conf/farthing.toml", file);
    folder
}

fn check(folder: &Folder, flags: &str) -> Ran {
    folder.run(&format!("serve --config conf/farthing.toml --check {flags}"))
}

#[test]
fn check_prints_the_settings_that_result() {
    let folder = folder(FILE);
    let ran = check(&folder, "--listen 127.0.0.1:9 --trace warn")
        .ended(0, &["`conf/current` is sound: sha256:", "the table has no price for"]);
    for line in [
        "listen = \"127.0.0.1:9\"\n",
        "path = \"conf/current\"\n",
        "prices = \"conf/prices.csv\"\n",
        "poll_seconds = 5\n",
        "[candidates.\"finch-small\"]\ncontext_window = 8000\ntools = false\n",
        "dir = \"conf/log\"\n",
        "body_bytes = 1000\nbatch_requests = 1024\n",
        "[auth]\n# digests of keys, not shown: 1\n",
        "filter = \"warn\"\n",
    ] {
        assert!(ran.stdout.contains(line), "no {line:?} in:\n{}", ran.stdout);
    }
    assert!(!folder.path("conf/log").exists(), "checking starts nothing");

    // What is printed is a file that comes to the same.
    folder.write("printed.toml", &ran.stdout);
    let again = folder.run("serve --config printed.toml --check").ok().stdout;
    assert_eq!(again, ran.stdout.replace("[auth]\n# digests of keys, not shown: 1\n\n", ""));
}

#[test]
fn the_environment_wins_over_the_file_and_flags_over_both() {
    let folder = folder(FILE);
    let listen = |flags: &[&str]| {
        let mut command = folder.command();
        command.env("FARTHING_CONFIG", "conf/farthing.toml").env("FARTHING_LISTEN", "127.0.0.1:7");
        let ran = Ran::of(command.args(["serve", "--check"]).args(flags)).ok();
        ran.stdout.lines().next().unwrap().to_owned()
    };
    assert_eq!(listen(&[]), "listen = \"127.0.0.1:7\"");
    assert_eq!(listen(&["--listen", "127.0.0.1:8"]), "listen = \"127.0.0.1:8\"");
}

#[test]
fn every_mistake_is_told_and_nothing_is_started() {
    let folder = folder(
        "listen = 8080\n[router]\ndir = \"current\"\npath = \"current\"\n[candidates.finch-smal]\n\
         tols = true\n[limits]\nbodybytes = 1\n[auth]\nkeys = [\"hunter2\"]\n[log]\nprompts = \"all\"\n",
    );
    let said = "error: the configuration has 7 mistakes:
  conf/farthing.toml:1:10: `listen` is not an address with a port such as \"127.0.0.1:8080\": 8080; hint: correct it or leave it out
  conf/farthing.toml:3:1: unknown key: `router.dir`; hint: it is called `router.path`
  conf/farthing.toml:5:13: the router has no candidate `finch-smal`; hint: did you mean `finch-small`?
  conf/farthing.toml:6:1: unknown key: `candidates.\"finch-smal\".tols`; hint: did you mean `candidates.\"finch-smal\".tools`?
  conf/farthing.toml:8:1: unknown key: `limits.bodybytes`; hint: did you mean `limits.body_bytes`?
  conf/farthing.toml:10:8: `auth.keys` is not a list of digests of the form \"sha256:<64 hex digits>\"; hint: correct it or leave it out
  conf/farthing.toml:12:11: `log.prompts` is not one of \"full\", \"hashed\", \"features\", \"none\": \"all\"; hint: correct it or leave it out
";
    for flags in ["--check", ""] {
        let ran = folder.run(&format!("serve --config conf/farthing.toml {flags}"));
        assert_eq!((ran.code, ran.stderr.as_str(), ran.stdout.as_str()), (Some(2), said, ""));
    }
}

#[test]
fn a_server_needs_a_router_and_a_file_that_is_there() {
    let folder = Folder::new();
    folder.run("serve --check").ended(2, &["there is no router; hint: give DIR or `router.path`"]);
    folder
        .run("serve --config no-such.toml")
        .ended(2, &["cannot read `no-such.toml`: ", "hint: give the configuration file"]);
    folder.run("serve no-such --check").ended(2, &["cannot read `no-such/manifest.json`; hint: "]);
}

/// The facts of the file exclude, the limits of the file limit, and the log says what was read.
#[test]
fn a_server_does_as_its_file_says() {
    let file = FILE.replace("[auth]", "[trace]\nformat = \"json\"\n");
    let file: String =
        file.lines().filter(|line| !line.starts_with("keys")).collect::<Vec<_>>().join("\n");
    let folder = folder(&file);
    let flags = ["--config", "conf/farthing.toml"];
    let server = Server::start_with(&folder, &folder.path("conf/current"), &flags);
    let route = |body: Value| server.post("/v1/route", body.to_string());
    let farthing = json!({"explain": true, "policy": "cheapest"});
    let body = json!({"prompt": "hello", "tools": [{"type": "function"}], "farthing": farthing});
    let decision = route(body).json(200);
    let small = decision["candidates"].as_array().unwrap().iter();
    let small = small.clone().find(|c| c["model"] == "finch-small").unwrap();
    assert_eq!(small["excluded_by"], "tools");
    let everything = json!({"exclude": ["finch-small"], "regions": ["eu"], "max_cost_usd": 0.0});
    let stand_in = route(json!({"prompt": "hello", "farthing": everything})).json(200);
    assert_eq!(stand_in["model"], "bustard-large");
    assert_eq!(stand_in["reason"], "none_eligible_default");
    assert_eq!(route(json!({"prompt": "a".repeat(1000)})).status, 413);
    let said = server.stop();
    let first: Value =
        serde_json::from_str(said.lines().find(|l| l.starts_with('{')).unwrap()).unwrap();
    let settings = first["fields"]["message"].as_str().unwrap();
    assert!(settings.contains("[candidates.\"finch-small\"]\ncontext_window = 8000"), "{said}");
}

#[test]
fn a_new_key_is_one_that_the_settings_take() {
    let folder = Folder::new();
    let [one, two] = ["key --json", "key --json"].map(|args| {
        let ran = folder.run(args);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let new: Value = serde_json::from_str(&ran.stdout).unwrap();
        let key = new["key"].as_str().unwrap().to_owned();
        assert_eq!(key.len(), 64, "256 bits in hex");
        assert_eq!(new["digest"], Digest::of(key.as_bytes()).to_string());
        key
    });
    assert_ne!(one, two);

    let ran = folder.run("key");
    let [key, digest] = ran.stdout.lines().collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(digest, Digest::of(key.as_bytes()).to_string());
    folder.write("keys.txt", format!("{digest}\n"));
    folder.write("farthing.toml", "[auth]\nkeys_file = \"keys.txt\"\n");
    let router = sample::router(0).dir();
    let ran = folder.run_args(&[
        "serve",
        router.to_str().unwrap(),
        "--config",
        "farthing.toml",
        "--check",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}
