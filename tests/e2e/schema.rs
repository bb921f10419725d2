//! Real JSON against the published schemas, by the keywords that those use and no others.

#![expect(clippy::panic, reason = "a helper of tests fails like a test")]

use std::path::Path;

use serde_json::{Value, json};

/// A published schema.
pub(crate) struct Schema(Value);

impl Schema {
    /// The one of that name in `data/schemas`.
    pub(crate) fn published(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/schemas").join(name);
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// What is first found to be wrong with a value.
    pub(crate) fn check(&self, value: &Value) -> Result<(), String> {
        self.at(value, &self.0, "$")
    }

    /// Like the schema language, but for keys that no schema names: those are mistakes here.
    fn at(&self, value: &Value, schema: &Value, place: &str) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("{place}: {why}: {value}"));
        let be =
            |fine: bool, rule: &Value| if fine { Ok(()) } else { wrong(&format!("not {rule}")) };
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                // `format` says how wide a number is; JSON numbers have no width.
                "$schema" | "title" | "description" | "$defs" | "required" | "format" => Ok(()),
                "type" => be(is_of(value, rule), rule),
                "const" => be(value == rule, rule),
                "minimum" => be(value.as_f64() >= rule.as_f64() || !value.is_number(), rule),
                "pattern" => {
                    assert_eq!(rule, DIGEST, "{place}");
                    be(value.as_str().is_some_and(is_digest), rule)
                }
                "$ref" => {
                    let pointer = rule.as_str().unwrap().trim_start_matches('#');
                    self.at(value, self.0.pointer(pointer).unwrap(), place)
                }
                "anyOf" | "oneOf" => {
                    let fits = |schema: &Value| self.at(value, schema, place).is_ok();
                    be(rule.as_array().unwrap().iter().any(fits), rule)
                }
                "items" => {
                    let items = value.as_array().into_iter().flatten().enumerate();
                    let mut each =
                        items.map(|(i, item)| self.at(item, rule, &format!("{place}[{i}]")));
                    each.find(Result::is_err).unwrap_or(Ok(()))
                }
                "properties" => self.properties(value, schema, place),
                other => panic!("{place}: this check does not know `{other}`"),
            }?;
        }
        Ok(())
    }

    fn properties(&self, value: &Value, schema: &Value, place: &str) -> Result<(), String> {
        let Some(fields) = value.as_object() else { return Ok(()) };
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            fields.get(name).ok_or_else(|| format!("{place}: no `{name}`"))?;
        }
        for (name, field) in fields {
            let rule = schema["properties"].get(name);
            let rule = rule.ok_or_else(|| format!("{place}: no schema of `{name}`"))?;
            self.at(field, rule, &format!("{place}.{name}"))?;
        }
        Ok(())
    }
}

/// The one pattern in the schemas.
const DIGEST: &str = "^sha256:[0-9a-f]{64}$";

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// Whether a value is of a type, or of one of several.
fn is_of(value: &Value, types: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type `{other}`"),
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

/// Holds the JSON of a command to its schema.
#[track_caller]
pub(crate) fn validates(value: &Value, name: &str) {
    assert_eq!(Schema::published(name).check(value), Ok(()), "{name}");
}

#[test]
fn the_check_finds_mistakes() {
    let schema = Schema::published("compare.schema.json");
    let good = json!({
        "candidates": ["a"], "requests": 3, "rows": [], "cluster_less_exact_neighbours": null
    });
    let with = |name: &str, value: Value| {
        let mut bad = good.clone();
        bad[name] = value;
        schema.check(&bad)
    };
    assert_eq!(schema.check(&good), Ok(()));
    assert_eq!(with("rejects", json!(1)), Err("$: no schema of `rejects`".to_owned()));
    assert!(with("requests", json!(-1)).unwrap_err().ends_with("not 0: -1"));
    assert!(with("requests", Value::Null).unwrap_err().starts_with("$.requests: not"));
    assert!(with("candidates", json!([1])).unwrap_err().starts_with("$.candidates[0]: not"));
    assert_eq!(with("rows", json!([{}])), Err("$.rows[0]: no `name`".to_owned()));
    assert!(with("cluster_less_exact_neighbours", json!(1)).is_err());
}
