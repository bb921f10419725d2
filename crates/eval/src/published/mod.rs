//! Every published metric of routers that a log allows, each named with its source variant.
//!
//! What a metric is stands in [`metrics`](crate::metrics); this module says what it is computed on
//! and withholds with a reason what the log does not allow.

mod choices;
mod curves;
mod orders;
mod pairs;

use schemars::JsonSchema;
use serde::Serialize;

use crate::Estimate;
use crate::estimate::{Drawn, Estimates, Ratios};
use crate::frontier::Figures;
use crate::pair::Pair;
use crate::robustness::Robustness;
use crate::rows::Rows;

use choices::Choices;
use orders::Orders;

/// A published metric of this router.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PublishedMetric {
    /// Source and metric: the key for programs.
    pub id: &'static str,
    /// What it is, in words.
    pub name: &'static str,
    /// The publication and the variant.
    pub source: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// Requests that it rests on.
    pub requests: u64,
    /// The figure; `null` with a reason in `withheld`.
    pub estimate: Option<Estimate>,
    /// Why there is none.
    pub withheld: Option<String>,
}

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A share or a score, mostly in [0, 1].
    Share,
    /// Percent.
    Percent,
    /// USD a request.
    Usd,
    /// Bits.
    Bits,
}

/// A metric's entry in the catalogue.
pub(crate) struct Entry {
    id: &'static str,
    name: &'static str,
    source: &'static str,
    unit: Unit,
}

const fn entry(id: &'static str, name: &'static str, source: &'static str, unit: Unit) -> Entry {
    Entry { id, name, source, unit }
}

impl Entry {
    fn metric(&self, requests: u64, estimate: Option<Estimate>, why: &str) -> PublishedMetric {
        let Self { id, name, source, unit } = *self;
        let withheld = estimate.is_none().then(|| why.to_owned());
        PublishedMetric { id, name, source, unit, requests, estimate, withheld }
    }
}

/// What more than one family takes from.
const LLMROUTERBENCH: &str = "LLMRouterBench, arXiv 2601.07206";

/// Why a metric is not a number where everything it needs is there.
const UNDEFINED: &str = "it is not defined on this log: what it is measured by is 0 or the same";

/// The metrics, ready to be weighed.
pub(crate) struct Published {
    choices: Choices,
    orders: Orders,
}

/// What one resample gives.
pub(crate) struct PublishedFigures {
    curves: Option<Vec<f64>>,
    pairs: Option<Vec<f64>>,
    orders: Vec<f64>,
}

/// What the metrics are computed on.
pub(crate) struct Ground<'a> {
    pub(crate) rows: &'a Rows,
    /// Candidates whose cost the router predicts.
    pub(crate) priced: &'a [usize],
    /// Requests that all of those answered.
    pub(crate) complete: &'a [usize],
    /// The data set or task of each scored request.
    pub(crate) datasets: &'a [usize],
    pub(crate) bar: f64,
    /// Position in the router of the candidate that serves when in doubt, and of the best single one.
    pub(crate) reference: usize,
    pub(crate) best_single: Option<usize>,
}

impl Published {
    pub(crate) fn new(ground: &Ground<'_>, ratios: &mut Ratios<'_>) -> Self {
        Self { choices: Choices::new(ground, ratios), orders: Orders::new(ground) }
    }

    pub(crate) fn figures(
        &self,
        counts: &[u32],
        (plane, pair): (Option<&Figures>, Option<&Pair>),
    ) -> PublishedFigures {
        PublishedFigures {
            curves: plane.map(curves::figures),
            pairs: pair.map(|pair| pairs::figures(pair, counts)),
            orders: self.orders.figures(counts),
        }
    }

    /// The metrics of what was drawn. `withheld` says why there is no plane and no pair.
    pub(crate) fn report(
        &self,
        drawn: &Drawn<(&PublishedFigures, &[f64])>,
        estimates: &Estimates,
        (plane, pair): (Result<u64, &str>, Result<u64, &str>),
        robustness: &Robustness,
    ) -> Vec<PublishedMetric> {
        let family = |entries: &[(&Entry, Result<u64, &str>)], figures: FiguresOf| {
            let metric = |(i, (entry, on)): (usize, &(&Entry, Result<u64, &str>))| match *on {
                Ok(requests) => {
                    let figure = drawn.estimate(|d| figures(d.0).map_or(f64::NAN, |f| f[i]));
                    entry.metric(requests, figure, UNDEFINED)
                }
                Err(why) => entry.metric(0, None, why),
            };
            entries.iter().enumerate().map(metric).collect::<Vec<_>>()
        };
        let curves = curves::CURVES.each_ref().map(|(entry, _)| (entry, plane));
        let mut all = family(&curves, |f| f.curves.as_deref());
        all.extend(self.choices.report(drawn, estimates));
        let orders = self.orders.entries().into_iter().map(|(entry, on)| (entry, Ok(on)));
        all.extend(family(&orders.collect::<Vec<_>>(), |f| Some(&f.orders)));
        let pairs = pairs::PAIRS.each_ref().map(|(entry, _)| (entry, pair));
        all.extend(family(&pairs, |f| f.pairs.as_deref()));
        let share = robustness.robustness_pct.map(|pct| pct.affine(0.01, 0.0));
        all.push(choices::ROBUSTNESS.metric(
            robustness.pairs,
            share,
            "no request could be changed",
        ));
        all.extend(choices::ELSEWHERE.iter().map(|(entry, why)| entry.metric(0, None, why)));
        all
    }
}

/// A family's figures among those of a resample.
type FiguresOf = fn(&PublishedFigures) -> Option<&[f64]>;
