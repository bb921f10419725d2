//! What a training run knows of words before it reads the log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use farthing_model::encoder::TextEncoder;
use farthing_model::static_table::StaticTable;
use farthing_train::Encoder;
use serde::Deserialize;

use crate::failure::Failure;

/// In the binary, so that training needs no checkout.
const TABLE: &[u8] = include_bytes!("../../../models/base/table.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../models/base/tokenizer.json");

/// Flags of the encoder.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EncoderArgs {
    /// What knows words before the log is read
    #[arg(long, value_enum, default_value_t)]
    encoder: EncoderFlag,
    /// The weights of `--encoder minilm`: a sentence-transformer directory
    #[arg(long, value_name = "DIR")]
    encoder_dir: Option<PathBuf>,
}

/// An encoder by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EncoderFlag {
    /// A table of one vector a token, distilled from a sentence encoder
    #[default]
    Static,
    /// A BERT sentence encoder beside that table: tens of milliseconds a decision or more; needs `--encoder-dir`
    #[value(name = "minilm")]
    #[serde(rename = "minilm")]
    MiniLm,
    /// The log's own words only; the router is a few MB smaller
    None,
}

impl EncoderArgs {
    pub(crate) fn encoder(&self) -> Result<Encoder, Failure> {
        self.encoder.encoder(self.encoder_dir.as_deref())
    }
}

impl EncoderFlag {
    /// The encoder of that name; `dir` holds the weights of one that is not in the binary.
    pub(crate) fn encoder(self, dir: Option<&Path>) -> Result<Encoder, Failure> {
        match (self, dir) {
            (Self::None, None) => Ok(Encoder::None),
            (Self::Static, None) => Ok(Encoder::Static(table()?)),
            (Self::MiniLm, Some(dir)) => {
                Ok(Encoder::Sentence(Arc::new(TextEncoder::load(dir)?), table()?))
            }
            (Self::MiniLm, None) => Err(Failure::bad_input(
                "`--encoder minilm` needs `--encoder-dir DIR`, a sentence-transformer directory; hint: see \
                 models/README.md for one that is published under the Apache License",
            )),
            (Self::Static | Self::None, Some(_)) => Err(Failure::bad_input(
                "`--encoder-dir` is read with `--encoder minilm` only; hint: give that, too",
            )),
        }
    }
}

fn table() -> Result<Arc<StaticTable>, Failure> {
    let table = StaticTable::from_bytes(TABLE, TOKENIZER);
    Ok(Arc::new(table.map_err(|e| Failure::Failed(e.into()))?))
}
