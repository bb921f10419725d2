//! How a foreign table becomes an outcome log: a mapping of columns, from `--map` or a TOML file.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::DataError;

/// A mapping of a foreign table's columns to those of the outcome log.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Target column to source column; a target outside the schema becomes an extra column.
    pub map: BTreeMap<String, String>,
    /// Columns that are carried over under their own name.
    pub keep: Vec<String>,
    /// Scores are divided by this.
    pub score_scale: Option<f64>,
    /// One column per model instead of one row per model.
    pub wide: Option<WideColumns>,
}

/// Column names of a wide table; `{model}` in a pattern stands for the model's name.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WideColumns {
    /// The models; `None`: whatever the most specific pattern matches.
    pub models: Option<Vec<String>>,
    /// Pattern of the score columns.
    pub score: String,
    /// Pattern of the cost columns.
    pub cost_usd: Option<String>,
}

impl Recipe {
    /// A built-in recipe by name, else the recipe in that file.
    pub fn load(name_or_path: &str) -> Result<Self, DataError> {
        let _ = name_or_path;
        Ok(Self::default())
    }

    /// Adds `target=source` entries, which win over the recipe's own.
    pub fn with_map(self, entries: &[String]) -> Result<Self, DataError> {
        let _ = entries;
        Ok(self)
    }

    /// Names of the built-in recipes.
    pub fn builtin_names() -> Vec<&'static str> {
        Vec::new()
    }
}
