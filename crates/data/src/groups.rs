//! Groups of requests that no split may part: near-duplicates, and whatever shares a value of a column.

use std::collections::{BTreeMap, BTreeSet};

/// The group of each request, given its prompt's key and its values of the group column: the smallest
/// key that it is linked to by equal keys and equal values. A request without a value is linked by its
/// key alone.
pub(crate) fn join(requests: &[(u64, BTreeSet<String>)]) -> Vec<u64> {
    let mut keys: Vec<u64> = requests.iter().map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut forest = Forest { parents: (0..keys.len()).collect() };
    let nodes: Vec<usize> =
        requests.iter().map(|(key, _)| keys.partition_point(|other| other < key)).collect();
    let mut first = BTreeMap::<&str, usize>::new();
    for (&node, (_, values)) in nodes.iter().zip(requests) {
        for value in values {
            let other = *first.entry(value).or_insert(node);
            forest.link(node, other);
        }
    }
    nodes.into_iter().map(|node| keys[forest.root(node)]).collect()
}

/// Disjoint sets (Galler and Fischer 1964); the root of a set is its smallest node.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn root(&mut self, mut node: usize) -> usize {
        while self.parents[node] != node {
            self.parents[node] = self.parents[self.parents[node]];
            node = self.parents[node];
        }
        node
    }

    fn link(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_of_keys_and_values_are_one_group() {
        let request =
            |key: u64, values: &[&str]| (key, values.iter().map(|v| (*v).to_owned()).collect());
        let requests = [
            request(9, &["a"]),
            request(3, &["b"]),
            request(7, &[]),
            request(3, &["a"]), // links a and b
            request(8, &["c"]),
            request(5, &["b", "d"]),
            request(7, &[]),
            request(6, &["d"]),
        ];
        assert_eq!(join(&requests), [3, 3, 7, 3, 8, 3, 7, 3]);
    }
}
