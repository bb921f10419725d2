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
use super::memo::Memo;
use crate::spans::{Kind, Span};

/// A BERT vocabulary.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Pieces that a word may begin with.
    first: Lookup,
    /// Pieces that may follow, without their prefix.
    following: Lookup,
    /// Id of each ASCII mark, which is always a word of its own.
    marks: [u32; 128],
    glyphs: Glyphs,
    /// What stands in for a word that cannot be cut.
    unknown: u32,
    lowercase: bool,
    /// In characters.
    longest_word: usize,
}

/// Memory that cutting works in.
#[derive(Debug, Default)]
pub(crate) struct TokenScratch {
    lower: Vec<u8>,
    word: String,
    memo: Memo,
    hashes: Vec<u64>,
}

impl Pieces {
    /// None unless text is cut as BERT cuts it: no other way is known here.
    pub(super) fn of(vocabulary: &Vocabulary, stock: &Tokenizer) -> Option<Self> {
        let lowercase = vocabulary.bert_lowercase()?;
        let glyphs =
            Glyphs::new(stock.get_normalizer()?.clone(), stock.get_pre_tokenizer()?.clone());
        let entries = || vocabulary.tokens().iter().map(String::as_str).zip(0..);
        let prefix = vocabulary.prefix();
        // Entries with the prefix too: a word may begin with it.
        let first = Lookup::new(entries());
        let unknown = vocabulary.unknown();
        let mut marks = [unknown; 128];
        for (mark, byte) in marks.iter_mut().zip(0_u8..) {
            *mark = first.get(&[byte]).unwrap_or(unknown);
        }
        Some(Self {
            first,
            marks,
            following: Lookup::new(
                entries().filter_map(|(token, id)| Some((token.strip_prefix(prefix)?, id))),
            ),
            glyphs,
            unknown,
            lowercase,
            longest_word: vocabulary.longest_word(),
        })
    }

    /// Appends the ids of a text with these spans; words that cannot be cut are unknown. With `once`, words
    /// that come up again may be passed over.
    pub(super) fn append(
        &self,
        text: &str,
        spans: &[Span],
        once: bool,
        scratch: &mut TokenScratch,
        ids: &mut Vec<u32>,
    ) {
        let TokenScratch { lower, word, memo, hashes } = scratch;
        lower.clear();
        lower.extend_from_slice(text.as_bytes());
        if self.lowercase {
            lower.make_ascii_lowercase();
        }
        hashes.clear();
        hashes.extend(spans.iter().map(|span| memo.hash(&lower[span.start..span.end])));
        memo.begin(once);
        memo.touch(hashes);
        let mut rest = spans;
        while let Some((&Span { start, end, kind }, others)) = rest.split_first() {
            let goes_on =
                |next: &Span| next.start == end && matches!(next.kind, Kind::Wide | Kind::Control);
            match kind {
                Kind::Mark => {
                    ids.push(self.marks[usize::from(lower[start])]);
                    rest = others;
                }
                Kind::Word if !others.first().is_some_and(goes_on) => {
                    let word = &lower[start..end];
                    let hash = hashes[spans.len() - rest.len()];
                    memo.append(hash, ids, |ids| self.append_word(word, end - start, ids));
                    rest = others;
                }
                Kind::Word | Kind::Wide | Kind::Control | Kind::Space => {
                    let count = adjoining(rest);
                    let end = rest[count - 1].end;
                    self.append_wide(&text[start..end], word, memo, ids);
                    rest = &rest[count..];
                }
            }
        }
    }

    /// Appends the ids of a text without ASCII spaces and marks, character by character.
    fn append_wide(&self, text: &str, word: &mut String, memo: &mut Memo, ids: &mut Vec<u32>) {
        let mut flush = |word: &mut String| {
            if !word.is_empty() {
                let chars = word.chars().count();
                let cut = |ids: &mut Vec<u32>| self.append_word(word.as_bytes(), chars, ids);
                let hash = memo.hash(word.as_bytes());
                memo.append(hash, ids, cut);
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

/// How many of the spans, of which there is one, follow each other without a space or a mark between.
fn adjoining(spans: &[Span]) -> usize {
    let apart = |pair: &[Span]| pair[0].end < pair[1].start || pair[1].kind == Kind::Mark;
    spans.windows(2).position(apart).map_or(spans.len(), |last| last + 1)
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
