//! The two files of an encoder in a router directory.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Tensor};
use farthing_core::Digest;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::bert::BertConfig;
use super::source::{Origin, Pooling, SentenceEncoder, Tensors, tensors};
use super::{EncoderCard, EncoderError, TextEncoder};
use crate::static_table::{TextTokenizer, Vocabulary};

const DESCRIPTION: &str = "encoder.json";
const WEIGHTS: &str = "encoder.safetensors";

/// The bytes of the two files.
#[derive(Debug)]
pub(crate) struct Files {
    /// What the encoder is, and how it cuts text into tokens.
    description: Vec<u8>,
    /// Its weights, sixteen bits each, under the names that its authors gave them.
    weights: Vec<u8>,
}

/// `encoder.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    window: usize,
    pooling: Pooling,
    bert: BertConfig,
    tokenizer: Box<RawValue>,
}

impl Files {
    /// Names of the files.
    #[cfg(test)]
    pub(crate) const NAMES: [&str; 2] = [DESCRIPTION, WEIGHTS];

    /// The files, by name.
    pub(crate) fn named(self) -> [(&'static str, Vec<u8>); 2] {
        [(DESCRIPTION, self.description), (WEIGHTS, self.weights)]
    }

    /// The files that `file` has under their names.
    pub(crate) fn take(mut file: impl FnMut(&'static str) -> Vec<u8>) -> Self {
        Self { description: file(DESCRIPTION), weights: file(WEIGHTS) }
    }

    /// The bytes of an encoder that reads so many tokens; `dir` is where it comes from, for errors.
    pub(super) fn of(
        dir: &Path,
        encoder: &SentenceEncoder,
        window: usize,
    ) -> Result<Self, EncoderError> {
        let json = |source| EncoderError::Json { path: dir.join(DESCRIPTION), source };
        let tokenizer = String::from_utf8_lossy(&encoder.vocabulary.to_json()).into_owned();
        let description = Description {
            window,
            pooling: encoder.pooling,
            bert: encoder.config.clone(),
            tokenizer: RawValue::from_string(tokenizer).map_err(json)?,
        };
        let weights = to_half(&encoder.tensors)
            .map_err(|source| EncoderError::Weights { path: dir.join(WEIGHTS), source })?;
        Ok(Self { description: serde_json::to_vec(&description).map_err(json)?, weights })
    }

    fn digest(&self) -> Digest {
        let parts = [Digest::of(&self.description), Digest::of(&self.weights)];
        Digest::of(format!("{} {}", parts[0], parts[1]).as_bytes())
    }
}

impl TextEncoder {
    /// The bytes of its files.
    pub(crate) fn to_files(&self) -> Result<Files, EncoderError> {
        Files::of(Path::new(""), &self.encoder, self.card.window)
    }

    /// Reads what [`Self::to_files`] gave; `dir` is where it came from, for errors.
    pub(crate) fn from_files(dir: &Path, files: &Files) -> Result<Self, EncoderError> {
        let (path, weights) = (dir.join(DESCRIPTION), dir.join(WEIGHTS));
        let Description { window, pooling, bert: config, tokenizer } =
            serde_json::from_slice(&files.description)
                .map_err(|source| EncoderError::Json { path: path.clone(), source })?;
        if !(3..=config.max_position_embeddings).contains(&window) {
            let what = format!(
                "its `window` is {window}, it has places for 3 to {}",
                config.max_position_embeddings
            );
            return Err(EncoderError::Unsupported { path, what });
        }
        let tokenizer = tokenizer.get().as_bytes();
        let vocabulary = Vocabulary::from_json(&path, tokenizer)?;
        let tokenizer = TextTokenizer::from_json(&path, tokenizer)?;
        let tensors = tensors(&weights, &files.weights)?;
        check_finite(&weights, &tensors)?;
        let card = EncoderCard {
            digest: files.digest(),
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            intermediate: config.intermediate_size,
            window,
        };
        let encoder = SentenceEncoder::assemble(Origin {
            config: (path.clone(), config),
            pooling,
            vocabulary: (path, vocabulary),
            tensors: (weights, tensors),
        })?;
        Ok(Self { encoder, tokenizer, card })
    }
}

/// A safetensors file of the tensors, rounded to sixteen bits.
fn to_half(tensors: &Tensors) -> candle_core::Result<Vec<u8>> {
    let half = |tensor: &Tensor| -> candle_core::Result<(Vec<usize>, Vec<u8>)> {
        let values = tensor.to_dtype(DType::F16)?.flatten_all()?.to_vec1::<half::f16>()?;
        Ok((tensor.dims().to_vec(), values.iter().flat_map(|v| v.to_le_bytes()).collect()))
    };
    let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| Ok((name, half(tensor)?)))
        .collect::<candle_core::Result<_>>()?;
    let views = bytes.iter().map(|(name, (shape, bytes))| {
        Ok((*name, TensorView::new(Dtype::F16, shape.clone(), bytes)?))
    });
    let views: Vec<_> = views.collect::<Result<_, safetensors::SafeTensorError>>()?;
    Ok(safetensors::serialize(views, None)?)
}

fn check_finite(path: &Path, tensors: &Tensors) -> Result<(), EncoderError> {
    for (name, tensor) in tensors {
        // A sum of lengths is finite where each of them is: sixteen bits hold no more than 65,504.
        let sum = tensor.abs().and_then(|lengths| lengths.sum_all()?.to_scalar::<f32>());
        let sum = sum.map_err(|source| EncoderError::Weights { path: path.into(), source })?;
        if !sum.is_finite() {
            return Err(EncoderError::NotFinite { path: path.into(), tensor: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tiny;
    use super::*;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let encoder = TextEncoder::load(tiny::directory().path()).unwrap();
        let files = encoder.to_files().unwrap();
        let again = TextEncoder::from_files(Path::new("router"), &files).unwrap();
        assert_eq!(again, encoder);
        assert_eq!(again.embed("w1 table w2").unwrap(), encoder.embed("w1 table w2").unwrap());
        let rewritten = again.to_files().unwrap();
        assert!(rewritten.description == files.description && rewritten.weights == files.weights);
    }

    #[track_caller]
    fn check_refused(change: impl Fn(&mut Files), message: &str) {
        let mut files = TextEncoder::load(tiny::directory().path()).unwrap().to_files().unwrap();
        change(&mut files);
        let error = TextEncoder::from_files(Path::new("router"), &files).unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        let replace = |files: &mut Files, from: &str, to: &str| {
            let text = String::from_utf8(files.description.clone()).unwrap();
            assert!(text.contains(from));
            files.description = text.replace(from, to).into_bytes();
        };
        check_refused(
            |files| replace(files, "\"window\":40", "\"window\":41"),
            "`router/encoder.json` cannot be used: its `window` is 41, it has places for 3 to 40",
        );
        check_refused(
            |files| replace(files, "\"intermediate_size\":12", "\"intermediate_size\":13"),
            "`router/encoder.safetensors` does not hold the weights that the configuration beside it describes",
        );
        check_refused(|files| files.description.clear(), "`router/encoder.json` is not valid");
        let infinite = |files: &mut Files| {
            // The last value of the last tensor.
            let end = files.weights.len();
            files.weights[end - 2..].copy_from_slice(&half::f16::INFINITY.to_le_bytes());
        };
        check_refused(
            infinite,
            "`encoder.layer.0.output.dense.weight` of `router/encoder.safetensors` has a value that is not finite in sixteen bits; hint: the file is damaged",
        );
    }
}
