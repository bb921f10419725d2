//! What a client asks of the gateway: its body as far as a gateway must know it, and the same body as
//! an upstream gets it.
//!
//! A body passes through as the client wrote it, field by field; what it means to the model is not the
//! gateway's business. Only `model` is exchanged, `farthing` and `models` are taken out, and a stream
//! is asked for its usage.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::protocol::Shape;
use crate::body;
use crate::error::ApiError;

/// Fields that no upstream knows.
const OURS: [&str; 2] = ["farthing", "models"];

/// A client's body.
#[derive(Debug)]
pub(super) struct Call<'a> {
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
    pub(super) read: Read<'a>,
    shape: Shape,
    /// Length of the body.
    bytes: usize,
}

/// The fields that say what a gateway has to do.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a request body: an object with `model`")]
pub(super) struct Read<'a> {
    /// The name that the client gave.
    #[serde(borrow)]
    pub(super) model: Option<Cow<'a, str>>,
    /// `OpenRouter`'s list of fallbacks.
    #[serde(default)]
    models: Option<Vec<String>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// What a client wants to be answered by.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whatever the router chooses.
    Auto,
    /// These, the first that answers.
    Named(Vec<String>),
}

impl<'a> Call<'a> {
    pub(super) fn parse(shape: Shape, json: &'a [u8]) -> Result<Self, ApiError> {
        let read: Read<'a> = body::parse(json)?;
        let Fields(fields) = body::parse(json)?;
        Ok(Self { fields, read, shape, bytes: json.len() })
    }

    /// Who is to answer: no name, and `auto` with or without a policy, leave it to the router.
    pub(super) fn wanted(&self) -> Wanted {
        let Some(model) = self.read.model.as_deref() else { return Wanted::Auto };
        let name = model.strip_prefix("farthing/").unwrap_or(model);
        if name == "auto" || name.starts_with("auto:") {
            return Wanted::Auto;
        }
        let others = self.read.models.iter().flatten().filter(|other| *other != model);
        Wanted::Named(std::iter::once(model.to_owned()).chain(others.cloned()).collect())
    }

    pub(super) fn is_stream(&self) -> bool {
        self.read.stream == Some(true)
    }

    /// Whether its answer is meant to be the same each time.
    pub(super) fn is_at_temperature_zero(&self) -> bool {
        let given = self.fields().find(|(key, _)| *key == "temperature");
        given.and_then(|(_, value)| value.parse().ok()) == Some(0.0_f64)
    }

    /// Every field and its JSON, in the client's order.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(key, value)| (&**key, value.get()))
    }

    /// Whether a stream has to be asked for its usage although the client did not.
    pub(super) fn hides_usage(&self) -> bool {
        let asked = self.read.stream_options.as_ref().and_then(|options| options.include_usage);
        self.shape == Shape::Chat && self.is_stream() && asked != Some(true)
    }

    /// The body for an upstream that knows the candidate by this name.
    pub(super) fn for_model(&self, model: &str) -> Vec<u8> {
        let hides_usage = self.hides_usage();
        let is_exchanged = |key: &str| key == "model" || (hides_usage && key == "stream_options");
        let model = quoted(model);
        let options = hides_usage.then(|| self.stream_options());
        let own = [("model", Some(model)), ("stream_options", options)];
        let own = own.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?)));
        let passed = self.fields().filter(|(key, _)| !OURS.contains(key) && !is_exchanged(key));
        let mut out = Vec::with_capacity(256 + self.bytes);
        for (key, value) in own.chain(passed) {
            out.push(if out.is_empty() { b'{' } else { b',' });
            out.extend_from_slice(quoted(key).as_bytes());
            out.push(b':');
            out.extend_from_slice(value.as_bytes());
        }
        out.push(b'}');
        out
    }

    /// The client's stream options, and that usage is wanted.
    fn stream_options(&self) -> String {
        let given = self.fields.iter().find(|(key, _)| key == "stream_options");
        let given = given.and_then(|(_, value)| serde_json::from_str(value.get()).ok());
        let mut options: Map<String, Value> = given.unwrap_or_default();
        options.insert("include_usage".to_owned(), true.into());
        Value::from(options).to_string()
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The fields of an object, in its order.
#[derive(Debug)]
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((Key(key), value)) = map.next_entry()? {
                    fields.push((key, value));
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(InOrder).map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(body: &str) -> Value {
        let call = Call::parse(Shape::Chat, body.as_bytes()).unwrap();
        serde_json::from_slice(&call.for_model("upstream-name")).unwrap()
    }

    #[test]
    fn a_body_passes_through_but_for_what_is_ours() {
        let body = r#"{"messages": [{"role": "user", "content": "é\u0000"}], "temperature": 0.30000000000000004,
            "farthing": {"policy": "p"}, "models": ["a"], "model": "auto", "x": {"farthing": 1}}"#;
        let call = Call::parse(Shape::Chat, body.as_bytes()).unwrap();
        let sent = String::from_utf8(call.for_model("m\"1")).unwrap();
        assert_eq!(
            sent,
            r#"{"model":"m\"1","messages":[{"role": "user", "content": "é\u0000"}],"temperature":0.30000000000000004,"x":{"farthing": 1}}"#
        );
    }

    #[test]
    fn a_stream_is_asked_for_its_usage() {
        let options = |body: &str| sent(body)["stream_options"].clone();
        let all = json!({"include_usage": true});
        assert_eq!(options(r#"{"stream": true}"#), all);
        assert_eq!(options(r#"{"stream": true, "stream_options": null}"#), all);
        assert_eq!(options(r#"{"stream": true, "stream_options": {"include_usage": true}}"#), all);
        let other =
            options(r#"{"stream": true, "stream_options": {"include_usage": false, "x": 1}}"#);
        assert_eq!(other, json!({"include_usage": true, "x": 1}));
        assert_eq!(options(r#"{"stream": false}"#), Value::Null);
        let call = |body: &'static str| Call::parse(Shape::Chat, body.as_bytes()).unwrap();
        assert!(call(r#"{"stream": true}"#).hides_usage());
        assert!(
            !call(r#"{"stream": true, "stream_options": {"include_usage": true}}"#).hides_usage()
        );
        assert!(!call("{}").hides_usage());
    }

    #[test]
    fn who_is_to_answer() {
        let wanted = |body: &str| Call::parse(Shape::Chat, body.as_bytes()).unwrap().wanted();
        for auto in [
            "{}",
            r#"{"model": "auto"}"#,
            r#"{"model": "auto:cheap", "models": ["a"]}"#,
            r#"{"model": "farthing/auto"}"#,
        ] {
            assert_eq!(wanted(auto), Wanted::Auto, "{auto}");
        }
        let named =
            |names: &[&str]| Wanted::Named(names.iter().map(|&name| name.to_owned()).collect());
        assert_eq!(wanted(r#"{"model": "m1"}"#), named(&["m1"]));
        assert_eq!(
            wanted(r#"{"model": "automatic", "models": ["a", "automatic"]}"#),
            named(&["automatic", "a"])
        );
    }
}
