//! What a training run knows of words before it reads the log.

use std::sync::Arc;

use clap::ValueEnum;
use farthing_model::static_table::StaticTable;
use farthing_train::Encoder;
use serde::Deserialize;

use crate::failure::Failure;

/// In the binary, so that training needs no checkout.
const TABLE: &[u8] = include_bytes!("../../../models/base/table.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../models/base/tokenizer.json");

/// An encoder by name.
#[derive(Debug, Clone, Copy, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EncoderFlag {
    /// A table of one vector a token, distilled from a sentence encoder
    #[default]
    Static,
    /// The log's own words only; the router is a few MB smaller
    None,
}

impl EncoderFlag {
    pub(crate) fn encoder(self) -> Result<Encoder, Failure> {
        match self {
            Self::None => Ok(Encoder::None),
            Self::Static => {
                let table = StaticTable::from_bytes(TABLE, TOKENIZER);
                Ok(Encoder::Static(Arc::new(table.map_err(|e| Failure::Failed(e.into()))?)))
            }
        }
    }
}
