//! What is counted, under which name, with which labels.
//!
//! Label values come from closed sets: endpoints, error codes, reasons, and the policies and candidates
//! of a loaded router. Handles are registered once and kept, so counting is an atomic addition. The
//! recorder belongs to one server and is never installed globally: the `metrics` crate is used for its
//! lock-free handles (its histogram takes no mutex, unlike prometheus-client's), not for its macros.

mod decisions;
mod http;
mod rules;
mod table;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::ErrorCode;
use crate::reload::{Outcome, Part};
use decisions::DecisionSeries;
pub(crate) use decisions::{DecisionCells, Made};
pub(crate) use http::Shed;
use http::{HttpCells, REQUEST_BUCKETS};
pub(crate) use rules::RuleCells;
use table::Metric;

/// How often histogram samples are folded into buckets; between two scrapes they would pile up.
pub(crate) const UPKEEP_PERIOD: Duration = Duration::from_secs(2);

const METADATA: Metadata<'_> = Metadata::new("farthing", Level::INFO, None);

/// Upper bounds of the decision-time buckets, in seconds.
const DECISION_BUCKETS: [f64; 13] =
    [5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3];

/// The metrics of one server.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    recorder: PrometheusRecorder,
    exposition: PrometheusHandle,
    decisions: DecisionSeries,
    duration: Histogram,
    http: HttpCells,
    refusals: Cells<Counter>,
    reloads: Cells<Counter>,
    health_ignored: Counter,
    in_flight: Gauge,
    queue_depth: Gauge,
    rows_dropped: [Counter; DropCause::ALL.len()],
    rows_lost_at_most: Gauge,
    rows_missing: Gauge,
    rows_written: Counter,
    segments_deleted: Counter,
    outcomes_accepted: Counter,
    outcomes_refused: Cells<Counter>,
}

/// Why a decision row is lost.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DropCause {
    /// It found no room in the queue, or the log is closed.
    QueueFull,
    /// It could not be written.
    WriteFailed,
}

impl DropCause {
    const ALL: [Self; 2] = [Self::QueueFull, Self::WriteFailed];

    fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::WriteFailed => "write_failed",
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let full = |metric: Metric| Matcher::Full(metric.name().to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(full(Metric::DecisionDuration), &DECISION_BUCKETS)?
            .set_buckets_for_metric(full(Metric::HttpDuration), &REQUEST_BUCKETS)?
            .build_recorder();
        for metric in Metric::ALL {
            metric.describe(&recorder);
        }
        let counter =
            |metric: Metric| recorder.register_counter(&metric.key(Vec::new()), &METADATA);
        let gauge = |metric: Metric| recorder.register_gauge(&metric.key(Vec::new()), &METADATA);
        Ok(Self(Arc::new(Inner {
            exposition: recorder.handle(),
            decisions: DecisionSeries::default(),
            duration: recorder
                .register_histogram(&Metric::DecisionDuration.key(Vec::new()), &METADATA),
            http: HttpCells::new(),
            refusals: Cells::new(ErrorCode::ALL.len()),
            reloads: Cells::new(Part::ALL.len() * Outcome::ALL.len()),
            health_ignored: counter(Metric::HealthIgnored),
            in_flight: gauge(Metric::HttpInFlight),
            queue_depth: gauge(Metric::LogQueueDepth),
            rows_dropped: DropCause::ALL.map(|cause| {
                let labels = vec![Label::new("cause", cause.name())];
                recorder.register_counter(&Metric::LogRowsDropped.key(labels), &METADATA)
            }),
            rows_lost_at_most: gauge(Metric::LogRowsLostAtMost),
            rows_missing: gauge(Metric::LogRowsMissing),
            rows_written: counter(Metric::LogRowsWritten),
            segments_deleted: counter(Metric::LogSegmentsDeleted),
            outcomes_accepted: counter(Metric::OutcomesAccepted),
            outcomes_refused: Cells::new(ErrorCode::ALL.len()),
            recorder,
        })))
    }

    /// A request that got no decision.
    pub(crate) fn refusal(&self, code: ErrorCode) {
        self.count(&self.0.refusals, code as usize, Metric::DecisionErrors, || {
            vec![Label::new("code", code.name())]
        });
    }

    /// The router or the settings were looked at.
    pub(crate) fn reload(&self, part: Part, outcome: Outcome) {
        let cell = part as usize * Outcome::ALL.len() + outcome as usize;
        self.count(&self.0.reloads, cell, Metric::Reloads, || {
            vec![Label::new("what", part.name()), Label::new("result", outcome.name())]
        });
    }

    /// A decision was made as if every candidate were well.
    pub(crate) fn health_ignored(&self) {
        self.0.health_ignored.increment(1);
    }

    pub(crate) fn rows_written(&self, rows: u64) {
        self.0.rows_written.increment(rows);
    }

    pub(crate) fn rows_dropped(&self, cause: DropCause, rows: u64) {
        self.0.rows_dropped[cause as usize].increment(rows);
    }

    pub(crate) fn rows_lost(&self, at_least: u64, at_most: u64) {
        self.0.rows_missing.set(at_least as f64);
        self.0.rows_lost_at_most.set(at_most as f64);
    }

    pub(crate) fn segments_deleted(&self, segments: u64) {
        self.0.segments_deleted.increment(segments);
    }

    pub(crate) fn outcomes_accepted(&self, outcomes: u64) {
        self.0.outcomes_accepted.increment(outcomes);
    }

    /// A call whose outcomes were refused.
    pub(crate) fn outcomes_refused(&self, code: ErrorCode) {
        self.count(&self.0.outcomes_refused, code as usize, Metric::OutcomesRefused, || {
            vec![Label::new("code", code.name())]
        });
    }

    /// Folds the samples since the last call into buckets.
    pub(crate) fn upkeep(&self) {
        self.0.exposition.run_upkeep();
    }

    /// The text exposition.
    pub(crate) fn render(&self, now: &Gauges) -> String {
        let Gauges { queued_rows, in_flight, router } = now;
        self.0.queue_depth.set(*queued_rows as f64);
        self.0.in_flight.set(*in_flight as f64);
        let text = self.0.exposition.render() + &self.0.decisions.render();
        // Not a series of the recorder, which would go on to list every router there ever was.
        let info = router.as_ref().map(|digest| {
            format!(
                "# HELP farthing_router_info 1 for the router that is in use\n\
                 # TYPE farthing_router_info gauge\n\
                 farthing_router_info{{digest=\"{digest}\"}} 1\n"
            )
        });
        text + &info.unwrap_or_default()
    }

    /// Counts in a cell; its counter is registered when it first counts, so that an exposition lists
    /// what happened and not every combination that could.
    fn count(
        &self,
        cells: &Cells<Counter>,
        cell: usize,
        metric: Metric,
        labels: impl FnOnce() -> Vec<Label>,
    ) {
        let register = || self.0.recorder.register_counter(&metric.key(labels()), &METADATA);
        cells.get(cell, register).increment(1);
    }
}

/// What is measured only when somebody looks.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub(crate) queued_rows: usize,
    pub(crate) in_flight: usize,
    /// Digest of the router in service.
    pub(crate) router: Option<String>,
}

/// Handles by position, each made when it is first needed.
#[derive(Debug)]
struct Cells<T>(Vec<OnceLock<T>>);

impl<T: Clone> Cells<T> {
    fn new(cells: usize) -> Self {
        Self(vec![OnceLock::new(); cells])
    }

    fn get(&self, cell: usize, make: impl FnOnce() -> T) -> &T {
        self.0[cell].get_or_init(make)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
