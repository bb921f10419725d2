//! What is counted, under which name, with which labels.
//!
//! Label values come from closed sets: routes, error codes, reasons, and the policies and candidates
//! of a loaded router. Handles are registered once and kept, so counting is an atomic addition. The
//! recorder belongs to one server and is never installed globally: the `metrics` crate is used for its
//! lock-free handles (its histogram takes no mutex, unlike prometheus-client's), not for its macros.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use farthing_core::Reason;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::ErrorCode;
use crate::closed::{REASONS, reason_row};

/// How often histogram samples are folded into buckets; between two scrapes they would pile up.
pub(crate) const UPKEEP_PERIOD: Duration = Duration::from_secs(2);

const METADATA: Metadata<'_> = Metadata::new("farthing", Level::INFO, None);

/// Upper bounds of the decision-time buckets, in seconds.
const DECISION_BUCKETS: [f64; 12] =
    [10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3];

/// Routes as the `path` label shows them; anything else is `other`.
const PATHS: [&str; 10] = [
    "/v1/route",
    "/v1/route/batch",
    "/v1/outcomes",
    "/v1/models",
    "/v1/router",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "other",
];

/// Every metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Metric {
    Decisions,
    DecisionDuration,
    DecisionErrors,
    HttpRequests,
    LogQueueDepth,
    LogRowsDropped,
    LogRowsLostAtMost,
    LogRowsWritten,
    LogSegmentsDeleted,
    OutcomesAccepted,
    OutcomesRefused,
    RouterInfo,
}

enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Metric {
    const ALL: [Self; 12] = [
        Self::Decisions,
        Self::DecisionDuration,
        Self::DecisionErrors,
        Self::HttpRequests,
        Self::LogQueueDepth,
        Self::LogRowsDropped,
        Self::LogRowsLostAtMost,
        Self::LogRowsWritten,
        Self::LogSegmentsDeleted,
        Self::OutcomesAccepted,
        Self::OutcomesRefused,
        Self::RouterInfo,
    ];

    /// The table: name, kind and help text.
    fn row(self) -> (&'static str, Kind, &'static str) {
        match self {
            Self::Decisions => (
                "farthing_decisions_total",
                Kind::Counter,
                "Decisions by policy, choice and reason",
            ),
            Self::DecisionDuration => (
                "farthing_decision_duration_seconds",
                Kind::Histogram,
                "From the parsed request to the choice",
            ),
            Self::DecisionErrors => (
                "farthing_decision_errors_total",
                Kind::Counter,
                "Requests that got no decision, entries of batches included",
            ),
            Self::HttpRequests => (
                "farthing_http_requests_total",
                Kind::Counter,
                "HTTP requests by route and error code (`ok`: no error)",
            ),
            Self::LogQueueDepth => {
                ("farthing_log_queue_depth", Kind::Gauge, "Log rows that wait to be written")
            }
            Self::LogRowsDropped => {
                ("farthing_log_rows_dropped_total", Kind::Counter, "Decision rows lost, by cause")
            }
            Self::LogRowsLostAtMost => (
                "farthing_log_rows_lost_at_most",
                Kind::Gauge,
                "Decision rows that runs found dead at the start may have lost, an upper bound",
            ),
            Self::LogSegmentsDeleted => (
                "farthing_log_segments_deleted_total",
                Kind::Counter,
                "Sealed segments deleted for their age or for space",
            ),
            Self::OutcomesAccepted => (
                "farthing_outcomes_accepted_total",
                Kind::Counter,
                "Outcomes that are on disk and were acknowledged",
            ),
            Self::OutcomesRefused => (
                "farthing_outcomes_refused_total",
                Kind::Counter,
                "Calls whose outcomes were refused, by error code",
            ),
            Self::LogRowsWritten => {
                ("farthing_log_rows_written_total", Kind::Counter, "Log rows written")
            }
            Self::RouterInfo => {
                ("farthing_router_info", Kind::Gauge, "1 for the router that is in use")
            }
        }
    }

    fn key(self, labels: Vec<Label>) -> Key {
        Key::from_parts(self.row().0, labels)
    }
}

/// The metrics of one server.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    recorder: PrometheusRecorder,
    exposition: PrometheusHandle,
    duration: Histogram,
    http: Vec<OnceLock<Counter>>,
    refusals: Vec<OnceLock<Counter>>,
    queue_depth: Gauge,
    rows_dropped: [Counter; DropCause::ALL.len()],
    rows_lost_at_most: Gauge,
    rows_written: Counter,
    segments_deleted: Counter,
    outcomes_accepted: Counter,
    outcomes_refused: Vec<OnceLock<Counter>>,
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
        let duration = Metric::DecisionDuration.row().0.to_owned();
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(duration), &DECISION_BUCKETS)?
            .build_recorder();
        for metric in Metric::ALL {
            describe(&recorder, metric);
        }
        let counter =
            |metric: Metric| recorder.register_counter(&metric.key(Vec::new()), &METADATA);
        let codes = ErrorCode::ALL.len();
        Ok(Self(Arc::new(Inner {
            exposition: recorder.handle(),
            duration: recorder
                .register_histogram(&Metric::DecisionDuration.key(Vec::new()), &METADATA),
            http: vec![OnceLock::new(); PATHS.len() * (codes + 1)],
            refusals: vec![OnceLock::new(); codes],
            queue_depth: recorder.register_gauge(&Metric::LogQueueDepth.key(Vec::new()), &METADATA),
            rows_dropped: DropCause::ALL.map(|cause| {
                let labels = vec![Label::new("cause", cause.name())];
                recorder.register_counter(&Metric::LogRowsDropped.key(labels), &METADATA)
            }),
            rows_lost_at_most: recorder
                .register_gauge(&Metric::LogRowsLostAtMost.key(Vec::new()), &METADATA),
            rows_written: counter(Metric::LogRowsWritten),
            segments_deleted: counter(Metric::LogSegmentsDeleted),
            outcomes_accepted: counter(Metric::OutcomesAccepted),
            outcomes_refused: vec![OnceLock::new(); codes],
            recorder,
        })))
    }

    /// One answered HTTP request; `path` is the matched route.
    pub(crate) fn http_request(&self, path: Option<&str>, code: Option<ErrorCode>) {
        let other = PATHS.len() - 1;
        let row = path.and_then(|path| PATHS.iter().position(|p| *p == path)).unwrap_or(other);
        let column = code.map_or(ErrorCode::ALL.len(), |code| code as usize);
        let cell = &self.0.http[row * (ErrorCode::ALL.len() + 1) + column];
        self.count(cell, Metric::HttpRequests, || {
            let code = code.map_or("ok", ErrorCode::name);
            vec![Label::new("path", PATHS[row]), Label::new("code", code)]
        });
    }

    /// A request that got no decision.
    pub(crate) fn refusal(&self, code: ErrorCode) {
        let cell = &self.0.refusals[code as usize];
        self.count(cell, Metric::DecisionErrors, || vec![Label::new("code", code.name())]);
    }

    /// A decision of a loaded router.
    pub(crate) fn decision(&self, cells: &DecisionCells, made: Made<'_>, took: Duration) {
        self.0.duration.record(took);
        let (reason, name) = reason_row(made.reason);
        let policies = cells.policies.len() - 1;
        let policy = cells.policies[..policies].iter().position(|known| *known == made.policy);
        let policy = policy.unwrap_or(policies);
        let cell = (policy * cells.models.len() + made.model) * REASONS.len() + reason;
        self.count(&cells.counters[cell], Metric::Decisions, || {
            vec![
                Label::new("policy", cells.policies[policy].clone()),
                Label::new("model", cells.models[made.model].clone()),
                Label::new("reason", name),
            ]
        });
    }

    /// The router in use from now on.
    pub(crate) fn router(&self, digest: &str) {
        let labels = vec![Label::new("digest", digest.to_owned())];
        self.0.recorder.register_gauge(&Metric::RouterInfo.key(labels), &METADATA).set(1.0);
    }

    pub(crate) fn rows_written(&self, rows: u64) {
        self.0.rows_written.increment(rows);
    }

    pub(crate) fn rows_dropped(&self, cause: DropCause, rows: u64) {
        self.0.rows_dropped[cause as usize].increment(rows);
    }

    pub(crate) fn rows_lost_at_most(&self, rows: u64) {
        self.0.rows_lost_at_most.set(rows as f64);
    }

    pub(crate) fn segments_deleted(&self, segments: u64) {
        self.0.segments_deleted.increment(segments);
    }

    pub(crate) fn outcomes_accepted(&self, outcomes: u64) {
        self.0.outcomes_accepted.increment(outcomes);
    }

    /// A call whose outcomes were refused.
    pub(crate) fn outcomes_refused(&self, code: ErrorCode) {
        let cell = &self.0.outcomes_refused[code as usize];
        self.count(cell, Metric::OutcomesRefused, || vec![Label::new("code", code.name())]);
    }

    /// Folds the samples since the last call into buckets.
    pub(crate) fn upkeep(&self) {
        self.0.exposition.run_upkeep();
    }

    /// The text exposition.
    pub(crate) fn render(&self, queued_rows: usize) -> String {
        self.0.queue_depth.set(queued_rows as f64);
        self.0.exposition.render()
    }

    /// Counts in a cell; its counter is registered when it first counts, so that an exposition lists
    /// what happened and not every combination that could.
    fn count(&self, cell: &OnceLock<Counter>, metric: Metric, labels: impl FnOnce() -> Vec<Label>) {
        let register = || self.0.recorder.register_counter(&metric.key(labels()), &METADATA);
        cell.get_or_init(register).increment(1);
    }
}

fn describe(recorder: &PrometheusRecorder, metric: Metric) {
    let (name, kind, help) = metric.row();
    let (name, help) = (name.into(), help.into());
    match kind {
        Kind::Counter => recorder.describe_counter(name, None, help),
        Kind::Gauge => recorder.describe_gauge(name, None, help),
        Kind::Histogram => recorder.describe_histogram(name, Some(Unit::Seconds), help),
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// What a decision is counted by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    /// Name of the policy.
    pub(crate) policy: &'a str,
    /// Position of the choice.
    pub(crate) model: usize,
    /// Why it.
    pub(crate) reason: Reason,
}

/// One counter for each (policy, candidate, reason) of a router.
#[derive(Debug)]
pub(crate) struct DecisionCells {
    policies: Vec<String>,
    models: Vec<String>,
    counters: Vec<OnceLock<Counter>>,
}

impl DecisionCells {
    /// The last policy is `other`.
    pub(crate) fn new<'a>(policies: impl Iterator<Item = &'a String>, models: &[String]) -> Self {
        let policies: Vec<_> = policies.cloned().chain(["other".to_owned()]).collect();
        let cells = policies.len() * models.len() * REASONS.len();
        Self { policies, models: models.to_vec(), counters: vec![OnceLock::new(); cells] }
    }
}
