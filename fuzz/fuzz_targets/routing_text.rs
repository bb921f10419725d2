//! Arbitrary conversations through `routing_text::build` and the featurizer: what is read of a request is
//! what a slow and plain reference reads of it, and reading it again in used memory gives the same.

#![no_main]

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use arbitrary::Arbitrary;
use farthing_core::{Message, Request, Role};
use farthing_model::features::{Features, Featurizer, Scratch, routing_text};
use farthing_model::static_table::TextTokenizer;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Conversation<'a> {
    turns: Vec<Turn<'a>>,
    head_bytes: u8,
    tail_bytes: u8,
    tools: usize,
    vision: bool,
    task: Option<&'a str>,
}

#[derive(Debug, Arbitrary)]
struct Turn<'a> {
    speaker: Speaker,
    pieces: Vec<Piece<'a>>,
}

#[derive(Debug, Arbitrary, PartialEq)]
enum Speaker {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    Text(&'a str),
    /// Long enough for the byte budget of new routers.
    Repeated(char, u16),
    Words(&'a str, u8),
    Reminder,
    EndOfReminder,
    Blank(u8),
    Fence,
}

const OPEN: &str = "<system-reminder>";
const CLOSE: &str = "</system-reminder>";

static FEATURIZER: LazyLock<Featurizer> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/base/tokenizer.json");
    let json = std::fs::read(&path).expect("the tokenizer of this repository");
    let tokenizer = TextTokenizer::from_json(&path, &json).expect("the tokenizer is valid");
    Featurizer::new(vec!["task".to_owned()], Some(Arc::new(tokenizer)))
});

thread_local! {
    static USED: RefCell<(Scratch, Features)> = RefCell::default();
}

fuzz_target!(|conversation: Conversation<'_>| {
    let Some(request) = conversation.request() else { return };
    check_text(&request, conversation.head_bytes.into(), conversation.tail_bytes.into());
    check_features(&request);
});

fn check_text(request: &Request, head_bytes: usize, tail_bytes: usize) {
    let built = routing_text::build(request, head_bytes, tail_bytes);
    assert!(built.text.len() <= head_bytes + tail_bytes + 1, "within the budget");
    let whole = read(request.messages());
    let is_cut = whole.len() > head_bytes + tail_bytes;
    assert_eq!(built.truncated, is_cut, "{whole:?}");
    let expected = if is_cut {
        let head = &whole[..whole.floor_char_boundary(head_bytes)];
        let tail = &whole[whole.ceil_char_boundary(whole.len() - tail_bytes)..];
        format!("{head}\n{tail}")
    } else {
        whole
    };
    assert_eq!(built.text, expected);
}

/// What is read of some messages where nothing is cut.
fn read(messages: &[Message]) -> String {
    let users = messages.iter().filter(|message| message.role == Role::User);
    let said: Vec<String> = users.map(|message| without_noise(&message.text)).collect();
    let mut said = said.iter().rev().filter(|text| !text.trim().is_empty());
    let Some(last) = said.next() else {
        let texts = messages.iter().map(|message| message.text.as_str());
        return texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
    };
    let says_enough = |text: &String| text.len() > 40 || text.split_whitespace().count() >= 4;
    match said.find(|text| says_enough(text)) {
        Some(earlier) if !says_enough(last) => format!("{earlier}\n{last}"),
        _ => last.clone(),
    }
}

fn without_noise(text: &str) -> String {
    let Some((before, noise)) = text.split_once(OPEN) else { return text.to_owned() };
    let after = noise.split_once(CLOSE).map_or("", |(_, after)| after);
    before.to_owned() + &without_noise(after)
}

fn check_features(request: &Request) {
    let features = FEATURIZER.featurize(request).expect("there is no encoder");
    let schema = FEATURIZER.schema();
    let text = routing_text::build(request, schema.head_bytes, schema.tail_bytes);
    assert_eq!(features.truncated, text.truncated);
    assert_eq!(features.text_bytes, request.text_bytes());
    assert!(features.surface.iter().all(|value| value.is_finite()));
    assert!(features.buckets.iter().all(|&bucket| (bucket as usize) < schema.buckets()));
    let tokenizer = FEATURIZER.tokenizer().expect("it was given one");
    assert!(features.tokens.iter().all(|&token| (token as usize) < tokenizer.entries()));
    USED.with_borrow_mut(|(scratch, used)| {
        FEATURIZER.featurize_into(request, scratch, used).expect("there is no encoder");
        assert_eq!(*used, features);
    });
}

impl Conversation<'_> {
    /// The request; none where nobody says anything.
    fn request(&self) -> Option<Request> {
        let mut request = Request::new(self.turns.iter().map(Turn::message).collect()).ok()?;
        request.tools = self.tools;
        request.vision = self.vision;
        request.context = self.task.map(|task| ("task".into(), task.into())).into_iter().collect();
        Some(request)
    }
}

impl Turn<'_> {
    fn message(&self) -> Message {
        let role = match self.speaker {
            Speaker::System => Role::System,
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
            Speaker::Tool => Role::Tool,
        };
        let mut text = String::new();
        for piece in &self.pieces {
            match *piece {
                Piece::Text(some) => text += some,
                Piece::Repeated(character, times) => {
                    text.extend(std::iter::repeat_n(character, times.into()));
                }
                Piece::Words(words, times) => text += &words.repeat(times.into()),
                Piece::Reminder => text += OPEN,
                Piece::EndOfReminder => text += CLOSE,
                Piece::Blank(blanks) => text += &" \n".repeat(blanks.into()),
                Piece::Fence => text += "\n```\n",
            }
        }
        Message { role, text }
    }
}
