//! Lists in bodies, of which no more is kept than anybody accepts.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};

/// The first `MOST` entries, and how many there are: a body of eight million `0,` is counted, not kept.
#[derive(Debug)]
pub(crate) struct Entries<T, const MOST: usize> {
    pub(crate) kept: Vec<T>,
    pub(crate) found: usize,
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Entries<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for EntriesVisitor<T, MOST> {
    type Value = Entries<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < MOST
            && let Some(entry) = seq.next_element()?
        {
            kept.push(entry);
        }
        let mut found = kept.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            found += 1;
        }
        Ok(Entries { kept, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_beyond_is_counted_and_not_kept() {
        let entries: Entries<u8, 2> = serde_json::from_str("[1, 2, {}, []]").unwrap();
        assert_eq!((entries.kept, entries.found), (vec![1, 2], 4));
    }
}
