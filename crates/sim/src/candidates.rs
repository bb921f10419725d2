//! The six invented candidates: prices, speed and manners. What they can do, family by family,
//! stands in `crate::family`.

use std::collections::BTreeMap;

use farthing_core::{Price, PriceTable};

use crate::Family;

/// Number of candidates.
pub(crate) const COUNT: usize = 6;

/// An invented LLM.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name in logs.
    pub name: &'static str,
    /// What it costs.
    pub price: Price,
    /// Output tokens relative to the usual answer.
    pub(crate) verbosity: f64,
    /// Time to the first token, in milliseconds.
    pub(crate) first_token_ms: f64,
    /// Output tokens in a second.
    pub(crate) tokens_per_s: f64,
    /// Skill lost in the most distant language.
    pub(crate) language_loss: f64,
}

impl Candidate {
    /// What it can do in a family, on the scale of difficulty: at equal values, half of the answers
    /// are good.
    pub fn skill(&self, family: Family) -> f64 {
        let own = CANDIDATES.iter().zip(family.profile().skill).find(|(c, _)| c.name == self.name);
        own.map_or(0.0, |(_, skill)| skill)
    }
}

/// The candidates, by price.
pub fn candidates() -> &'static [Candidate] {
    &CANDIDATES
}

/// The prices of all candidates.
pub fn prices() -> PriceTable {
    let prices: BTreeMap<String, Price> =
        CANDIDATES.iter().map(|c| (c.name.to_owned(), c.price)).collect();
    // None of the prices below can be refused; a test sees that all are there.
    PriceTable::try_from(prices).unwrap_or_default()
}

static CANDIDATES: [Candidate; COUNT] = [
    Candidate {
        name: "wren-mini",
        price: usd(0.05, 0.2, 0.025),
        verbosity: 0.8,
        first_token_ms: 120.0,
        tokens_per_s: 220.0,
        language_loss: 0.8,
    },
    Candidate {
        name: "finch-small",
        price: usd(0.15, 0.6, 0.075),
        verbosity: 0.9,
        first_token_ms: 180.0,
        tokens_per_s: 160.0,
        language_loss: 0.5,
    },
    Candidate {
        name: "linnet-polyglot",
        price: usd(0.4, 1.6, 0.1),
        verbosity: 0.9,
        first_token_ms: 260.0,
        tokens_per_s: 110.0,
        language_loss: 0.0,
    },
    Candidate {
        name: "heron-coder",
        price: usd(0.8, 3.2, 0.2),
        verbosity: 1.0,
        first_token_ms: 300.0,
        tokens_per_s: 100.0,
        language_loss: 0.7,
    },
    Candidate {
        name: "plover-reasoner",
        price: usd(1.1, 4.4, 0.275),
        verbosity: 1.8,
        first_token_ms: 900.0,
        tokens_per_s: 90.0,
        language_loss: 0.5,
    },
    Candidate {
        name: "bustard-large",
        price: usd(5.0, 20.0, 0.5),
        verbosity: 1.1,
        first_token_ms: 600.0,
        tokens_per_s: 55.0,
        language_loss: 0.15,
    },
];

/// Prices per million tokens of input, output and cached input.
const fn usd(input: f64, output: f64, cached: f64) -> Price {
    Price {
        usd_per_1m_input: input,
        usd_per_1m_output: output,
        usd_per_1m_cached_input: Some(cached),
        usd_per_1m_cache_write: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_ordered_by_price_and_all_priced() {
        let prices = prices();
        assert_eq!(prices.iter().count(), COUNT);
        for pair in candidates().windows(2) {
            assert!(pair[0].price.usd_per_1m_input < pair[1].price.usd_per_1m_input);
            assert!(pair[0].price.usd_per_1m_output < pair[1].price.usd_per_1m_output);
        }
    }

    #[test]
    fn each_candidate_but_the_cheapest_is_the_most_skilled_at_something() {
        for candidate in &candidates()[2..] {
            let leads = |family: &Family| {
                let others = candidates().iter().filter(|c| c.name != candidate.name);
                others.into_iter().all(|o| o.skill(*family) < candidate.skill(*family))
            };
            assert!(Family::ALL.iter().any(leads), "{}", candidate.name);
        }
    }
}
