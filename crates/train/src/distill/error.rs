//! Why an encoder could not be distilled.

use std::io;
use std::path::PathBuf;

use farthing_model::static_table::StaticTableError;

/// Why an encoder could not be distilled.
#[derive(Debug, thiserror::Error)]
pub enum DistillError {
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
    #[error("`{}` cannot be distilled: {what}", path.display())]
    Unsupported {
        /// The file that says so.
        path: PathBuf,
        /// What is not supported, and what is.
        what: String,
    },
    /// The encoder's vocabulary cannot be read, or the table cannot be written.
    #[error(transparent)]
    Table(#[from] StaticTableError),
    /// The weights do not fit the configuration.
    #[error("`{}` does not hold the weights that `config.json` describes", path.display())]
    Weights {
        /// The weights.
        path: PathBuf,
        /// The cause.
        #[source]
        source: candle_core::Error,
    },
    /// The forward pass failed.
    #[error("the forward pass of the encoder failed")]
    Forward {
        /// The cause.
        #[source]
        source: candle_core::Error,
    },
    /// The encoder's output is not a number.
    #[error("the encoder's vector of `{token}` is not finite; hint: its weights are damaged")]
    NotFinite {
        /// The vocabulary entry.
        token: String,
    },
    /// A width that the encoder cannot give.
    #[error("`--dims` is not in 1..={hidden}, the width of the encoder: {dims}")]
    Dims {
        /// What was asked for.
        dims: usize,
        /// Width of the encoder.
        hidden: usize,
    },
}
