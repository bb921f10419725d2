//! Files, right and wrong, around the tiny router.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use farthing_core::PriceTable;
use tempfile::TempDir;
use toml::Table;

use super::*;

const KEY: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// A folder with a router and a file.
struct Folder(TempDir);

impl Folder {
    fn with(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        crate::tiny::write_tiny_router(&dir.path().join("router"));
        fs::write(dir.path().join("farthing.toml"), text).unwrap();
        Self(dir)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn sources(&self) -> Sources {
        Sources {
            file: Some(self.path("farthing.toml")),
            overrides: Overrides::default(),
            read_prices: |path| Ok(serde_json::from_slice::<PriceTable>(&fs::read(path)?)?),
            env: |name| (name == "KEY").then(|| "secret-key".to_owned()),
        }
    }

    /// The mistakes, with paths as seen from the folder.
    fn mistakes(&self) -> String {
        let error = self.sources().resolve().unwrap_err().to_string();
        error.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn resolved(text: &str) -> Resolved {
    Folder::with(text).sources().resolve().unwrap()
}

#[test]
fn an_empty_file_leaves_the_defaults() {
    let read = resolved("router.path = 'router'").config;
    let mut defaults = ServeConfig::new(read.router.path.clone());
    defaults.router.poll = Some(std::time::Duration::from_secs(5));
    assert_eq!(read, defaults);
}

/// Both the file as it is and with its examples are read, and nothing that can be set is missing.
#[test]
fn the_example_is_complete_and_says_the_defaults() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/farthing.toml");
    let text = fs::read_to_string(path).unwrap();
    let folder = Folder::with(&text);
    let mut sources = folder.sources();
    sources.overrides.router = Some(folder.path("router"));
    assert_eq!(sources.resolve().unwrap().config.log, None);
    sources.overrides.log = Some(folder.path("log"));
    let mut defaults = ServeConfig::new(folder.path("router"));
    defaults.router.poll = Some(std::time::Duration::from_secs(5));
    defaults.log = Some(LogConfig::new(folder.path("log")));
    assert_eq!(sources.resolve().unwrap().config, defaults);

    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with(' ') => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let full: String = text.lines().map(uncommented).collect();
    folder.write("farthing.toml", &full);
    folder.write("prices.csv", "{}");
    folder.write("keys.txt", KEY);
    folder.write("upstream.key", "of-file");
    sources.overrides = Overrides::default();
    sources.env = |name| (name == "FARTHING_UPSTREAM_KEY").then(|| "of-env".to_owned());
    let config = sources.resolve().unwrap().config;
    assert_eq!(config.auth.keys.len(), 2);
    // What the example says of the gateway are the defaults too.
    let mut gateway = config.gateway.unwrap();
    let main = gateway.upstreams.remove("main").unwrap();
    assert_eq!(gateway.budgets.remove("search").unwrap().keys.len(), 1);
    assert_eq!(gateway, GatewayConfig::new());
    assert_eq!(main.key, Secret::new("of-env"));
    assert_eq!(keys_of(&full.parse::<Table>().unwrap()), known_keys());
}

/// Tables whose keys users choose, and ranges: one stands for all.
const ELSEWHERE: [&str; 10] = [
    "candidates",
    "budgets",
    "upstreams",
    "experiment.arms",
    "rules[0].when.context",
    "rules[0].when.max_tokens",
    "rules[0].when.turns",
    "rules[0].when.chosen.p_above_bar",
    "rules[0].when.chosen.margin",
    "rules[0].when.chosen.cost_usd",
];

/// The keys of each table; one candidate, one upstream and one rule stand for all.
fn keys_of(file: &Table) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys = BTreeMap::new();
    let mut waiting = vec![(String::new(), file)];
    while let Some((name, table)) = waiting.pop() {
        if let Some(rule) = table.get("rules").and_then(|rules| rules.get(0)?.as_table()) {
            waiting.push(("rules[0]".to_owned(), rule));
        }
        for (key, value) in table.iter().filter_map(|(key, value)| Some((key, value.as_table()?))) {
            let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            waiting.push((inner, value));
        }
        keys.insert(name, table.keys().cloned().collect());
    }
    keys.retain(|table, _| !ELSEWHERE.contains(&table.as_str()));
    keys
}

/// What a file's reader answers where it is asked for a key that no table has.
fn known_keys() -> BTreeMap<String, BTreeSet<String>> {
    let tables = [
        "router",
        "policy",
        "log",
        "experiment",
        "sessions",
        "upstreams.main",
        "budgets.search",
        "gateway",
        "gateway.breaker",
        "gateway.cache",
        "limits",
        "auth",
        "admin",
        "trace",
    ];
    let tables = tables.map(|table| format!("[{table}]\n'?' = 1\n")).concat();
    let when = "{ '?' = 1, input_tokens = { '?' = 1 }, chosen = { '?' = 1 } }";
    let rules = format!("[[rules]]\n'?' = 1\nwhen = {when}\n");
    let text = format!("'?' = 1\n[candidates.small]\n'?' = 1\n{tables}{rules}");
    let mistakes = Folder::with(&text).mistakes();
    let unknown = mistakes.lines().filter_map(|line| line.split_once("unknown key: `"));
    let known = unknown.map(|(_, rest)| {
        let (name, rest) = rest.split_once("`; hint: known here are ").unwrap();
        let table = name.trim_end_matches('?').trim_end_matches('.').replace('"', "");
        (table, rest.split(", ").map(|key| key.trim_matches('`').to_owned()).collect())
    });
    known.collect()
}

const FULL: &str = r#"
listen = "127.0.0.1:1"
[router]
path = "router"
prices = "prices.json"
poll_seconds = 0
[policy]
when_none_eligible = "large"
[candidates.small]
context_window = 1_000
max_output_tokens = 0x10
tools = true
vision = false
json_schema = true
region = "eu"
tags = ["b", "a"]
[candidates."large"]
[log]
dir = "log"
prompts = "none"
segment_bytes = 1
segment_seconds = 2
queue_rows = 3
commit_interval_ms = 4
max_bytes = 5
max_age_days = 6
[limits]
body_bytes = 7
batch_requests = 8
batches = 9
concurrent_requests = 10
connections = 11
request_timeout_ms = 12
idle_timeout_ms = 13
drain_grace_ms = 14
drain_timeout_ms = 15
[auth]
keys = ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
keys_file = "keys.txt"
[admin]
listen = "[::1]:2"
[trace]
filter = "warn,farthing_serve=debug"
format = "json"
"#;

fn full() -> Folder {
    let folder = Folder::with(FULL);
    folder.write("prices.json", "{}");
    folder.write("keys.txt", &format!("# of the gateway\n{KEY}\n\n  {KEY} # again\n"));
    folder
}

const RULES: &str = r#"
router.path = "router"
[experiment]
name = "x"
by = "context.tenant"
arms = { a = 9, b = 1 }
[[rules]]
name = "night"
use = "large"
when = { hours = "22:30-06:00", weekdays = ["sat", "sun"], arm = "b", context = { f = "g", h = ["i", "j"] } }
[[rules]]
name = "unsure"
exclude = ["small"]
bar = 0.5
policy = "default"
[rules.when]
input_tokens = { at_least = 10, below = 20.5 }
max_tokens = { below = 5 }
turns = { at_least = 2 }
tools = true
vision = false
json_schema = true
chosen = { models = "small", p_above_bar = { below = 0.8 }, margin = { below = 1 }, cost_usd = { at_least = 0.1 } }
[[rules]]
name = "any choice"
bar = 0.5
when.chosen = {}
"#;

#[test]
fn rules_are_shown_as_they_are_read() {
    let read = resolved(RULES);
    let rules = &read.config.rules;
    assert_eq!(rules.list.len(), 3);
    assert!(rules.list[0].when.chosen.is_none() && rules.list[2].when.chosen.is_some());
    assert_eq!(resolved(&read.to_toml()).config.rules, *rules);
}

#[test]
fn mistakes_of_rules_are_told() {
    let folder = Folder::with(
        r#"
router.path = "router"
[experiment]
name = "x"
by = "user"
arms = { a = 1 }
[[rules]]
use = "larg"
when = { turns = 3, hours = "6-22", weekdays = ["monday"], arm = "c", context = { f = 1 } }
[[rules]]
name = "idle"
[[rules]]
name = "idle"
bar = -1
when.chosen = { models = ["smal"], p_above_bar = { above = 1 } }
"#,
    );
    insta::assert_snapshot!(folder.mistakes(), @r#"
    the configuration has 14 mistakes:
      farthing.toml:5:6: `experiment.by` is not "session", or "context." and the name of a value in it: "user"; hint: correct it or leave it out
      farthing.toml:6:8: `experiment.arms` is not a table of at least two arms with weights from 1 to 1000000: { a = 1 }; hint: correct it or leave it out
      farthing.toml:7:1: `rules[0].name` is missing; hint: it has no default
      farthing.toml:8:7: the router has no candidate `larg`; hint: did you mean `large`?
      farthing.toml:9:18: `rules[0].when.turns` is not a table; hint: write `[rules[0].when.turns]` and its keys
      farthing.toml:9:29: `rules[0].when.hours` is not a time of the day, UTC, such as "22:00-06:00": "6-22"; hint: correct it or leave it out
      farthing.toml:9:48: `rules[0].when.weekdays` is not a list of "mon", "tue", "wed", "thu", "fri", "sat", "sun": ["monday"]; hint: correct it or leave it out
      farthing.toml:9:66: there is no arm `c`; hint: name it in `experiment.arms`
      farthing.toml:9:87: `rules[0].when.context.f` is not a text in quotes, or a list of them: 1; hint: correct it or leave it out
      farthing.toml:10:1: nothing follows from this rule; hint: give it `use`, `exclude`, `bar` or `policy`
      farthing.toml:12:1: two rules are called `idle`; hint: rename one of them
      farthing.toml:14:7: `rules[2].bar` is not a number of at least 0: -1; hint: correct it or leave it out
      farthing.toml:15:26: the router has no candidate `smal`; hint: did you mean `small`?
      farthing.toml:15:52: unknown key: `rules[2].when.chosen.p_above_bar.above`; hint: known here are `at_least`, `below`
    "#);
}

#[test]
fn budgets_need_an_upstream_and_an_amount() {
    let folder = Folder::with(
        "router.path = \"router\"\n[budgets.a]\nper = \"week\"\nkeys = [\"sk-secret\"]\n",
    );
    insta::assert_snapshot!(folder.mistakes(), @r#"
    the configuration has 4 mistakes:
      farthing.toml:2:10: `budgets."a".usd` is missing; hint: it has no default
      farthing.toml:2:10: there is nothing to spend where no upstream is named; hint: add `upstreams`
      farthing.toml:3:7: `budgets."a".per` is not one of "hour", "day", "month"; hint: correct it or leave it out
      farthing.toml:4:8: `budgets."a".keys` is not a list of digests of the form "sha256:<64 hex digits>"; hint: correct it or leave it out
    "#);
}

#[test]
fn what_is_shown_says_everything_but_the_keys() {
    let folder = full();
    let resolved = folder.sources().resolve().unwrap();
    let shown = resolved.to_toml();
    insta::assert_snapshot!(shown.replace(&folder.0.path().display().to_string(), "[folder]"), @r#"
    listen = "127.0.0.1:1"

    [router]
    path = "[folder]/router"
    prices = "[folder]/prices.json"
    poll_seconds = 0

    [policy]
    when_none_eligible = "large"

    [candidates."large"]
    tags = []

    [candidates."small"]
    context_window = 1000
    max_output_tokens = 16
    tools = true
    vision = false
    json_schema = true
    region = "eu"
    tags = ["a", "b"]

    [sessions]
    entries = 100000
    cached_seconds = 300
    cached_tokens = 1024
    turns = 3.0

    [log]
    dir = "[folder]/log"
    prompts = "none"
    segment_bytes = 1
    segment_seconds = 2
    queue_rows = 3
    commit_interval_ms = 4
    max_bytes = 5
    max_age_days = 6

    [limits]
    body_bytes = 7
    batch_requests = 8
    batches = 9
    concurrent_requests = 10
    connections = 11
    request_timeout_ms = 12
    idle_timeout_ms = 13
    drain_grace_ms = 14
    drain_timeout_ms = 15

    [auth]
    # digests of keys, not shown: 3

    [admin]
    listen = "[::1]:2"

    [trace]
    filter = "warn,farthing_serve=debug"
    format = "json"
    "#);

    folder.write("shown.toml", &shown);
    let sources = Sources { file: Some(folder.path("shown.toml")), ..folder.sources() };
    let without_keys = ServeConfig { auth: Auth::default(), ..resolved.config };
    assert_eq!(sources.resolve().unwrap().config, without_keys);
}

#[test]
fn keys_are_counted_and_never_shown() {
    let resolved = full().sources().resolve().unwrap();
    assert_eq!(resolved.config.auth.keys.len(), 3);
    let shown = format!("{resolved:?} {}", resolved.to_toml());
    assert!(!shown.contains("9f86d0"), "{shown}");

    let folder = Folder::with(
        "router.path = 'router'\n[auth]\nkeys = ['my secret']\nkeys_file = 'keys.txt'\nkey = 'my secret'",
    );
    folder.write("keys.txt", "# comment\nmy secret\n");
    for auth in ["'my secret'", "['my secret']", "{ my = secret }", "my secret"] {
        let told = Folder::with(&format!("router.path = 'router'\nauth = {auth}\n")).mistakes();
        assert!(!told.contains("secret"), "{told}");
    }
    insta::assert_snapshot!(folder.mistakes(), @r#"
    the configuration has 3 mistakes:
      farthing.toml:3:8: `auth.keys` is not a list of digests of the form "sha256:<64 hex digits>"; hint: correct it or leave it out
      farthing.toml:4:13: `auth.keys_file`: line 2 of `keys.txt` is not of the form `sha256:<64 hex digits>`; hint: write the digest of a key, not the key
      farthing.toml:5:1: unknown key: `auth.key`; hint: did you mean `auth.keys`?
    "#);
}

#[test]
fn every_mistake_is_told_at_once() {
    let folder = Folder::with(
        r#"listen = "localhost"
lisen = 1
[router]
dir = "router"
path = "router"
prices = "no-such.json"
poll_seconds = 1.5
[policy]
when_none_eligible = "medium"
[candidates.smal]
tools = "yes"
[candidates.large]
contextwindow = 1
tags = "no-training"
max_output_tokens = -1
[candidates]
homemade = 3
[log]
path = "log"
prompts = "hash"
queue_rows = 0
[limits]
batch_requests = 100_000
request_timeout_ms = 99999999999999999999
something_else = true
[auth]
keys_file = "no-such.txt"
[admin]
listen = ""
[trace]
level = "info"
filter = "a=b=c"
format = """
long"""
"#,
    );
    insta::assert_snapshot!(folder.mistakes(), @r#"
    the configuration has 23 mistakes:
      farthing.toml:1:10: `listen` is not an address with a port such as "127.0.0.1:8080": "localhost"; hint: correct it or leave it out
      farthing.toml:2:1: unknown key: `lisen`; hint: did you mean `listen`?
      farthing.toml:4:1: unknown key: `router.dir`; hint: it is called `router.path`
      farthing.toml:6:10: the prices cannot be used: No such file or directory (os error 2)
      farthing.toml:7:16: `router.poll_seconds` is not a whole number from 0 to 1000000000: 1.5; hint: correct it or leave it out
      farthing.toml:9:22: the router has no candidate `medium`; hint: it has `small`, `large`, `homemade`
      farthing.toml:10:13: the router has no candidate `smal`; hint: did you mean `small`?
      farthing.toml:11:9: `candidates."smal".tools` is not true or false: "yes"; hint: correct it or leave it out
      farthing.toml:13:1: unknown key: `candidates."large".contextwindow`; hint: did you mean `candidates."large".context_window`?
      farthing.toml:14:8: `candidates."large".tags` is not a list of texts such as ["a", "b"]: "no-training"; hint: correct it or leave it out
      farthing.toml:15:21: `candidates."large".max_output_tokens` is not a whole number of at least 1: -1; hint: correct it or leave it out
      farthing.toml:17:12: `candidates."homemade"` is not a table; hint: write `[candidates."homemade"]` and its keys
      farthing.toml:19:1: unknown key: `log.path`; hint: it is called `log.dir`
      farthing.toml:20:11: `log.prompts` is not one of "full", "hashed", "features", "none": "hash"; hint: correct it or leave it out
      farthing.toml:21:14: `log.queue_rows` is not a whole number from 1 to 1000000: 0; hint: correct it or leave it out
      farthing.toml:23:18: `limits.batch_requests` is not a whole number from 1 to 65536: 100_000; hint: correct it or leave it out
      farthing.toml:24:22: `limits.request_timeout_ms` is not a whole number from 1 to 1000000000000: 99999999999999999999; hint: correct it or leave it out
      farthing.toml:25:1: unknown key: `limits.something_else`; hint: known here are `body_bytes`, `batch_requests`, `batches`, `concurrent_requests`, `connections`, `request_timeout_ms`, `idle_timeout_ms`, `drain_grace_ms`, `drain_timeout_ms`
      farthing.toml:27:13: cannot read `no-such.txt` of `auth.keys_file`: No such file or directory (os error 2); hint: correct it or leave it out
      farthing.toml:29:10: `admin.listen` is not an address with a port such as "127.0.0.1:8080": ""; hint: correct it or leave it out
      farthing.toml:31:1: unknown key: `trace.level`; hint: it is called `trace.filter`
      farthing.toml:32:10: `trace.filter` is not a filter such as "info" or "warn,farthing_serve=debug" (error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5): "a=b=c"; hint: correct it or leave it out
      farthing.toml:33:10: `trace.format` is not one of "text", "json"; hint: correct it or leave it out
    "#);
}

#[test]
fn text_that_is_not_toml() {
    let folder = Folder::with(
        "router.path = 'router'\n[limits]\nbatches = 1.x\nbodybytes = 3\n[log\ndir = 5\nü = 'a' oops\n",
    );
    insta::assert_snapshot!(folder.mistakes(), @"
    the configuration has 4 mistakes:
      farthing.toml:3:13: not TOML: invalid fraction, expected digits; hint: see https://toml.io
      farthing.toml:4:1: unknown key: `limits.bodybytes`; hint: did you mean `limits.body_bytes`?
      farthing.toml:5:5: not TOML: unclosed table, expected `]`; hint: see https://toml.io
      farthing.toml:7:1: not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`; hint: see https://toml.io
    ");
    let folder = Folder::with("[router]\npath = 'router'\npath = 'router'\n");
    insta::assert_snapshot!(folder.mistakes(), @"
    the configuration has a mistake:
      farthing.toml:3:1: not TOML: duplicate key; hint: see https://toml.io
    ");
}

#[test]
fn an_address_that_others_can_reach_needs_keys() {
    let folder = Folder::with("");
    folder.write("farthing.toml", "listen = \"0.0.0.0:80\"\nlisen = 1\nrouter.path = \"router\"\n");
    insta::assert_snapshot!(folder.mistakes(), @"
    the configuration has 2 mistakes:
      farthing.toml:1:10: 0.0.0.0:80 can be reached from elsewhere and there are no keys; hint: give `auth.keys`, or listen on a loopback address such as 127.0.0.1
      farthing.toml:2:1: unknown key: `lisen`; hint: did you mean `listen`?
    ");
    folder.write("farthing.toml", "router.path = \"router\"\nadmin.listen = \"0.0.0.0:80\"\n");
    assert!(
        folder.mistakes().contains("farthing.toml:2:16: 0.0.0.0:80 can be"),
        "{}",
        folder.mistakes()
    );
    folder.write(
        "farthing.toml",
        &format!("listen = \"0.0.0.0:80\"\nrouter.path = \"router\"\nauth.keys = [\"{KEY}\"]\n"),
    );
    folder.sources().resolve().unwrap();
}

#[test]
fn flags_win_over_the_file() {
    let folder = full();
    folder.write("other.json", r#"{"small": {"usd_per_1m_input": 1, "usd_per_1m_output": 2}}"#);
    let mut sources = folder.sources();
    sources.overrides = Overrides {
        router: Some("elsewhere".into()),
        prices: Some(folder.path("other.json")),
        listen: Some("127.0.0.1:9".parse().unwrap()),
        log: Some("rows".into()),
        log_prompts: Some(PromptStorage::Full),
        trace: Some("error".into()),
    };
    let config = sources.resolve().unwrap().config;
    assert_eq!(config.router.path, Path::new("elsewhere"), "relative to the working directory");
    assert!(config.prices.unwrap().get("small").is_some());
    assert_eq!(config.listen.port(), 9);
    assert_eq!(config.trace.filter, "error");
    let log = config.log.unwrap();
    assert_eq!((log.dir.to_str(), log.queue_rows), (Some("rows"), 3));
    assert_eq!(log.prompts, PromptStorage::Full);
}

#[test]
fn flags_alone_are_enough_and_may_be_wrong() {
    let mut sources = Sources { file: None, ..full().sources() };
    sources.overrides.trace = Some("a=b=c".into());
    let error = sources.resolve().unwrap_err().to_string();
    insta::assert_snapshot!(error, @r#"
    the configuration has 2 mistakes:
      there is no router; hint: give DIR or `router.path`
      `--trace` is not a filter such as "info" or "warn,farthing_serve=debug" (error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5); hint: correct it or leave it out
    "#);
    sources.overrides = Overrides { router: Some("router".into()), ..Overrides::default() };
    let resolved = sources.resolve().unwrap();
    assert_eq!(resolved.config, ServeConfig::new("router"));
    assert_eq!(resolved.digest, None);
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    let text = "router.path = 'router'";
    assert_eq!(resolved(text).digest, Some(farthing_core::Digest::of(text.as_bytes())));
}

#[test]
fn a_file_that_is_not_there() {
    let sources = Sources { file: Some("no-such.toml".into()), ..full().sources() };
    insta::assert_snapshot!(sources.resolve().unwrap_err(), @"
    the configuration has a mistake:
      cannot read `no-such.toml`: No such file or directory (os error 2); hint: give the configuration file with `--config`
    ");
}

#[test]
fn a_pointer_is_followed_to_the_candidates() {
    let folder = Folder::with("router.path = 'current'\n[candidates.nobody]\n");
    folder.write("current", "router\n");
    assert!(folder.mistakes().contains("no candidate `nobody`; hint: it has `small`, "));
    // A router that is not there yet says nothing about its candidates.
    folder.write("current", "no-such\n");
    assert!(folder.sources().resolve().is_ok());
}

#[test]
fn whatever_a_table_holds_is_no_panic() {
    let values = ["1", "-1", "1.5", "true", "'a'", "[]", "[1]", "{}", "2026-01-02", "inf"];
    let names = full();
    let table: Table = FULL.parse().unwrap();
    let paths = table.iter().flat_map(|(section, value)| match value.as_table() {
        Some(keys) => keys.keys().map(|key| format!("{section}.{key}")).collect(),
        None => vec![section.clone()],
    });
    for path in paths {
        for value in values {
            names.write("farthing.toml", &format!("{path} = {value}\n"));
            let message =
                names.sources().resolve().map_or_else(|e| e.to_string(), |_| String::new());
            assert!(message.contains("there is no router") || path == "router.path", "{message}");
        }
    }
}
