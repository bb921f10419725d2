//! Misspelt words: letters swapped, dropped or doubled.

use std::ops::Range;

use rand::Rng;
use rand::seq::index;

/// One word in so many is misspelt.
const ONE_IN: usize = 10;

/// Misspells one word in ten, rounded up. A word is a run of at least two letters, in scripts without
/// spaces too; everything else stays as it was.
pub(super) fn misspell(text: &str, generator: &mut impl Rng) -> String {
    let words = words(text);
    let mut chosen = index::sample(generator, words.len(), words.len().div_ceil(ONE_IN)).into_vec();
    chosen.sort_unstable();
    let mut misspelt = String::with_capacity(text.len() + 4 * chosen.len());
    let mut done = 0;
    for word in chosen.into_iter().map(|i| words[i].clone()) {
        misspelt.push_str(&text[done..word.start]);
        misspelt.extend(slip(&text[word.clone()], generator));
        done = word.end;
    }
    misspelt + &text[done..]
}

/// Where the words are.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    for run in text.split(|c: char| !c.is_alphabetic()) {
        let end = start + run.len();
        if run.chars().nth(1).is_some() {
            words.push(start..end);
        }
        start = end + text[end..].chars().next().map_or(0, char::len_utf8);
    }
    words
}

/// One slip of the hand in a word of at least two letters.
fn slip(word: &str, generator: &mut impl Rng) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    let at = generator.random_range(0..letters.len() - 1);
    match generator.random_range(0..3) {
        // Equal neighbours would not show a swap.
        0 if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        1 => {
            letters.remove(at);
        }
        _ => letters.insert(at, letters[at]),
    }
    letters
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Everything that some seed makes of a text.
    fn all(text: &str) -> BTreeSet<String> {
        (0..200).map(|seed| misspell(text, &mut ChaCha8Rng::seed_from_u64(seed))).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(all(text), expected.iter().map(|text| (*text).to_owned()).collect());
    }

    #[test]
    fn every_slip_by_hand() {
        check("cat", &["act", "at", "ccat", "ct", "cta", "caat"]);
        check("oo", &["o", "ooo"]);
        check("東京 🙂!", &["京東 🙂!", "京 🙂!", "東東京 🙂!"]);
        check("3 x = 4; 🙂", &["3 x = 4; 🙂"]);
        check("", &[""]);
    }

    #[test]
    fn one_word_in_ten() {
        let text = "alpha beta gamma delta ".repeat(5);
        for misspelt in all(&text) {
            let pairs = text.split(' ').zip(misspelt.split(' '));
            assert_eq!(pairs.filter(|(word, now)| word != now).count(), 2);
        }
    }
}
