//! Rules of a configuration around the learned choice: small typed predicates, and what follows.
//!
//! A rule that asks only what is known of a request is applied before the choice. One that asks about the
//! choice is applied after it, and then the choice is made again; that happens once.

mod experiment;
mod when;

use std::sync::Arc;

use crate::{Bar, Request};
pub use experiment::{Experiment, Unit};
pub use when::{Hours, Span, Weekday, When, WhenChosen};

/// The rules of a configuration, in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rules {
    /// They are all asked; where two contradict each other the earlier one counts.
    pub list: Vec<ConditionalRule>,
    /// Assigns the arms that rules can ask for.
    pub experiment: Option<Experiment>,
}

/// Where all of `when` holds, `then` follows.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionalRule {
    /// Names it in decisions and logs.
    pub name: Arc<str>,
    /// What it asks.
    pub when: When,
    /// What follows.
    pub then: Then,
}

/// What follows from a rule.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Then {
    /// Only these candidates may be chosen.
    pub only: Option<Vec<String>>,
    /// These may not.
    pub exclude: Vec<String>,
    /// The bar, where the request names none.
    pub bar: Option<Bar>,
    /// The policy, where the request names none.
    pub policy: Option<String>,
}

/// What rules may ask of a request.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The request.
    pub request: &'a Request,
    /// Seconds since 1970, UTC; `None`: rules that ask for the time do not hold.
    pub unix_seconds: Option<u64>,
    /// The arm of the experiment that it was assigned to.
    pub arm: Option<&'a str>,
}

/// What rules may ask of a choice.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// Who was chosen.
    pub model: &'a str,
    /// Its calibrated probability of being good enough.
    pub p_above_bar: f64,
    /// The least change of a prediction that would change the choice.
    pub margin: f64,
    /// What it is expected to cost, in USD.
    pub cost_usd: Option<f64>,
}

/// What follows from all rules that hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effect<'r> {
    /// Names of the rules.
    pub names: Vec<Arc<str>>,
    only: Option<&'r [String]>,
    exclude: Vec<&'r str>,
    /// The bar, if one gives it.
    pub bar: Option<Bar>,
    /// The policy, if one gives it.
    pub policy: Option<&'r str>,
}

impl Rules {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty() && self.experiment.is_none()
    }

    /// Candidates that rules name.
    pub fn candidates(&self) -> impl Iterator<Item = &String> {
        self.list.iter().flat_map(|rule| {
            let asked = rule.when.chosen.iter().flat_map(|chosen| &chosen.models);
            asked.chain(rule.then.only.iter().flatten()).chain(&rule.then.exclude)
        })
    }

    /// What follows before the choice.
    pub fn before(&self, known: &Known<'_>) -> Effect<'_> {
        let mut effect = Effect::default();
        for rule in self.list.iter().filter(|rule| rule.when.chosen.is_none()) {
            if rule.when.holds(known) {
                effect.add(rule);
            }
        }
        effect
    }

    /// Adds what follows from the choice; whether there is anything.
    pub fn after<'r>(
        &'r self,
        known: &Known<'_>,
        chosen: &Chosen<'_>,
        effect: &mut Effect<'r>,
    ) -> bool {
        let before = effect.names.len();
        for rule in &self.list {
            let asked = rule.when.chosen.as_ref();
            if asked.is_some_and(|asked| asked.holds(chosen)) && rule.when.holds(known) {
                effect.add(rule);
            }
        }
        effect.names.len() > before
    }
}

impl<'r> Effect<'r> {
    fn add(&mut self, rule: &'r ConditionalRule) {
        let Then { only, exclude, bar, policy } = &rule.then;
        self.names.push(Arc::clone(&rule.name));
        self.only = self.only.or(only.as_deref());
        self.exclude.extend(exclude.iter().map(String::as_str));
        self.bar = self.bar.or(*bar);
        self.policy = self.policy.or(policy.as_deref());
    }

    /// Whether a candidate may not be chosen.
    pub fn bars(&self, candidate: &str) -> bool {
        let outside = self.only.is_some_and(|only| !only.iter().any(|name| name == candidate));
        outside || self.exclude.contains(&candidate)
    }

    /// Whether the rules leave this candidate and no other.
    pub fn names_alone(&self, candidate: &str) -> bool {
        self.only.is_some_and(|only| only.len() == 1 && only[0] == candidate)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn rule(name: &str, when: When, then: Then) -> ConditionalRule {
        ConditionalRule { name: name.into(), when, then }
    }

    fn only(names: &[&str]) -> Then {
        Then { only: Some(names.iter().map(|&name| name.to_owned()).collect()), ..Then::default() }
    }

    #[test]
    fn every_rule_that_holds_is_applied_and_the_earlier_counts() {
        let legal = BTreeMap::from([("feature".to_owned(), ["legal".to_owned()].into())]);
        let asks = When { context: legal.clone(), ..When::default() };
        let rules = Rules {
            list: vec![
                rule(
                    "a",
                    asks,
                    Then { bar: Some(0.8), exclude: vec!["x".into()], ..only(&["x", "y"]) },
                ),
                rule("b", When::default(), Then { bar: Some(0.5), ..only(&["z"]) }),
                rule(
                    "later",
                    When { chosen: Some(WhenChosen::default()), ..When::default() },
                    Then { exclude: vec!["y".into()], ..Then::default() },
                ),
            ],
            experiment: None,
        };
        let request = Request::from_prompt("hi").unwrap();
        let known = Known { request: &request, unix_seconds: None, arm: None };
        let effect = rules.before(&known);
        assert_eq!(effect.names, ["b".into()]);
        assert!(effect.names_alone("z") && effect.bars("x") && !effect.bars("z"));

        let context = BTreeMap::from([("feature".to_owned(), "legal".to_owned())]);
        let request = request.clone().with_context(context);
        let known = Known { request: &request, ..known };
        let mut effect = rules.before(&known);
        assert_eq!((effect.names.len(), effect.bar), (2, Some(0.8)));
        assert!(effect.bars("x") && !effect.bars("y") && effect.bars("z"));
        assert!(!effect.names_alone("y"));

        let chosen = Chosen { model: "y", p_above_bar: 0.5, margin: 0.1, cost_usd: None };
        assert!(rules.after(&known, &chosen, &mut effect));
        assert!(effect.bars("y"));
        assert_eq!(effect.names.len(), 3);
        let names: Vec<_> = rules.candidates().collect();
        assert_eq!(names, ["x", "y", "x", "z", "y"]);
    }
}
