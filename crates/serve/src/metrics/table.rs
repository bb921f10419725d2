//! The table of metrics: their names, which say what kind they are, and help texts.

use metrics::{Key, Label, Recorder as _, Unit};
use metrics_exporter_prometheus::PrometheusRecorder;

/// Every metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Decisions,
    DecisionDuration,
    DecisionErrors,
    HttpRequests,
    HttpDuration,
    HttpInFlight,
    Shed,
    Reloads,
    HealthIgnored,
    LogQueueDepth,
    LogRowsDropped,
    LogRowsLostAtMost,
    LogRowsMissing,
    LogRowsWritten,
    LogSegmentsDeleted,
    OutcomesAccepted,
    OutcomesRefused,
}

impl Metric {
    pub(super) const ALL: [Self; 17] = [
        Self::Decisions,
        Self::DecisionDuration,
        Self::DecisionErrors,
        Self::HttpRequests,
        Self::HttpDuration,
        Self::HttpInFlight,
        Self::Shed,
        Self::Reloads,
        Self::HealthIgnored,
        Self::LogQueueDepth,
        Self::LogRowsDropped,
        Self::LogRowsLostAtMost,
        Self::LogRowsMissing,
        Self::LogRowsWritten,
        Self::LogSegmentsDeleted,
        Self::OutcomesAccepted,
        Self::OutcomesRefused,
    ];

    /// The table: name and help text.
    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Decisions => {
                ("farthing_decisions_total", "Decisions by policy, choice and reason")
            }
            Self::DecisionDuration => {
                ("farthing_decision_duration_seconds", "From the parsed request to the choice")
            }
            Self::DecisionErrors => (
                "farthing_decision_errors_total",
                "Requests that got no decision, entries of batches included",
            ),
            Self::HttpRequests => (
                "farthing_http_requests_total",
                "HTTP requests by route and error code (`ok`: no error)",
            ),
            Self::HttpDuration => (
                "farthing_http_request_duration_seconds",
                "From the head of a request to its answer",
            ),
            Self::HttpInFlight => (
                "farthing_http_requests_in_flight",
                "Requests in flight, probes and operations aside",
            ),
            Self::Shed => (
                "farthing_shed_total",
                "Requests, connections and bodies turned away where there were too many",
            ),
            Self::Reloads => (
                "farthing_reloads_total",
                "Looks at the router and at the settings, by what came of them; looking by the clock \
                 and finding nothing new is not counted",
            ),
            Self::HealthIgnored => (
                "farthing_health_ignored_total",
                "Decisions made as if every candidate were well, because none that could be chosen was",
            ),
            Self::LogQueueDepth => ("farthing_log_queue_depth", "Log rows that wait to be written"),
            Self::LogRowsDropped => {
                ("farthing_log_rows_dropped_total", "Decision rows lost, by cause")
            }
            Self::LogRowsLostAtMost => (
                "farthing_log_rows_lost_at_most",
                "Decision rows that runs found dead at the start may have lost, an upper bound",
            ),
            Self::LogRowsMissing => (
                "farthing_log_rows_missing",
                "Decision rows that runs found dead at the start have lost for certain, a lower bound",
            ),
            Self::LogSegmentsDeleted => (
                "farthing_log_segments_deleted_total",
                "Sealed segments deleted for their age or for space",
            ),
            Self::OutcomesAccepted => (
                "farthing_outcomes_accepted_total",
                "Outcomes that are on disk and were acknowledged",
            ),
            Self::OutcomesRefused => (
                "farthing_outcomes_refused_total",
                "Calls whose outcomes were refused, by error code",
            ),
            Self::LogRowsWritten => ("farthing_log_rows_written_total", "Log rows written"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    pub(super) fn help(self) -> &'static str {
        self.row().1
    }

    pub(super) fn key(self, labels: Vec<Label>) -> Key {
        Key::from_parts(self.name(), labels)
    }

    /// Tells a recorder what it is.
    pub(super) fn describe(self, recorder: &PrometheusRecorder) {
        let (name, help) = self.row();
        let help = help.into();
        if name.ends_with("_total") {
            recorder.describe_counter(name.into(), None, help);
        } else if name.ends_with("_seconds") {
            recorder.describe_histogram(name.into(), Some(Unit::Seconds), help);
        } else {
            recorder.describe_gauge(name.into(), None, help);
        }
    }
}
