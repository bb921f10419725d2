//! A router directory whose manifest is arbitrary: loading it gives a router that can route, or an error.
//!
//! An input that starts with `{` is the manifest. Any other is a list of changes to a good one, of which the
//! digests are put right afterwards: else nothing would come past their check.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use farthing_core::{Digest, Request, RouteOptions};
use farthing_model::features::FeatureSchema;
use farthing_model::{Circumstances, Router, RouterError, Scorer};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use tempfile::TempDir;
use tiny::write_tiny_router;

#[path = "../../crates/serve/tests/http/tiny.rs"]
mod tiny;

/// What stands in for a manifest's own digest while it is computed.
const BLANK: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

static DIRECTORY: LazyLock<(TempDir, Value)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder for temporary files");
    write_tiny_router(dir.path());
    let path = dir.path().join("manifest.json");
    let manifest: Value =
        serde_json::from_slice(&fs::read(&path).expect("it was written")).expect("it is JSON");
    fs::write(&path, sealed(manifest.clone())).expect("the disk has room");
    Router::load(dir.path()).expect("nothing was changed");
    (dir, manifest)
});

#[derive(Debug, Arbitrary)]
struct Edit<'a> {
    /// Which value, in the order of the text.
    place: u16,
    change: Change<'a>,
}

#[derive(Debug, Arbitrary)]
enum Change<'a> {
    Null,
    Flag(bool),
    Whole(u64),
    Greatest,
    Negative(i64),
    Number(f64),
    Text(&'a str),
    /// A text that stands elsewhere, or any other value.
    Copy(u16),
    EmptyList,
    EmptyObject,
    Remove,
    /// One more entry, the same as the first.
    Longer,
    /// One more key with the value of the first.
    Key(&'a str),
}

fuzz_target!(|data: &[u8]| {
    let (dir, good) = &*DIRECTORY;
    let dir = dir.path();
    if data.first() == Some(&b'{') {
        check(dir, data);
        if let Ok(manifest) = serde_json::from_slice(data) {
            check(dir, &sealed(manifest));
        }
    } else if let Ok(edits) = Unstructured::new(data).arbitrary::<Vec<Edit<'_>>>() {
        let mut manifest = good.clone();
        // What has many mistakes is refused for the first.
        for edit in edits.iter().take(4) {
            edit.apply(&mut manifest);
        }
        check(dir, &sealed(manifest));
    }
});

/// The text of a manifest with the digests of its features and of itself.
fn sealed(mut manifest: Value) -> Vec<u8> {
    if let Some(features) = manifest.get("features")
        && let Ok(features) = serde_json::from_value::<FeatureSchema>(features.clone())
    {
        manifest["feature_digest"] = json!(features.digest());
    }
    if !manifest.is_object() {
        return manifest.to_string().into_bytes();
    }
    manifest["digest"] = BLANK.into();
    let blank = manifest.to_string();
    blank.replacen(BLANK, &Digest::of(blank.as_bytes()).to_string(), 1).into_bytes()
}

fn check(dir: &Path, manifest: &[u8]) {
    fs::write(dir.join("manifest.json"), manifest).expect("the disk has room");
    let candidates = Router::stored_candidates(dir);
    let digest = Router::stored_digest(dir);
    match Router::load(dir) {
        Ok(router) => {
            assert_eq!(candidates.expect("it was loaded"), router.candidates());
            assert_eq!(digest.expect("it was loaded"), *router.digest());
            check_routes(&router);
        }
        Err(RouterError::Read { path, .. } | RouterError::Digest { path }) => {
            assert_eq!(path.parent(), Some(dir), "it reads what is in its directory");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Every policy at every bar decides or says why not.
fn check_routes(router: &Router) {
    let mut scorer = Scorer::default();
    let prompt = "What is 12 times 12?\n```\nlet x = 1;\n```";
    let mut request = Request::from_prompt(prompt).expect("there is text");
    request.context = [("task".to_owned(), "hard".to_owned())].into();
    let bars = router.manifest().bars.iter().map(|card| card.bar).take(4);
    for bar in bars {
        for policy in router.manifest().policies.keys().take(8) {
            let options =
                RouteOptions { policy: Some(policy.clone()), bar: Some(bar), ..Default::default() };
            match router.route(&mut scorer, &request, &options, Circumstances::drawn(0.5)) {
                Ok(decided) => {
                    let decision = decided.decision(router, "", 0.0, true);
                    assert!(router.candidates().contains(&decision.model.to_string()));
                    serde_json::to_vec(&decision).expect("a decision is JSON");
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            router.policy_digest(policy);
        }
    }
}

impl Edit<'_> {
    fn apply(&self, manifest: &mut Value) {
        let mut places = Vec::new();
        list(manifest, String::new(), &mut places);
        let place = &places[usize::from(self.place) % places.len()];
        let value = match self.change {
            Change::Null => Value::Null,
            Change::Flag(flag) => flag.into(),
            Change::Whole(number) => number.into(),
            Change::Greatest => u64::MAX.into(),
            Change::Negative(number) => number.into(),
            Change::Number(number) => number.into(),
            Change::Text(text) => text.into(),
            Change::Copy(from) => {
                let from = &places[usize::from(from) % places.len()];
                manifest.pointer(from).cloned().unwrap_or_default()
            }
            Change::EmptyList => json!([]),
            Change::EmptyObject => json!({}),
            Change::Remove => return remove(manifest, place),
            Change::Longer => return lengthen(manifest, place, "more"),
            Change::Key(key) => return lengthen(manifest, place, key),
        };
        // Copies of copies double.
        if value.to_string().len() < 1 << 14
            && let Some(slot) = manifest.pointer_mut(place)
        {
            *slot = value;
        }
    }
}

/// The place of every value in this one, itself last.
fn list(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                list(item, format!("{place}/{index}"), places);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.replace('~', "~0").replace('/', "~1");
                list(field, format!("{place}/{name}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    places.push(place);
}

fn remove(manifest: &mut Value, place: &str) {
    let Some((parent, name)) = place.rsplit_once('/') else { return };
    match manifest.pointer_mut(parent) {
        Some(Value::Array(items)) => drop(items.pop()),
        Some(Value::Object(fields)) => drop(fields.remove(name)),
        _ => {}
    }
}

fn lengthen(manifest: &mut Value, place: &str, name: &str) {
    match manifest.pointer_mut(place) {
        Some(Value::Array(items)) if items.len() < 64 => {
            items.extend(items.first().cloned());
        }
        Some(Value::Object(fields)) => {
            let value = fields.values().next().cloned().unwrap_or_default();
            fields.insert(name.to_owned(), value);
        }
        _ => {}
    }
}
