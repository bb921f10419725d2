//! Sends one request again and again over many connections, and times the answers.
//!
//! One thread that never sleeps: it has a core of its own, and waking up would be counted as latency.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

/// What is asked, and where.
#[derive(Clone, Copy)]
pub(crate) struct To<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'a str,
    pub(crate) body: &'a str,
}

/// How often it is sent, and for how long.
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) arrivals: Arrivals,
    /// How long a request that is due waits for a free connection; then it is not sent.
    pub(crate) patience: Option<Duration>,
    pub(crate) duration: Duration,
}

/// When requests are due.
#[derive(Clone, Copy)]
pub(crate) enum Arrivals {
    /// As soon as a connection is free: closed loop.
    AtOnce,
    /// At fixed times so many seconds apart, whatever became of those before: open loop.
    Every(f64),
}

/// What came of it.
pub(crate) struct Outcome {
    /// From when a request was due to the end of its answer, ascending.
    latencies: Vec<Duration>,
    elapsed: Duration,
    /// Answered with another status than 200.
    refused: usize,
    /// Due while every connection was taken, for longer than the patience.
    unsent: usize,
}

/// Answers that come in this time are not counted.
const WARM_UP: Duration = Duration::from_secs(1);

impl Outcome {
    pub(crate) const HEADER: &str = "                                          answers/s   p50 us   p99 us  p99.9 us   refused    unsent";

    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    pub(crate) fn print(&self, name: &str) {
        let us = |per_mille: usize| {
            let rank = (per_mille * self.latencies.len()).div_ceil(1000);
            let at = rank.clamp(1, self.latencies.len().max(1)) - 1;
            self.latencies.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
        };
        println!(
            "{name:<40} {:>10.0} {:>8.0} {:>8.0} {:>9.0} {:>9} {:>9}",
            self.per_second(),
            us(500),
            us(990),
            us(999),
            self.refused,
            self.unsent,
        );
    }
}

struct Connection {
    stream: TcpStream,
    /// When the request that it waits for was due.
    due: Option<Instant>,
    answer: Vec<u8>,
}

/// Asks once; bytes of the answer's body.
pub(crate) fn ask(to: To<'_>) -> Result<usize> {
    let mut stream = std::net::TcpStream::connect(to.address)?;
    stream.write_all(&to.request())?;
    let mut answer = Vec::new();
    loop {
        let mut chunk = [0; 1 << 13];
        let read = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..read]);
        if let Some(found) = whole(&answer)? {
            let text = String::from_utf8_lossy(&answer);
            if found.status != 200 {
                bail!("the server refuses: {text}");
            }
            return Ok(found.body_bytes);
        }
        if read == 0 {
            bail!("the server hung up");
        }
    }
}

pub(crate) fn run(to: To<'_>, load: &Load) -> Result<Outcome> {
    let (address, request) = (to.address, to.request());
    let mut poll = Poll::new()?;
    let mut connections = (0..load.connections)
        .map(|i| {
            let mut stream = TcpStream::from_std({
                let stream = std::net::TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                stream
            });
            poll.registry().register(&mut stream, Token(i), Interest::READABLE)?;
            Ok(Connection { stream, due: None, answer: Vec::new() })
        })
        .collect::<Result<Vec<_>>>()?;
    let mut free: Vec<usize> = (0..load.connections).collect();
    let mut due = VecDeque::new();
    let mut events = Events::with_capacity(1024);
    let start = Instant::now();
    let (counted, end) = (start + WARM_UP, start + WARM_UP + load.duration);
    let mut next = start;
    let mut outcome =
        Outcome { latencies: Vec::new(), elapsed: load.duration, refused: 0, unsent: 0 };
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        match load.arrivals {
            Arrivals::AtOnce => due.extend(std::iter::repeat_n(now, free.len())),
            Arrivals::Every(seconds) => {
                while next <= now {
                    due.push_back(next);
                    next += Duration::from_secs_f64(seconds);
                }
            }
        }
        while let Some(connection) = free.pop_if(|_| !due.is_empty()) {
            connections[connection].due = due.pop_front();
            send(&mut connections[connection].stream, &request)?;
        }
        while let Some(patience) = load.patience
            && due.front().is_some_and(|&due: &Instant| now > due + patience)
        {
            due.pop_front();
            outcome.unsent += usize::from(now >= counted);
        }
        poll.poll(&mut events, Some(Duration::ZERO))?;
        if events.is_empty() {
            // Whoever shares the core is let through at once, and not when this thread's time is up.
            std::thread::yield_now();
        }
        for event in &events {
            let Token(at) = event.token();
            let connection = &mut connections[at];
            let Some(status) = receive(connection)? else { continue };
            let sent = connection.due.take().context("an answer to nothing")?;
            free.push(at);
            if sent < counted {
                continue;
            }
            if status == 200 {
                outcome.latencies.push(sent.elapsed());
            } else {
                outcome.refused += 1;
            }
        }
    }
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

impl To<'_> {
    fn request(&self) -> Vec<u8> {
        let Self { address: _, path, body } = self;
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

fn send(stream: &mut TcpStream, mut request: &[u8]) -> Result<()> {
    while !request.is_empty() {
        match stream.write(request) {
            Ok(written) => request = &request[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads what has come; the status of the answer once it is whole.
fn receive(connection: &mut Connection) -> Result<Option<u16>> {
    let mut chunk = [0; 1 << 14];
    loop {
        match connection.stream.read(&mut chunk) {
            Ok(0) => bail!("the server hung up"),
            Ok(read) => connection.answer.extend_from_slice(&chunk[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error.into()),
        }
    }
    let status = whole(&connection.answer)?.map(|answer| answer.status);
    if status.is_some() {
        connection.answer.clear();
    }
    Ok(status)
}

struct Answer {
    status: u16,
    body_bytes: usize,
}

/// The answer, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let length = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
    let length = length.context("an answer without a length")?;
    let body_bytes: usize = std::str::from_utf8(length.value)?.parse()?;
    let status = response.code.context("an answer without a status")?;
    Ok((bytes.len() >= head + body_bytes).then_some(Answer { status, body_bytes }))
}
