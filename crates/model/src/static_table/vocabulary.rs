//! The vocabulary of a `WordPiece` tokenizer, read from and written as a `tokenizer.json`.
//!
//! Only what cuts text into pieces is kept: normaliser, pre-tokenizer and the pieces themselves.
//! Special tokens, truncation and padding concern an encoder, not a table, and are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::StaticTableError;

/// Pieces by id, and how text is cut into them.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    tokens: Vec<String>,
    unknown: u32,
    special: BTreeSet<String>,
    normalizer: Option<Box<RawValue>>,
    pre_tokenizer: Option<Box<RawValue>>,
    prefix: String,
    longest_word: usize,
}

/// The parts of a `tokenizer.json` that matter here.
#[derive(Deserialize)]
struct RawTokenizer {
    #[serde(default)]
    added_tokens: Vec<RawAdded>,
    normalizer: Option<Box<RawValue>>,
    pre_tokenizer: Option<Box<RawValue>>,
    model: RawModel,
}

#[derive(Deserialize)]
struct RawAdded {
    content: String,
}

/// What makes a normaliser BERT's, as far as ASCII is concerned.
#[derive(Deserialize)]
struct RawNormalizer {
    #[serde(rename = "type")]
    kind: String,
    clean_text: bool,
    lowercase: bool,
}

#[derive(Deserialize)]
struct RawPreTokenizer {
    #[serde(rename = "type")]
    kind: String,
}

/// One variant, so that a tokenizer of another kind is refused by name.
#[derive(Deserialize)]
#[serde(tag = "type")]
enum RawModel {
    WordPiece {
        unk_token: String,
        continuing_subword_prefix: String,
        max_input_chars_per_word: usize,
        vocab: BTreeMap<String, u32>,
    },
}

impl Vocabulary {
    /// The vocabulary of a `tokenizer.json`; `path` is where it came from, for errors.
    pub fn from_json(path: &Path, bytes: &[u8]) -> Result<Self, StaticTableError> {
        let raw: RawTokenizer = serde_json::from_slice(bytes)
            .map_err(|source| StaticTableError::Json { path: path.into(), source })?;
        let RawModel::WordPiece {
            unk_token,
            continuing_subword_prefix,
            max_input_chars_per_word,
            vocab,
        } = raw.model;
        let wrong = |what| StaticTableError::Vocabulary { path: path.into(), what };
        let unknown = *vocab
            .get(&unk_token)
            .ok_or_else(|| wrong("its unknown token `unk_token` is not an entry"))?;
        let mut tokens: Vec<(String, u32)> = vocab.into_iter().collect();
        tokens.sort_by_key(|(_, id)| *id);
        if !tokens.iter().zip(0_u32..).all(|((_, id), expected)| *id == expected) {
            return Err(wrong("its ids are not 0, 1, 2, ..."));
        }
        Ok(Self {
            tokens: tokens.into_iter().map(|(token, _)| token).collect(),
            unknown,
            special: raw.added_tokens.into_iter().map(|added| added.content).collect(),
            normalizer: raw.normalizer,
            pre_tokenizer: raw.pre_tokenizer,
            prefix: continuing_subword_prefix,
            longest_word: max_input_chars_per_word,
        })
    }

    /// The vocabulary of a BERT `vocab.txt`, one piece a line, cut as BERT cuts it.
    pub fn from_lines(path: &Path, lines: &str, lowercase: bool) -> Result<Self, StaticTableError> {
        let vocab: BTreeMap<&str, usize> = lines.lines().zip(0..).collect();
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        let json = serde_json::json!({
            "added_tokens": special.map(|content| serde_json::json!({ "content": content })),
            "normalizer": {
                "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                "strip_accents": null, "lowercase": lowercase,
            },
            "pre_tokenizer": { "type": "BertPreTokenizer" },
            "model": {
                "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": vocab,
            },
        });
        Self::from_json(path, json.to_string().as_bytes())
    }

    /// Pieces, by id.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Id of what stands in for words outside the vocabulary.
    pub fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Id of an entry.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.tokens.iter().zip(0..).find(|(entry, _)| *entry == token).map(|(_, id)| id)
    }

    /// What marks an entry that continues a word.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Characters that a word may have before it counts as unknown.
    pub(super) fn longest_word(&self) -> usize {
        self.longest_word
    }

    /// Whether text is lower-cased, where it is cleaned and cut into words as BERT does it; none
    /// where it is done in another way.
    pub(super) fn bert_lowercase(&self) -> Option<bool> {
        let normalizer = self.normalizer.as_deref()?.get();
        let normalizer: RawNormalizer = serde_json::from_str(normalizer).ok()?;
        let pre_tokenizer = self.pre_tokenizer.as_deref()?.get();
        let pre_tokenizer: RawPreTokenizer = serde_json::from_str(pre_tokenizer).ok()?;
        let bert = normalizer.kind == "BertNormalizer"
            && normalizer.clean_text
            && pre_tokenizer.kind == "BertPreTokenizer";
        bert.then_some(normalizer.lowercase)
    }

    /// Whether the entry is a special token of the encoder.
    pub fn is_special(&self, token: &str) -> bool {
        self.special.contains(token)
    }

    /// The unknown token, and after it the entries that `keep` names, in their order and numbered
    /// anew; with the ids they had.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) -> (Self, Vec<u32>) {
        let kept = |&(token, id): &(&String, u32)| id != self.unknown && keep(token);
        let ids: Vec<u32> = std::iter::once(self.unknown)
            .chain(self.tokens.iter().zip(0..).filter(kept).map(|(_, id)| id))
            .collect();
        let tokens = ids.iter().map(|&id| self.tokens[id as usize].clone()).collect();
        (Self { tokens, unknown: 0, special: BTreeSet::new(), ..self.clone() }, ids)
    }

    /// The bytes of a `tokenizer.json` without special tokens, entries in order of their id.
    pub fn to_json(&self) -> Vec<u8> {
        let file = TokenizerFile {
            version: "1.0",
            added_tokens: [],
            normalizer: self.normalizer.as_deref(),
            pre_tokenizer: self.pre_tokenizer.as_deref(),
            model: ModelFile {
                kind: "WordPiece",
                unk_token: &self.tokens[self.unknown as usize],
                continuing_subword_prefix: &self.prefix,
                max_input_chars_per_word: self.longest_word,
                vocab: Entries(&self.tokens),
            },
        };
        // Strings, numbers and JSON that was parsed before cannot fail to be written.
        serde_json::to_vec(&file).unwrap_or_default()
    }
}

/// A `tokenizer.json` as written.
#[derive(Serialize)]
struct TokenizerFile<'a> {
    version: &'static str,
    added_tokens: [(); 0],
    normalizer: Option<&'a RawValue>,
    pre_tokenizer: Option<&'a RawValue>,
    model: ModelFile<'a>,
}

#[derive(Serialize)]
struct ModelFile<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    unk_token: &'a str,
    continuing_subword_prefix: &'a str,
    max_input_chars_per_word: usize,
    vocab: Entries<'a>,
}

/// Entries as a JSON object, in order of their id.
struct Entries<'a>(&'a [String]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (id, token) in self.0.iter().enumerate() {
            map.serialize_entry(token, &id)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Vocabulary, StaticTableError> {
        Vocabulary::from_json(Path::new("tokenizer.json"), json.as_bytes())
    }

    #[test]
    fn retained_entries_are_numbered_anew() {
        let lines = "[PAD]\nb\n[UNK]\na\n[CLS]\n##c\n";
        let vocabulary = Vocabulary::from_lines(Path::new("vocab.txt"), lines, true).unwrap();
        assert_eq!((vocabulary.unknown(), vocabulary.id("[CLS]")), (2, Some(4)));
        let (kept, ids) = vocabulary.retain(|token| !vocabulary.is_special(token));
        assert_eq!(kept.tokens(), ["[UNK]", "b", "a", "##c"]);
        assert_eq!((kept.unknown(), ids), (0, vec![2, 1, 3, 5]));
        let again = Vocabulary::from_json(Path::new("tokenizer.json"), &kept.to_json()).unwrap();
        assert_eq!(again.tokens(), kept.tokens());
        assert_eq!(again.to_json(), kept.to_json());
    }

    #[test]
    fn bad_files_are_refused() {
        let check = |json: &str, message: &str| {
            let error = parse(json).unwrap_err();
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            assert_eq!(cause.unwrap_or_else(|| error.to_string()), message);
        };
        check(
            r#"{"model": {"type": "BPE", "vocab": {}}}"#,
            "unknown variant `BPE`, expected `WordPiece` at line 1 column 24",
        );
        let of = |vocab: &str| {
            format!(
                r###"{{"model": {{"type": "WordPiece", "unk_token": "[UNK]", "vocab": {vocab},
                "continuing_subword_prefix": "##", "max_input_chars_per_word": 9}}}}"###
            )
        };
        check(
            &of(r#"{"a": 0}"#),
            "the vocabulary of `tokenizer.json` cannot be used: its unknown token `unk_token` is not an entry",
        );
        check(
            &of(r#"{"a": 0, "[UNK]": 2}"#),
            "the vocabulary of `tokenizer.json` cannot be used: its ids are not 0, 1, 2, ...",
        );
    }
}
