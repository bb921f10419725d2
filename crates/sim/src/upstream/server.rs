//! Connections and requests: reads a request, asks `perform` what to do, and does it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::body::{Content, Sending};
use super::parameters::ScenarioError;
use super::perform::{Act, Asked, perform};
use super::received::{Note, split};
use super::reply::{JSON, Reply};
use super::scenario::Scenario;
use super::{Shared, lock};

/// The longest request that is read, in bytes.
const LONGEST_REQUEST: usize = 64 << 20;
/// Texts of flaky scenarios whose requests are counted; beyond, all start anew.
const MOST_FLAKY: usize = 1024;

/// Accepts until it is dropped, which ends the connections too.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = open.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    open.spawn(attend(stream, Arc::clone(&shared)));
                }
                // Too many open files, mostly: they may become fewer.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

/// Serves one connection until it ends or a scenario resets it.
async fn attend(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are small and complete; waiting for more to send only delays them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| {
        let (shared, reset) = (Arc::clone(&shared), Arc::clone(&reset));
        async move { answer(request, &shared, &reset).await }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A failed connection is what most scenarios are for.
        _ = &mut connection => {}
        () = reset.notified() => {
            let stream = connection.into_parts().io.into_inner();
            // Closing without lingering throws away what is unsent and sends RST.
            stream.set_zero_linger().ok();
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: &Shared,
    reset: &Notify,
) -> io::Result<Response<Sending>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LONGEST_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => Bytes::new(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let note = shared.journal.write(parts, body.clone());
    let act = act(shared, &note, &body);
    let reply = match act {
        Act::Reply(reply) => reply,
        Act::Silence => return std::future::pending().await,
        Act::Reset => {
            note.whole();
            reset.notify_one();
            return std::future::pending().await;
        }
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    Ok(respond(reply, |content| Sending::new(content, note)))
}

fn act(shared: &Shared, note: &Note, body: &Bytes) -> Act {
    let (text, path) = split(note.uri());
    let (method, headers) = (note.method(), note.headers());
    let refuse = |message: &str| Act::Reply(Reply::error(path, StatusCode::NOT_FOUND, message));
    if let (&Method::PUT, Some(name), "") = (method, text.strip_prefix('@'), path) {
        return match set(shared, name, body) {
            Ok(()) => Act::Reply(Reply::whole(StatusCode::NO_CONTENT, JSON, "")),
            Err(error) => refuse(&error.to_string()),
        };
    }
    match find(shared, text) {
        Ok(scenario) => {
            let turn = turn(shared, text, &scenario);
            perform(&scenario, &Asked { turn, method, path, headers, body })
        }
        Err(message) => refuse(&message),
    }
}

/// What `Upstream::set` does, for those in another process.
fn set(shared: &Shared, name: &str, text: &Bytes) -> Result<(), ScenarioError> {
    shared.set(name, String::from_utf8_lossy(text).trim().parse()?);
    Ok(())
}

fn respond(reply: Reply, send: impl FnOnce(Content) -> Sending) -> Response<Sending> {
    let mut response = Response::new(send(reply.content));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

/// The scenario of a path's first segment, or why there is none.
fn find(shared: &Shared, text: &str) -> Result<Arc<Scenario>, String> {
    match text.strip_prefix('@') {
        Some(name) => {
            let named = lock(&shared.named);
            named.get(name).cloned().ok_or_else(|| format!("no scenario was set for `@{name}`"))
        }
        None => text.parse().map(Arc::new).map_err(|error: ScenarioError| error.to_string()),
    }
}

/// How many requests came before with the same text of a flaky scenario; 0 for all others.
fn turn(shared: &Shared, text: &str, scenario: &Scenario) -> u64 {
    if !scenario.is_flaky() {
        return 0;
    }
    let mut flaky = lock(&shared.flaky);
    if flaky.len() >= MOST_FLAKY && !flaky.contains_key(text) {
        flaky.clear();
    }
    let count = flaky.entry(text.to_owned()).or_default();
    *count += 1;
    *count - 1
}
