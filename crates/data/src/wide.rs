//! Wide tables: which models there are, and in which columns their outcomes stand.

use farthing_core::log::column;

use crate::DataError;
use crate::columns::{Required, Wanted};
use crate::convert::OutcomeLayout;
use crate::recipe::{WideColumns, mapping};
use crate::value::Value;

const MODEL: &str = "{model}";

/// One model of a wide table.
#[derive(Debug, Clone)]
pub(crate) struct WideModel {
    pub(crate) name: String,
    pub(crate) outcome: OutcomeLayout,
    slots: Vec<usize>,
}

impl WideModel {
    /// Whether the row says nothing of this model: it did not answer.
    pub(crate) fn is_empty(&self, values: &[Value<'_>]) -> bool {
        self.slots.iter().all(|slot| values[*slot].is_missing())
    }
}

/// The models of a table with these columns, of which `used` ones have another meaning; their
/// columns are added to the wanted ones.
pub(crate) fn models(
    wide: &WideColumns,
    columns: &[String],
    used: &[String],
    wanted: &mut Wanted,
) -> Result<Vec<WideModel>, DataError> {
    let patterns = patterns(wide)?;
    let names = match &wide.models {
        Some(models) => models.clone(),
        None => find(&patterns, columns, used),
    };
    if names.is_empty() {
        let what =
            format!("no column fits a pattern such as `{}`; hint: name the models", wide.score);
        return Err(mapping(what));
    }
    let layout = |name: String| {
        let mut slots = Vec::new();
        let outcome = OutcomeLayout::of(|target| {
            let (_, pattern) = patterns.iter().find(|(of, _)| *of == target)?;
            let source = pattern.replace(MODEL, &name);
            wanted.required.push(Required::named(&source));
            slots.push(wanted.slot(&source));
            slots.last().copied()
        });
        WideModel { name, outcome, slots }
    };
    Ok(names.into_iter().map(layout).collect())
}

/// Each pattern with the outcome column that it fills.
fn patterns(wide: &WideColumns) -> Result<Vec<(&'static str, &str)>, DataError> {
    let optional = [
        (column::COST_USD, &wide.cost_usd),
        (column::INPUT_TOKENS, &wide.input_tokens),
        (column::CACHED_INPUT_TOKENS, &wide.cached_input_tokens),
        (column::OUTPUT_TOKENS, &wide.output_tokens),
        (column::LATENCY_MS, &wide.latency_ms),
        (column::PROPENSITY, &wide.propensity),
    ];
    let mut patterns = vec![(column::SCORE, wide.score.as_str())];
    patterns.extend(optional.iter().filter_map(|(name, p)| Some((*name, p.as_deref()?))));
    match patterns.iter().find(|(_, pattern)| pattern.matches(MODEL).count() != 1) {
        None => Ok(patterns),
        Some((name, pattern)) => Err(mapping(format!(
            "the pattern `{pattern}` of `{name}` does not hold `{MODEL}` once; hint: write it where the model's name stands"
        ))),
    }
}

/// The models that the most specific pattern finds, in the order of the columns.
fn find(patterns: &[(&str, &str)], columns: &[String], used: &[String]) -> Vec<String> {
    let longest = patterns.iter().map(|(_, pattern)| *pattern).max_by_key(|pattern| pattern.len());
    let Some(longest) = longest else { return Vec::new() };
    let free = columns
        .iter()
        .filter(|column| !used.contains(column) && !column::ALL.contains(&column.as_str()));
    free.filter_map(|column| fits(longest, column)).map(str::to_owned).collect()
}

/// What stands for the model in `column`, if it fits.
fn fits<'c>(pattern: &str, column: &'c str) -> Option<&'c str> {
    let (before, after) = pattern.split_once(MODEL)?;
    column.strip_prefix(before)?.strip_suffix(after).filter(|model| !model.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_pattern_finds_the_models() {
        let columns: Vec<String> =
            ["prompt", "a", "a|cost", "b/c", "b/c|cost", "note"].map(str::to_owned).into();
        let patterns = [("score", "{model}"), ("cost_usd", "{model}|cost")];
        assert_eq!(find(&patterns, &columns, &[]), ["a", "b/c"]);
        let used = ["note", "a|cost", "b/c|cost"].map(str::to_owned);
        assert_eq!(find(&patterns[..1], &columns, &used), ["a", "b/c"]);
        assert_eq!(fits("score_{model}", "score_"), None);
    }
}
