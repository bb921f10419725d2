//! How a foreign table becomes an outcome log: a mapping of columns, from `--map` or a TOML file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::DataError;

/// The recipes of `data/recipes`, by name.
const BUILTIN: [(&str, &str); 4] = [
    ("mmlu_pro", include_str!("../../../data/recipes/mmlu_pro.toml")),
    ("routellm", include_str!("../../../data/recipes/routellm.toml")),
    ("uiuc_llmrouter", include_str!("../../../data/recipes/uiuc_llmrouter.toml")),
    ("zeroeval", include_str!("../../../data/recipes/zeroeval.toml")),
];

/// A mapping of a foreign table's columns to those of the outcome log. Columns that have a log
/// column's name already are taken as they are.
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
    /// The models; `None`: those that the most specific pattern finds.
    pub models: Option<Vec<String>>,
    /// Pattern of the score columns.
    pub score: String,
    /// Pattern of the cost columns.
    pub cost_usd: Option<String>,
    /// Pattern of the input token columns.
    pub input_tokens: Option<String>,
    /// Pattern of the cached input token columns.
    pub cached_input_tokens: Option<String>,
    /// Pattern of the output token columns.
    pub output_tokens: Option<String>,
    /// Pattern of the latency columns.
    pub latency_ms: Option<String>,
    /// Pattern of the propensity columns.
    pub propensity: Option<String>,
}

impl Recipe {
    /// A built-in recipe by name, else the recipe in that file.
    pub fn load(name_or_path: &str) -> Result<Self, DataError> {
        if let Some((_, text)) = BUILTIN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name_or_path, text);
        }
        let path = Path::new(name_or_path);
        if path.extension().is_none() && !path.exists() {
            let name = name_or_path.to_owned();
            let builtin = Self::builtin_names().collect::<Vec<_>>().join(", ");
            return Err(DataError::UnknownRecipe { name, builtin });
        }
        let text = std::fs::read_to_string(path).map_err(DataError::read(path))?;
        Self::parse(name_or_path, &text)
    }

    /// Adds `target=source` entries (several may stand in one, with commas between), which win over
    /// the recipe's own.
    pub fn with_map(mut self, entries: &[String]) -> Result<Self, DataError> {
        for entry in entries.iter().flat_map(|entry| entry.split(',')) {
            let (target, source) = entry
                .split_once('=')
                .map(|(target, source)| (target.trim(), source.trim()))
                .filter(|(target, source)| !target.is_empty() && !source.is_empty())
                .ok_or_else(|| mapping(format!("`{entry}` is not of the form target=source")))?;
            self.map.insert(target.to_owned(), source.to_owned());
        }
        Ok(self)
    }

    /// Names of the built-in recipes.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    fn parse(name: &str, text: &str) -> Result<Self, DataError> {
        toml::from_str(text)
            .map_err(|source| DataError::Recipe { name: name.to_owned(), source: Box::new(source) })
    }
}

pub(crate) fn mapping(what: String) -> DataError {
    DataError::Mapping { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_recipe_is_one_and_keeps_its_task() {
        for name in Recipe::builtin_names() {
            let recipe = Recipe::load(name).unwrap();
            assert_eq!(recipe.map["request_id"], "prompt_id", "{name}");
            assert_eq!(recipe.keep, ["dataset"], "{name}");
        }
    }

    #[test]
    fn map_entries() {
        let entries = ["prompt=question, score = correct".to_owned(), "dataset=subject".to_owned()];
        let recipe = Recipe::default().with_map(&entries).unwrap();
        assert_eq!(recipe.map["score"], "correct");
        assert_eq!(recipe.map["dataset"], "subject");
        let error = Recipe::default().with_map(&["prompt".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "the mapping cannot be used: `prompt` is not of the form target=source");
    }

    #[test]
    fn what_is_no_recipe_is_refused_with_a_hint() {
        let unknown = Recipe::load("mmlu").unwrap_err().to_string();
        assert!(unknown.contains("one of: mmlu_pro, routellm"), "{unknown}");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.toml");
        std::fs::write(&path, "maps = 1").unwrap();
        let error = Recipe::load(path.to_str().unwrap()).unwrap_err();
        assert!(error.to_string().contains("is not a recipe; hint: data/recipes/README.md"));
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("unknown field `maps`"), "{source}");
        assert!(Recipe::load("/nowhere/r.toml").unwrap_err().to_string().contains("cannot read"));
    }
}
