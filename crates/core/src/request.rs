//! What is asked: chat messages or a bare prompt, with its context.
//!
//! [`crate::RouteBody`] is the JSON that clients send; [`Request`] is what the rest of farthing works on.
//! Which part of a request is read for routing is decided in `farthing-model`, not here.

use std::collections::BTreeMap;

use crate::body;

use crate::Digest;

/// A checked request: at least one message holds text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Request {
    messages: Vec<Message>,
    /// Number of tools offered to the model.
    pub tools: usize,
    /// Whether a message shows an image.
    pub vision: bool,
    /// Whether the answer has to keep to a JSON schema.
    pub json_schema: bool,
    /// Longest answer that the client accepts, in tokens.
    pub max_tokens: Option<u64>,
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
    /// `model` names one policy and `farthing.policy` another.
    #[error(
        "`model` names another policy than `farthing.policy`: `{model}` and `{policy}`; hint: name it in one place"
    )]
    ConflictingPolicy {
        /// The model as sent.
        model: String,
        /// The policy as sent.
        policy: String,
    },
    /// An option is larger than accepted.
    #[error("`{place}` has {found} {what}, at most {most} are accepted; hint: send less")]
    TooLarge {
        /// The field.
        place: &'static str,
        /// How much was sent.
        found: usize,
        /// How much is accepted.
        most: usize,
        /// What is counted.
        what: &'static str,
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
        Ok(Self {
            messages,
            tools: 0,
            vision: false,
            json_schema: false,
            max_tokens: None,
            context: BTreeMap::new(),
        })
    }

    /// A request from the `messages` column of an outcome log: a JSON list of chat messages.
    pub fn from_messages_json(json: &str) -> Result<Self, RequestError> {
        body::request_from_messages(json)
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

    /// About how much memory it takes beside its own size, in bytes: texts, turns and context.
    pub fn heap_bytes(&self) -> usize {
        let texts: usize = self.messages.iter().map(|m| m.text.capacity()).sum();
        let turns = self.messages.capacity() * size_of::<Message>();
        let entry = |(name, value): (&String, &String)| {
            size_of::<(String, String)>() + name.capacity() + value.capacity()
        };
        texts + turns + self.context.iter().map(entry).sum::<usize>()
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
