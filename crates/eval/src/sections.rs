//! The sections of a report that have intervals: prepared once, weighed in each resample, told from
//! all of them.

use std::collections::BTreeMap;

use farthing_core::Bar;
use farthing_data::{Dataset, Record};
use farthing_model::Router;

use crate::baselines::Fit;
use crate::calibration::{self, CalibrationFigures};
use crate::candidates::{self, CandidateFigures};
use crate::columns::Column;
use crate::estimate::{Drawn, RatioSums, Ratios};
use crate::frontier::{self, Frontier, Plane};
use crate::metrics::PairFigures;
use crate::pair::{Pair, PairReport};
use crate::policy::{self, Decided, PolicyReport, Yardsticks};
use crate::published::{Ground, Published, PublishedFigures, PublishedMetric};
use crate::robustness::Robustness;
use crate::scored::{Scored, best_by_own_requests};
use crate::slices::{self, Slice};

/// What is weighed.
pub(crate) struct Sections<'a> {
    scored: &'a Scored<'a>,
    /// Positions of all scored requests.
    all: Vec<usize>,
    against: Yardsticks<'a>,
    plane: Result<Plane, String>,
    pair: Result<Pair, String>,
    candidates: Vec<candidates::Columns>,
    policy: policy::Columns,
    calibration: calibration::Columns,
    slices: Vec<slices::Part>,
    published: Published,
    ratios: RatioSums,
}

/// What one resample gives, or the data themselves.
pub(crate) struct Figures {
    ratios: Vec<f64>,
    published: PublishedFigures,
    plane: Option<frontier::Figures>,
    pair: Option<PairFigures>,
}

/// What the sections say.
pub(crate) struct Told {
    pub(crate) frontier: Result<Frontier, String>,
    pub(crate) policy: PolicyReport,
    pub(crate) pair: Result<PairReport, String>,
    pub(crate) candidates: Vec<CandidateFigures>,
    pub(crate) calibration: CalibrationFigures,
    pub(crate) slices: Vec<Slice>,
    pub(crate) published: Vec<PublishedMetric>,
}

impl<'a> Sections<'a> {
    pub(crate) fn new(
        router: &'a Router,
        (dataset, scored, fit): (&Dataset, &'a Scored<'a>, &Fit<'_>),
        (bar, seed): (Bar, u64),
    ) -> Self {
        let (names, rows) = (router.candidates(), &scored.rows);
        let plane = scored.plane(router, fit, (bar, seed));
        let best_single = match &plane {
            Ok(plane) => Some(plane.best_single()),
            Err(_) => best_by_own_requests(names, rows),
        };
        let against = Yardsticks { names, reference: router.reference(), best_single, bar };
        let all: Vec<usize> = (0..rows.len()).collect();
        let decided = Decided { rows, requests: &all, choices: &rows.choices, against: &against };
        let ground = Ground {
            rows,
            priced: &scored.priced,
            complete: &scored.complete,
            datasets: &datasets(dataset, &scored.records),
            bar,
            reference: against.reference,
            best_single,
        };
        let card = router.manifest().bars.iter().find(|card| card.bar.total_cmp(&bar).is_eq());
        let threshold = card.and_then(|card| card.threshold);
        let mut ratios = Ratios::new(&rows.groups);
        Self {
            scored,
            plane,
            pair: Pair::new(names, rows),
            candidates: candidates::columns(rows, bar, &mut ratios),
            policy: decided.columns(&mut ratios),
            calibration: calibration::columns(rows, (bar, threshold), &mut ratios),
            slices: slices::parts(dataset, &scored.records, &decided, &mut ratios),
            published: Published::new(&ground, &mut ratios),
            ratios: ratios.sums(),
            all,
            against,
        }
    }

    /// With each group counted as often as `counts` says, `(groups)`.
    pub(crate) fn figures(&self, counts: &[u32]) -> Figures {
        let (plane, pair) = (self.plane.as_ref().ok(), self.pair.as_ref().ok());
        let of_plane = plane.map(|plane| plane.figures(counts));
        Figures {
            ratios: self.ratios.ratios(counts),
            published: self.published.figures(counts, (of_plane.as_ref(), pair)),
            plane: of_plane,
            pair: pair.map(|pair| pair.figures(counts)),
        }
    }

    pub(crate) fn tell(
        &self,
        policy: &str,
        drawn: &Drawn<Figures>,
        robustness: &Robustness,
    ) -> Told {
        let (names, rows) = (self.against.names, &self.scored.rows);
        let of_ratios = drawn.map(|f| f.ratios.as_slice());
        let estimates = self.ratios.estimates(&of_ratios);
        let decided =
            Decided { rows, requests: &self.all, choices: &rows.choices, against: &self.against };
        let of_published = drawn.map(|f| (&f.published, f.ratios.as_slice()));
        let frontier = self.plane.as_ref().map_err(Clone::clone).and_then(|plane| {
            let drawn = drawn.part(|f| f.plane.as_ref());
            drawn.and_then(|drawn| plane.report(&drawn)).ok_or_else(not_a_number)
        });
        let pair = self.pair.as_ref().map_err(Clone::clone).and_then(|pair| {
            let drawn = drawn.part(|f| f.pair.as_ref());
            drawn.and_then(|drawn| pair.report(&drawn)).ok_or_else(not_a_number)
        });
        let on = (
            self.plane.as_ref().map(Plane::requests).map_err(String::as_str),
            self.pair.as_ref().map(Pair::requests).map_err(String::as_str),
        );
        Told {
            frontier,
            pair,
            policy: decided.report(policy, &self.policy, &estimates),
            candidates: candidates::figures(names, &self.candidates, &estimates),
            calibration: calibration::figures(names, &self.calibration, &of_ratios),
            slices: self.slices.iter().map(|part| part.report(names, &estimates)).collect(),
            published: self.published.report(&of_published, &estimates, on, robustness),
        }
    }
}

fn not_a_number() -> String {
    "a figure is not a number".to_owned()
}

/// The data set or task of each record, by the log's first column that tells; all alike without one.
fn datasets(dataset: &Dataset, records: &[&Record]) -> Vec<usize> {
    let columns = Column::all(dataset);
    // A label says what a request is about; context may be anything.
    let label = columns.iter().find(|column| matches!(column, Column::Label(..)));
    let Some(column) = label.or(columns.first()) else { return vec![0; records.len()] };
    let mut numbers = BTreeMap::new();
    for record in records {
        let next = numbers.len();
        numbers.entry(column.value(record)).or_insert(next);
    }
    records.iter().map(|record| numbers[&column.value(record)]).collect()
}
