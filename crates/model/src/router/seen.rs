//! `seen.bin`: keyed hashes of the prompts that a router was fitted and certified on.
//!
//! `eval` skips these prompts. The file holds no text, and the key keeps it from being compared with
//! the hashes of another router; the server never keeps it in memory.

use std::path::Path;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::directory::{RouterError, SEEN, read};

/// A set of prompts, by keyed hash of their group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenPrompts {
    key: u64,
    hashes: Vec<u64>,
}

impl SeenPrompts {
    /// The set of these groups (see [`farthing_core::split_key`]).
    pub fn new(key: u64, groups: impl IntoIterator<Item = u64>) -> Self {
        let mut hashes: Vec<u64> = groups.into_iter().map(|group| keyed(key, group)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self { key, hashes }
    }

    /// The set with more groups, under the same key.
    #[must_use]
    pub fn with(mut self, groups: impl IntoIterator<Item = u64>) -> Self {
        let key = self.key;
        self.hashes.extend(groups.into_iter().map(|group| keyed(key, group)));
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self
    }

    /// Reads the set of a router directory.
    pub fn load(dir: &Path) -> Result<Self, RouterError> {
        Ok(Self::from_bytes(&read(dir, SEEN)?))
    }

    /// What [`Self::to_bytes`] wrote.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        Self { key: words.next().unwrap_or_default(), hashes: words.collect() }
    }

    /// Whether a prompt of this group was used.
    pub fn contains(&self, group: u64) -> bool {
        self.hashes.binary_search(&keyed(self.key, group)).is_ok()
    }

    /// Key and hashes, 8 bytes each, little-endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        std::iter::once(self.key)
            .chain(self.hashes.iter().copied())
            .flat_map(u64::to_le_bytes)
            .collect()
    }
}

fn keyed(key: u64, group: u64) -> u64 {
    xxh3_64_with_seed(&group.to_le_bytes(), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn membership_survives_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let seen = SeenPrompts::new(42, [3, 1, 3]);
        std::fs::write(dir.path().join(SEEN), seen.to_bytes()).unwrap();
        let read = SeenPrompts::load(dir.path()).unwrap();
        assert_eq!(read, seen);
        assert!(read.contains(1) && read.contains(3) && !read.contains(2));
        assert_eq!(read.with([2, 1]), SeenPrompts::new(42, [1, 2, 3]));
    }
}
