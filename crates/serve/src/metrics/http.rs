//! What is counted of HTTP: requests, their time, and what was turned away.

use std::time::Duration;

use metrics::{Counter, Histogram, Label, Recorder as _};

use super::{Cells, METADATA, Metric, Metrics};
use crate::ErrorCode;
use crate::endpoint::Endpoint;

/// Upper bounds of the buckets of request times, in seconds.
pub(super) const REQUEST_BUCKETS: [f64; 12] =
    [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 100e-3, 500e-3, 2.5];

/// What is turned away where there is too much of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shed {
    Requests,
    Queue,
    Connections,
    Bodies,
}

impl Shed {
    const ALL: [Self; 4] = [Self::Requests, Self::Queue, Self::Connections, Self::Bodies];

    fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Queue => "queue",
            Self::Connections => "connections",
            Self::Bodies => "bodies",
        }
    }
}

/// The handles of HTTP.
pub(super) struct HttpCells {
    requests: Cells<Counter>,
    durations: Cells<Histogram>,
    shed: Cells<Counter>,
}

/// Error codes, and one more for answers without an error.
const OUTCOMES: usize = ErrorCode::ALL.len() + 1;

impl HttpCells {
    pub(super) fn new() -> Self {
        Self {
            requests: Cells::new(Endpoint::COUNT * OUTCOMES),
            durations: Cells::new(Endpoint::COUNT),
            shed: Cells::new(Shed::ALL.len()),
        }
    }
}

impl Metrics {
    /// One answered request.
    pub(crate) fn answered(&self, endpoint: Endpoint, code: Option<ErrorCode>, took: Duration) {
        let cells = &self.0.http;
        let path = || Label::new("path", endpoint.name());
        let outcome = code.map_or(OUTCOMES - 1, |code| code as usize);
        let cell = endpoint.position() * OUTCOMES + outcome;
        self.count(&cells.requests, cell, Metric::HttpRequests, || {
            vec![path(), Label::new("code", code.map_or("ok", ErrorCode::name))]
        });
        let histogram = cells.durations.get(endpoint.position(), || {
            let key = Metric::HttpDuration.key(vec![path()]);
            self.0.recorder.register_histogram(&key, &METADATA)
        });
        histogram.record(took);
    }

    /// Something was turned away.
    pub(crate) fn shed(&self, what: Shed) {
        self.count(&self.0.http.shed, what as usize, Metric::Shed, || {
            vec![Label::new("what", what.name())]
        });
    }
}
