//! Why an encoder could not be distilled.

use farthing_model::encoder::EncoderError;
use farthing_model::static_table::StaticTableError;

/// Why an encoder could not be distilled.
#[derive(Debug, thiserror::Error)]
pub enum DistillError {
    /// The encoder cannot be used.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// The table cannot be written.
    #[error(transparent)]
    Table(#[from] StaticTableError),
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
