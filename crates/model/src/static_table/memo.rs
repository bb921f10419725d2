//! Words that were cut before, and their pieces.
//!
//! Most words of a text are met again and again, and finding one here is one look. A word's place depends
//! on its hash only; a word that comes to a taken place takes it over, so memory is bounded.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Words remembered at most.
const WORDS: usize = 1 << 14;
/// Pieces of a word that is remembered, at most.
const PIECES: usize = 4;

/// What is remembered, by one thread.
pub(super) struct Memo {
    /// Secret, so that nobody can send words that are taken for others.
    seed: u64,
    places: Vec<Place>,
    /// Number of the text that is read.
    text: u32,
    /// Whether words that come up in it again are passed over.
    once: bool,
}

#[derive(Clone, Copy, Default)]
struct Place {
    hash: u64,
    ids: [u32; PIECES],
    /// 0: nothing is remembered here.
    count: u32,
    /// The last text that the word was in.
    text: u32,
}

impl Default for Memo {
    fn default() -> Self {
        Self { seed: RandomState::new().hash_one(()), places: Vec::new(), text: 0, once: false }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").finish_non_exhaustive()
    }
}

impl Memo {
    /// What a word is known by.
    pub(super) fn hash(&self, word: &[u8]) -> u64 {
        xxh3_64_with_seed(word, self.seed)
    }

    /// Begins another text; with `once`, the pieces of a word that it repeats need not be appended again.
    pub(super) fn begin(&mut self, once: bool) {
        self.once = once;
        if self.places.is_empty() || self.text == u32::MAX {
            self.places = vec![Place::default(); WORDS];
            self.text = 0;
        }
        self.text += 1;
    }

    /// Has the places of some words brought near, all at once: one after the other would take longer.
    pub(super) fn touch(&mut self, hashes: &[u64]) {
        let counts = hashes.iter().map(|&hash| self.places[place_of(hash)].count);
        black_box(counts.fold(0, |touched, count| touched ^ count));
    }

    /// Appends the pieces of the word of that hash, as remembered or as `cut` appends them.
    #[expect(clippy::cast_possible_truncation, reason = "a place of few pieces")]
    pub(super) fn append(
        &mut self,
        hash: u64,
        ids: &mut Vec<u32>,
        cut: impl FnOnce(&mut Vec<u32>),
    ) {
        let place = &mut self.places[place_of(hash)];
        let before = ids.len();
        if place.hash == hash && place.count > 0 {
            if self.once && place.text == self.text {
                return;
            }
            place.text = self.text;
            // Always as many, which is one move, and then those that are none are dropped.
            ids.extend_from_slice(&place.ids);
            return ids.truncate(before + place.count as usize);
        }
        cut(ids);
        let found = &ids[before..];
        if (1..=PIECES).contains(&found.len()) {
            place.ids[..found.len()].copy_from_slice(found);
            (place.hash, place.count, place.text) = (hash, found.len() as u32, self.text);
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
            let hash = self.hash(word.as_bytes());
            self.touch(&[hash]);
            self.append(hash, ids, |ids| ids.extend_from_slice(pieces));
        }
    }

    #[test]
    fn a_word_is_cut_once_and_long_ones_each_time() {
        let mut memo = Memo::default();
        memo.begin(false);
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
            memo.begin(true);
            for (word, pieces) in [("so", [1, 2]), ("it", [3, 2]), ("so", [1, 2])] {
                memo.append_word(word, &pieces, &mut ids);
            }
            assert_eq!(ids, [1, 2, 3, 2]);
        }
    }

    #[test]
    fn words_make_room_for_others() {
        let mut memo = Memo::default();
        memo.begin(false);
        for id in 0..50_000_u32 {
            let mut ids = Vec::new();
            memo.append_word(&id.to_string(), &[id], &mut ids);
            memo.append_word(&id.to_string(), &[0], &mut ids);
            assert_eq!(ids, [id, id]);
        }
        assert_eq!(memo.places.len(), WORDS);
    }
}
