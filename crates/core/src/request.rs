//! What is asked: chat messages or a bare prompt, with its context.
//!
//! [`RouteBody`] is the JSON that clients send; [`Request`] is what the rest of farthing works on.
//! Which part of a request is read for routing is decided in `farthing-model`, not here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::Digest;

/// A checked request: at least one message holds text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    messages: Vec<Message>,
    /// Number of tools offered to the model.
    pub tools: usize,
    /// Longest answer that the client accepts, in tokens.
    pub max_tokens: Option<u32>,
    /// Categorical facts known before the call, by name.
    pub context: BTreeMap<String, String>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said; parts that are not text are left out.
    pub text: String,
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `system` or `developer`.
    System,
    /// `user`.
    User,
    /// `assistant`.
    Assistant,
    /// `tool` or `function`.
    Tool,
}

/// Why a request cannot be routed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Neither `prompt` nor `messages` was given.
    #[error("the request has neither `prompt` nor `messages`; hint: send one of them")]
    Missing,
    /// Both were given.
    #[error("the request has both `prompt` and `messages`; hint: send one of them")]
    Both,
    /// There is no text in it.
    #[error("the prompt is empty; hint: send at least one message with text")]
    Empty,
    /// A role that the OpenAI protocol does not have.
    #[error(
        "`messages[{index}].role` is unknown: `{role}`; hint: use system, developer, user, assistant or tool"
    )]
    UnknownRole {
        /// Position of the message.
        index: usize,
        /// The role as sent.
        role: String,
    },
    /// The `messages` column or body is not a JSON list of chat messages.
    #[error("`messages` is not a JSON list of chat messages: {0}")]
    Json(String),
}

impl Request {
    /// A request of one user turn.
    pub fn from_prompt(prompt: impl Into<String>) -> Result<Self, RequestError> {
        Self::new(vec![Message { role: Role::User, text: prompt.into() }])
    }

    /// A request of several turns.
    pub fn new(messages: Vec<Message>) -> Result<Self, RequestError> {
        if messages.iter().all(|m| m.text.trim().is_empty()) {
            return Err(RequestError::Empty);
        }
        Ok(Self { messages, tools: 0, max_tokens: None, context: BTreeMap::new() })
    }

    /// A request from the `messages` column of an outcome log: a JSON list of chat messages.
    pub fn from_messages_json(json: &str) -> Result<Self, RequestError> {
        let raw: Vec<RawMessage> =
            serde_json::from_str(json).map_err(|e| RequestError::Json(e.to_string()))?;
        Self::new(check_messages(raw)?)
    }

    /// The turns, oldest first; at least one holds text.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The same request with context.
    #[must_use]
    pub fn with_context(mut self, context: BTreeMap<String, String>) -> Self {
        self.context = context;
        self
    }

    /// The same request with another text in the last user turn that holds any; `None` where there is
    /// no such turn, or where no text would be left in the request.
    #[must_use]
    pub fn edit_last_user_turn(&self, edit: impl FnOnce(&str) -> String) -> Option<Self> {
        let asked = |m: &Message| m.role == Role::User && !m.text.trim().is_empty();
        let turn = self.messages.iter().rposition(asked)?;
        let mut edited = self.clone();
        edited.messages[turn].text = edit(&self.messages[turn].text);
        let holds_text = edited.messages.iter().any(|m| !m.text.trim().is_empty());
        holds_text.then_some(edited)
    }

    /// Bytes of text in all turns: what a provider bills as input.
    pub fn text_bytes(&self) -> usize {
        self.messages.iter().map(|m| m.text.len()).sum()
    }

    /// All turns as one text, a line break between them.
    pub fn full_text(&self) -> String {
        let mut text = String::with_capacity(self.text_bytes() + self.messages.len());
        for message in &self.messages {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&message.text);
        }
        text
    }

    /// Digest of the exact text of all turns and who said it, and of nothing else: the same request can
    /// be recognised by it, not read. SHA-256 over, for each turn, the first letter of its role, the
    /// length of its text in bytes (little-endian, 64 bits) and the text.
    pub fn digest(&self) -> Digest {
        Digest::of_all(|add| {
            for Message { role, text } in &self.messages {
                add(match role {
                    Role::System => b"s",
                    Role::User => b"u",
                    Role::Assistant => b"a",
                    Role::Tool => b"t",
                });
                add(&(text.len() as u64).to_le_bytes());
                add(text.as_bytes());
            }
        })
    }
}

/// The body of `POST /v1/route`: an OpenAI chat body or `{"prompt": "..."}`, and a `farthing` object.
///
/// Fields of the OpenAI protocol that routing does not need are ignored.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a request body: an object with `messages` or `prompt`")]
pub struct RouteBody {
    prompt: Option<String>,
    messages: Option<Vec<RawMessage>>,
    tools: Option<Vec<Value>>,
    max_tokens: Option<u32>,
    max_completion_tokens: Option<u32>,
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
    /// Categorical facts known before the call.
    #[serde(default)]
    pub context: BTreeMap<String, String>,
    /// Keeps the turns of one conversation together.
    pub session_id: Option<String>,
    /// Report every candidate, unrounded.
    #[serde(default)]
    pub explain: bool,
}

impl RouteBody {
    /// The checked request and what the client asks of the router.
    pub fn check(self) -> Result<(Request, RouteOptions), RequestError> {
        let mut request = match (self.prompt, self.messages) {
            (Some(_), Some(_)) => return Err(RequestError::Both),
            (None, None) => return Err(RequestError::Missing),
            (Some(prompt), None) => Request::from_prompt(prompt)?,
            (None, Some(raw)) => Request::new(check_messages(raw)?)?,
        };
        request.tools = self.tools.map_or(0, |tools| tools.len());
        request.max_tokens = self.max_completion_tokens.or(self.max_tokens);
        request.context.clone_from(&self.farthing.context);
        Ok((request, self.farthing))
    }
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a chat message: an object with `role` and `content`")]
struct RawMessage {
    role: String,
    content: Option<RawContent>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "`content`: a text or a list of content parts")]
enum RawContent {
    Text(String),
    Parts(Vec<RawPart>),
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a content part: an object with `type`")]
struct RawPart {
    text: Option<String>,
}

fn check_messages(raw: Vec<RawMessage>) -> Result<Vec<Message>, RequestError> {
    raw.into_iter()
        .enumerate()
        .map(|(index, message)| {
            let role = match message.role.as_str() {
                "system" | "developer" => Role::System,
                "user" => Role::User,
                "assistant" => Role::Assistant,
                "tool" | "function" => Role::Tool,
                _ => return Err(RequestError::UnknownRole { index, role: message.role }),
            };
            let text = match message.content {
                None => String::new(),
                Some(RawContent::Text(text)) => text,
                Some(RawContent::Parts(parts)) => {
                    parts.into_iter().filter_map(|p| p.text).collect::<Vec<_>>().join("\n")
                }
            };
            Ok(Message { role, text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str) -> Result<Request, RequestError> {
        let body: RouteBody = serde_json::from_str(body).unwrap();
        body.check().map(|(request, _)| request)
    }

    #[test]
    fn a_bare_prompt_is_one_user_turn() {
        let request = check(r#"{"prompt": "hello"}"#).unwrap();
        assert_eq!(request.messages(), [Message { role: Role::User, text: "hello".into() }]);
    }

    #[test]
    fn parts_are_joined_and_images_left_out() {
        let request = check(
            r#"{"messages": [{"role": "developer", "content": "be brief"}, {"role": "user", "content":
               [{"type": "text", "text": "what is"}, {"type": "image_url", "image_url": {"url": "x"}},
                {"type": "text", "text": "this?"}]}]}"#,
        )
        .unwrap();
        assert_eq!(request.messages()[0].role, Role::System);
        assert_eq!(request.messages()[1].text, "what is\nthis?");
        assert_eq!(request.text_bytes(), 8 + 13);
    }

    #[test]
    fn only_the_last_user_turn_with_text_is_edited() {
        let say = |role, text: &str| Message { role, text: text.to_owned() };
        let turns = |last: &str| {
            use Role::{Assistant, User};
            vec![say(User, "hi"), say(Assistant, "yes?"), say(User, last), say(User, " ")]
        };
        let request = Request { tools: 2, ..Request::new(turns("go on")).unwrap() };
        let edited = request.edit_last_user_turn(str::to_uppercase).unwrap();
        assert_eq!(edited, Request { messages: turns("GO ON"), ..request });

        let unasked = Request::new(vec![say(Role::System, "be brief")]).unwrap();
        assert_eq!(unasked.edit_last_user_turn(str::to_uppercase), None);
        let prompt = Request::from_prompt("hi").unwrap();
        assert_eq!(prompt.edit_last_user_turn(|_| "\n".to_owned()), None);
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
