//! Reading a request: the parts of its body that an answer depends on, whatever the endpoint.
//!
//! Other fields are ignored, as a lenient upstream does; `refuse_field` of `perform` is strict.

use std::borrow::Cow;

use hyper::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// An answer in words.
    Words(Dialect),
    Embeddings,
    Models,
}

/// The protocols in which a model is asked for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Chat,
    Responses,
    Messages,
}

impl Endpoint {
    pub(super) fn find(method: &Method, path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or(path);
        match (method.as_str(), path) {
            ("POST", "/v1/chat/completions") => Some(Self::Words(Dialect::Chat)),
            ("POST", "/v1/responses") => Some(Self::Words(Dialect::Responses)),
            ("POST", "/v1/messages") => Some(Self::Words(Dialect::Messages)),
            ("POST", "/v1/embeddings") => Some(Self::Embeddings),
            ("GET", "/v1/models") => Some(Self::Models),
            _ => None,
        }
    }
}

/// A body of any endpoint.
#[derive(Debug, Deserialize)]
pub(super) struct Body<'a> {
    #[serde(borrow)]
    pub(super) model: Cow<'a, str>,
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    #[serde(borrow)]
    system: Option<Content<'a>>,
    #[serde(borrow)]
    instructions: Option<Cow<'a, str>>,
    /// Of embeddings and responses, each with shapes of its own.
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    pub(super) stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[serde(borrow)]
    tools: Option<Vec<Tool<'a>>>,
    pub(super) n: Option<usize>,
    #[serde(borrow)]
    response_format: Option<Format<'a>>,
    pub(super) dimensions: Option<usize>,
    #[serde(borrow)]
    pub(super) encoding_format: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<Content<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Parts(#[serde(borrow)] Vec<Part<'a>>),
}

/// A part of a message; those without text, such as images, say nothing here.
#[derive(Debug, Deserialize)]
struct Part<'a> {
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// A tool: `OpenAI`'s chat nests its name, the others do not.
#[derive(Debug, Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Debug, Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
struct Format<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}

/// What a conversation comes to.
#[derive(Debug)]
pub(super) struct Conversation {
    /// The text of the last message of the user that has one.
    pub(super) last_user: String,
    /// Whether the very last message is that one, so that no tool has answered since.
    pub(super) user_spoke_last: bool,
    /// Bytes of all texts.
    pub(super) bytes: usize,
}

impl<'a> Body<'a> {
    /// # Errors
    ///
    /// Where it is not JSON, or what in it has another shape.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| format!("the body cannot be read: {error}"))
    }

    /// # Errors
    ///
    /// What the body lacks, or has in another shape.
    pub(super) fn conversation(&self, dialect: Dialect) -> Result<Conversation, String> {
        let around = self.system.as_ref().map_or(0, Content::bytes)
            + self.instructions.as_ref().map_or(0, |text| text.len());
        match dialect {
            Dialect::Chat | Dialect::Messages if self.messages.is_empty() => {
                Err(missing("messages"))
            }
            Dialect::Chat | Dialect::Messages => Ok(Conversation::of(&self.messages, around)),
            Dialect::Responses => Ok(match self.input()? {
                Input::Text(text) => Conversation {
                    bytes: around + text.len(),
                    last_user: text.into_owned(),
                    user_spoke_last: true,
                },
                Input::Items(items) => Conversation::of(&items, around),
            }),
        }
    }

    /// The input in the shape that an endpoint has for it.
    pub(super) fn input<T: Deserialize<'a>>(&self) -> Result<T, String> {
        let input = self.input.ok_or_else(|| missing("input"))?;
        serde_json::from_str(input.get())
            .map_err(|error| format!("`input` cannot be read: {error}"))
    }

    pub(super) fn wants_usage_in_stream(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    pub(super) fn wants_json(&self) -> bool {
        let kind = self.response_format.as_ref().map(|format| format.kind.as_ref());
        matches!(kind, Some("json_object" | "json_schema"))
    }

    /// The name of the first tool that has one.
    pub(super) fn tool(&self) -> Option<&str> {
        self.tools.iter().flatten().find_map(|tool| {
            let nested = tool.function.as_ref().map(|function| &function.name);
            nested.or(tool.name.as_ref()).map(AsRef::as_ref)
        })
    }
}

fn missing(field: &str) -> String {
    format!("missing required parameter: `{field}`")
}

/// The input of a response; items without a role are results of tools.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Items(#[serde(borrow)] Vec<Message<'a>>),
}

impl Conversation {
    fn of(messages: &[Message<'_>], around: usize) -> Self {
        let bytes = |message: &Message<'_>| message.content.as_ref().map_or(0, Content::bytes);
        let spoken = |message: &Message<'_>| message.role == "user" && bytes(message) > 0;
        let last = messages.iter().rposition(spoken);
        Self {
            last_user: last
                .and_then(|at| messages[at].content.as_ref())
                .map(Content::text)
                .unwrap_or_default(),
            user_spoke_last: last.is_some_and(|at| at + 1 == messages.len()),
            bytes: around + messages.iter().map(bytes).sum::<usize>(),
        }
    }
}

impl Content<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let (one, parts) = match self {
            Self::Text(text) => (Some(text.as_ref()), &[][..]),
            Self::Parts(parts) => (None, parts.as_slice()),
        };
        one.into_iter().chain(parts.iter().filter_map(|part| part.text.as_deref()))
    }

    fn bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    fn text(&self) -> String {
        self.texts().collect()
    }
}
