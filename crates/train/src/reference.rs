//! The reference: the cheapest candidate that is not inferior to the one with the highest mean score.
//!
//! A candidate that merely ties must win if it is cheaper. So a candidate is inferior only where
//! the paired outcomes of the fit split show it, or leave too much room for it.

use farthing_model::{CandidateCard, StandIn};
use nalgebra::DMatrix;

/// A mean loss of score that does not matter; the gate tolerates as much.
const MARGIN: f64 = 0.005;
/// One-sided 95 % quantile of the normal distribution.
const Z: f64 = 1.644_853_627;
/// However noisy the outcomes are, a greater loss must be excluded at 95 % confidence.
const MAX_LOSS: f64 = 0.05;
/// Fewer paired outcomes say nothing about a tie, and fewer outcomes than these, or than half of the
/// most judged candidate's, nothing about who is best.
const MIN_PAIRS: usize = 100;

/// Position of the reference, and what it stands in for where it is not itself the best.
///
/// `score` is `(n, candidates)` of the fit split, NaN where unknown. Where any candidate's cost is
/// known only those are considered: the others cannot serve a policy that compares costs.
pub(crate) fn choose(
    cards: &[CandidateCard],
    score: &DMatrix<f64>,
    known_cost: impl Fn(&CandidateCard) -> bool,
) -> (usize, Option<StandIn>) {
    let any_cost = cards.iter().any(&known_cost);
    let most = cards.iter().map(|card| card.outcomes).max().unwrap_or(0);
    let enough = most.div_ceil(2).min(MIN_PAIRS as u64).max(1);
    let serving = |&c: &usize| cards[c].outcomes >= enough && (!any_cost || known_cost(&cards[c]));
    let cost = |c: usize| cards[c].cost.mean_cost_usd.unwrap_or(f64::INFINITY);
    let mean = |c: usize| cards[c].mean_score;
    // Of equals the cheaper, then the first.
    let better = |a: &usize, b: &usize| {
        mean(*a).total_cmp(&mean(*b)).then(cost(*b).total_cmp(&cost(*a))).then(b.cmp(a))
    };
    let Some(best) = (0..cards.len()).filter(serving).max_by(better) else { return (0, None) };
    let tied = (0..cards.len()).filter(serving).filter_map(|c| {
        let loss = Loss::of(score, best, c)?;
        (cost(c) < cost(best) && loss.is_tie()).then_some((c, loss))
    });
    let cheapest =
        tied.min_by(|a, b| cost(a.0).total_cmp(&cost(b.0)).then(mean(b.0).total_cmp(&mean(a.0))));
    cheapest.map_or((best, None), |(c, loss)| (c, Some(loss.card(cards[best].model.clone()))))
}

/// What is lost by one candidate against the best, over the requests that both answered.
#[derive(Debug, Clone, Copy)]
struct Loss {
    mean: f64,
    standard_error: f64,
    requests: usize,
}

impl Loss {
    fn of(score: &DMatrix<f64>, best: usize, candidate: usize) -> Option<Self> {
        let pairs = score.column(best).into_iter().zip(score.column(candidate));
        let losses: Vec<f64> = pairs.map(|(a, b)| a - b).filter(|loss| !loss.is_nan()).collect();
        if losses.len() < MIN_PAIRS {
            return None;
        }
        let n = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Some(Self { mean, standard_error: (variance / n).sqrt(), requests: losses.len() })
    }

    fn bound(&self) -> f64 {
        self.mean + Z * self.standard_error
    }

    fn is_tie(&self) -> bool {
        self.mean - Z * self.standard_error <= MARGIN && self.bound() <= MAX_LOSS
    }

    fn card(&self, best: String) -> StandIn {
        StandIn {
            best,
            mean_loss: self.mean,
            loss_bound: self.bound(),
            requests: self.requests as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use farthing_model::CostModel;

    use super::*;

    /// Candidates of these costs that meet the bar in the first so many of 1,000 requests.
    fn check(candidates: &[(Option<f64>, usize)]) -> (usize, bool) {
        let score = DMatrix::from_fn(1000, candidates.len(), |row, c| {
            // Spread, so that candidates miss different requests.
            f64::from(u8::from(row * (2 * c + 1) % 1000 < candidates[c].1))
        });
        let card = |(cost, met): &(Option<f64>, usize)| CandidateCard {
            model: format!("{met}"),
            outcomes: 1000,
            mean_score: *met as f64 / 1000.0,
            cost: CostModel { tokens: None, mean_cost_usd: *cost },
            added: None,
        };
        let cards: Vec<_> = candidates.iter().map(card).collect();
        let known = |card: &CandidateCard| card.cost.mean_cost_usd.is_some();
        let (reference, stands_in) = choose(&cards, &score, known);
        (reference, stands_in.is_some())
    }

    #[test]
    fn a_cheaper_tie_is_the_reference_and_a_loss_is_not() {
        assert_eq!(check(&[(Some(9.0), 800), (Some(1.0), 800)]), (1, false));
        assert_eq!(check(&[(Some(9.0), 810), (Some(1.0), 800)]), (1, true));
        assert_eq!(check(&[(Some(9.0), 800), (Some(1.0), 700)]), (0, false));
        // Of ties the cheapest; a dearer one never.
        assert_eq!(check(&[(Some(5.0), 805), (Some(9.0), 800), (Some(1.0), 800)]), (2, true));
        assert_eq!(check(&[(Some(5.0), 805), (Some(9.0), 800), (Some(1.0), 100)]), (0, false));
    }

    #[test]
    fn what_cannot_be_priced_cannot_serve() {
        assert_eq!(check(&[(None, 900), (Some(1.0), 500), (Some(2.0), 800)]), (2, false));
        assert_eq!(check(&[(None, 900), (None, 500)]), (0, false));
    }

    #[test]
    fn a_lucky_few_outcomes_make_no_reference() {
        let card = |model: &str, outcomes, mean_score| CandidateCard {
            model: model.to_owned(),
            outcomes,
            mean_score,
            cost: CostModel { tokens: None, mean_cost_usd: Some(1.0) },
            added: None,
        };
        let score = DMatrix::from_element(1000, 2, 1.0);
        let check = |few, many| {
            let cards = [card("lucky", few, 1.0), card("known", many, 0.8)];
            cards[choose(&cards, &score, |_| true).0].model.clone()
        };
        assert_eq!(check(3, 1000), "known");
        assert_eq!(check(100, 1000), "lucky");
        assert_eq!(check(23, 48), "known");
        assert_eq!(check(24, 48), "lucky");
    }

    #[test]
    fn few_pairs_are_no_tie() {
        let score = DMatrix::from_element(99, 2, 1.0);
        assert!(Loss::of(&score, 0, 1).is_none());
        let score = DMatrix::from_element(100, 2, 1.0);
        assert!(Loss::of(&score, 0, 1).is_some_and(|loss| loss.is_tie()));
    }
}
