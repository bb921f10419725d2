//! An experiment: requests are assigned to arms, and what belongs together stays together.

use std::sync::Arc;

use crate::{Digest, RouteOptions};

/// An experiment of several arms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Another name assigns anew.
    pub name: String,
    /// What stays in its arm.
    pub by: Unit,
    /// Name and weight of each arm; weights are above 0.
    pub arms: Vec<(Arc<str>, u32)>,
}

/// What is assigned to an arm, and stays there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A session.
    Session,
    /// All requests with one value in their context under this name.
    Context(String),
}

impl Experiment {
    /// The arm of a request. One that lacks what would be assigned has the arm of its own `draw`.
    pub fn arm(&self, options: &RouteOptions, draw: f64) -> Option<Arc<str>> {
        let unit = match &self.by {
            Unit::Session => options.session_id.as_ref(),
            Unit::Context(name) => options.context.get(name),
        };
        let own = draw.to_bits().to_le_bytes();
        let unit = unit.map_or(&own[..], String::as_bytes);
        let digest = Digest::of_all(|add| {
            add(&(self.name.len() as u64).to_le_bytes());
            add(self.name.as_bytes());
            add(unit);
        });
        let (head, _) = digest.as_bytes().split_first_chunk()?;
        let total: u64 = self.arms.iter().map(|(_, weight)| u64::from(*weight)).sum();
        // The high half of the product is uniform below the total.
        let mut left =
            u64::try_from((u128::from(u64::from_le_bytes(*head)) * u128::from(total)) >> 64)
                .ok()?;
        for (arm, weight) in &self.arms {
            match left.checked_sub(u64::from(*weight)) {
                Some(rest) => left = rest,
                None => return Some(Arc::clone(arm)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(name: &str, by: Unit) -> Experiment {
        let arms = vec![("a".into(), 9), ("b".into(), 1)];
        Experiment { name: name.to_owned(), by, arms }
    }

    #[test]
    fn arms_are_as_large_as_their_weights_and_sessions_stay() {
        let experiment_of = |name| experiment(name, Unit::Session);
        let arm = |name, session: usize, draw| {
            let session_id = Some(session.to_string());
            let options = RouteOptions { session_id, ..RouteOptions::default() };
            experiment_of(name).arm(&options, draw).unwrap()
        };
        let in_b = |name| (0..10_000).filter(|&n| &*arm(name, n, 0.0) == "b").count();
        assert!(in_b("x").abs_diff(1000) < 120, "{}", in_b("x"));
        assert!((0..1000).all(|n| arm("x", n, 0.1) == arm("x", n, 0.9)));
        let moved = (0..10_000).filter(|&n| arm("x", n, 0.0) != arm("y", n, 0.0)).count();
        assert!(moved.abs_diff(1800) < 200, "{moved}");
    }

    #[test]
    fn what_has_no_unit_is_drawn() {
        let by = Unit::Context("tenant".to_owned());
        let with = |tenant: Option<&str>| RouteOptions {
            context: tenant
                .map(|name| ("tenant".to_owned(), name.to_owned()))
                .into_iter()
                .collect(),
            ..RouteOptions::default()
        };
        let arm = |tenant, n: u32| {
            experiment("x", by.clone()).arm(&with(tenant), f64::from(n) / 10_000.0).unwrap()
        };
        let in_b = (0..10_000).filter(|&n| &*arm(None, n) == "b").count();
        assert!(in_b.abs_diff(1000) < 120, "{in_b}");
        assert!((0..1000).all(|n| arm(Some("t"), n) == arm(Some("t"), 0)));
    }
}
