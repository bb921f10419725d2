//! Reading `name,key=value,...`: the text of a scenario, before anyone knows what it means.

use std::str::FromStr;

/// Why a text is no scenario.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// There is no scenario of this name.
    #[error("no scenario is named `{0}`; hint: `Behaviour` of farthing-sim lists them")]
    UnknownName(String),
    /// A parameter without `=`.
    #[error("`{0}` is no parameter; hint: write `key=value`")]
    NotAPair(String),
    /// The scenario has no such parameter, or had it already.
    #[error("scenario `{name}` has no parameter `{key}`, or has it twice")]
    UnknownParameter {
        /// The scenario.
        name: String,
        /// The parameter.
        key: String,
    },
    /// A parameter's value cannot be read, or is out of range.
    #[error("parameter `{key}` cannot be: {value}")]
    BadValue {
        /// The parameter.
        key: String,
        /// What was given.
        value: String,
    },
    /// A parameter without a default is missing.
    #[error("scenario `{name}` needs the parameter `{key}`")]
    Missing {
        /// The scenario.
        name: String,
        /// The parameter.
        key: String,
    },
}

/// The parameters of a scenario that nobody has taken yet.
pub(super) struct Parameters<'a> {
    pub(super) name: &'a str,
    left: Vec<(&'a str, &'a str)>,
}

impl<'a> Parameters<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, ScenarioError> {
        let mut parts = text.split(',');
        let name = parts.next().unwrap_or_default();
        let pair = |part: &'a str| {
            part.split_once('=').ok_or_else(|| ScenarioError::NotAPair(part.to_owned()))
        };
        Ok(Self { name, left: parts.map(pair).collect::<Result<_, _>>()? })
    }

    /// Takes a parameter's value, if it is there.
    pub(super) fn take<T: FromStr>(&mut self, key: &str) -> Result<Option<T>, ScenarioError> {
        let Some(at) = self.left.iter().position(|(given, _)| *given == key) else {
            return Ok(None);
        };
        let (_, value) = self.left.remove(at);
        value.parse().map(Some).map_err(|_| bad_value(key, &value))
    }

    /// A parameter's value, or what it is without.
    pub(super) fn or<T: FromStr>(&mut self, key: &str, without: T) -> Result<T, ScenarioError> {
        Ok(self.take(key)?.unwrap_or(without))
    }

    /// A parameter's value, which must be there.
    pub(super) fn need<T: FromStr>(&mut self, key: &str) -> Result<T, ScenarioError> {
        self.take(key)?.ok_or_else(|| ScenarioError::Missing {
            name: self.name.to_owned(),
            key: key.to_owned(),
        })
    }

    /// An error if a parameter was not taken.
    pub(super) fn finish(self) -> Result<(), ScenarioError> {
        match self.left.first() {
            None => Ok(()),
            Some((key, _)) => Err(ScenarioError::UnknownParameter {
                name: self.name.to_owned(),
                key: (*key).to_owned(),
            }),
        }
    }
}

pub(super) fn bad_value(key: &str, value: &impl ToString) -> ScenarioError {
    ScenarioError::BadValue { key: key.to_owned(), value: value.to_string() }
}
