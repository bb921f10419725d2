//! Cutting text into the pieces of a BERT vocabulary.
//!
//! For ASCII, what BERT's normaliser and pre-tokenizer do is four cases of one byte each, so words are
//! found in one pass and looked up where they stand. Other characters are read through [`Glyphs`].

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use farthing_core::Digest;
use tokenizers::Tokenizer;
use xxhash_rust::xxh3::xxh3_64;

use super::Vocabulary;
use super::glyphs::{Glyph, Glyphs};
use super::memo::{Hashed, Memo};
use crate::reading::{Kind, Reading};

/// A BERT vocabulary.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Pieces that a word may begin with.
    first: Lookup,
    /// Pieces that may follow, without their prefix.
    following: Lookup,
    glyphs: Glyphs,
    /// Names the vocabulary.
    vocabulary: u64,
    /// What stands in for a word that cannot be cut.
    unknown: u32,
    lowercase: bool,
    /// In characters.
    longest_word: usize,
}

/// Memory that cutting works in.
#[derive(Debug, Default)]
pub(crate) struct TokenScratch {
    word: String,
    memo: Memo,
}

impl Pieces {
    /// None unless text is cut as BERT cuts it: no other way is known here.
    pub(super) fn of(vocabulary: &Vocabulary, digest: &Digest, stock: &Tokenizer) -> Option<Self> {
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
            vocabulary: digest.prefix(),
            unknown: vocabulary.unknown(),
            lowercase,
            longest_word: vocabulary.longest_word(),
        })
    }

    /// Does ahead what the first texts of each script would wait for.
    pub(super) fn warm_up(&self) {
        self.glyphs.warm_up();
    }

    /// Appends the ids of a text that was read; words that cannot be cut are unknown. With `once`, words that
    /// come up again may be passed over.
    pub(super) fn append(
        &self,
        text: &str,
        reading: &Reading,
        once: bool,
        scratch: &mut TokenScratch,
        ids: &mut Vec<u32>,
    ) {
        let TokenScratch { word: mixed, memo } = scratch;
        memo.begin(self.vocabulary, &reading.words, once);
        for word in &reading.words {
            let range = word.range();
            if word.kind == Kind::Mixed {
                self.append_mixed(&text[range], mixed, memo, ids);
            } else if self.lowercase {
                let word = Hashed { hash: word.hash, text: &reading.lower[range] };
                memo.append(word, ids, |ids| self.append_word(word.text, word.text.len(), ids));
            } else {
                let word = &text.as_bytes()[range];
                self.append_word(word, word.len(), ids);
            }
        }
    }

    /// Appends the ids of a text without ASCII spaces and marks, character by character.
    fn append_mixed(&self, text: &str, word: &mut String, memo: &mut Memo, ids: &mut Vec<u32>) {
        let mut flush = |word: &mut String| {
            if !word.is_empty() {
                let chars = word.chars().count();
                let cut = |ids: &mut Vec<u32>| self.append_word(word.as_bytes(), chars, ids);
                memo.append(Hashed::of(word.as_bytes()), ids, cut);
                word.clear();
            }
        };
        for c in text.chars() {
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
    /// Length in bytes of the longest text, by how a text begins (see [`beginning`]).
    longest: Vec<u8>,
}

/// Ways to begin that are told apart.
const BEGINNINGS: usize = 1 << 15;

/// A number below [`BEGINNINGS`] from the first three bytes; no entry is longer than those that begin with
/// them, so most lengths need not be tried.
fn beginning(text: &[u8]) -> usize {
    let [a, b, c] = [0, 1, 2].map(|at| text.get(at).map_or(0, |&byte| u32::from(byte)));
    let mixed = (a | b << 8 | c << 16).wrapping_mul(0x9E37_79B1);
    mixed as usize >> (u32::BITS - BEGINNINGS.trailing_zeros())
}

impl Lookup {
    fn new<'a>(entries: impl Iterator<Item = (&'a str, u32)>) -> Self {
        // Shorter entries than three bytes may begin anything.
        let mut lookup = Self { ids: HashMap::default(), longest: vec![2; BEGINNINGS] };
        for (text, id) in entries.filter(|(text, _)| !text.is_empty()) {
            let text = text.as_bytes();
            lookup.ids.entry(xxh3_64(text)).or_insert(id);
            let longest = &mut lookup.longest[beginning(text)];
            *longest = (*longest).max(u8::try_from(text.len()).unwrap_or(u8::MAX));
        }
        lookup
    }

    /// Id and length of the longest entry that `text` begins with.
    fn longest(&self, text: &[u8]) -> Option<(u32, usize)> {
        let longest = match self.longest[beginning(text)] {
            u8::MAX => text.len(),
            longest => usize::from(longest).min(text.len()),
        };
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
