//! Why a static token table cannot be read or written.

use std::io;
use std::path::PathBuf;

use super::rows::FORMAT_VERSION;

/// Why a static token table cannot be read or written. Of a table that is read from bytes, `path`
/// is the file name alone.
#[derive(Debug, thiserror::Error)]
pub enum StaticTableError {
    /// A file is missing or unreadable.
    #[error("cannot read `{}`; hint: give the directory that `farthing distill -o` wrote", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The tokenizer file does not have the expected shape.
    #[error("`{}` is not the file of a WordPiece tokenizer", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// The vocabulary contradicts itself.
    #[error("the vocabulary of `{}` cannot be used: {what}", path.display())]
    Vocabulary {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The tokenizer cannot be built.
    #[error("cannot build the tokenizer of `{}`", path.display())]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: tokenizers::Error,
    },
    /// The rows cannot be read or written.
    #[error("`{}` is not a safetensors file of a token table", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: safetensors::SafeTensorError,
    },
    /// The table was written by another version of farthing.
    #[error("`{}` has format version {found}, this build reads {FORMAT_VERSION}; hint: distil it again", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version; empty where it names none.
        found: String,
    },
    /// The tensors do not belong together.
    #[error("`{}` holds {found}; expected `rows` i8 (entries, dims) and `scales` finite f32 (entries)", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensors' types and shapes.
        found: String,
    },
    /// Rows and vocabulary do not belong together.
    #[error("`{}` has {entries} entries, the table beside it {rows} rows; hint: copy both files of one directory", path.display())]
    Entries {
        /// The tokenizer file.
        path: PathBuf,
        /// Entries of the vocabulary.
        entries: usize,
        /// Rows of the table.
        rows: usize,
    },
}
