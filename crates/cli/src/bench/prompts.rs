//! Prompts to time decisions on: prose of many lengths, and texts that are hard to read.

use farthing_core::log::Asked;
use farthing_sim::{Config, LogPolicy, generate};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Bytes of a token of English prose, as the base table cuts it.
const TOKEN_BYTES: usize = 37;
/// ... in tenths.
const TENTHS: usize = 10;
/// Longest prompt.
const MEGABYTE: usize = 1 << 20;
/// What the byte budget of a routing text keeps, and a little more.
const BUDGET: usize = 8_300;

/// A kind of prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// Prose of so many tokens.
    Prose(usize),
    /// Prose of a megabyte.
    Megabyte,
    /// One letter, again and again.
    OneLetter(usize),
    /// Lines of random base64.
    Base64(usize),
    /// Random Chinese characters.
    Chinese(usize),
    /// Random characters of any script.
    Characters(usize),
    /// What a harness adds, again and again, and a question.
    Reminders(usize),
    /// White space and a question.
    Blank(usize),
}

impl Text {
    /// All that are timed.
    pub(super) fn all() -> Vec<Self> {
        let prose = [20, 200, 2_000, 20_000].map(Self::Prose);
        let hard = [BUDGET, MEGABYTE].into_iter().flat_map(|bytes| {
            let (scripts, hollow) =
                ([Self::Chinese, Self::Characters], [Self::Reminders, Self::Blank]);
            let plain = [Self::OneLetter, Self::Base64];
            [plain, scripts, hollow].into_iter().flatten().map(move |kind| kind(bytes))
        });
        prose.into_iter().chain([Self::Megabyte]).chain(hard).collect()
    }

    pub(super) fn name(self) -> String {
        match self {
            Self::Prose(tokens) => format!("prose, {tokens} tokens"),
            Self::Megabyte => "prose, 1 MiB".to_owned(),
            Self::OneLetter(_) => "one letter".to_owned(),
            Self::Base64(_) => "base64".to_owned(),
            Self::Chinese(_) => "Chinese characters".to_owned(),
            Self::Characters(_) => "characters of any script".to_owned(),
            Self::Reminders(_) => "system reminders".to_owned(),
            Self::Blank(_) => "white space".to_owned(),
        }
    }

    /// Length of the text.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Prose(tokens) => tokens * TOKEN_BYTES / TENTHS,
            Self::Megabyte => MEGABYTE,
            Self::OneLetter(bytes)
            | Self::Base64(bytes)
            | Self::Chinese(bytes)
            | Self::Characters(bytes)
            | Self::Reminders(bytes)
            | Self::Blank(bytes) => bytes,
        }
    }
}

/// Where the words come from.
#[derive(Debug)]
pub(super) struct Prompts {
    prose: String,
}

impl Prompts {
    /// Words of synthetic traffic.
    pub(super) fn synthetic() -> Self {
        let config = Config { rows: 20_000, seed: 0, log_policy: LogPolicy::Uniform };
        Self::of(generate(config).filter_map(
            |request| match request.rows.into_iter().next()?.asked {
                Asked::Prompt(prompt) => Some(prompt),
                Asked::Messages(_) => None,
            },
        ))
    }

    /// Words of these prompts.
    pub(super) fn of(prompts: impl IntoIterator<Item = String>) -> Self {
        let prompts: Vec<String> = prompts.into_iter().collect();
        let mut prose = prompts.join("\n");
        // Long enough that even the longest prompt is cut from it.
        while prose.len() < 2 * MEGABYTE {
            prose = format!("{prose}\n{}", if prose.is_empty() { "nothing" } else { &prose });
        }
        Self { prose }
    }

    /// The `i`-th text of a kind; no two of them are the same.
    pub(super) fn text(&self, kind: Text, i: usize) -> String {
        let bytes = kind.bytes();
        match kind {
            Text::Prose(_) | Text::Megabyte => {
                // A stride that visits all of the prose before it comes back.
                let start = i * 104_729 % (self.prose.len() - bytes);
                let start = self.prose.ceil_char_boundary(start);
                let end = self.prose.ceil_char_boundary(start + bytes);
                self.prose[start..end].to_owned()
            }
            Text::OneLetter(_) => {
                let letter = ["a", "=", " a", "?", "0", "é"][i % 6];
                letter.repeat(bytes / letter.len())
            }
            Text::Base64(_) => {
                const DIGITS: &[u8; 64] =
                    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                random(bytes, i, |bits| char::from(DIGITS[bits as usize % 64]), 76)
            }
            Text::Chinese(_) => {
                let any = |bits| char::from_u32(0x4E00 + bits % 0x5200).unwrap_or('一');
                random(bytes, i, any, usize::MAX)
            }
            Text::Reminders(_) => {
                const REMINDER: &str = "<system-reminder>x</system-reminder>";
                format!("{} how are you, number {i}?", REMINDER.repeat(bytes / REMINDER.len()))
            }
            Text::Blank(_) => format!("{} how are you, number {i}?", " \n".repeat(bytes / 2)),
            Text::Characters(_) => {
                random(bytes, i, |bits| char::from_u32(bits % 0x2_0000).unwrap_or(' '), usize::MAX)
            }
        }
    }
}

/// Random characters with a line break after every so many.
fn random(bytes: usize, seed: usize, character: impl Fn(u32) -> char, line: usize) -> String {
    let mut text = String::with_capacity(bytes + 4);
    let mut dice = ChaCha8Rng::seed_from_u64(seed as u64);
    let mut written = 0;
    while text.len() < bytes {
        text.push(character(dice.next_u32()));
        written += 1;
        if written % line == 0 {
            text.push('\n');
        }
    }
    text
}
