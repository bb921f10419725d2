//! Why a sentence encoder cannot be used.

use std::io;
use std::path::PathBuf;

use crate::static_table::StaticTableError;

/// Why a sentence encoder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// A file is missing or unreadable.
    #[error("cannot read `{}`; hint: give a sentence-transformer directory with `config.json`, `model.safetensors`, `1_Pooling/config.json` and `tokenizer.json` or `vocab.txt`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A JSON file does not have the expected shape.
    #[error("`{}` is not valid", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// An encoder of a kind that the forward pass does not know.
    #[error("`{}` cannot be used: {what}", path.display())]
    Unsupported {
        /// The file that says so.
        path: PathBuf,
        /// What is not supported, and what is.
        what: String,
    },
    /// The encoder's vocabulary cannot be read.
    #[error(transparent)]
    Vocabulary(#[from] StaticTableError),
    /// The weights do not fit the configuration.
    #[error("`{}` does not hold the weights that the configuration beside it describes", path.display())]
    Weights {
        /// The weights.
        path: PathBuf,
        /// The cause.
        #[source]
        source: candle_core::Error,
    },
    /// A weight is not a number, or too large for sixteen bits.
    #[error("`{tensor}` of `{}` has a value that is not finite in sixteen bits; hint: the file is damaged", path.display())]
    NotFinite {
        /// The weights.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
}
