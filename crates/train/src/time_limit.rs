//! How long a decision may take, by the model's own estimate: a stopwatch would make the router depend on the
//! machine that trained it.

use farthing_model::features::FeatureSchema;
use farthing_model::network::Shape;
use farthing_model::{LeftOutCard, decision_time};
use nalgebra::DMatrix;

use crate::TrainError;
use crate::blend::{Blend, Part, beats_zero};
use crate::objective::{Objective, mean, paired_error};
use crate::problem::Problem;

/// A limit for routers of one schema and one set of candidates.
#[derive(Debug)]
pub(crate) struct TimeLimit {
    schema: FeatureSchema,
    /// Without any learner.
    zero: Shape,
    limit_us: f64,
}

impl TimeLimit {
    /// Refuses a limit that no router could keep, not even one that learned nothing.
    pub(crate) fn new(
        schema: FeatureSchema,
        candidates: usize,
        limit_us: f64,
    ) -> Result<Self, TrainError> {
        let zero = Shape {
            buckets: schema.buckets(),
            candidates,
            mixtures: Vec::new(),
            latent: 0,
            clusters: 0,
            context: schema.context.len(),
        };
        let least_us = decision_time::estimate_us(&schema, &zero);
        if least_us > limit_us {
            return Err(TrainError::DecisionTime { limit_us, least_us, candidates });
        }
        Ok(Self { schema, zero, limit_us })
    }

    /// Leaves learners out of a blend until its estimate fits, and says what that loses. Each time the one
    /// goes whose time buys least: with the least loss for each microsecond that it saves.
    pub(crate) fn hold(
        &self,
        blend: Blend,
        problem: &Problem,
        objective: &Objective,
        base: &DMatrix<f64>,
    ) -> (Blend, Vec<LeftOutCard>) {
        let Blend { mut parts, mut cross_fitted } = blend;
        let mut left_out = Vec::new();
        while self.estimate_us(problem, &parts) > self.limit_us {
            let choices = (0..parts.len()).map(|i| self.without(&parts, i, problem, objective));
            let savers = choices.enumerate().filter(|(_, card)| card.saved_us > 0.0);
            let price = |card: &LeftOutCard| card.loss / card.saved_us;
            let Some((i, card)) = savers.min_by(|a, b| price(&a.1).total_cmp(&price(&b.1))) else {
                break;
            };
            parts.remove(i);
            let weight: f64 = parts.iter().map(|part| part.weight).sum();
            parts.iter_mut().for_each(|part| part.weight /= weight);
            cross_fitted = blended(parts.iter(), base.shape());
            left_out.push(card);
        }
        if !left_out.is_empty() && !beats_zero(objective, base, &cross_fitted) {
            parts.clear();
            cross_fitted = blended(parts.iter(), base.shape());
        }
        (Blend { parts, cross_fitted }, left_out)
    }

    /// What leaving out one part saves and loses.
    fn without(
        &self,
        parts: &[Part],
        out: usize,
        problem: &Problem,
        objective: &Objective,
    ) -> LeftOutCard {
        let rest = || parts.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, part)| part);
        let shape = problem.residual.shape();
        let with = objective.value(&blended(parts.iter(), shape));
        let without = objective.value(&blended(rest(), shape));
        LeftOutCard {
            learner: parts[out].learner.name().as_str().to_owned(),
            saved_us: self.estimate_us(problem, parts) - self.estimate_us(problem, rest()),
            loss: mean(&with) - mean(&without),
            loss_error: paired_error(&with, &without),
        }
    }

    fn estimate_us<'a>(&self, problem: &Problem, parts: impl IntoIterator<Item = &'a Part>) -> f64 {
        let mut shape = self.zero.clone();
        for part in parts {
            part.learner.widen(problem, part.setting, &mut shape);
        }
        decision_time::estimate_us(&self.schema, &shape)
    }
}

/// `(n, candidates)` cross-fitted differences of some parts together, their weights scaled to add up to 1; 0
/// of no part.
fn blended<'a>(
    parts: impl Iterator<Item = &'a Part> + Clone,
    (n, candidates): (usize, usize),
) -> DMatrix<f64> {
    let weight: f64 = parts.clone().map(|part| part.weight).sum();
    parts.fold(DMatrix::zeros(n, candidates), |sum, part| {
        sum + &part.cross_fitted * (part.weight / weight)
    })
}
