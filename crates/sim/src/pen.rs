//! Writing text by chance: slots such as `<noun>` in templates are filled from the lexicon.
//!
//! A [`Pen`] holds the request's generator and language. It knows nothing of task families.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use crate::{Language, lexicon};

/// Slots filled by the pen itself: numbers of one to four digits, identifiers, dates, coined words.
#[cfg(test)]
pub(crate) const BUILT_IN: [&str; 7] = ["n1", "n2", "n3", "n4", "id", "date", "coin"];

/// Writes text in one language with one generator.
pub(crate) struct Pen<'a> {
    dice: &'a mut ChaCha8Rng,
    language: Language,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(dice: &'a mut ChaCha8Rng, language: Language) -> Self {
        Self { dice, language }
    }

    /// The language of what is written.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// True with a probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.dice.random::<f64>() < probability
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn number(&mut self, low: u64, high: u64) -> u64 {
        self.dice.random_range(low..=high)
    }

    /// A count between `low` at level 0 and `high` at level 1, off by one now and then.
    pub(crate) fn count(&mut self, level: f64, low: usize, high: usize) -> usize {
        let exact = low as f64 + level * (high - low) as f64;
        let roll = self.dice.random::<f64>();
        (low..high).filter(|&n| exact > n as f64 + roll).count() + low
    }

    /// A number of words with median `median` and a long tail, at most `most`.
    pub(crate) fn length(&mut self, median: f64, most: u64) -> u64 {
        // Sum of uniforms: near enough to a normal, and cheap.
        let spread: f64 = (0..6).map(|_| self.dice.random::<f64>() - 0.5).sum::<f64>() * 1.3;
        most.min(whole(median * spread.exp()).max(1))
    }

    /// One of several things.
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, things: &[&'t T]) -> &'t T {
        things[self.dice.random_range(0..things.len())]
    }

    /// One filling of a slot, its own slots filled.
    pub(crate) fn say(&mut self, slot: &str) -> String {
        self.built_in(slot).or_else(|| self.filling(slot)).unwrap_or_default()
    }

    /// The template with each slot filled; what only looks like a slot stays.
    pub(crate) fn fill(&mut self, template: &str) -> String {
        let mut text = String::with_capacity(template.len() * 2);
        let mut rest = template;
        while let Some((before, slot, after)) = next_slot(rest) {
            text.push_str(before);
            let said = self.say(slot);
            if self.language == Language::English && text.ends_with(" a ") && sounds_open(&said) {
                text.insert(text.len() - 1, 'n');
            }
            text.push_str(&said);
            rest = after;
        }
        text + rest
    }

    /// Different fillings of a slot, fewer where there are not so many.
    pub(crate) fn several(&mut self, slot: &str, count: usize) -> Vec<String> {
        let mut all: Vec<&str> =
            lexicon::fillings(self.language, slot).unwrap_or_default().to_vec();
        let mut several = Vec::with_capacity(count);
        while several.len() < count && !all.is_empty() {
            let template = all.swap_remove(self.dice.random_range(0..all.len()));
            several.push(self.fill(template));
        }
        several
    }

    /// Sentences of about `words` words, in paragraphs.
    pub(crate) fn prose(&mut self, words: u64) -> String {
        let mut text = String::new();
        let mut written = 0;
        while written < words {
            let sentence = self.say("sentence");
            written += words_in(&sentence);
            if !text.is_empty() {
                text.push_str(if self.chance(0.15) { "\n\n" } else { self.language.gap() });
            }
            text.push_str(&sentence);
        }
        text
    }

    fn filling(&mut self, slot: &str) -> Option<String> {
        let template = self.pick(lexicon::fillings(self.language, slot)?);
        Some(self.fill(template))
    }

    fn built_in(&mut self, slot: &str) -> Option<String> {
        Some(match slot {
            "n1" => self.number(2, 9).to_string(),
            "n2" => self.number(10, 99).to_string(),
            "n3" => self.number(100, 999).to_string(),
            "n4" => self.number(1000, 9999).to_string(),
            "id" => format!("{}-{}", self.say("id_prefix"), self.number(10_000, 99_999)),
            "date" => format!("2025-{:02}-{:02}", self.number(1, 12), self.number(1, 28)),
            "coin" => {
                let word = self.say("syllable_a") + &self.say("syllable_b");
                word + &self.say("syllable_c")
            }
            _ => return None,
        })
    }
}

/// Words of a text as a reader would count them: two ideographs or kana count as one word.
pub(crate) fn words_in(text: &str) -> u64 {
    let mut dense = 0_u64;
    let mut words = 0;
    let mut inside = false;
    for c in text.chars() {
        let is_dense = ('\u{3040}'..='\u{9fff}').contains(&c);
        let letter = c.is_alphanumeric() && !is_dense;
        dense += u64::from(is_dense);
        words += u64::from(letter && !inside);
        inside = letter || (inside && matches!(c, '_' | '\'' | '-'));
    }
    words + dense.div_ceil(2)
}

/// A number that is not negative, rounded.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no caller comes near the ends"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Whether an English word takes "an".
fn sounds_open(word: &str) -> bool {
    word.starts_with(['a', 'e', 'i', 'o', 'u'])
}

/// The text before the first slot, the slot's name, and the text after it.
fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('<').map(|at| from + at) {
        let name = &text[open + 1..];
        let end = name.find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        match end {
            Some(end) if end > 0 && name[end..].starts_with('>') => {
                return Some((&text[..open], &name[..end], &name[end + 1..]));
            }
            _ => from = open + 1,
        }
    }
    None
}

/// The names of the slots in a template.
#[cfg(test)]
pub(crate) fn slots(mut template: &str) -> Vec<&str> {
    let mut slots = Vec::new();
    while let Some((_, slot, after)) = next_slot(template) {
        slots.push(slot);
        template = after;
    }
    slots
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn slots_are_found_and_comparisons_are_not() {
        assert_eq!(slots("a <noun> for <n2>; i < b > c, <x y>"), ["noun", "n2"]);
    }

    #[test]
    fn every_slot_is_filled() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut pen = Pen::new(&mut dice, Language::English);
        for _ in 0..200 {
            let text = pen.fill("<sentence> <faq> <code_ask> <rare_fact> <id>");
            assert!(slots(&text).is_empty(), "{text}");
        }
    }

    #[test]
    fn articles_agree() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut pen = Pen::new(&mut dice, Language::English);
        for _ in 0..200 {
            let text = pen.fill("It is a <noun>.");
            let (article, noun) = text.trim_start_matches("It is ").split_once(' ').unwrap();
            assert_eq!(article, if sounds_open(noun) { "an" } else { "a" }, "{text}");
        }
    }

    #[test]
    fn words_are_counted_in_every_script() {
        assert_eq!(words_in("It's a well-known fact."), 4);
        assert_eq!(words_in("发票在哪里"), 3);
        assert_eq!(words_in("12 <x> y_z"), 3);
    }

    #[test]
    fn counts_follow_the_level() {
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut pen = Pen::new(&mut dice, Language::English);
        assert_eq!(pen.count(0.0, 2, 7), 2);
        assert_eq!(pen.count(1.0, 2, 7), 7);
        for _ in 0..50 {
            assert!((4..=5).contains(&pen.count(0.5, 2, 7)));
        }
    }
}
