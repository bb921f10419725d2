//! A static token table: one vector per vocabulary entry, distilled from a sentence encoder.
//!
//! A table directory holds `table.safetensors` (see [`Rows`]) and `tokenizer.json` (see
//! [`Vocabulary`]). Text becomes the sum of its tokens' rows over the square root of their number.
//! How a table is made is training's business, and where its vectors are used the featurizer's.

mod error;
mod glyphs;
mod memo;
mod pieces;
mod rows;
mod tokenizer;
mod vocabulary;

use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

pub use error::StaticTableError;
pub(crate) use pieces::TokenScratch;
pub use rows::Rows;
pub use tokenizer::TextTokenizer;
pub use vocabulary::Vocabulary;

/// File with the rows of a table directory.
const TABLE: &str = "table.safetensors";
/// File with the vocabulary of a table directory.
const TOKENIZER: &str = "tokenizer.json";

/// A table ready to embed text.
pub struct StaticTable {
    tokenizer: Arc<TextTokenizer>,
    rows: Rows,
}

impl StaticTable {
    /// Loads a table directory.
    pub fn load(dir: &Path) -> Result<Self, StaticTableError> {
        let read = |name| {
            let path = dir.join(name);
            fs::read(&path).map_err(|source| StaticTableError::Read { path, source })
        };
        Self::assemble(dir, &read(TABLE)?, &read(TOKENIZER)?)
    }

    /// The table whose two files have these bytes, for callers that embed them.
    pub fn from_bytes(table: &[u8], tokenizer: &[u8]) -> Result<Self, StaticTableError> {
        Self::assemble(Path::new(""), table, tokenizer)
    }

    fn assemble(dir: &Path, table: &[u8], tokenizer: &[u8]) -> Result<Self, StaticTableError> {
        let path = dir.join(TOKENIZER);
        let tokenizer = TextTokenizer::from_json(&path, tokenizer)?;
        let rows = Rows::from_bytes(&dir.join(TABLE), table)?;
        if rows.len() != tokenizer.entries() {
            let entries = tokenizer.entries();
            return Err(StaticTableError::Entries { path, entries, rows: rows.len() });
        }
        Ok(Self { tokenizer: Arc::new(tokenizer), rows })
    }

    /// Width of a vector.
    pub fn dims(&self) -> usize {
        self.rows.dims()
    }

    /// The rows, by token id.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// What cuts text into the entries of the table.
    pub fn tokenizer(&self) -> &Arc<TextTokenizer> {
        &self.tokenizer
    }

    /// Ids of the text's tokens, see [`TextTokenizer::token_ids`].
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        self.tokenizer.token_ids(text)
    }

    /// `(dims)`: the sum of the rows of the text's tokens over the square root of their number;
    /// zero for a text without known tokens. It is not normalised.
    pub fn embed(&self, text: &str) -> Vec<f32> {
        let ids = self.token_ids(text);
        let mut sum = vec![0.0; self.dims()];
        for &id in &ids {
            self.rows.add(id, &mut sum);
        }
        let divisor = (ids.len().max(1) as f32).sqrt();
        for value in &mut sum {
            *value /= divisor;
        }
        sum
    }
}

impl PartialEq for StaticTable {
    fn eq(&self, other: &Self) -> bool {
        self.tokenizer.digest() == other.tokenizer.digest() && self.rows == other.rows
    }
}

impl fmt::Debug for StaticTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A tokenizer would print its whole vocabulary.
        f.debug_struct("StaticTable")
            .field("entries", &self.rows.len())
            .field("dims", &self.dims())
            .finish_non_exhaustive()
    }
}

/// Writes a table directory; what [`StaticTable::load`] reads.
pub fn write_static_table(
    dir: &Path,
    rows: &Rows,
    vocabulary: &Vocabulary,
) -> Result<(), StaticTableError> {
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.join(name);
        fs::write(&path, bytes).map_err(|source| StaticTableError::Write { path, source })
    };
    fs::create_dir_all(dir)
        .map_err(|source| StaticTableError::Write { path: dir.into(), source })?;
    write(TABLE, &rows.to_bytes(&dir.join(TABLE))?)?;
    write(TOKENIZER, &vocabulary.to_json())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "[PAD]\n[UNK]\n[CLS]\nan\napple\n##s\n[\n]\ncls\n";

    fn table() -> StaticTable {
        let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), WORDS, true).unwrap();
        let entries = vocabulary.tokens().len();
        let values: Vec<f32> = (0..entries * 2).map(|i| i as f32).collect();
        let rows = Rows::quantize(&values, 2).to_bytes(Path::new(TABLE)).unwrap();
        StaticTable::from_bytes(&rows, &vocabulary.to_json()).unwrap()
    }

    #[track_caller]
    fn check(text: &str, ids: &[u32]) {
        assert_eq!(table().token_ids(text), ids, "{text}");
    }

    #[test]
    fn words_become_pieces_and_unknown_ones_nothing() {
        check("An apple", &[3, 4]);
        check("apples apples", &[4, 5, 4, 5]);
        check("an unheard apple", &[3, 4]);
        check("", &[]);
    }

    #[test]
    fn text_is_never_special() {
        check("[CLS] an", &[6, 8, 7, 3]);
        check("[UNK]", &[6, 7]);
    }

    #[test]
    fn a_text_is_the_sum_of_its_rows_over_the_root_of_their_number() {
        let embedded = table().embed("an apple an unheard apple");
        // Rows 3 = (6, 7) and 4 = (8, 9), twice each.
        let expected = [28.0 / 2.0, 32.0 / 2.0];
        for (value, expected) in embedded.iter().zip(expected) {
            assert!((value - expected).abs() < 0.1, "{embedded:?}");
        }
        assert_eq!(table().embed("unheard"), [0.0, 0.0]);
    }

    #[test]
    fn a_directory_round_trips() {
        let dir = tempfile::tempdir().unwrap();
        let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), WORDS, true).unwrap();
        let values: Vec<f32> = (0..18).map(|i| i as f32).collect();
        write_static_table(dir.path(), &Rows::quantize(&values, 2), &vocabulary).unwrap();
        let loaded = StaticTable::load(dir.path()).unwrap();
        assert_eq!(loaded.embed("an apple"), table().embed("an apple"));
        assert_eq!(loaded.dims(), 2);
    }

    #[test]
    fn the_base_table_knows_related_words() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
        let base = StaticTable::load(&base).unwrap();
        assert_eq!((base.dims(), base.rows().len()), (256, 29_524));
        let cosine = |a: &str, b: &str| {
            let (a, b) = (base.embed(a), base.embed(b));
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
        };
        let near = cosine("solve the equation", "an algebra problem");
        let far = cosine("solve the equation", "a lawyer in court");
        assert!(near > far + 0.1, "{near} against {far}");
    }

    #[test]
    fn a_table_of_another_vocabulary_is_refused() {
        let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), WORDS, true).unwrap();
        let rows = Rows::quantize(&[1.0; 8], 2).to_bytes(Path::new(TABLE)).unwrap();
        let error = StaticTable::from_bytes(&rows, &vocabulary.to_json()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`tokenizer.json` has 9 entries, the table beside it 4 rows; hint: copy both files of one directory"
        );
    }
}
