//! Cutting text into the pieces of a BERT vocabulary.
//!
//! For ASCII, what BERT's normaliser and pre-tokenizer do is four cases of one byte each, so words are
//! found in one pass and looked up where they stand. Other characters are read through [`Glyphs`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tokenizers::Tokenizer;
use xxhash_rust::xxh3::xxh3_64;

use super::Vocabulary;
use super::glyphs::{Glyph, Glyphs};

/// A BERT vocabulary.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Pieces that a word may begin with.
    first: Lookup,
    /// Pieces that may follow, without their prefix.
    following: Lookup,
    glyphs: Glyphs,
    /// What stands in for a word that cannot be cut.
    unknown: u32,
    lowercase: bool,
    /// In characters.
    longest_word: usize,
}

/// Memory that cutting works in.
#[derive(Debug, Default)]
pub struct TokenScratch {
    lower: Vec<u8>,
    word: String,
}

/// What a byte is to BERT.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Mark,
    Space,
    /// Anything that takes a closer look: control characters and all beyond ASCII.
    Other,
}

const KINDS: [Kind; 256] = {
    let mut table = [Kind::Other; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = Kind::Letter;
        } else if byte.is_ascii_punctuation() {
            table[byte as usize] = Kind::Mark;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            table[byte as usize] = Kind::Space;
        }
        byte += 1;
    }
    table
};

fn kind(byte: u8) -> Kind {
    KINDS[usize::from(byte)]
}

impl Pieces {
    /// None unless text is cut as BERT cuts it: no other way is known here.
    pub(super) fn of(vocabulary: &Vocabulary, stock: &Tokenizer) -> Option<Self> {
        let lowercase = vocabulary.bert_lowercase()?;
        let glyphs =
            Glyphs::new(stock.get_normalizer()?.clone(), stock.get_pre_tokenizer()?.clone());
        let entries = || vocabulary.tokens().iter().map(String::as_str).zip(0..);
        let prefix = vocabulary.prefix();
        Some(Self {
            // Entries with the prefix too: a word may begin with it.
            first: Lookup::new(entries()),
            following: Lookup::new(
                entries().filter_map(|(token, id)| Some((token.strip_prefix(prefix)?, id))),
            ),
            glyphs,
            unknown: vocabulary.unknown(),
            lowercase,
            longest_word: vocabulary.longest_word(),
        })
    }

    /// Appends the ids of a text; words that cannot be cut are unknown.
    pub(super) fn append(&self, text: &str, scratch: &mut TokenScratch, ids: &mut Vec<u32>) {
        let TokenScratch { lower, word } = scratch;
        let bytes = text.as_bytes();
        lower.clear();
        lower.extend_from_slice(bytes);
        if self.lowercase {
            lower.make_ascii_lowercase();
        }
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match kind(byte) {
                Kind::Space => at += 1,
                Kind::Mark => {
                    self.append_word(&[byte], 1, ids);
                    at += 1;
                }
                Kind::Other => at = self.append_wide(text, at, word, ids),
                Kind::Letter => {
                    let length = bytes[at..].iter().position(|&byte| kind(byte) != Kind::Letter);
                    let end = length.map_or(bytes.len(), |length| at + length);
                    if bytes.get(end).is_some_and(|&byte| kind(byte) == Kind::Other) {
                        at = self.append_wide(text, at, word, ids);
                    } else {
                        self.append_word(&lower[at..end], end - at, ids);
                        at = end;
                    }
                }
            }
        }
    }

    /// Appends what begins at `start` up to the next ASCII space or mark, character by character;
    /// where that is.
    fn append_wide(
        &self,
        text: &str,
        start: usize,
        word: &mut String,
        ids: &mut Vec<u32>,
    ) -> usize {
        let mut flush = |word: &mut String| {
            self.append_word(word.as_bytes(), word.chars().count(), ids);
            word.clear();
        };
        word.clear();
        for (offset, c) in text[start..].char_indices() {
            if c.is_ascii() && matches!(kind(c as u8), Kind::Space | Kind::Mark) {
                flush(word);
                return start + offset;
            }
            match self.glyphs.get(c) {
                Glyph::Space => flush(word),
                Glyph::Letters(letters) => word.push_str(letters),
                Glyph::Alone(alone) => {
                    flush(word);
                    word.push_str(alone);
                    flush(word);
                }
            }
        }
        flush(word);
        text.len()
    }

    /// Greedy, longest piece first. A word with a part that is no piece is unknown as a whole.
    fn append_word(&self, word: &[u8], chars: usize, ids: &mut Vec<u32>) {
        if chars > self.longest_word {
            return ids.push(self.unknown);
        }
        let before = ids.len();
        let mut start = 0;
        while start < word.len() {
            let pieces = if start == 0 { &self.first } else { &self.following };
            let Some((id, length)) = pieces.longest(&word[start..]) else {
                ids.truncate(before);
                return ids.push(self.unknown);
            };
            ids.push(id);
            start += length;
        }
    }
}

/// Ids by the hash of a text. That another text has the hash of one of some ten thousand entries is less
/// likely than a fault of the memory.
#[derive(Debug)]
struct Lookup {
    ids: HashMap<u64, u32, BuildHasherDefault<Given>>,
    /// Length of the longest text in bytes.
    longest: usize,
}

impl Lookup {
    fn new<'a>(entries: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut lookup = Self { ids: HashMap::default(), longest: 0 };
        for (text, id) in entries.filter(|(text, _)| !text.is_empty()) {
            lookup.ids.entry(xxh3_64(text.as_bytes())).or_insert(id);
            lookup.longest = lookup.longest.max(text.len());
        }
        lookup
    }

    /// Id and length of the longest entry that `text` begins with.
    fn longest(&self, text: &[u8]) -> Option<(u32, usize)> {
        let longest = self.longest.min(text.len());
        // An entry ends where a character does, so a piece of one is not looked for.
        let whole = |&length: &usize| text.get(length).is_none_or(|byte| byte & 0xC0 != 0x80);
        let entry = |length| Some((self.get(&text[..length])?, length));
        (1..=longest).rev().filter(whole).find_map(entry)
    }

    fn get(&self, text: &[u8]) -> Option<u32> {
        self.ids.get(&xxh3_64(text)).copied()
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
struct Given(u64);

impl Hasher for Given {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_is_found() {
        let lookup = Lookup::new([("a", 0), ("ab", 1), ("abcd", 2), ("", 3), ("é", 4)].into_iter());
        assert_eq!(lookup.longest(b"abc"), Some((1, 2)));
        assert_eq!(lookup.longest(b"abcde"), Some((2, 4)));
        assert_eq!(lookup.longest("éa".as_bytes()), Some((4, 2)));
        assert_eq!(lookup.longest(b"ba"), None);
        assert_eq!(lookup.longest(b""), None);
        assert_eq!(Lookup::new(std::iter::empty()).longest(b"a"), None);
    }
}
