//! What a sentence-transformer directory says: configuration, pooling, vocabulary, weights.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use farthing_model::static_table::Vocabulary;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::DistillError;

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const POOLING: &str = "1_Pooling/config.json";
const TOKENIZER: &str = "tokenizer.json";
const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const LINES: &str = "vocab.txt";

/// A sentence-transformer directory, read and checked.
pub(super) struct Source {
    pub(super) config: BertConfig,
    pub(super) pooling: Pooling,
    pub(super) vocabulary: Vocabulary,
    /// Id of `[CLS]`, which begins a text.
    pub(super) cls: u32,
    /// Id of `[SEP]`, which ends it.
    pub(super) sep: u32,
    pub(super) weights: VarBuilder<'static>,
    /// Where the weights came from, for errors.
    pub(super) path: PathBuf,
}

/// The parts of a BERT `config.json` that the forward pass needs.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct BertConfig {
    pub(super) model_type: String,
    pub(super) hidden_act: String,
    pub(super) hidden_size: usize,
    pub(super) intermediate_size: usize,
    pub(super) layer_norm_eps: f64,
    pub(super) max_position_embeddings: usize,
    pub(super) num_attention_heads: usize,
    pub(super) num_hidden_layers: usize,
    #[serde(default = "absolute")]
    pub(super) position_embedding_type: String,
    pub(super) type_vocab_size: usize,
    pub(super) vocab_size: usize,
}

fn absolute() -> String {
    "absolute".to_owned()
}

/// How the vectors of a text's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

impl Source {
    pub(super) fn read(dir: &Path) -> Result<Self, DistillError> {
        let config: BertConfig = json(&dir.join(CONFIG))?;
        let pooling = pooling(&dir.join(POOLING))?;
        let (file, vocabulary) = vocabulary(dir)?;
        check(&dir.join(CONFIG), &config, &vocabulary)?;
        let special = |token: &str| {
            let what = format!("its vocabulary has no `{token}`");
            let missing = DistillError::Unsupported { path: file.clone(), what };
            vocabulary.id(token).ok_or(missing)
        };
        let (cls, sep) = (special("[CLS]")?, special("[SEP]")?);
        let path = dir.join(WEIGHTS);
        let weights = VarBuilder::from_buffered_safetensors(read(&path)?, DType::F32, &Device::Cpu)
            .map_err(|source| DistillError::Weights { path: path.clone(), source })?;
        Ok(Self { config, pooling, vocabulary, cls, sep, weights, path })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DistillError> {
    fs::read(path).map_err(|source| DistillError::Read { path: path.into(), source })
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, DistillError> {
    serde_json::from_slice(&read(path)?)
        .map_err(|source| DistillError::Json { path: path.into(), source })
}

fn check(path: &Path, config: &BertConfig, vocabulary: &Vocabulary) -> Result<(), DistillError> {
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
    Err(DistillError::Unsupported { path: path.into(), what })
}

/// The file has one `pooling_mode_...: true` for each vector that is made; their names are many.
fn pooling(path: &Path) -> Result<Pooling, DistillError> {
    let raw: BTreeMap<String, serde_json::Value> = json(path)?;
    let chosen = raw.iter().filter(|(_, value)| value.as_bool() == Some(true));
    let modes: Vec<&str> =
        chosen.filter_map(|(key, _)| key.strip_prefix("pooling_mode_")).collect();
    match modes[..] {
        ["mean_tokens"] => Ok(Pooling::Mean),
        ["cls_token"] => Ok(Pooling::Cls),
        _ => {
            let what = "only `pooling_mode_mean_tokens` or `pooling_mode_cls_token` alone is known";
            Err(DistillError::Unsupported { path: path.into(), what: what.to_owned() })
        }
    }
}

/// `tokenizer.json`, or `vocab.txt` where there is none, and which of them it was.
fn vocabulary(dir: &Path) -> Result<(PathBuf, Vocabulary), DistillError> {
    let path = dir.join(TOKENIZER);
    if path.exists() {
        let vocabulary = Vocabulary::from_json(&path, &read(&path)?)?;
        return Ok((path, vocabulary));
    }
    let lowercase = json::<RawTokenizerConfig>(&dir.join(TOKENIZER_CONFIG))?.do_lower_case;
    let path = dir.join(LINES);
    let lines = fs::read_to_string(&path)
        .map_err(|source| DistillError::Read { path: path.clone(), source })?;
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
        let error = Source::read(dir.path()).err().unwrap().to_string();
        assert_eq!(error.replace(&format!("{}/", dir.path().display()), ""), message);
    }

    #[test]
    fn other_encoders_are_refused() {
        check_refused(
            CONFIG,
            "\"bert\"",
            "\"mpnet\"",
            "`config.json` cannot be distilled: `model_type` is `mpnet`, only `bert` is known",
        );
        check_refused(
            CONFIG,
            "\"vocab_size\":",
            "\"vocab_size\": 2, \"_\":",
            "`config.json` cannot be distilled: `vocab_size` is 2, the vocabulary has 46 entries",
        );
        check_refused(
            POOLING,
            "mean_tokens",
            "max_tokens",
            "`1_Pooling/config.json` cannot be distilled: only `pooling_mode_mean_tokens` or `pooling_mode_cls_token` alone is known",
        );
        check_refused(
            LINES,
            "[SEP]",
            "[sep]",
            "`vocab.txt` cannot be distilled: its vocabulary has no `[SEP]`",
        );
        check_refused(CONFIG, "}", "", "`config.json` is not valid");
    }
}
