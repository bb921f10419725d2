//! A sentence encoder as its authors publish it: configuration, pooling, vocabulary, weights.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::EncoderError;
use super::bert::{Bert, BertConfig};
use crate::static_table::Vocabulary;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const POOLING: &str = "1_Pooling/config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const LINES: &str = "vocab.txt";

/// Tensors by name, without `bert.` before it.
pub(super) type Tensors = BTreeMap<String, Tensor>;

/// A BERT sentence encoder: pieces of a text to one vector.
pub struct SentenceEncoder {
    pub(super) config: BertConfig,
    pub(super) pooling: Pooling,
    pub(super) vocabulary: Vocabulary,
    /// Those that the forward pass reads; it shares their storage.
    pub(super) tensors: Tensors,
    /// Id of `[CLS]`, which begins a text.
    cls: u32,
    /// Id of `[SEP]`, which ends it.
    sep: u32,
    bert: Bert,
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pooling {
    /// The mean of all, `[CLS]` and `[SEP]` included.
    Mean,
    /// The one of `[CLS]`.
    Cls,
}

#[derive(Deserialize)]
struct RawTokenizerConfig {
    #[serde(default)]
    do_lower_case: bool,
}

/// What an encoder is made of, with where each part came from, for errors.
pub(super) struct Origin {
    pub(super) config: (PathBuf, BertConfig),
    pub(super) pooling: Pooling,
    pub(super) vocabulary: (PathBuf, Vocabulary),
    pub(super) tensors: (PathBuf, Tensors),
}

impl SentenceEncoder {
    /// Reads a sentence-transformer directory.
    pub fn load(dir: &Path) -> Result<Self, EncoderError> {
        let config = dir.join(CONFIG);
        let config = (config.clone(), json::<BertConfig>(&config)?);
        let pooling = pooling(&dir.join(POOLING))?;
        let vocabulary = vocabulary(dir)?;
        let path = dir.join(WEIGHTS);
        let tensors = tensors(&path, &read(&path)?)?;
        Self::assemble(Origin { config, pooling, vocabulary, tensors: (path, tensors) })
    }

    pub(super) fn assemble(origin: Origin) -> Result<Self, EncoderError> {
        let Origin { config: (config_path, config), pooling, vocabulary, tensors } = origin;
        let (vocabulary_path, vocabulary) = vocabulary;
        let (path, tensors) = tensors;
        check(&config_path, &config, &vocabulary)?;
        let special = |token: &str| {
            let what = format!("its vocabulary has no `{token}`");
            let missing = EncoderError::Unsupported { path: vocabulary_path.clone(), what };
            vocabulary.id(token).ok_or(missing)
        };
        let (cls, sep) = (special("[CLS]")?, special("[SEP]")?);
        let shared = tensors.clone().into_iter().collect();
        let weights = VarBuilder::from_tensors(shared, DType::F32, &Device::Cpu);
        let bert = Bert::new(&config, &weights)
            .map_err(|source| EncoderError::Weights { path, source })?;
        Ok(Self { config, pooling, vocabulary, tensors, cls, sep, bert })
    }

    /// Its vocabulary, special entries included.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Width of a vector.
    pub fn hidden(&self) -> usize {
        self.config.hidden_size
    }

    /// `(texts) pieces -> (texts * hidden)`, row-major: one pooled vector a text, not normalised. The
    /// texts are of one length, so that nothing is padded; `[CLS]` and `[SEP]` are put around them.
    pub fn encode(&self, texts: &[&[u32]]) -> candle_core::Result<Vec<f32>> {
        let length = texts.first().map_or(0, |text| text.len()) + 2;
        let framed = texts.iter().flat_map(|text| {
            std::iter::once(self.cls).chain(text.iter().copied()).chain([self.sep])
        });
        let ids = Tensor::from_vec(framed.collect(), (texts.len(), length), &Device::Cpu)?;
        let hidden = self.bert.forward(&ids)?;
        let pooled = match self.pooling {
            Pooling::Mean => hidden.mean(1)?,
            Pooling::Cls => hidden.narrow(1, 0, 1)?.squeeze(1)?,
        };
        pooled.flatten_all()?.to_vec1()
    }
}

impl fmt::Debug for SentenceEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tensors would print their values.
        f.debug_struct("SentenceEncoder").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The weights of a safetensors file that the forward pass may read, in single precision; `path` is
/// where it came from, for errors.
pub(super) fn tensors(path: &Path, bytes: &[u8]) -> Result<Tensors, EncoderError> {
    let wrong = |source| EncoderError::Weights { path: path.into(), source };
    let all = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(wrong)?;
    let short = |name: String| name.strip_prefix("bert.").map_or(name.clone(), str::to_owned);
    let read = |name: &str| name.starts_with("embeddings.") || name.starts_with("encoder.");
    all.into_iter()
        .map(|(name, tensor)| (short(name), tensor))
        .filter(|(name, tensor)| read(name) && tensor.dtype().is_float())
        .map(|(name, tensor)| Ok((name, tensor.to_dtype(DType::F32).map_err(wrong)?)))
        .collect()
}

fn read(path: &Path) -> Result<Vec<u8>, EncoderError> {
    fs::read(path).map_err(|source| EncoderError::Read { path: path.into(), source })
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, EncoderError> {
    serde_json::from_slice(&read(path)?)
        .map_err(|source| EncoderError::Json { path: path.into(), source })
}

fn check(path: &Path, config: &BertConfig, vocabulary: &Vocabulary) -> Result<(), EncoderError> {
    let entries = vocabulary.tokens().len();
    let what = if config.model_type != "bert" {
        format!("`model_type` is `{}`, only `bert` is known", config.model_type)
    } else if config.hidden_act != "gelu" {
        format!("`hidden_act` is `{}`, only `gelu` is known", config.hidden_act)
    } else if config.position_embedding_type != "absolute" {
        let kind = &config.position_embedding_type;
        format!("`position_embedding_type` is `{kind}`, only `absolute` is known")
    } else if config.num_attention_heads == 0
        || !config.hidden_size.is_multiple_of(config.num_attention_heads)
    {
        "`hidden_size` is not a multiple of `num_attention_heads`".to_owned()
    } else if config.max_position_embeddings < 3 {
        "`max_position_embeddings` is less than 3".to_owned()
    } else if entries > config.vocab_size {
        format!("`vocab_size` is {}, the vocabulary has {entries} entries", config.vocab_size)
    } else {
        return Ok(());
    };
    Err(EncoderError::Unsupported { path: path.into(), what })
}

/// The file has one `pooling_mode_...: true` for each vector that is made; their names are many.
fn pooling(path: &Path) -> Result<Pooling, EncoderError> {
    let raw: BTreeMap<String, serde_json::Value> = json(path)?;
    let chosen = raw.iter().filter(|(_, value)| value.as_bool() == Some(true));
    let modes: Vec<&str> =
        chosen.filter_map(|(key, _)| key.strip_prefix("pooling_mode_")).collect();
    match modes[..] {
        ["mean_tokens"] => Ok(Pooling::Mean),
        ["cls_token"] => Ok(Pooling::Cls),
        _ => {
            let what = "only `pooling_mode_mean_tokens` or `pooling_mode_cls_token` alone is known";
            Err(EncoderError::Unsupported { path: path.into(), what: what.to_owned() })
        }
    }
}

/// `tokenizer.json`, or `vocab.txt` where there is none, and which of them it was.
fn vocabulary(dir: &Path) -> Result<(PathBuf, Vocabulary), EncoderError> {
    let path = dir.join(TOKENIZER);
    if path.exists() {
        let vocabulary = Vocabulary::from_json(&path, &read(&path)?)?;
        return Ok((path, vocabulary));
    }
    let lowercase = json::<RawTokenizerConfig>(&dir.join(TOKENIZER_CONFIG))?.do_lower_case;
    let path = dir.join(LINES);
    let lines = fs::read_to_string(&path)
        .map_err(|source| EncoderError::Read { path: path.clone(), source })?;
    let vocabulary = Vocabulary::from_lines(&path, &lines, lowercase)?;
    Ok((path, vocabulary))
}

#[cfg(test)]
mod tests {
    use super::super::tiny;
    use super::*;

    #[track_caller]
    fn check_refused(file: &str, from: &str, to: &str, message: &str) {
        let dir = tiny::directory();
        let path = dir.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replace(from, to)).unwrap();
        let error = SentenceEncoder::load(dir.path()).err().unwrap().to_string();
        assert_eq!(error.replace(&format!("{}/", dir.path().display()), ""), message);
    }

    #[test]
    fn other_encoders_are_refused() {
        check_refused(
            CONFIG,
            "\"bert\"",
            "\"mpnet\"",
            "`config.json` cannot be used: `model_type` is `mpnet`, only `bert` is known",
        );
        check_refused(
            CONFIG,
            "\"vocab_size\":",
            "\"vocab_size\": 2, \"_\":",
            "`config.json` cannot be used: `vocab_size` is 2, the vocabulary has 66 entries",
        );
        check_refused(
            POOLING,
            "mean_tokens",
            "max_tokens",
            "`1_Pooling/config.json` cannot be used: only `pooling_mode_mean_tokens` or `pooling_mode_cls_token` alone is known",
        );
        check_refused(
            LINES,
            "[SEP]",
            "[sep]",
            "`vocab.txt` cannot be used: its vocabulary has no `[SEP]`",
        );
        check_refused(CONFIG, "}", "", "`config.json` is not valid");
    }

    #[test]
    fn names_may_begin_with_bert() {
        let dir = tiny::directory();
        let run = || SentenceEncoder::load(dir.path()).unwrap().encode(&[&[7]]).unwrap();
        let plain = run();
        let path = dir.path().join(WEIGHTS);
        let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
        let renamed = tensors.into_iter().map(|(name, tensor)| (format!("bert.{name}"), tensor));
        candle_core::safetensors::save(&renamed.collect(), &path).unwrap();
        assert_eq!(run(), plain);
    }
}
