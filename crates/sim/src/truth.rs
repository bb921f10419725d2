//! How well and at what cost each candidate answers: the known truth, and draws from it.
//!
//! An answer is good with a probability that grows with skill minus difficulty. Difficulty has a
//! part that shows in the text (the level), a part that does not, and a part that is a matter of
//! luck between this candidate and this request.

use farthing_core::Outcome;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use crate::candidates::{COUNT, Candidate, candidates};
use crate::family::Scoring;
use crate::pen::whole;
use crate::{Family, Language};

/// Difficulty from the easiest to the hardest level, centred.
const VISIBLE: f64 = 2.4;
/// Standard deviation of the difficulty that does not show.
const HIDDEN: f64 = 0.5;
/// Standard deviation of the difficulty that one candidate has and another has not.
const QUIRK: f64 = 0.35;
/// Growth of the log odds of a good answer with skill.
const STEEPNESS: f64 = 3.4;
/// Probability of a good answer where nothing is too hard, and of a bad one where all is.
const SLIP: f64 = 0.01;
/// Standard deviation of the logarithm of output tokens.
const LENGTH_SPREAD: f64 = 0.35;
/// Demands of a rubric.
const DEMANDS: usize = 4;

/// What is true of one candidate on one request, whatever was drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Truth {
    /// Expected score, in [0, 1].
    pub expected_score: f64,
    /// Probability of a score of at least 0.5.
    pub p_half: f64,
    /// Expected cost in USD.
    pub expected_cost_usd: f64,
}

/// What is true of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation {
    pub(crate) family: Family,
    pub(crate) language: Language,
    /// Visible difficulty, in [0, 1].
    pub(crate) level: f64,
    /// Hidden difficulty, in standard deviations.
    pub(crate) hidden: f64,
    /// Each candidate's own difficulty, in standard deviations.
    pub(crate) quirks: [f64; COUNT],
    pub(crate) input_tokens: u64,
    pub(crate) cached_tokens: Option<u64>,
}

impl Situation {
    /// The known truth about the candidate at a position.
    pub(crate) fn truth(&self, position: usize) -> Truth {
        let candidate = &candidates()[position];
        let p = self.p_good(position);
        let p_half = match self.family.profile().scoring {
            Scoring::Pass => p,
            // At least two of four demands met.
            Scoring::Rubric => 1.0 - (1.0 - p).powi(4) - 4.0 * p * (1.0 - p).powi(3),
        };
        let mean_tokens = self.median_tokens(candidate) * (LENGTH_SPREAD.powi(2) / 2.0).exp();
        Truth {
            expected_score: p,
            p_half,
            expected_cost_usd: self.cost_usd(candidate, mean_tokens),
        }
    }

    /// What the candidate at a position happened to do; always draws the same number of random numbers.
    pub(crate) fn draw(&self, position: usize, dice: &mut ChaCha8Rng) -> Outcome {
        let candidate = &candidates()[position];
        let p = self.p_good(position);
        let met = [(); DEMANDS].map(|()| dice.random::<f64>() < p);
        let score = match self.family.profile().scoring {
            Scoring::Pass => f64::from(u8::from(met[0])),
            Scoring::Rubric => met.iter().filter(|m| **m).count() as f64 / DEMANDS as f64,
        };
        let longer: f64 = StandardNormal.sample(dice);
        let tokens = self.median_tokens(candidate) * (LENGTH_SPREAD * longer).exp();
        let output_tokens = whole(tokens).max(1);
        let slower: f64 = StandardNormal.sample(dice);
        let thinking_ms = candidate.first_token_ms + self.input_tokens as f64 * 0.05;
        let writing_ms = output_tokens as f64 / candidate.tokens_per_s * 1e3;
        let latency_ms = (thinking_ms + writing_ms) * (0.2 * slower).exp();
        Outcome {
            score: Some(score),
            cost_usd: Some(self.cost_usd(candidate, output_tokens as f64)),
            input_tokens: Some(self.input_tokens),
            cached_input_tokens: self.cached_tokens,
            output_tokens: Some(output_tokens),
            // Tenths: as precise as a log needs.
            latency_ms: Some((latency_ms * 10.0).round() / 10.0),
            propensity: None,
        }
    }

    /// Probability of a good answer, or of meeting one demand.
    fn p_good(&self, position: usize) -> f64 {
        let lost = candidates()[position].language_loss * self.language.distance();
        let skill = self.family.profile().skill[position] - lost;
        let difficulty =
            VISIBLE * (self.level - 0.9) + HIDDEN * self.hidden + QUIRK * self.quirks[position];
        let p = 1.0 / (1.0 + (STEEPNESS * (difficulty - skill)).exp());
        SLIP + (1.0 - 2.0 * SLIP) * p
    }

    fn median_tokens(&self, candidate: &Candidate) -> f64 {
        let usual = self.family.profile().answer_tokens;
        usual * candidate.verbosity * (0.7 + 0.6 * self.level)
    }

    fn cost_usd(&self, candidate: &Candidate, output_tokens: f64) -> f64 {
        let cached = self.cached_tokens.unwrap_or(0) as f64;
        candidate.price.cost_usd(self.input_tokens as f64, cached, output_tokens)
    }
}
