//! Which columns are wanted of a file, and what to say when one is not there.

use std::path::Path;

use crate::DataError;

/// Other columns remembered by name; an NDJSON file can have any number of them.
pub(crate) const MAX_OTHER: usize = 100;

/// The columns that a reader extracts, in the order in which it hands out their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// Extracted; one that is not in the file is null.
    pub(crate) names: Vec<String>,
    /// Of each of these groups, the file must have one.
    pub(crate) required: Vec<Required>,
}

/// Columns of which a file must have one.
#[derive(Debug, Clone)]
pub(crate) struct Required {
    pub(crate) any_of: Vec<String>,
    /// Said when no column of the file has a similar name.
    pub(crate) hint: &'static str,
}

impl Required {
    /// A column that somebody named.
    pub(crate) fn named(column: &str) -> Self {
        Self { any_of: vec![column.to_owned()], hint: "" }
    }
}

impl Wanted {
    /// Where a column's value will stand; adds the column if need be.
    pub(crate) fn slot(&mut self, name: &str) -> usize {
        let found = self.names.iter().position(|n| n == name);
        found.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        })
    }

    /// Refuses a file that lacks a required column.
    pub(crate) fn check(&self, path: &Path, found: &[String]) -> Result<(), DataError> {
        for required in &self.required {
            if required.any_of.iter().any(|column| found.contains(column)) {
                continue;
            }
            let close = required.any_of.iter().find_map(|column| closest(column, found));
            let hint = match (close, required.hint) {
                (Some(close), _) => format!("; hint: did you mean `{close}`?"),
                (None, "") => String::new(),
                (None, hint) => format!("; hint: {hint}"),
            };
            return Err(DataError::MissingColumn {
                path: path.to_owned(),
                columns: required.any_of.clone(),
                found: found.to_vec(),
                hint,
            });
        }
        Ok(())
    }
}

/// The name that `name` may be a slip of.
pub(crate) fn closest<'a>(name: &str, names: &'a [String]) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    names
        .iter()
        .map(|other| (distance(&name, &other.to_lowercase()), other.as_str()))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, other)| other)
}

/// Edits (insert, delete, replace) from one name to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_column() {
        let columns: Vec<String> =
            ["prompt", "model", "Score", "feature"].map(str::to_owned).into();
        assert_eq!(closest("prompts", &columns), Some("prompt"));
        assert_eq!(closest("score", &columns), Some("Score"));
        assert_eq!(closest("tenant", &columns), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
