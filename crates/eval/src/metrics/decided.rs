//! What was chosen, beside what is known of every candidate: the ground of all metrics of choices.
//!
//! Those metrics are ratios of two sums over requests. A function here or in a source's module gives
//! each request's share of both, so that one bootstrap serves them all.

use super::Matrix;

/// A ratio of two sums over requests, as what each request adds above and below; `None` where a
/// request does not take part. A mean is a ratio with 1 below.
pub type RatioColumn = Vec<Option<(f64, f64)>>;

/// The ratio with each request counted once; NaN where there is nothing below.
pub fn ratio(column: &[Option<(f64, f64)>]) -> f64 {
    let sum = |part: fn(&(f64, f64)) -> f64| column.iter().flatten().map(part).sum::<f64>();
    let (above, below) = (sum(|pair| pair.0), sum(|pair| pair.1));
    if below > 0.0 { above / below } else { f64::NAN }
}

/// Choices and true outcomes.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'a> {
    /// Position of the chosen candidate, `(requests)`; `None` where nothing was decided.
    pub choices: &'a [Option<usize>],
    /// True scores, `(requests, candidates)`; NaN where unknown.
    pub score: &'a Matrix,
    /// True costs in USD, `(requests, candidates)`; NaN where unknown.
    pub cost: &'a Matrix,
}

impl<'a> Decided<'a> {
    /// What each request adds; one that was not decided takes no part.
    pub(super) fn column(&self, adds: impl Fn(Answers<'a>) -> Option<(f64, f64)>) -> RatioColumn {
        let rows = self.choices.iter().zip(self.score.iter()).zip(self.cost.iter());
        let of_row = |((chosen, score), cost): ((&Option<usize>, &'a [f64]), &'a [f64])| {
            adds(Answers { chosen: chosen.filter(|&c| c < score.len())?, score, cost })
        };
        rows.map(of_row).collect()
    }

    /// As [`Decided::column`], of requests with every score and cost known.
    pub(super) fn complete(&self, adds: impl Fn(Answers<'a>) -> Option<(f64, f64)>) -> RatioColumn {
        let known = |values: &[f64]| values.iter().all(|value| !value.is_nan());
        self.column(|request| {
            (known(request.score) && known(request.cost)).then(|| adds(request)).flatten()
        })
    }
}

/// One decided request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answers<'a> {
    /// Position of the chosen candidate.
    pub(super) chosen: usize,
    /// `(candidates)`
    pub(super) score: &'a [f64],
    /// In USD, `(candidates)`.
    pub(super) cost: &'a [f64],
}

impl Answers<'_> {
    /// Score of the chosen candidate.
    pub(super) fn chosen_score(&self) -> Option<f64> {
        Some(self.score[self.chosen]).filter(|score| !score.is_nan())
    }

    /// Cost of the chosen candidate in USD.
    pub(super) fn chosen_cost(&self) -> f64 {
        self.cost[self.chosen]
    }
}

/// A request's part in a share: 1 or 0 of 1.
pub(super) fn counted(yes: bool) -> (f64, f64) {
    (f64::from(u8::from(yes)), 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decided_and_complete_requests_take_part() {
        let score = Matrix::new(2, vec![0.1, 0.2, f64::NAN, 0.4, 0.5, 0.6, 0.7, 0.8]);
        let cost = Matrix::repeat(4, &[1.0, 2.0]);
        // The last choice names a candidate that does not exist.
        let choices = [Some(1), Some(1), None, Some(2)];
        let decided = Decided { choices: &choices, score: &score, cost: &cost };
        let value = |request: Answers<'_>| Some((request.chosen_score()?, request.chosen_cost()));
        assert_eq!(decided.column(value), [Some((0.2, 2.0)), Some((0.4, 2.0)), None, None]);
        assert_eq!(decided.complete(value), [Some((0.2, 2.0)), None, None, None]);
        assert!((ratio(&decided.column(value)) - 0.15).abs() < 1e-12);
        assert!(ratio(&[]).is_nan() && ratio(&[Some((1.0, 0.0))]).is_nan());
    }
}
