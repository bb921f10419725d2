//! Cutting ASCII words into the pieces of a BERT vocabulary.
//!
//! What BERT's normaliser and pre-tokenizer do is, for ASCII, four cases of one byte each, so the
//! words are found in one pass and looked up without being copied into strings.

use xxhash_rust::xxh3::xxh3_64;

use super::Vocabulary;

/// The ASCII part of a BERT vocabulary.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Pieces that a word may begin with.
    first: Lookup,
    /// Pieces that may follow, without their prefix.
    following: Lookup,
    /// What stands in for a word that cannot be cut.
    unknown: u32,
    lowercase: bool,
    longest_word: usize,
}

impl Pieces {
    /// None unless text is cut as BERT cuts it: no other way is known here.
    pub(super) fn of(vocabulary: &Vocabulary) -> Option<Self> {
        let lowercase = vocabulary.bert_lowercase()?;
        let ascii = || vocabulary.tokens().iter().zip(0..).filter(|(token, _)| token.is_ascii());
        let after = |(token, id): (&'_ String, u32)| {
            token.strip_prefix(vocabulary.prefix()).map(|rest| (rest.to_owned(), id))
        };
        let following: Vec<_> = ascii().filter_map(after).collect();
        Some(Self {
            first: Lookup::new(ascii().map(|(token, id)| (token.as_str(), id))),
            following: Lookup::new(following.iter().map(|(token, id)| (token.as_str(), *id))),
            unknown: vocabulary.unknown(),
            lowercase,
            longest_word: vocabulary.longest_word(),
        })
    }

    /// Appends the ids of a text without white space and without anything but ASCII; words that
    /// cannot be cut are unknown. `word` is scratch space.
    pub(super) fn append(&self, chunk: &[u8], word: &mut Vec<u8>, ids: &mut Vec<u32>) {
        word.clear();
        for &byte in chunk {
            if byte.is_ascii_alphanumeric() {
                word.push(if self.lowercase { byte.to_ascii_lowercase() } else { byte });
            } else if byte.is_ascii_punctuation() {
                self.append_word(word, ids);
                self.append_word(&[byte], ids);
                word.clear();
            }
            // The rest are control characters, which are removed and do not end a word.
        }
        self.append_word(word, ids);
    }

    /// Greedy, longest piece first. A word with a part that is no piece is unknown as a whole.
    fn append_word(&self, word: &[u8], ids: &mut Vec<u32>) {
        if word.len() > self.longest_word {
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

/// Ids by text: a hash table with linear probing that is at most half full.
#[derive(Debug)]
struct Lookup {
    slots: Vec<Slot>,
    /// `64 - log2(slots)`, at least 1.
    shift: u32,
    text: Vec<u8>,
    /// Length of the longest text.
    longest: usize,
}

/// An entry; a length of zero marks a free slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The low half of the hash, so that other texts are rarely compared.
    tag: u32,
    id: u32,
    start: u32,
    length: u32,
}

impl Lookup {
    #[expect(clippy::cast_possible_truncation, reason = "a vocabulary is far below 4 GB")]
    fn new<'a>(entries: impl Iterator<Item = (&'a str, u32)> + Clone) -> Self {
        let size = (2 * entries.clone().count()).next_power_of_two().max(2);
        let mut lookup = Self {
            slots: vec![Slot::default(); size],
            shift: 64 - size.trailing_zeros(),
            text: Vec::new(),
            longest: 0,
        };
        for (text, id) in entries.filter(|(text, _)| !text.is_empty()) {
            let hash = xxh3_64(text.as_bytes());
            let mut at = lookup.home(hash);
            while lookup.slots[at].length > 0 {
                at = (at + 1) % size;
            }
            let (start, length) = (lookup.text.len() as u32, text.len() as u32);
            lookup.slots[at] = Slot { tag: hash as u32, id, start, length };
            lookup.text.extend(text.bytes());
            lookup.longest = lookup.longest.max(text.len());
        }
        lookup
    }

    /// Id and length of the longest entry that `text` begins with.
    fn longest(&self, text: &[u8]) -> Option<(u32, usize)> {
        let longest = self.longest.min(text.len());
        (1..=longest).rev().find_map(|length| Some((self.get(&text[..length])?, length)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is meant")]
    fn get(&self, text: &[u8]) -> Option<u32> {
        let hash = xxh3_64(text);
        let mut at = self.home(hash);
        loop {
            let slot = &self.slots[at];
            if slot.length == 0 {
                return None;
            }
            if slot.tag == hash as u32 {
                let (start, length) = (slot.start as usize, slot.length as usize);
                if &self.text[start..start + length] == text {
                    return Some(slot.id);
                }
            }
            at = (at + 1) % self.slots.len();
        }
    }

    /// The top bits choose the slot.
    #[expect(clippy::cast_possible_truncation, reason = "below the number of slots")]
    fn home(&self, hash: u64) -> usize {
        (hash >> self.shift) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_is_found() {
        let lookup = Lookup::new([("a", 0), ("ab", 1), ("abcd", 2), ("", 3)].into_iter());
        assert_eq!(lookup.longest(b"abc"), Some((1, 2)));
        assert_eq!(lookup.longest(b"abcde"), Some((2, 4)));
        assert_eq!(lookup.longest(b"ba"), None);
        assert_eq!(lookup.longest(b""), None);
        assert_eq!(Lookup::new(std::iter::empty()).longest(b"a"), None);
    }

    #[test]
    fn every_entry_of_a_large_table_is_found_and_nothing_else() {
        let words: Vec<String> = (0..5_000).map(|i| format!("w{i}")).collect();
        let lookup = Lookup::new(words.iter().map(String::as_str).zip(0..));
        for (word, id) in words.iter().zip(0_u32..) {
            assert_eq!(lookup.get(word.as_bytes()), Some(id));
        }
        assert_eq!(lookup.get(b"w5000"), None);
    }
}
