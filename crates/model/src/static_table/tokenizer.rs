//! Text -> ids of a vocabulary's entries.

use std::fmt;
use std::path::Path;

use farthing_core::Digest;
use tokenizers::Tokenizer;

use super::pieces::{Pieces, TokenScratch};
use super::{StaticTableError, Vocabulary};
use crate::reading::Reading;

/// Cuts text into the entries of a vocabulary, exactly as the `tokenizers` crate does with the same
/// `tokenizer.json`, and where text is cut as BERT cuts it, many times faster.
pub struct TextTokenizer {
    json: Vec<u8>,
    digest: Digest,
    entries: usize,
    /// Id of what stands in for words outside the vocabulary.
    unknown: u32,
    /// None where text is cut in another way than BERT's.
    pieces: Option<Pieces>,
    stock: Tokenizer,
}

impl TextTokenizer {
    /// The tokenizer of a `tokenizer.json`; `path` is where it came from, for errors.
    pub fn from_json(path: &Path, json: &[u8]) -> Result<Self, StaticTableError> {
        let vocabulary = Vocabulary::from_json(path, json)?;
        // Built from the checked vocabulary, not from the file: no token of a text is special.
        let json = vocabulary.to_json();
        let stock = Tokenizer::from_bytes(&json)
            .map_err(|source| StaticTableError::Tokenizer { path: path.into(), source })?;
        let digest = Digest::of(&json);
        Ok(Self {
            entries: vocabulary.tokens().len(),
            unknown: vocabulary.unknown(),
            pieces: Pieces::of(&vocabulary, &digest, &stock),
            digest,
            json,
            stock,
        })
    }

    /// The bytes of its `tokenizer.json`.
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// Digest of those bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Number of entries: every id is below it.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Does ahead what the first texts of each script would wait for, a tenth of a second in all.
    pub fn warm_up(&self) {
        if let Some(pieces) = &self.pieces {
            pieces.warm_up();
        }
    }

    /// Ids of the text's tokens in order, unknown words left out. Nothing in a text is special:
    /// `[CLS]` is three tokens. Time grows with the text, so its length is for the caller to cap.
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        let mut ids = self.pieces(text);
        ids.retain(|&id| id != self.unknown);
        ids
    }

    /// Appends those ids to `ids`, given the words of the text, in memory that was used before. With `once`,
    /// those of words that come up again may be missing.
    pub(crate) fn append_token_ids(
        &self,
        text: &str,
        reading: &Reading,
        once: bool,
        scratch: &mut TokenScratch,
        ids: &mut Vec<u32>,
    ) {
        let before = ids.len();
        self.append_pieces(text, reading, once, scratch, ids);
        let mut kept = before;
        for at in before..ids.len() {
            ids[kept] = ids[at];
            kept += usize::from(ids[at] != self.unknown);
        }
        ids.truncate(kept);
    }

    /// The same with the unknown token where an unknown word is: an encoder counts places.
    pub fn pieces(&self, text: &str) -> Vec<u32> {
        let (mut ids, mut reading) = (Vec::new(), Reading::default());
        reading.read(text);
        self.append_pieces(text, &reading, false, &mut TokenScratch::default(), &mut ids);
        ids
    }

    fn append_pieces(
        &self,
        text: &str,
        reading: &Reading,
        once: bool,
        scratch: &mut TokenScratch,
        ids: &mut Vec<u32>,
    ) {
        match &self.pieces {
            Some(pieces) => pieces.append(text, reading, once, scratch, ids),
            None => self.append_stock(text, ids),
        }
    }

    /// The same ids by the `tokenizers` crate alone: what [`Self::token_ids`] is measured against.
    pub fn stock_token_ids(&self, text: &str) -> Vec<u32> {
        let mut ids = self.stock_pieces(text);
        ids.retain(|&id| id != self.unknown);
        ids
    }

    fn stock_pieces(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.append_stock(text, &mut ids);
        ids
    }

    fn append_stock(&self, text: &str, ids: &mut Vec<u32>) {
        // It fails only without an unknown token, which every vocabulary has.
        if let Ok(encoding) = self.stock.encode_fast(text, false) {
            ids.extend(encoding.get_ids());
        }
    }
}

impl fmt::Debug for TextTokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The whole vocabulary would be printed otherwise.
        f.debug_struct("TextTokenizer")
            .field("digest", &self.digest)
            .field("entries", &self.entries)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static BASE: LazyLock<TextTokenizer> = LazyLock::new(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base/tokenizer.json");
        TextTokenizer::from_json(&path, &std::fs::read(&path).unwrap()).unwrap()
    });

    #[track_caller]
    fn check(text: &str) {
        assert_eq!(BASE.pieces(text), BASE.stock_pieces(text), "{text:?}");
    }

    #[test]
    fn the_fast_way_is_taken_and_gives_tokens() {
        assert!(BASE.pieces.is_some());
        let ids = BASE.token_ids("Factorise the polynomial");
        assert!(ids.len() > 3, "{ids:?}");
    }

    #[test]
    fn corner_cases_are_cut_as_by_the_stock_tokenizer() {
        check("");
        check("   \t\r\n ");
        check("a\u{b}b\u{c}c\u{0}d\u{7f}e\u{1c}f");
        check("e\u{301}te\u{301} \u{301}a \u{a0}b\u{2003}c\u{85}d\u{200b}e\u{fffd}f");
        check("İstanbul STRASSE straße ΣΊΣΥΦΟΣ ﬁne");
        check("naïve,café;don't [CLS] [UNK] ##ing x##y");
        check("質問です。これはtestです 한국어 \u{20000}");
        check(&"a".repeat(100));
        check(&"a".repeat(101));
        check(&format!("{} b {}", "ä".repeat(100), "é".repeat(101)));
        check(&format!("{}\u{1}", "a".repeat(100)));
        check(
            "\u{37e} \u{1fef} \u{2126}\u{212b} \u{f900}\u{fa1f} \u{302e}\u{1d16d}\u{302f} 각각 \u{ac01}\u{11a8}",
        );
        check("supercalifragilisticexpialidocious https://example.com/a_b?c=1&d=%20#e");
    }

    #[test]
    fn every_character_is_read_as_by_the_stock_tokenizer() {
        // All of the basic plane, and a sample of those beyond.
        for page in (0..0x100).chain((0x100..0x1100).step_by(0x61)) {
            let chars = (page * 0x100..(page + 1) * 0x100).filter_map(char::from_u32);
            check(&chars.flat_map(|c| ['a', c, 'n', ' ', c, ' ']).collect::<String>());
        }
    }

    #[test]
    fn another_way_of_cutting_is_left_to_the_stock_tokenizer() {
        let json = std::str::from_utf8(BASE.json()).unwrap();
        for (from, to) in [
            (
                r#""pre_tokenizer":{"type":"BertPreTokenizer"}"#,
                r#""pre_tokenizer":{"type":"Whitespace"}"#,
            ),
            (r#""clean_text":true"#, r#""clean_text":false"#),
        ] {
            let other = json.replacen(from, to, 1);
            assert_ne!(other, json);
            let other = TextTokenizer::from_json(Path::new("t"), other.as_bytes()).unwrap();
            assert!(other.pieces.is_none(), "{to}");
            assert_eq!(other.token_ids("an apple"), BASE.token_ids("an apple"));
        }
    }

    #[test]
    fn memory_of_one_vocabulary_is_not_taken_for_that_of_another() {
        let other = Vocabulary::from_lines(Path::new("vocab.txt"), "[UNK]\nan\napple\n", true);
        let other = TextTokenizer::from_json(Path::new("t"), &other.unwrap().to_json()).unwrap();
        let (mut scratch, mut reading) = (TokenScratch::default(), Reading::default());
        reading.read("an apple");
        for tokenizer in [&*BASE, &other, &BASE] {
            let mut ids = Vec::new();
            tokenizer.append_token_ids("an apple", &reading, true, &mut scratch, &mut ids);
            assert_eq!(ids, tokenizer.stock_token_ids("an apple"));
        }
    }

    #[test]
    fn a_cased_vocabulary_keeps_case() {
        let lines = "[UNK]\nAn\nan\n##T\n##t\n";
        let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), lines, false).unwrap();
        let cased = TextTokenizer::from_json(Path::new("t"), &vocabulary.to_json()).unwrap();
        assert_eq!(cased.token_ids("An anT Ant AN"), [1, 2, 3, 1, 4]);
        assert_eq!(cased.stock_token_ids("An anT Ant AN"), [1, 2, 3, 1, 4]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn ascii(text in "[\\x00-\\x7f]{0,200}") {
            check(&text);
        }

        #[test]
        fn prose(text in "([A-Za-z]{1,12}[ ,.;:'\"!?()\\[\\]_/#-]{0,2}[ \n]?){0,30}") {
            check(&text);
        }

        #[test]
        fn mixed(text in "([A-Za-z0-9]{1,5}|[ \t\r\n\u{b}\u{85}\u{a0}\u{2028}\u{3000}]|[äéßñÅİ]|\\p{Han}|\\p{Cyrillic}|\\p{M}|\\p{C}|\\p{P}){0,60}") {
            check(&text);
        }

        #[test]
        fn any(text in "\\PC{0,100}") {
            check(&text);
        }

        #[test]
        fn long_words(text in "([a-z]{90,110}|[a-zé]{90,110})( [a-z]{1,200}){0,3}") {
            check(&text);
        }
    }
}
