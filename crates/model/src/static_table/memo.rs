//! Words that were cut before, and their pieces.
//!
//! Most words of a text are met again and again, and finding one here is one look. A word's place depends
//! on its hash only; a word that comes to a taken place takes it over, so memory is bounded.

use std::fmt;
use std::hint::black_box;

use xxhash_rust::xxh3::xxh3_64;

use crate::reading::Word;

/// Words remembered at most.
const WORDS: usize = 1 << 14;
/// Pieces of a word that is remembered, at most.
const PIECES: usize = 4;

/// What is remembered, by one thread.
#[derive(Default)]
pub(super) struct Memo {
    places: Vec<Place>,
    /// What the pieces are of.
    vocabulary: u64,
    /// Number of the text that is read.
    text: u32,
    /// Whether words that come up in it again are passed over.
    once: bool,
}

/// What stands for a word. Whoever wants a word to be taken for another must find one of the same hash and
/// length, which the short words of every text do not have.
#[derive(Clone, Copy, Default)]
struct Place {
    hash: u64,
    ids: [u32; PIECES],
    bytes: u16,
    /// 0: nothing is remembered here.
    count: u16,
    /// The last text that the word was in.
    text: u32,
}

/// A word and its hash.
#[derive(Clone, Copy)]
pub(super) struct Hashed<'a> {
    pub(super) hash: u64,
    pub(super) text: &'a [u8],
}

impl<'a> Hashed<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Self { hash: xxh3_64(text), text }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl Memo {
    /// Begins another text, of these words; with `once`, the pieces of a word that comes up again need not be
    /// appended again.
    ///
    /// What was remembered of another vocabulary is forgotten: a thread may read for one router after the
    /// other.
    pub(super) fn begin(&mut self, vocabulary: u64, words: &[Word], once: bool) {
        if self.places.is_empty() || self.text == u32::MAX || self.vocabulary != vocabulary {
            self.places = vec![Place::default(); WORDS];
            self.text = 0;
            self.vocabulary = vocabulary;
        }
        self.text += 1;
        self.once = once;
        // Has their places brought near all at once; one after the other would take longer.
        let counts = words.iter().map(|word| self.places[place_of(word.hash)].count);
        black_box(counts.fold(0, |touched, count| touched ^ count));
    }

    /// Appends the pieces of a word, as remembered or as `cut` appends them.
    #[expect(clippy::cast_possible_truncation, reason = "a place of few pieces")]
    pub(super) fn append(
        &mut self,
        Hashed { hash, text }: Hashed<'_>,
        ids: &mut Vec<u32>,
        cut: impl FnOnce(&mut Vec<u32>),
    ) {
        let place = &mut self.places[place_of(hash)];
        let before = ids.len();
        if place.hash == hash && usize::from(place.bytes) == text.len() && place.count > 0 {
            if self.once && place.text == self.text {
                return;
            }
            place.text = self.text;
            // Always as many, which is one move, and then those that are none are dropped.
            ids.extend_from_slice(&place.ids);
            return ids.truncate(before + usize::from(place.count));
        }
        cut(ids);
        let found = &ids[before..];
        let Ok(bytes) = u16::try_from(text.len()) else { return };
        if (1..=PIECES).contains(&found.len()) {
            place.ids[..found.len()].copy_from_slice(found);
            *place = Place { hash, bytes, count: found.len() as u16, text: self.text, ..*place };
        }
    }
}

/// The low bits, which choose among [`WORDS`].
#[expect(clippy::cast_possible_truncation, reason = "the low bits are what is meant")]
fn place_of(hash: u64) -> usize {
    hash as usize % WORDS
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Memo {
        fn append_word(&mut self, word: &str, pieces: &[u32], ids: &mut Vec<u32>) {
            self.append(Hashed::of(word.as_bytes()), ids, |ids| ids.extend_from_slice(pieces));
        }
    }

    #[test]
    fn a_word_is_cut_once_and_long_ones_each_time() {
        let mut memo = Memo::default();
        memo.begin(1, &[], false);
        let mut ids = Vec::new();
        for other in [1, 2] {
            memo.append_word("two", &[other, 2], &mut ids);
            memo.append_word("five", &[other, 2, 3, 4, 5], &mut ids);
        }
        assert_eq!(ids, [1, 2, 1, 2, 3, 4, 5, 1, 2, 2, 2, 3, 4, 5]);
    }

    #[test]
    fn repeated_words_may_be_passed_over() {
        let mut memo = Memo::default();
        for _ in 0..2 {
            let mut ids = Vec::new();
            memo.begin(1, &[], true);
            for (word, pieces) in [("so", [1, 2]), ("it", [3, 2]), ("so", [1, 2])] {
                memo.append_word(word, &pieces, &mut ids);
            }
            assert_eq!(ids, [1, 2, 3, 2]);
        }
    }

    #[test]
    fn words_make_room_for_others() {
        let mut memo = Memo::default();
        memo.begin(1, &[], false);
        for id in 0..50_000_u32 {
            let mut ids = Vec::new();
            memo.append_word(&id.to_string(), &[id], &mut ids);
            memo.append_word(&id.to_string(), &[0], &mut ids);
            assert_eq!(ids, [id, id]);
        }
        assert_eq!(memo.places.len(), WORDS);
    }
}
