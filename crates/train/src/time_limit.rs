//! How long a decision may take, by the model's own estimate: a stopwatch would make the router depend on the
//! machine that trained it.

use farthing_model::features::FeatureSchema;
use farthing_model::network::Shape;
use farthing_model::{DroppedLearner, decision_time};
use nalgebra::DMatrix;

use crate::TrainError;
use crate::blend::{Blend, Part, earns};
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
            embedding: schema.embedding_width(),
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
        so_far: &DMatrix<f64>,
    ) -> (Blend, Vec<DroppedLearner>) {
        let Blend { mut parts, mut cross_fitted } = blend;
        let mut left_out = Vec::new();
        while self.estimate_us(problem, &parts) > self.limit_us {
            let choices =
                (0..parts.len()).map(|i| self.without(&parts, i, problem, (objective, so_far)));
            let savers = choices.enumerate().filter(|(_, card)| card.saved_us > 0.0);
            let price = |card: &DroppedLearner| card.loss / card.saved_us;
            let Some((i, card)) = savers.min_by(|a, b| price(&a.1).total_cmp(&price(&b.1))) else {
                break;
            };
            parts.remove(i);
            let weight: f64 = parts.iter().map(|part| part.weight).sum();
            for part in &mut parts {
                part.weight /= weight;
            }
            cross_fitted = blended(parts.iter(), so_far.shape());
            left_out.push(card);
        }
        if !left_out.is_empty() && !earns(objective, so_far, &cross_fitted) {
            parts.clear();
            cross_fitted = blended(parts.iter(), so_far.shape());
        }
        (Blend { parts, cross_fitted }, left_out)
    }

    /// What leaving out one part saves and loses.
    fn without(
        &self,
        parts: &[Part],
        out: usize,
        problem: &Problem,
        (objective, so_far): (&Objective, &DMatrix<f64>),
    ) -> DroppedLearner {
        let rest = || parts.iter().enumerate().filter(|(i, _)| *i != out).map(|(_, part)| part);
        let shape = problem.residual.shape();
        let with = objective.value(&(so_far + blended(parts.iter(), shape)));
        let without = objective.value(&(so_far + blended(rest(), shape)));
        DroppedLearner {
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

#[cfg(test)]
mod tests {
    use farthing_core::Digest;
    use farthing_model::encoder::EncoderCard;
    use nalgebra::DVector;

    use super::*;
    use crate::learners::{LearnerName, stages};
    use crate::objective::Truth;
    use crate::problem::Tasks;
    use crate::representation::Csr;

    const N: usize = 200;

    /// Two candidates that take turns at being right; 8 tasks, and 64 latent directions.
    fn problem() -> Problem {
        let residual = DMatrix::from_fn(N, 2, |row, c| if row / 5 % 2 == c { 0.5 } else { -0.5 });
        Problem {
            vectors: DMatrix::zeros(N, 1),
            words: Csr::from_rows(&[], 0),
            directions: DMatrix::zeros(N, 64),
            residual,
            difficulty: DVector::zeros(N),
            tasks: Tasks { count: 8, of: vec![None; N] },
            context: Vec::new(),
            folds: (0..N).map(|row| row % 5).collect(),
            seed: 0,
        }
    }

    /// Holds a blend of the task learner and of clusters, one of which knows everything and the other nothing,
    /// to a limit so far below what it takes.
    fn held(knows: LearnerName, below_us: f64) -> (Vec<(&'static str, f64)>, Vec<DroppedLearner>) {
        let problem = problem();
        let residual = problem.residual.clone();
        let unknown = DMatrix::from_element(N, 2, f64::NAN);
        let truth = Truth {
            score: &residual,
            cost: &unknown,
            mean_score: &[0.5, 0.5],
            mean_cost: &[f64::NAN; 2],
            residual: residual.clone(),
            folds: &problem.folds,
        };
        let learners = stages(&[LearnerName::Task, LearnerName::Cluster], 0).remove(0);
        let part = |learner: Box<dyn crate::learners::Learner>| Part {
            cross_fitted: &residual * f64::from(u8::from(learner.name() == knows)),
            learner,
            setting: 64.0,
            scale: 1.0,
            weight: 0.5,
        };
        let parts: Vec<Part> = learners.into_iter().map(part).collect();
        let cross_fitted = &residual * 0.5;
        let free = TimeLimit::new(FeatureSchema::new(Vec::new()), 2, f64::INFINITY).unwrap();
        let limit_us = free.estimate_us(&problem, &parts) - below_us;
        let limit = TimeLimit { limit_us, ..free };
        let so_far = DMatrix::zeros(N, 2);
        let blend = Blend { parts, cross_fitted };
        let (blend, left_out) = limit.hold(blend, &problem, &Objective::new(truth), &so_far);
        assert!(limit.estimate_us(&problem, &blend.parts) <= limit_us);
        let parts = blend.parts.iter().map(|part| (part.learner.name().as_str(), part.weight));
        (parts.collect(), left_out)
    }

    #[test]
    fn what_buys_least_goes_first() {
        let (parts, left_out) = held(LearnerName::Cluster, 1.0);
        assert_eq!(parts, [("cluster", 1.0)], "{left_out:?}");
        assert!(left_out[0].learner == "task" && left_out[0].loss <= 0.0, "{left_out:?}");
        let (parts, left_out) = held(LearnerName::Task, 1.0);
        assert_eq!(parts, [("task", 1.0)], "{left_out:?}");
        assert!(left_out[0].learner == "cluster" && left_out[0].loss <= 0.0, "{left_out:?}");
    }

    #[test]
    fn what_earns_goes_too_where_it_must() {
        // Less than without the clusters, which take longest by far.
        let (parts, left_out) = held(LearnerName::Cluster, 30.0);
        assert_eq!(parts, []);
        let names: Vec<_> = left_out.iter().map(|card| card.learner.as_str()).collect();
        assert_eq!(names, ["task", "cluster"]);
        assert!(left_out[1].loss > 10.0, "{left_out:?}");
    }

    #[test]
    fn a_blend_that_is_fast_enough_stays_as_it_is() {
        let (parts, left_out) = held(LearnerName::Task, 0.0);
        assert_eq!(parts, [("task", 0.5), ("cluster", 0.5)]);
        assert_eq!(left_out, []);
    }

    /// Of the size of all-MiniLM-L6-v2.
    #[test]
    fn a_limit_that_the_encoder_breaks_is_refused_with_the_one_it_needs() {
        let digest = Digest::of(b"");
        let encoder =
            EncoderCard { digest, layers: 6, hidden: 384, intermediate: 1536, window: 256 };
        let schema = FeatureSchema { encoder: Some(encoder), ..FeatureSchema::new(Vec::new()) };
        let said = TimeLimit::new(schema.clone(), 6, 500.0).unwrap_err().to_string();
        assert!(said.contains("give `--max-decision-us` at least 16"), "{said}");
        assert!(said.ends_with("read less with `--encoder static` or `none`"), "{said}");
        TimeLimit::new(schema, 6, 170_000.0).unwrap();
    }
}
