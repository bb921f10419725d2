//! Usage in the shapes of each protocol, true or as wrong as a scenario wants it.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// Tokens of one answer. The cached and the written ones are part of the input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) cached: u64,
    pub(super) written: u64,
    pub(super) output: u64,
    pub(super) figures: Figures,
}

/// How numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figures {
    True,
    Negative,
    Strings,
    /// The whole usage is null.
    Null,
    /// There is no usage.
    Missing,
}

/// A usage that is there but may be null.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Shown<T> {
    Null,
    Is(T),
}

#[derive(Debug, Serialize)]
pub(super) struct ChatUsage {
    prompt_tokens: Figure,
    completion_tokens: Figure,
    total_tokens: Figure,
    prompt_tokens_details: InputDetails,
    completion_tokens_details: OutputDetails,
}

#[derive(Debug, Serialize)]
struct InputDetails {
    cached_tokens: Figure,
    /// `OpenAI` has no such field; `OpenRouter` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<Figure>,
}

#[derive(Debug, Serialize)]
struct OutputDetails {
    reasoning_tokens: Figure,
}

#[derive(Debug, Serialize)]
pub(super) struct EmbeddingsUsage {
    prompt_tokens: Figure,
    total_tokens: Figure,
}

#[derive(Debug, Serialize)]
pub(super) struct ResponsesUsage {
    input_tokens: Figure,
    input_tokens_details: InputDetails,
    output_tokens: Figure,
    output_tokens_details: OutputDetails,
    total_tokens: Figure,
}

/// Anthropic counts what was cached or written apart from the rest of the input.
#[expect(clippy::struct_field_names, reason = "the protocol names them")]
#[derive(Debug, Serialize)]
pub(super) struct MessagesUsage {
    input_tokens: Figure,
    cache_creation_input_tokens: Figure,
    cache_read_input_tokens: Figure,
    output_tokens: Figure,
}

/// What the end of an Anthropic stream adds to the usage at its beginning.
#[derive(Debug, Serialize)]
pub(super) struct MessagesOutput {
    output_tokens: Figure,
}

impl Usage {
    /// The usage while only so many tokens have been said.
    pub(super) fn so_far(self, output: u64) -> Self {
        Self { output: output.min(self.output), ..self }
    }

    /// Of `/v1/chat/completions`.
    pub(super) fn chat(self) -> Option<Shown<ChatUsage>> {
        self.shown(|| ChatUsage {
            prompt_tokens: self.figure(self.input),
            completion_tokens: self.figure(self.output),
            total_tokens: self.figure(self.input + self.output),
            prompt_tokens_details: self.input_details(),
            completion_tokens_details: self.output_details(),
        })
    }

    pub(super) fn embeddings(self) -> Option<Shown<EmbeddingsUsage>> {
        self.shown(|| EmbeddingsUsage {
            prompt_tokens: self.figure(self.input),
            total_tokens: self.figure(self.input),
        })
    }

    pub(super) fn responses(self) -> Option<Shown<ResponsesUsage>> {
        self.shown(|| ResponsesUsage {
            input_tokens: self.figure(self.input),
            input_tokens_details: self.input_details(),
            output_tokens: self.figure(self.output),
            output_tokens_details: self.output_details(),
            total_tokens: self.figure(self.input + self.output),
        })
    }

    pub(super) fn messages(self) -> Option<Shown<MessagesUsage>> {
        self.shown(|| MessagesUsage {
            input_tokens: self.figure(self.input - self.cached - self.written),
            cache_creation_input_tokens: self.figure(self.written),
            cache_read_input_tokens: self.figure(self.cached),
            output_tokens: self.figure(self.output),
        })
    }

    pub(super) fn messages_output(self) -> Option<Shown<MessagesOutput>> {
        self.shown(|| MessagesOutput { output_tokens: self.figure(self.output) })
    }

    fn shown<T>(self, usage: impl FnOnce() -> T) -> Option<Shown<T>> {
        match self.figures {
            Figures::Missing => None,
            Figures::Null => Some(Shown::Null),
            Figures::True | Figures::Negative | Figures::Strings => Some(Shown::Is(usage())),
        }
    }

    fn input_details(self) -> InputDetails {
        let written = (self.written > 0).then(|| self.figure(self.written));
        InputDetails { cached_tokens: self.figure(self.cached), cache_write_tokens: written }
    }

    fn output_details(self) -> OutputDetails {
        OutputDetails { reasoning_tokens: self.figure(0) }
    }

    fn figure(self, tokens: u64) -> Figure {
        Figure { tokens, figures: self.figures }
    }
}

/// An object with its usage, unless that is missing.
pub(super) fn with_usage<T: Serialize>(mut object: Value, usage: Option<Shown<T>>) -> Value {
    if let Some(usage) = usage {
        object["usage"] = json!(usage);
    }
    object
}

/// A number of tokens, as it is shown.
#[derive(Debug)]
pub(super) struct Figure {
    tokens: u64,
    figures: Figures,
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.figures {
            Figures::Negative => serializer.serialize_i128(-i128::from(self.tokens)),
            Figures::Strings => serializer.collect_str(&self.tokens),
            Figures::True | Figures::Null | Figures::Missing => {
                serializer.serialize_u64(self.tokens)
            }
        }
    }
}
