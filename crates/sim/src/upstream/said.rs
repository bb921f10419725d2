//! What the upstream says: an echo that depends on the request alone, and how many tokens that took.

use serde::Serialize;
use serde_json::{Value, json};

use super::asked::{Body, Conversation, Dialect};
use super::scenario::{Behaviour, Scenario, WrongUsage};
use super::usage::{Figures, Usage};

/// How much of the user's text comes back, in characters.
const ECHO: usize = 60;
/// What asks for a tool, where there are tools.
const ASKS_FOR_TOOL: &str = "use a tool";
/// When everything was made, in seconds since 1970: 5 January 2026, UTC.
pub(super) const CREATED: u64 = 1_767_571_200;
/// More choices are refused, as by `OpenAI`.
const MOST_CHOICES: usize = 128;
/// What an error in the middle of an answer says.
pub(super) const BROKE: &str = "the model broke off in the middle";
/// Fills answers of a given length.
const FILLER: &str = "and so on, ";
/// Stands for the text of a huge answer, which is never in one place.
pub(super) const HUGE: &str = "<huge>";

/// What is said in answer to one request.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) model: String,
    /// 16 hexadecimal digits from the request.
    pub(super) id: String,
    pub(super) text: String,
    /// Instead of the text.
    pub(super) call: Option<Call>,
    /// How many times it is said.
    pub(super) choices: usize,
    pub(super) usage: Usage,
}

/// A call of a tool.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: String,
    /// A JSON object.
    pub(super) input: Value,
    /// The same as text.
    pub(super) arguments: String,
}

impl Said {
    /// # Errors
    ///
    /// What is wrong with the request.
    pub(super) fn to(
        body: &Body<'_>,
        dialect: Dialect,
        scenario: &Scenario,
    ) -> Result<Self, String> {
        let choices = body.n.unwrap_or(1);
        if !(1..=MOST_CHOICES).contains(&choices) {
            return Err(format!("`n` must be from 1 to {MOST_CHOICES}: {choices}"));
        }
        let asked = body.conversation(dialect)?;
        let text = text(body, &asked, scenario);
        let call = call(body, &asked);
        let once = match (&call, &scenario.behaviour) {
            (Some(call), _) => call.name.len() + call.arguments.len(),
            (None, Behaviour::Huge { bytes }) => *bytes,
            (None, _) => text.len(),
        };
        let output = tokens(once) * choices as u64;
        Ok(Self {
            id: format!("{:016x}", fingerprint(&body.model, &asked.last_user)),
            text,
            call,
            choices,
            usage: usage(scenario, tokens(asked.bytes), output),
            model: body.model.clone().into_owned(),
        })
    }
}

impl Said {
    /// What is said, in pieces of a token: at most four bytes each and never within a character.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &str> {
        let mut left = self.call.as_ref().map_or(self.text.as_str(), |call| &call.arguments);
        let most = if left == HUGE { HUGE.len() } else { 4 };
        std::iter::from_fn(move || {
            let end = (1..=left.len().min(most)).rev().find(|end| left.is_char_boundary(*end))?;
            let (piece, rest) = left.split_at(end);
            left = rest;
            Some(piece)
        })
    }
}

/// Tokens of so many bytes: four each, rounded up.
pub(super) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(4) as u64
}

pub(super) fn usage(scenario: &Scenario, input: u64, output: u64) -> Usage {
    let cached = scenario.cached.min(input);
    let figures = if let Behaviour::WrongUsage { kind } = scenario.behaviour {
        match kind {
            WrongUsage::Missing => Figures::Missing,
            WrongUsage::Null => Figures::Null,
            WrongUsage::Negative => Figures::Negative,
            WrongUsage::Strings => Figures::Strings,
        }
    } else {
        Figures::True
    };
    Usage { input, cached, written: scenario.written.min(input - cached), output, figures }
}

fn text(body: &Body<'_>, asked: &Conversation, scenario: &Scenario) -> String {
    if let Behaviour::Huge { .. } = scenario.behaviour {
        return HUGE.to_owned();
    }
    if let Some(tokens) = scenario.tokens {
        return FILLER.chars().cycle().take(4 * tokens as usize).collect();
    }
    let end = asked.last_user.char_indices().nth(ECHO).map_or(asked.last_user.len(), |(at, _)| at);
    let echo = format!("{} heard: {}", body.model, &asked.last_user[..end]);
    if body.wants_json() { json!({ "answer": echo }).to_string() } else { echo }
}

fn call(body: &Body<'_>, asked: &Conversation) -> Option<Call> {
    let wanted = asked.user_spoke_last && asked.last_user.contains(ASKS_FOR_TOOL);
    let name = body.tool().filter(|_| wanted)?.to_owned();
    let input = json!({ "text": asked.last_user });
    Some(Call { name, arguments: input.to_string(), input })
}

/// Appends what we made ourselves as JSON.
pub(super) fn write_json(into: &mut Vec<u8>, answer: &impl Serialize) {
    if let Err(error) = serde_json::to_writer(&mut *into, answer) {
        // Memory takes everything and our own shapes are JSON; if that ever changes, a client sees it.
        into.extend(error.to_string().bytes());
    }
}

/// FNV-1a over model and text: the same for the same request, on any machine and in any release.
pub(super) fn fingerprint(model: &str, text: &str) -> u64 {
    let bytes = model.bytes().chain([0]).chain(text.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
