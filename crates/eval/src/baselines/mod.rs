//! What a router is held against, on the same requests: what needs no learning, simple learners that
//! anyone can check, and what hindsight would have done.
//!
//! The learners are fitted on the requests of the log that the router was fitted or certified on. They
//! take each candidate's mean cost there for every request, as published comparisons do; the router
//! predicts costs.

mod clusters;
mod fit;
mod nearest;
mod words;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::Drawn;
use crate::metrics::{Arena, Choices, Marks, Point, Sweep, height, oracle_choices};

pub(crate) use fit::{Fit, learned};

/// Something that chooses.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Baseline {
    /// What it is.
    pub name: String,
    /// Whether it is one way of choosing, or a dial.
    pub kind: BaselineKind,
    /// Mean score; `null` for a dial.
    pub quality: Option<Estimate>,
    /// Mean cost of a request in USD; `null` for a dial.
    pub cost_usd: Option<Estimate>,
    /// Mean score of the router where it costs as much (between settings of its dial: of a mix of the
    /// two) less this one's; `null` for a dial.
    pub router_gain: Option<Estimate>,
    /// Area under a dial's hull, as the router's; `null` for one way of choosing.
    pub aiq: Option<Estimate>,
    /// What it earns where the fitted zero router earns 0 and the oracle sweep 100; `null` for one way
    /// of choosing.
    pub earned_share_pct: Option<Estimate>,
    /// Cost saved against the best single model at its quality less 0.005, in percent; 0 where that is
    /// never reached.
    pub saving_pct: Option<Estimate>,
}

/// What kind of choosing a baseline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaselineKind {
    /// One candidate for all requests.
    SingleModel,
    /// One choice a request.
    Point,
    /// Choices for every setting of the cost/quality dial.
    Dial,
}

/// What the baselines that learn were fitted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fitting {
    /// Requests of the log that the router was fitted or certified on.
    pub requests: u64,
    /// Why nothing was fitted; `null`: it was.
    pub withheld: Option<String>,
}

/// A baseline, ready to be weighed.
pub(crate) struct Contender {
    name: String,
    kind: BaselineKind,
    source: Source,
}

/// Where a baseline's points come from.
enum Source {
    Single(usize),
    RandomMix,
    Hindsight,
    FittedZero,
    OracleSweep,
    Sweep(Sweep),
}

/// What a baseline comes to in one resample; not a number where its kind does not have it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BaselineFigures {
    quality: f64,
    cost_usd: f64,
    router_gain: f64,
    aiq: f64,
    earned_share: f64,
    saving: f64,
}

/// Those that need no fitting. `names` are the arena's candidates; `bar` is the oracle's.
pub(crate) fn unlearned(arena: &Arena, names: &[String], bar: f64) -> Vec<Contender> {
    let best = &names[arena.best_single()];
    let single = |(i, name): (usize, &String)| Contender {
        name: name.clone(),
        kind: BaselineKind::SingleModel,
        source: Source::Single(i),
    };
    let oracle = oracle_choices(arena.score(), arena.cost_usd(), bar);
    let oracle = Choices::new(arena.requests(), 1, |request, _| oracle[request]);
    let named = |name: &str, kind, source| Contender { name: name.to_owned(), kind, source };
    let mut all: Vec<Contender> = names.iter().enumerate().map(single).collect();
    all.extend([
        named(
            &format!("best single model ({best})"),
            BaselineKind::Point,
            Source::Single(arena.best_single()),
        ),
        named("random choice", BaselineKind::Point, Source::RandomMix),
        named("fitted zero router", BaselineKind::Dial, Source::FittedZero),
        named("mix of single models, in hindsight", BaselineKind::Dial, Source::Hindsight),
        named(
            "oracle (cheapest that meets the bar)",
            BaselineKind::Point,
            Source::Sweep(arena.outcomes(&oracle)),
        ),
        named("oracle sweep", BaselineKind::Dial, Source::OracleSweep),
    ]);
    all
}

impl Contender {
    /// `quality` is what savings are measured at.
    pub(crate) fn figures(
        &self,
        counts: &[u32],
        marks: &Marks,
        router_hull: &[Point],
        quality: f64,
    ) -> BaselineFigures {
        let points = match &self.source {
            Source::Single(i) => vec![marks.singles[*i]],
            Source::RandomMix => vec![middle(&marks.singles)],
            Source::Hindsight => marks.singles.clone(),
            Source::FittedZero => marks.zero_points.clone(),
            Source::OracleSweep => marks.oracle_points.clone(),
            Source::Sweep(sweep) => sweep.points(counts),
        };
        let none = BaselineFigures {
            quality: f64::NAN,
            cost_usd: f64::NAN,
            router_gain: f64::NAN,
            aiq: f64::NAN,
            earned_share: f64::NAN,
            saving: marks.saving_pct(&points, quality),
        };
        match self.kind {
            BaselineKind::Dial => {
                let aiq = marks.aiq(&points);
                let earned_share = marks.share_pct(aiq).unwrap_or(f64::NAN);
                BaselineFigures { aiq, earned_share, ..none }
            }
            BaselineKind::SingleModel | BaselineKind::Point => {
                let Point { cost_usd, quality } = points[0];
                let router_gain = height(router_hull, cost_usd) - quality;
                BaselineFigures { quality, cost_usd, router_gain, ..none }
            }
        }
    }

    pub(crate) fn report(&self, drawn: &Drawn<BaselineFigures>) -> Baseline {
        Baseline {
            name: self.name.clone(),
            kind: self.kind,
            quality: drawn.estimate(|f| f.quality),
            cost_usd: drawn.estimate(|f| f.cost_usd),
            router_gain: drawn.estimate(|f| f.router_gain),
            aiq: drawn.estimate(|f| f.aiq),
            earned_share_pct: drawn.estimate(|f| f.earned_share),
            saving_pct: drawn.estimate(|f| f.saving),
        }
    }
}

/// What choosing among points by lot comes to.
fn middle(points: &[Point]) -> Point {
    let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    Point { cost_usd: mean(|p| p.cost_usd), quality: mean(|p| p.quality) }
}
