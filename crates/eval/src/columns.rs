//! The columns of a log that tell requests apart: its context and its labels.

use farthing_data::{Dataset, Record};

/// A context or label column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    /// Known at request time, too.
    Context(String),
    /// Known in the log only; its position among the labels, its name.
    Label(usize, String),
}

impl Column {
    /// Those that have a value anywhere in the log; a column that is both counts as context.
    pub(crate) fn all(dataset: &Dataset) -> Vec<Self> {
        let context = dataset.context_columns.iter().cloned().map(Self::Context);
        let labels = dataset.label_columns.iter().cloned().enumerate();
        let labels = labels.filter(|(_, name)| !dataset.context_columns.contains(name));
        let all = context.chain(labels.map(|(i, name)| Self::Label(i, name)));
        all.filter(|column| dataset.records.iter().any(|r| column.value(r).is_some())).collect()
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Context(name) | Self::Label(_, name) => name,
        }
    }

    /// The value that a request has there.
    pub(crate) fn value<'r>(&self, record: &'r Record) -> Option<&'r str> {
        match self {
            Self::Context(name) => record.request.context.get(name).map(String::as_str),
            Self::Label(i, _) => record.labels[*i].as_deref(),
        }
    }
}
