//! One table of a TOML file, read key by key: what nobody asks for is unknown.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::kinds::Due;
use super::mistakes::{Mistakes, nearest, quoted};

/// Keys that have other names than they had, or than other tools give them.
const RENAMED: [(&str, &str); 4] = [
    ("router.dir", "router.path"),
    ("log.path", "log.dir"),
    ("auth.tokens", "auth.keys"),
    ("trace.level", "trace.filter"),
];

/// A table of the file; one that is not there has no entries.
pub(super) struct Table<'a> {
    name: String,
    entries: Option<&'a DeTable<'a>>,
    mistakes: &'a Mistakes<'a>,
    known: Vec<&'static str>,
    /// Where the table is named.
    at: usize,
    /// Whether messages quote values.
    quotes: bool,
}

/// A value and where it stands.
pub(super) struct Placed<T> {
    pub(super) value: T,
    /// Its first byte.
    pub(super) at: usize,
}

impl<'a> Table<'a> {
    /// The file itself.
    pub(super) fn root(entries: &'a DeTable<'a>, mistakes: &'a Mistakes<'a>) -> Self {
        let (name, known) = (String::new(), Vec::new());
        Self { name, entries: Some(entries), mistakes, known, at: 0, quotes: true }
    }

    /// The same table, of whose values no message says anything.
    pub(super) fn secret(mut self) -> Self {
        self.quotes = false;
        self
    }

    /// The table of a key in this one.
    pub(super) fn table(&mut self, key: &'static str) -> Table<'a> {
        let value = self.take(key);
        let name = self.full_name(key);
        let entries = value.and_then(|value| self.entries_of(&name, value));
        Table { name, entries, known: Vec::new(), ..*self }
    }

    /// The tables in this one whose names users choose.
    pub(super) fn named_tables(&self) -> Vec<(Placed<String>, Table<'a>)> {
        let entries = self.entries.into_iter().flatten();
        let table = |(key, value): (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>)| {
            let (at, key) = (key.span().start, key.get_ref());
            let name = format!("{}.\"{key}\"", self.name);
            let entries = self.entries_of(&name, value);
            let table = Table { name, entries, known: Vec::new(), at, ..*self };
            (Placed { value: key.to_string(), at }, table)
        };
        entries.map(table).collect()
    }

    /// The tables of a list of them.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Table<'a>> {
        let Some(value) = self.take(key) else { return Vec::new() };
        let name = self.full_name(key);
        let Some(list) = value.get_ref().as_array() else {
            let message = format!("`{name}` is not a list; hint: write `[[{name}]]` and its keys");
            self.mistakes.add(value.span().start, message);
            return Vec::new();
        };
        let table = |(position, value): (usize, &'a Spanned<DeValue<'a>>)| {
            let name = format!("{name}[{position}]");
            let (entries, at) = (self.entries_of(&name, value), value.span().start);
            Table { name, entries, known: Vec::new(), at, ..*self }
        };
        list.iter().enumerate().map(table).collect()
    }

    /// Whether it is there.
    pub(super) fn is_given(&self) -> bool {
        self.entries.is_some()
    }

    /// Whether a key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(key))
    }

    /// Where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Adds a mistake about what stands there.
    pub(super) fn mistake(&self, at: usize, message: String) {
        self.mistakes.add(at, message);
    }

    /// The values of all keys, whose names users choose.
    pub(super) fn read_all<T>(
        self,
        kind: impl Fn(&DeValue<'_>) -> Result<T, Due>,
    ) -> Vec<(String, T)> {
        let mut read = Vec::new();
        for (key, value) in self.entries.into_iter().flatten() {
            match kind(value.get_ref()) {
                Ok(value) => read.push((key.get_ref().to_string(), value)),
                Err(due) => self.wrong(&self.full_name(key.get_ref()), &value.span(), &due),
            }
        }
        read
    }

    /// The value of a key, if it is given and is of the kind.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&DeValue<'_>) -> Result<T, Due>,
    ) -> Option<Placed<T>> {
        let value = self.take(key)?;
        let at = value.span().start;
        match kind(value.get_ref()) {
            Ok(value) => Some(Placed { value, at }),
            Err(due) => {
                self.wrong(&self.full_name(key), &value.span(), &due);
                None
            }
        }
    }

    fn wrong(&self, name: &str, span: &Range<usize>, due: &Due) {
        let found = self.shown(span.clone());
        let hint = "correct it or leave it out";
        self.mistakes.add(span.start, format!("`{name}` is not {due}{found}; hint: {hint}"));
    }

    /// The value of a key that has to be given.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        kind: impl Fn(&DeValue<'_>) -> Result<T, Due>,
    ) -> Option<T> {
        if !self.has(key) {
            let message = format!("`{}` is missing; hint: it has no default", self.full_name(key));
            self.mistakes.add(self.at, message);
        }
        self.read(key, kind).map(|placed| placed.value)
    }

    /// Sets what a key is about, where it is given.
    pub(super) fn set<T>(
        &mut self,
        key: &'static str,
        slot: &mut T,
        kind: impl Fn(&DeValue<'_>) -> Result<T, Due>,
    ) {
        if let Some(placed) = self.read(key, kind) {
            *slot = placed.value;
        }
    }

    /// Everything has been asked for: whatever else there is, is a mistake.
    pub(super) fn finish(self) {
        for key in self.entries.into_iter().flat_map(DeTable::keys) {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let message = self.unknown(name);
                self.mistakes.add(key.span().start, message);
            }
        }
    }

    fn unknown(&self, key: &str) -> String {
        let name = self.full_name(key);
        if let Some((_, now)) = RENAMED.iter().find(|(before, _)| *before == name) {
            return format!("unknown key: `{name}`; hint: it is called `{now}`");
        }
        let hint = match nearest(key, self.known.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", self.full_name(near)),
            None => format!("known here are {}", quoted(self.known.iter().copied())),
        };
        format!("unknown key: `{name}`; hint: {hint}")
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.known.push(key);
        self.entries?.get(key)
    }

    fn entries_of(&self, name: &str, value: &'a Spanned<DeValue<'a>>) -> Option<&'a DeTable<'a>> {
        let entries = value.get_ref().as_table();
        if entries.is_none() {
            let message = format!("`{name}` is not a table; hint: write `[{name}]` and its keys");
            self.mistakes.add(value.span().start, message);
        }
        entries
    }

    fn full_name(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// What a message says of a value: its first line, where it is not long and may be shown.
    fn shown(&self, span: Range<usize>) -> String {
        const LONGEST: usize = 80;
        let source = self.mistakes.source(span);
        if !self.quotes || source.len() > LONGEST || source.contains('\n') {
            return String::new();
        }
        format!(": {source}")
    }
}
