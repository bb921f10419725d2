//! What BERT's normaliser makes of each character.
//!
//! It works a character at a time, whatever stands around it: clean, set Chinese characters apart, strip
//! accents, lower the case. (Canonical reordering moves marks only, which are stripped or belong to no
//! entry of a vocabulary.) So its work on each character can be kept, and what is kept is by construction
//! what the `tokenizers` crate does.

use std::fmt;
use std::sync::OnceLock;

use tokenizers::{NormalizedString, Normalizer as _, NormalizerWrapper, PreTokenizer as _};
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizerWrapper};

/// Characters of a page.
const PAGE: usize = 256;

/// A character within text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glyph<'a> {
    /// Ends a word.
    Space,
    /// Part of a word, as it is read; nothing where it is left out.
    Letters(&'a str),
    /// A word of its own.
    Alone(&'a str),
}

/// All characters, by page; a page is made when it is first asked for.
pub(super) struct Glyphs {
    normalizer: NormalizerWrapper,
    pre_tokenizer: PreTokenizerWrapper,
    pages: Box<[OnceLock<Page>]>,
}

struct Page {
    kinds: [Kind; PAGE],
    /// Where the text of each character ends.
    ends: [u16; PAGE],
    text: String,
}

#[derive(Clone, Copy)]
enum Kind {
    Space,
    Letters,
    Alone,
}

impl Glyphs {
    pub(super) fn new(normalizer: NormalizerWrapper, pre_tokenizer: PreTokenizerWrapper) -> Self {
        let pages = (char::MAX as usize + 1) / PAGE;
        let pages = std::iter::repeat_with(OnceLock::new).take(pages).collect();
        Self { normalizer, pre_tokenizer, pages }
    }

    pub(super) fn get(&self, c: char) -> Glyph<'_> {
        let (page, at) = (c as usize / PAGE, c as usize % PAGE);
        let page = self.pages[page].get_or_init(|| self.make(page));
        let start = at.checked_sub(1).map_or(0, |before| page.ends[before]);
        let text = &page.text[usize::from(start)..usize::from(page.ends[at])];
        match page.kinds[at] {
            Kind::Space => Glyph::Space,
            Kind::Letters => Glyph::Letters(text),
            Kind::Alone => Glyph::Alone(text),
        }
    }

    /// Makes the pages of the basic plane, in which most text is.
    pub(super) fn warm_up(&self) {
        for c in (0..0x1_0000).step_by(PAGE).filter_map(char::from_u32) {
            self.get(c);
        }
    }

    fn make(&self, page: usize) -> Page {
        let mut made = Page { kinds: [Kind::Letters; PAGE], ends: [0; PAGE], text: String::new() };
        for at in 0..PAGE {
            // Surrogates are no characters and are never asked for.
            if let Some(c) = u32::try_from(page * PAGE + at).ok().and_then(char::from_u32) {
                let (kind, text) = self.read(c);
                made.kinds[at] = kind;
                made.text.push_str(&text);
            }
            made.ends[at] = u16::try_from(made.text.len()).unwrap_or(u16::MAX);
        }
        made
    }

    /// What becomes of a character between two letters.
    fn read(&self, c: char) -> (Kind, String) {
        let words = self.words(&format!("a{c}b"));
        match words.as_slice() {
            [_, _] => (Kind::Space, String::new()),
            [_, alone, _] => (Kind::Alone, alone.clone()),
            [joined] => {
                let inner = joined.strip_prefix('a').and_then(|rest| rest.strip_suffix('b'));
                (Kind::Letters, inner.unwrap_or_default().to_owned())
            }
            _ => (Kind::Letters, String::new()),
        }
    }

    /// The words of a text; none where it cannot be cut, which is true of no text known.
    fn words(&self, text: &str) -> Vec<String> {
        let mut normalized = NormalizedString::from(text);
        if self.normalizer.normalize(&mut normalized).is_err() {
            return Vec::new();
        }
        let mut cut = PreTokenizedString::from(normalized);
        if self.pre_tokenizer.pre_tokenize(&mut cut).is_err() {
            return Vec::new();
        }
        let splits = cut.get_splits(OffsetReferential::Normalized, OffsetType::None);
        splits.into_iter().map(|(word, ..)| word.to_owned()).collect()
    }
}

impl fmt::Debug for Glyphs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glyphs").field("normalizer", &self.normalizer).finish_non_exhaustive()
    }
}
