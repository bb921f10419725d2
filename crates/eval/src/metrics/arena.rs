//! Predictors side by side on the same requests.

use super::{
    Choices, GroupSums, Groups, Matrix, Point, Sweep, aiq, best_column, cost_at_quality,
    earned_share_pct, hull,
};

/// What is known of a log; functions of (request, candidate) give NaN where nothing is.
#[derive(Debug)]
pub struct Truth<'a, S, C> {
    /// True score.
    pub score: S,
    /// True cost in USD.
    pub cost_usd: C,
    /// Which requests are drawn together.
    pub groups: &'a Groups,
    /// Mean score of each candidate where predictors were fitted, `(candidates)`.
    pub fitted_score: &'a [f64],
    /// Mean cost in USD there.
    pub fitted_cost: &'a [f64],
}

/// The requests of a log that every compared candidate answered, with the fitted zero router and the
/// oracle between which any predictor's area is measured. Areas on other requests do not compare.
#[derive(Debug)]
pub struct Arena {
    /// Positions in the log.
    rows: Vec<usize>,
    /// Positions in the log.
    candidates: Vec<usize>,
    groups: Groups,
    score: Matrix,
    cost: Matrix,
    scores: GroupSums,
    costs: GroupSums,
    zero: Sweep,
    oracle: Sweep,
    best_single: usize,
}

impl Arena {
    /// Compares these candidates, given by position.
    pub fn new<S, C>(candidates: Vec<usize>, truth: &Truth<'_, S, C>) -> Self
    where
        S: Fn(usize, usize) -> f64,
        C: Fn(usize, usize) -> f64,
    {
        let known = |row: usize, c: usize| {
            !(truth.score)(row, c).is_nan() && !(truth.cost_usd)(row, c).is_nan()
        };
        let complete = |row: &usize| candidates.iter().all(|&c| known(*row, c));
        let rows: Vec<usize> = (0..truth.groups.of_requests().len()).filter(complete).collect();
        let groups = truth.groups.of(&rows);
        let score = pick(&rows, &candidates, &truth.score);
        let cost = pick(&rows, &candidates, &truth.cost_usd);
        let means = |of: &[f64]| pick(&rows, &candidates, |_, c| of[c]);
        let sweep = |quality: &Matrix, predicted_cost: &Matrix| {
            Sweep::new(&Choices::of_dial(quality, predicted_cost), &score, &cost, &groups)
        };
        Self {
            zero: sweep(&means(truth.fitted_score), &means(truth.fitted_cost)),
            oracle: sweep(&score, &Matrix::repeat(rows.len(), &cost.column_means())),
            scores: GroupSums::new(&score, &groups),
            costs: GroupSums::new(&cost, &groups),
            best_single: best_column(&score.column_means(), &cost.column_means()),
            rows,
            candidates,
            groups,
            score,
            cost,
        }
    }

    /// Number of requests.
    pub fn requests(&self) -> usize {
        self.rows.len()
    }

    /// Their positions in the log.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// Positions of the compared candidates in the log.
    pub fn candidates(&self) -> &[usize] {
        &self.candidates
    }

    /// Their true scores, `(requests, candidates)`.
    pub fn score(&self) -> &Matrix {
        &self.score
    }

    /// Their true costs in USD, `(requests, candidates)`.
    pub fn cost_usd(&self) -> &Matrix {
        &self.cost
    }

    /// Their groups, numbered as those of the log.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The dial's choices of a predictor of quality and cost in USD, functions of (request, candidate)
    /// as the log has them. The choices themselves count candidates as the arena does.
    pub fn choices(
        &self,
        quality: impl Fn(usize, usize) -> f64,
        cost_usd: impl Fn(usize, usize) -> f64,
    ) -> Choices {
        let picked = |of: &dyn Fn(usize, usize) -> f64| pick(&self.rows, &self.candidates, of);
        Choices::of_dial(&picked(&quality), &picked(&cost_usd))
    }

    /// The sweep of some choices among the arena's requests and candidates.
    pub fn outcomes(&self, choices: &Choices) -> Sweep {
        Sweep::new(choices, &self.score, &self.cost, &self.groups)
    }

    /// The dial sweep of such a predictor.
    pub fn sweep(
        &self,
        quality: impl Fn(usize, usize) -> f64,
        cost_usd: impl Fn(usize, usize) -> f64,
    ) -> Sweep {
        self.outcomes(&self.choices(quality, cost_usd))
    }

    /// The points of that sweep, every request counted once.
    pub fn points(
        &self,
        quality: impl Fn(usize, usize) -> f64,
        cost_usd: impl Fn(usize, usize) -> f64,
    ) -> Vec<Point> {
        self.sweep(quality, cost_usd).points(&self.groups.once())
    }

    /// What predictors are measured by, with each group counted as often as `counts` says, `(groups)`.
    pub fn marks(&self, counts: &[u32]) -> Marks {
        let singles = self.scores.means(counts).into_iter().zip(self.costs.means(counts));
        let singles: Vec<_> =
            singles.map(|(quality, cost_usd)| Point { cost_usd, quality }).collect();
        let costs = || singles.iter().map(|single| single.cost_usd);
        let mut marks = Marks {
            range_usd: (costs().fold(f64::INFINITY, f64::min), costs().fold(0.0, f64::max)),
            best_single: singles[self.best_single],
            singles,
            zero_points: self.zero.points(counts),
            zero: 0.0,
            oracle_points: self.oracle.points(counts),
            oracle: 0.0,
        };
        marks.zero = marks.aiq(&marks.zero_points);
        marks.oracle = marks.aiq(&marks.oracle_points);
        marks
    }

    /// Position among the compared candidates of the one with the highest mean score on the data,
    /// ties to the cheaper.
    pub fn best_single(&self) -> usize {
        self.best_single
    }
}

/// `(rows, candidates)` of a function of both.
fn pick(rows: &[usize], candidates: &[usize], of: impl Fn(usize, usize) -> f64) -> Matrix {
    let of = &of;
    let values = rows.iter().flat_map(|&row| candidates.iter().map(move |&c| of(row, c)));
    Matrix::new(candidates.len(), values.collect())
}

/// Where single models, zero router and oracle lie in one weighing of an [`Arena`]'s requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Marks {
    /// Mean costs of the cheapest and the dearest single model.
    range_usd: (f64, f64),
    /// Every compared candidate on its own.
    pub singles: Vec<Point>,
    /// The single model of the highest mean score on the data, ties to the cheaper.
    pub best_single: Point,
    /// The dial sweep of the fitted zero router.
    pub zero_points: Vec<Point>,
    /// AIQ of the fitted zero router.
    pub zero: f64,
    /// The dial sweep over true scores and mean costs.
    pub oracle_points: Vec<Point>,
    /// Its AIQ.
    pub oracle: f64,
}

impl Marks {
    /// Area under the points' hull, over the single models' range of costs.
    pub fn aiq(&self, points: &[Point]) -> f64 {
        aiq(points, self.range_usd.0, self.range_usd.1)
    }

    /// What the points earn of what there was to earn, in percent; see [`earned_share_pct`].
    pub fn earned_share_pct(&self, points: &[Point]) -> Option<f64> {
        self.share_pct(self.aiq(points))
    }

    /// The same of an AIQ that is known.
    pub fn share_pct(&self, aiq: f64) -> Option<f64> {
        earned_share_pct(aiq, self.zero, self.oracle)
    }

    /// What is saved at a quality by taking the cheapest mix of the points that reaches it in place of
    /// the best single model, in percent of its cost; 0 where they never get there or cost more, since
    /// the best single model is there to be taken.
    pub fn saving_pct(&self, points: &[Point], quality: f64) -> f64 {
        100.0 * (1.0 - self.cost_ratio(points, quality).unwrap_or(1.0).min(1.0))
    }

    /// What the points cost at a quality, as a share of what the best single model costs; `None` where
    /// they never get there.
    pub fn cost_ratio(&self, points: &[Point], quality: f64) -> Option<f64> {
        let cost_usd = cost_at_quality(&hull(points), quality)?;
        Some(cost_usd / self.best_single.cost_usd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: f64 = f64::NAN;
    /// A cheap and a dear candidate that take turns, and one of unknown cost.
    const SCORE: [[f64; 3]; 4] =
        [[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 1.0, 0.5], [UNKNOWN, 1.0, 0.5]];
    const COST: [f64; 3] = [1.0, 3.0, UNKNOWN];

    fn arena() -> Arena {
        Arena::new(
            vec![0, 1],
            &Truth {
                score: |row: usize, c: usize| SCORE[row][c],
                cost_usd: |_, c: usize| COST[c],
                groups: &Groups::by_key(&[7, 8, 8, 9]),
                fitted_score: &[0.5, 0.6, 0.5],
                fitted_cost: &COST,
            },
        )
    }

    #[test]
    fn only_complete_requests_enter_and_are_found_by_position() {
        let arena = arena();
        assert_eq!((arena.requests(), arena.groups().len()), (3, 3));
        // A predictor that is right about the last request, which does not count, and no other.
        let last = arena.sweep(|row, c| f64::from(row == 3 && c == 1), |_, c| COST[c]);
        assert!(last.points(&[1, 1, 1]).iter().all(|point| (point.cost_usd - 1.0).abs() < 1e-12));
    }

    #[test]
    fn shares_run_from_the_zero_router_to_the_oracle() {
        let arena = arena();
        let marks = arena.marks(&[1, 1, 1]);
        assert_eq!(marks.best_single, Point { cost_usd: 3.0, quality: 2.0 / 3.0 });
        let share = |points: &[Point]| marks.earned_share_pct(points).unwrap();
        assert!(share(&marks.zero_points).abs() < 1e-9);
        assert!((share(&marks.oracle_points) - 100.0).abs() < 1e-9);
        let known = arena.sweep(|row, c| SCORE[row][c], |_, c| COST[c]);
        assert!((share(&known.points(&[1, 1, 1])) - 100.0).abs() < 1e-9);
        let wrong = arena.sweep(|row, c| -SCORE[row][c], |_, c| COST[c]);
        assert!(share(&wrong.points(&[1, 1, 1])) < 0.0);
    }

    #[test]
    fn costs_are_shares_of_the_best_single_models() {
        let arena = arena();
        let marks = arena.marks(&[1, 1, 1]);
        // All right for (1 + 3 + 3) / 3.
        assert!((marks.cost_ratio(&marks.oracle_points, 1.0).unwrap() - 7.0 / 9.0).abs() < 1e-9);
        assert_eq!(marks.cost_ratio(&[marks.best_single], 0.5), Some(1.0));
        assert_eq!(marks.cost_ratio(&[marks.best_single], 0.9), None);
        assert!((marks.saving_pct(&marks.oracle_points, 1.0) - 100.0 * 2.0 / 9.0).abs() < 1e-9);
        assert!(marks.saving_pct(&[marks.best_single], 0.9).abs() < 1e-12);
    }
}
