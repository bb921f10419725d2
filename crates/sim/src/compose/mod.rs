//! From a family and a visible difficulty to what is asked.
//!
//! The level in [0, 1] shows in the text: more steps, rules, rows, turns, rarer words. What a
//! candidate makes of it is the business of `crate::truth`.

mod chats;
mod everyday;
mod technical;

use farthing_core::log::Asked;
use serde::Serialize;

use crate::Family;
use crate::pen::{Pen, words_in};

/// Least number of words in what is asked.
const FEWEST_WORDS: u64 = 5;
/// Probability that a prompt does not show its family at all.
const VAGUE: f64 = 0.08;

/// What is asked, not yet written down as a log column.
pub(crate) enum Draft {
    /// One user turn.
    Prompt(String),
    /// A conversation.
    Chat(Vec<Turn>),
}

/// A chat message as the OpenAI protocol writes it.
#[derive(Serialize)]
pub(crate) struct Turn {
    role: &'static str,
    content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

#[derive(Serialize)]
struct ToolCall {
    id: String,
    r#type: &'static str,
    function: FunctionCall,
}

#[derive(Serialize)]
struct FunctionCall {
    name: String,
    arguments: String,
}

/// Writes a request of a family at a level.
pub(crate) fn compose(family: Family, level: f64, pen: &mut Pen<'_>) -> Draft {
    let write = match family {
        Family::Dialogue => return Draft::Chat(chats::dialogue(level, pen)),
        Family::ToolUse => return Draft::Chat(chats::tool_use(level, pen)),
        Family::SupportFaq => everyday::support,
        Family::Classification => everyday::classification,
        Family::Rewriting => everyday::rewriting,
        Family::Summary => everyday::summary,
        Family::Translation => everyday::translation,
        Family::Facts => everyday::facts,
        Family::CreativeWriting => everyday::creative,
        Family::LongDocument => everyday::document,
        Family::Extraction => technical::extraction,
        Family::Coding => technical::coding,
        Family::Debugging => technical::debugging,
        Family::Sql => technical::sql,
        Family::TableQuestion => technical::table_question,
        Family::Arithmetic => technical::arithmetic,
        Family::Logic => technical::logic,
    };
    let write = if pen.chance(VAGUE) { vague } else { write };
    let text = write(level, pen);
    Draft::Prompt(wrap(text, pen))
}

impl Draft {
    /// The log column.
    #[expect(clippy::expect_used, reason = "strings and lists of strings always serialise")]
    pub(crate) fn into_asked(self) -> Asked {
        match self {
            Self::Prompt(prompt) => Asked::Prompt(prompt),
            Self::Chat(turns) => {
                Asked::Messages(serde_json::to_string(&turns).expect("plain strings"))
            }
        }
    }

    /// Input tokens, about as a provider counts them.
    pub(crate) fn tokens(&self) -> u64 {
        match self {
            Self::Prompt(prompt) => tokens_in(prompt),
            Self::Chat(turns) => turns.iter().map(Turn::tokens).sum(),
        }
    }

    /// Those of them that an earlier call of the conversation left in the provider's cache.
    pub(crate) fn cached_tokens(&self) -> Option<u64> {
        /// Shorter beginnings are not cached.
        const LEAST: u64 = 256;
        match self {
            Self::Prompt(_) => None,
            Self::Chat(turns) => {
                let history = turns.iter().rev().skip(1).map(Turn::tokens).sum();
                Some(history).filter(|&tokens| tokens >= LEAST)
            }
        }
    }
}

impl Turn {
    fn says(role: &'static str, content: String) -> Self {
        Self { role, content: Some(content), tool_calls: Vec::new(), tool_call_id: None }
    }

    fn tokens(&self) -> u64 {
        4 + self.content.as_deref().map_or(0, tokens_in)
            + self.tool_calls.iter().map(|c| tokens_in(&c.function.arguments) + 8).sum::<u64>()
    }
}

/// Four letters of ASCII are about one token, and so is every other character.
fn tokens_in(text: &str) -> u64 {
    let ascii = text.bytes().filter(u8::is_ascii).count() as u64;
    ascii.div_ceil(4) + text.chars().filter(|c| !c.is_ascii()).count() as u64
}

/// A request that is only clear to someone who knows what came before.
fn vague(level: f64, pen: &mut Pen<'_>) -> String {
    let mut parts = vec![pen.say("vague")];
    let constraints = pen.count(level, 0, 2);
    parts.extend(pen.several("constraint", constraints));
    parts.join(pen.language().gap())
}

/// Puts polite words around a request, some of the time, and more when it is very short.
fn wrap(mut text: String, pen: &mut Pen<'_>) -> String {
    if pen.chance(0.35) {
        let gap = if pen.chance(0.2) { "\n" } else { pen.language().gap() };
        text = pen.say("opener") + gap + &text;
    }
    while pen.chance(0.25) || words_in(&text) < FEWEST_WORDS {
        text.push_str(if pen.chance(0.3) { "\n" } else { pen.language().gap() });
        text.push_str(&pen.say("closer"));
    }
    text
}
