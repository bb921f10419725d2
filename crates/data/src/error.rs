//! What can go wrong between a file and a [`Dataset`](crate::Dataset).
//!
//! Mistakes in single rows are not here: they go to [`Rejects`](crate::Rejects) and stop nothing.

use std::path::{Path, PathBuf};

/// A file, recipe or price table that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be opened or read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be created or written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The extension says no format that a log may have.
    #[error(
        "the extension of `{}` names no log format; hint: use .parquet, .ndjson, .jsonl or .csv",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file is truncated, damaged or something else.
    #[error(
        "`{}` is not a readable Parquet file; hint: it may be truncated or still being written, copy or write it again",
        path.display()
    )]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A Parquet row group cannot be written.
    #[error("cannot write Parquet to `{}`", path.display())]
    WriteParquet {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A needed Parquet column has a type that no log column can have.
    #[error(
        "column `{column}` of `{}` has the type {dtype}; hint: write it as string, integer, double, boolean or timestamp",
        path.display()
    )]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type, as Arrow calls it.
        dtype: String,
    },
    /// A column that was named, or that every log has, is not in a file.
    #[error("no column {} in `{}`, which has {}{hint}", alternatives(columns), path.display(), listed(found))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column; several when one of them would do.
        columns: Vec<String>,
        /// The columns that are there.
        found: Vec<String>,
        /// What to do, as it ends the message.
        hint: String,
    },
    /// Two columns of a file have one name.
    #[error("`{}` has two columns `{column}`; hint: rename one of them", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// A folder holds nothing that a server has logged.
    #[error(
        "`{}` holds no segments; hint: give the folder that `farthing serve --log` writes to, or what `farthing log compact` made of it",
        path.display()
    )]
    NoSegments {
        /// The folder.
        path: PathBuf,
    },
    /// No row of any file can be used.
    #[error("no usable row in {files}: {why}")]
    NoRows {
        /// The files.
        files: String,
        /// What became of the rows.
        why: String,
    },
    /// A CSV file cannot be parsed further.
    #[error("cannot read `{}` as CSV", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// A value in a price table is not a price.
    #[error(
        "`{}`, line {line}: `{column}` is not a number of at least 0: `{value}`; hint: leave an unpriced model out, 0 means free",
        path.display()
    )]
    Price {
        /// The file.
        path: PathBuf,
        /// Line in it.
        line: u64,
        /// The column.
        column: String,
        /// Its value.
        value: String,
    },
    /// A model stands twice in a price table, or has no name.
    #[error("`{}`, line {line}: {what}", path.display())]
    PriceModel {
        /// The file.
        path: PathBuf,
        /// Line in it.
        line: u64,
        /// What is wrong with the model.
        what: String,
    },
    /// The extension says no format that a price table may have.
    #[error(
        "the extension of `{}` names no format of a price table; hint: use .csv, .toml or .json (LiteLLM's, or the `prices.json` of a router)",
        path.display()
    )]
    PriceFormat {
        /// The file.
        path: PathBuf,
    },
    /// A price table is not the JSON or TOML that its extension says.
    #[error(
        "`{}` is not a price table; hint: it holds one table a model, by the model's name",
        path.display()
    )]
    PriceFile {
        /// The file.
        path: PathBuf,
        /// Why, with line and column.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An entry of a JSON or TOML price table is not a price.
    #[error("`{}`, `{model}`: {what}", path.display())]
    PriceEntry {
        /// The file.
        path: PathBuf,
        /// The entry's name.
        model: String,
        /// What is wrong with it, and the remedy.
        what: String,
    },
    /// A recipe file is not a recipe.
    #[error("`{name}` is not a recipe; hint: data/recipes/README.md says what one may hold")]
    Recipe {
        /// The recipe's file or name.
        name: String,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// A row of a file of decisions is none.
    #[error("`{}`, line {line}: {what}", path.display())]
    Decision {
        /// The file.
        path: PathBuf,
        /// Line in it.
        line: u64,
        /// What is wrong with the row, and the remedy.
        what: String,
    },
    /// A file of decisions has no row.
    #[error(
        "`{}` holds no decision; hint: decisions are a CSV of `request_id,model`",
        path.display()
    )]
    NoDecisions {
        /// The file.
        path: PathBuf,
    },
    /// Neither a built-in recipe nor a file.
    #[error("no recipe `{name}`; hint: give a TOML file or one of: {builtin}")]
    UnknownRecipe {
        /// As given.
        name: String,
        /// The built-in recipes.
        builtin: String,
    },
    /// A recipe that contradicts itself.
    #[error("the mapping cannot be used: {what}")]
    Mapping {
        /// What is wrong, and the remedy.
        what: String,
    },
    /// A row holds an extra column that the log was not created with.
    #[error("the row has a column `{column}` that `{}` was not created with", path.display())]
    UndeclaredColumn {
        /// The log.
        path: PathBuf,
        /// The column.
        column: String,
    },
}

impl DataError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Write { path: path.to_owned(), source }
    }
}

fn alternatives(columns: &[String]) -> String {
    columns.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" or ")
}

/// At most thirty names: a wide table may have thousands.
fn listed(found: &[String]) -> String {
    const SHOWN: usize = 30;
    if found.is_empty() {
        return "no columns".to_owned();
    }
    let shown: Vec<_> = found.iter().take(SHOWN).map(|c| format!("`{c}`")).collect();
    let more = match found.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("{}{more}", shown.join(", "))
}
