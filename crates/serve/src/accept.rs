//! Connections: accepting them, bounding them, and ending them without cutting an answer off.
//!
//! One rule bounds what a slow or silent client can hold: a connection on which no request is in
//! flight, and whose last one is longer ago than the idle time, is closed. That covers a head that
//! comes one byte at a time, a client that never sends anything, one that never reads its answer, and
//! connections kept open for nothing. It costs one timer a connection and idle time; a timer for each
//! head would be paid by each request. Bodies have their own time limit, in `body`.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use pin_project_lite::pin_project;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{Id, JoinSet};
use tower::Service as _;

use crate::App;
use crate::config::Limits;
use crate::metrics::{Metrics, Shed};
use crate::service::Answering;

/// No idle time is shorter, whatever is configured.
const SHORTEST_IDLE: Duration = Duration::from_millis(10);

/// Accepts the connections of one listener.
#[derive(Debug)]
pub(crate) struct Accept {
    app: App,
    most: usize,
    idle_timeout: Duration,
    drain_timeout: Duration,
    metrics: Metrics,
    open: JoinSet<()>,
    /// Dropping a connection's sender asks it to end after what is in flight.
    stops: HashMap<Id, oneshot::Sender<Infallible>>,
}

impl Accept {
    pub(crate) fn new(app: App, limits: &Limits, metrics: Metrics) -> Self {
        Self {
            app,
            most: limits.connections,
            idle_timeout: limits.idle_timeout.max(SHORTEST_IDLE),
            drain_timeout: limits.drain_timeout,
            metrics,
            open: JoinSet::new(),
            stops: HashMap::new(),
        }
    }

    /// Accepts until `stop` is ready, then lets what is in flight finish.
    pub(crate) async fn run(mut self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(ended) = self.open.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    self.stops.remove(&id);
                }
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.open(stream),
                    Err(error) => wait_for_room(&error).await,
                }
            }
        }
        drop(listener);
        self.stops.clear();
        let finished = async { while self.open.join_next().await.is_some() {} };
        if tokio::time::timeout(self.drain_timeout, finished).await.is_err() {
            let timeout = self.drain_timeout;
            tracing::warn!("some requests did not finish in {timeout:?} and were cut off");
        }
    }

    fn open(&mut self, stream: TcpStream) {
        if self.open.len() >= self.most {
            // Closed at once: a balancer then tries elsewhere, where a queue would make it wait.
            self.metrics.shed(Shed::Connections);
            return;
        }
        // Answers are small and complete; waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY: {error}");
        }
        let (stop, stopped) = oneshot::channel();
        let task = self.open.spawn(attend(stream, self.app.clone(), stopped, self.idle_timeout));
        self.stops.insert(task.id(), stop);
    }
}

/// An error of one connection says nothing about the next; one of the listener, as when there are too
/// many open files, may pass once others end.
async fn wait_for_room(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::error!("cannot accept a connection: {error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Serves one connection until it ends, is told to, or is idle.
async fn attend(
    stream: TcpStream,
    app: App,
    mut stopped: oneshot::Receiver<Infallible>,
    idle_timeout: Duration,
) {
    let activity = Arc::new(Activity::default());
    let service = Connected { app, activity: Arc::clone(&activity) };
    let builder = Builder::new(TokioExecutor::new());
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut looks = tokio::time::interval(idle_timeout);
    looks.reset();
    let mut stopping = false;
    let mut seen = 0;
    loop {
        tokio::select! {
            biased;
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!("a connection failed: {error}");
                }
                return;
            }
            _ = &mut stopped, if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = looks.tick() => {
                if activity.is_idle_since(&mut seen) {
                    return;
                }
            }
        }
    }
}

/// How many requests a connection has seen begin and end.
#[derive(Debug, Default)]
struct Activity {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Activity {
    /// Whether nothing is in flight and nothing has begun since the last look.
    fn is_idle_since(&self, seen: &mut u64) -> bool {
        let begun = self.begun.load(Relaxed);
        let idle = self.ended.load(Relaxed) == begun && begun == *seen;
        *seen = begun;
        idle
    }
}

/// The service of one connection.
struct Connected {
    app: App,
    activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for Connected {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Attended;

    fn call(&self, request: Request<Incoming>) -> Attended {
        self.activity.begun.fetch_add(1, Relaxed);
        Attended {
            answering: self.app.clone().call(request.map(Body::new)),
            _ending: Ending(Arc::clone(&self.activity)),
        }
    }
}

pin_project! {
    /// An answer in the making, and the note that it has ended.
    struct Attended {
        #[pin]
        answering: Answering,
        _ending: Ending,
    }
}

impl Future for Attended {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().answering.poll(cx)
    }
}

/// Counts the end of a request, whether it was answered or its client went away.
struct Ending(Arc<Activity>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}
