//! The JSON that clients send, read without keeping what routing does not need: tools, schemas and
//! images are counted or noticed while they are skipped.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::{Message, Request, RequestError, Role};

/// The body of `POST /v1/route`: an OpenAI chat body or `{"prompt": "..."}`, and a `farthing` object.
///
/// Fields of the OpenAI protocol that routing does not need are ignored.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a request body: an object with `messages` or `prompt`")]
pub struct RouteBody {
    prompt: Option<String>,
    messages: Option<Vec<RawMessage>>,
    model: Option<String>,
    models: Option<Vec<String>>,
    tools: Option<Count>,
    functions: Option<Count>,
    response_format: Option<RawFormat>,
    max_tokens: Option<Tokens>,
    max_completion_tokens: Option<Tokens>,
    /// What the client asks of the router.
    #[serde(default)]
    pub farthing: RouteOptions,
}

/// The `farthing` object of a request; every field is optional.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a `farthing` object")]
pub struct RouteOptions {
    /// A policy by name instead of the default one.
    pub policy: Option<String>,
    /// One of the router's trained bars.
    pub bar: Option<f64>,
    /// Only these candidates may be chosen.
    pub candidates: Option<Vec<String>>,
    /// These candidates may not be chosen.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Candidates predicted to cost more are not chosen, in USD.
    pub max_cost_usd: Option<f64>,
    /// Only candidates in one of these regions may be chosen.
    pub regions: Option<Vec<String>>,
    /// Only candidates with all of these tags may be chosen.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Categorical facts known before the call.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// Keeps the turns of one conversation together.
    pub session_id: Option<String>,
    /// Report every candidate, unrounded.
    #[serde(default)]
    pub explain: bool,
    /// Which of these stood elsewhere in the body, so that errors name the right place.
    #[serde(skip)]
    pub elsewhere: Elsewhere,
}

/// Fields of the OpenAI and `OpenRouter` protocols that stand for options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// `policy` was named by `model`.
    pub policy_in_model: bool,
    /// `candidates` are those of `models`.
    pub candidates_in_models: bool,
}

impl RouteBody {
    /// The checked request and what the client asks of the router.
    pub fn check(mut self) -> Result<(Request, RouteOptions), RequestError> {
        self.read_model()?;
        self.read_models();
        let mut request = match (self.prompt, self.messages) {
            (Some(_), Some(_)) => return Err(RequestError::Both),
            (None, None) => return Err(RequestError::Missing),
            (Some(prompt), None) => Request::from_prompt(prompt)?,
            (None, Some(raw)) => raw_request(raw)?,
        };
        let tools = [self.tools, self.functions];
        request.tools = tools.into_iter().flatten().map(|Count(n)| n).sum();
        request.json_schema =
            self.response_format.is_some_and(|f| f.kind == FormatKind::JsonSchema);
        let max_tokens = self.max_completion_tokens.or(self.max_tokens);
        request.max_tokens = max_tokens.map(|Tokens(n)| n);
        request.context.clone_from(&self.farthing.context);
        Ok((request, self.farthing))
    }

    /// `auto:POLICY` names a policy. Other names are what the client would have called: it asks what
    /// to call instead.
    fn read_model(&mut self) -> Result<(), RequestError> {
        let Some(model) = &self.model else { return Ok(()) };
        let virtual_name = model.strip_prefix("farthing/").unwrap_or(model);
        let Some(named) = virtual_name.strip_prefix("auto:") else { return Ok(()) };
        match &self.farthing.policy {
            Some(policy) if policy != named => Err(RequestError::ConflictingPolicy {
                model: model.clone(),
                policy: policy.clone(),
            }),
            Some(_) => Ok(()),
            None => {
                self.farthing.policy = Some(named.to_owned());
                self.farthing.elsewhere.policy_in_model = true;
                Ok(())
            }
        }
    }

    /// `OpenRouter`'s list of fallbacks; an empty one means that there are none, not that nobody may
    /// be chosen.
    fn read_models(&mut self) {
        let models = self.models.take().filter(|models| !models.is_empty());
        if self.farthing.candidates.is_none() && models.is_some() {
            self.farthing.candidates = models;
            self.farthing.elsewhere.candidates_in_models = true;
        }
    }
}

/// The request of a JSON list of chat messages.
pub(crate) fn request_from_messages(json: &str) -> Result<Request, RequestError> {
    let raw = serde_json::from_str(json).map_err(|e| RequestError::Json(e.to_string()))?;
    raw_request(raw)
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a chat message: an object with `role` and `content`")]
struct RawMessage {
    role: String,
    content: Option<RawContent>,
}

/// A message's text, parts joined by line breaks.
#[derive(Debug, Default)]
struct RawContent {
    text: String,
    shows_image: bool,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a content part: an object with `type`")]
struct RawPart {
    #[serde(default, rename = "type")]
    kind: PartKind,
    text: Option<String>,
}

/// Images as OpenAI's two protocols and Anthropic's call them.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartKind {
    #[serde(alias = "input_image", alias = "image")]
    ImageUrl,
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a response format: an object with `type`")]
struct RawFormat {
    #[serde(rename = "type")]
    kind: FormatKind,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormatKind {
    JsonSchema,
    #[serde(other)]
    Other,
}

fn raw_request(raw: Vec<RawMessage>) -> Result<Request, RequestError> {
    let shows_image =
        |message: &RawMessage| message.content.as_ref().is_some_and(|c| c.shows_image);
    let vision = raw.iter().any(shows_image);
    let check = |(index, message): (usize, RawMessage)| {
        let role = match message.role.as_str() {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" | "function" => Role::Tool,
            _ => return Err(RequestError::UnknownRole { index, role: message.role }),
        };
        Ok(Message { role, text: message.content.unwrap_or_default().text })
    };
    let messages = raw.into_iter().enumerate().map(check).collect::<Result<_, _>>()?;
    let mut request = Request::new(messages)?;
    request.vision = vision;
    Ok(request)
}

impl<'de> Deserialize<'de> for RawContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrParts;

        impl<'de> Visitor<'de> for TextOrParts {
            type Value = RawContent;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of content parts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawContent, E> {
                self.visit_string(text.to_owned())
            }

            fn visit_string<E: Error>(self, text: String) -> Result<RawContent, E> {
                Ok(RawContent { text, shows_image: false })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<RawContent, A::Error> {
                let mut content = RawContent::default();
                let mut texts = 0;
                while let Some(part) = parts.next_element::<RawPart>()? {
                    content.shows_image |= part.kind == PartKind::ImageUrl;
                    let Some(text) = part.text else { continue };
                    if texts > 0 {
                        content.text.push('\n');
                    }
                    content.text.push_str(&text);
                    texts += 1;
                }
                Ok(content)
            }
        }

        deserializer.deserialize_any(TextOrParts)
    }
}

/// How many items a list has.
#[derive(Debug, Clone, Copy)]
struct Count(usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while items.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Count(count))
            }
        }

        deserializer.deserialize_seq(Items)
    }
}

/// A number of tokens.
#[derive(Debug, Clone, Copy)]
struct Tokens(u64);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WholeNumber;

        impl Visitor<'_> for WholeNumber {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of tokens, at least 0 and below 2^64")
            }

            fn visit_u64<E: Error>(self, tokens: u64) -> Result<Tokens, E> {
                Ok(Tokens(tokens))
            }
        }

        deserializer.deserialize_u64(WholeNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<(Request, RouteOptions), RequestError> {
        serde_json::from_str::<RouteBody>(body).unwrap().check()
    }

    fn check(body: &str) -> Result<Request, RequestError> {
        parse(body).map(|(request, _)| request)
    }

    #[test]
    fn a_bare_prompt_is_one_user_turn() {
        let request = check(r#"{"prompt": "hello"}"#).unwrap();
        assert_eq!(request.messages(), [Message { role: Role::User, text: "hello".into() }]);
    }

    #[test]
    fn parts_are_joined_and_images_noticed() {
        let request = check(
            r#"{"messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content":
               [{"type": "text", "text": "what is"}, {"type": "image_url", "image_url": {"url": "x"}},
                {"text": "this?"}, {"type": "file"}]}, {"role": "assistant", "content": null}]}"#,
        )
        .unwrap();
        assert_eq!(request.messages()[0].role, Role::System);
        assert_eq!(request.messages()[1].text, "what is\nthis?");
        assert_eq!(request.messages()[2].text, "");
        assert_eq!(request.text_bytes(), 8 + 13);
        assert!(request.vision);
    }

    #[test]
    fn tools_are_counted_and_the_newer_limit_holds() {
        let body = r#"{"prompt": "a", "tools": [{}, [[]]], "functions": [1], "max_tokens": 5,
            "max_completion_tokens": 6, "response_format": {"json_schema": {}, "type": "json_schema"}}"#;
        let request = check(body).unwrap();
        assert_eq!((request.tools, request.max_tokens, request.json_schema), (3, Some(6), true));
        let nulls =
            r#"{"prompt": "a", "tools": null, "response_format": null, "max_tokens": null}"#;
        assert_eq!(check(nulls), Request::from_prompt("a"));
    }

    #[test]
    fn limits_that_are_no_number_of_tokens() {
        for (limit, found) in [
            ("-1", "invalid type: integer `-1`"),
            ("1.5", "invalid type: floating point `1.5`"),
            ("18446744073709551616", "invalid type: floating point `1.8446744073709552e+19`"),
            (r#""10""#, "invalid type: string \"10\""),
        ] {
            let body = format!(r#"{{"prompt": "a", "max_tokens": {limit}}}"#);
            let error = serde_json::from_str::<RouteBody>(&body).unwrap_err().to_string();
            let due = "a whole number of tokens, at least 0 and below 2^64";
            assert!(error.starts_with(&format!("{found}, expected {due}")), "{error}");
        }
    }

    #[test]
    fn a_model_may_name_a_policy() {
        let policy = |fields: &str| {
            let (_, options) = parse(&format!(r#"{{"prompt": "a", {fields}}}"#))?;
            Ok::<_, RequestError>((options.policy, options.elsewhere.policy_in_model))
        };
        for model in ["auto", "farthing/auto", "gpt-4o", "openrouter/auto:x", "automatic"] {
            assert_eq!(policy(&format!(r#""model": "{model}""#)), Ok((None, false)), "{model}");
        }
        let named = Ok((Some("cheap".to_owned()), true));
        assert_eq!(policy(r#""model": "auto:cheap""#), named);
        assert_eq!(policy(r#""model": "farthing/auto:cheap""#), named);
        let twice = r#""model": "auto:cheap", "farthing": {"policy": "cheap"}"#;
        assert_eq!(policy(twice), Ok((Some("cheap".to_owned()), false)));
        assert_eq!(
            policy(r#""model": "auto:cheap", "farthing": {"policy": "best"}"#),
            Err(RequestError::ConflictingPolicy {
                model: "auto:cheap".into(),
                policy: "best".into()
            })
        );
    }

    #[test]
    fn models_are_candidates_unless_those_are_given() {
        let candidates = |fields: &str| {
            let (_, options) = parse(&format!(r#"{{"prompt": "a", {fields}}}"#)).unwrap();
            (options.candidates, options.elsewhere.candidates_in_models)
        };
        let only = |name: &str| Some(vec![name.to_owned()]);
        assert_eq!(candidates(r#""models": ["a"]"#), (only("a"), true));
        assert_eq!(candidates(r#""models": []"#), (None, false));
        let both = r#""models": ["a"], "farthing": {"candidates": ["b"]}"#;
        assert_eq!(candidates(both), (only("b"), false));
    }

    #[test]
    fn refusals_name_the_place() {
        assert_eq!(check("{}"), Err(RequestError::Missing));
        assert_eq!(check(r#"{"prompt": "a", "messages": []}"#), Err(RequestError::Both));
        assert_eq!(check(r#"{"prompt": " \n"}"#), Err(RequestError::Empty));
        assert_eq!(check(r#"{"messages": []}"#), Err(RequestError::Empty));
        assert_eq!(
            check(
                r#"{"messages": [{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}]}"#
            ),
            Err(RequestError::UnknownRole { index: 1, role: "bot".into() })
        );
    }

    #[test]
    fn unknown_farthing_fields_are_refused_and_others_ignored() {
        assert!(serde_json::from_str::<RouteBody>(r#"{"prompt": "a", "temperature": 1}"#).is_ok());
        let error =
            serde_json::from_str::<RouteBody>(r#"{"prompt": "a", "farthing": {"bars": 1}}"#);
        assert!(error.unwrap_err().to_string().contains("unknown field `bars`"));
    }
}
