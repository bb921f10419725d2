//! The deployment gate: does the router earn its place on prompts that nothing was fitted on?
//!
//! Three checks on the sealed split, each by a one-sided 95 % bootstrap paired and grouped by prompt.

use farthing_data::Record;
use farthing_eval::metrics::{Arena, Bootstrap, Groups, Interval, Sweep, Truth, quantile};
use farthing_model::{EarnedShare, GateCheck, GateReport};
use nalgebra::DMatrix;

use crate::problem::matrix;

/// Fewer sealed requests than this cannot carry the decision.
const MIN_SEALED: usize = 200;
const RESAMPLES: u32 = 2000;
const ALPHA: f64 = 0.05;
/// Quality below best single's that still counts as reaching it.
const TOLERANCE: f64 = 0.005;

/// What the gate compares; all matrices are `(sealed, candidates)`.
#[derive(Debug)]
pub(crate) struct Sealed<'a> {
    pub(crate) records: &'a [&'a Record],
    pub(crate) quality: DMatrix<f64>,
    /// NaN where unknown.
    pub(crate) predicted_cost: DMatrix<f64>,
    /// What a router fitted on shuffled labels predicts.
    pub(crate) null_quality: DMatrix<f64>,
    /// `(candidates)`
    pub(crate) mean_score: &'a [f64],
    /// `(candidates)`, NaN where unknown.
    pub(crate) mean_cost: &'a [f64],
    /// Whether any learner has a part in the blend.
    pub(crate) learned: bool,
    pub(crate) seed: u64,
}

/// Judges the router.
pub(crate) fn judge(sealed: &Sealed<'_>, forced: bool) -> GateReport {
    let (checks, earned_share) = match Comparison::new(sealed) {
        Ok(comparison) => comparison.checks(sealed),
        Err(check) => (vec![check], None),
    };
    let passed = checks.iter().all(|check| check.passed != Some(false));
    GateReport { passed, forced: forced && !passed, checks, earned_share, ..GateReport::default() }
}

struct Comparison {
    arena: Arena,
    router: Sweep,
    null: Sweep,
}

impl Comparison {
    fn new(sealed: &Sealed<'_>) -> Result<Self, GateCheck> {
        let n = sealed.mean_score.len();
        let priced: Vec<usize> = (0..n).filter(|&c| !sealed.mean_cost[c].is_nan()).collect();
        if priced.is_empty() {
            return Err(GateCheck {
                check: "a lower cost at the same quality".to_owned(),
                passed: None,
                detail: "not applicable: the log has no costs and there are no prices".to_owned(),
            });
        }
        let score = matrix(sealed.records, n, |cell| cell.score);
        let cost = matrix(sealed.records, n, |cell| cell.cost_usd);
        let keys: Vec<u64> = sealed.records.iter().map(|record| record.group).collect();
        let truth = Truth {
            score: |row, c| score[(row, c)],
            cost_usd: |row, c| cost[(row, c)],
            groups: &Groups::by_key(&keys),
            fitted_score: sealed.mean_score,
            fitted_cost: sealed.mean_cost,
        };
        let arena = Arena::new(priced, &truth);
        if arena.requests() < MIN_SEALED {
            return Err(GateCheck {
                check: format!(
                    "at least {MIN_SEALED} sealed requests answered by every priced candidate"
                ),
                passed: Some(false),
                detail: format!("{} of {} sealed requests", arena.requests(), keys.len()),
            });
        }
        // The labels are scores: what is known of costs is real in the null, too.
        let sweep = |quality: &DMatrix<f64>| {
            arena.sweep(|row, c| quality[(row, c)], |row, c| sealed.predicted_cost[(row, c)])
        };
        let (router, null) = (sweep(&sealed.quality), sweep(&sealed.null_quality));
        Ok(Self { arena, router, null })
    }

    fn checks(&self, sealed: &Sealed<'_>) -> (Vec<GateCheck>, Option<EarnedShare>) {
        let bootstrap = Bootstrap { seed: sealed.seed, resamples: RESAMPLES };
        let resamples = bootstrap.resample(self.arena.groups(), |counts| self.figures(counts));
        let figures = self.figures(&self.arena.groups().once());
        let column = |i: usize| resamples.iter().map(|f| f[i]).collect::<Vec<f64>>();
        let above_zero = |check: &str, i: usize| {
            let low = quantile(&column(i), ALPHA).unwrap_or(f64::NEG_INFINITY);
            GateCheck {
                check: check.to_owned(),
                passed: Some(low > 0.0),
                detail: format!("AIQ {:+.4}, at least {low:+.4} at 95 % confidence", figures[i]),
            }
        };
        let mut checks = vec![
            above_zero("AIQ above the fitted zero router's", 0),
            above_zero("AIQ above that of a router fitted on shuffled labels", 1),
        ];
        if !sealed.learned {
            "nothing to gain yet: no learner beat the mean in cross-validation, so this is the zero router"
                .clone_into(&mut checks[0].detail);
        }
        let high = quantile(&column(2), 1.0 - ALPHA).unwrap_or(f64::INFINITY);
        checks.push(GateCheck {
            check: format!("a lower cost than best single at its quality less {TOLERANCE}"),
            passed: Some(high < 1.0),
            detail: format!("{:.3} of its cost, at most {high:.3} at 95 % confidence", figures[2]),
        });
        let interval = Interval::percentile(&column(3), 1.0 - ALPHA);
        let earned = interval.filter(|_| figures[3].is_finite()).map(|interval| EarnedShare {
            pct: figures[3],
            interval_pct: [interval.low, interval.high],
            requests: self.arena.requests() as u64,
        });
        (checks, earned)
    }

    /// AIQ gain over zero, AIQ gain over null, cost at best single's quality as a share of its cost,
    /// earned share in percent (NaN where there is nothing to earn).
    fn figures(&self, counts: &[u32]) -> [f64; 4] {
        let marks = self.arena.marks(counts);
        let router = self.router.points(counts);
        let target = marks.best_single.quality - TOLERANCE;
        [
            marks.aiq(&router) - marks.zero,
            marks.aiq(&router) - marks.aiq(&self.null.points(counts)),
            marks.cost_ratio(&router, target).unwrap_or(f64::INFINITY),
            marks.earned_share_pct(&router).unwrap_or(f64::NAN),
        ]
    }
}
