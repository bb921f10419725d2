//! The shapes that stand in a body, down to what is counted or noticed while it is skipped.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, SeqAccess, Visitor};

use crate::{Message, Request, RequestError, Role};

#[derive(Debug, Deserialize)]
#[serde(expecting = "a chat message: an object with `role` and `content`")]
pub(super) struct RawMessage {
    role: String,
    content: Option<RawContent>,
}

/// A message's text, parts joined by line breaks.
#[derive(Debug, Default)]
pub(super) struct RawContent {
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
pub(super) struct RawFormat {
    #[serde(rename = "type")]
    kind: FormatKind,
}

impl RawFormat {
    pub(super) fn is_json_schema(&self) -> bool {
        self.kind == FormatKind::JsonSchema
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FormatKind {
    JsonSchema,
    #[serde(other)]
    Other,
}

/// The checked request of some messages.
pub(super) fn raw_request(
    system: Option<RawContent>,
    raw: Vec<RawMessage>,
) -> Result<Request, RequestError> {
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
    let system = system.map(|content| Ok(Message { role: Role::System, text: content.text }));
    let messages = raw.into_iter().enumerate().map(check);
    let messages = system.into_iter().chain(messages).collect::<Result<_, _>>()?;
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
pub(super) struct Count(pub(super) usize);

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
pub(super) struct Tokens(pub(super) u64);

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
