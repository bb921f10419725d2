//! What the gateway adds: beside the upstream alone and beside a bare reverse proxy made of the same
//! libraries, both with the same body.
//!
//! Gateway and proxy have the first core each in its turn, generator and upstream the second. The
//! throughput at saturation is compared, and at half of the gateway's the latency of all three. For
//! streams one client asks the upstream and the gateway in turn and times the first token.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::generator::{self, Arrivals, Load, Outcome, To};
use crate::servers::Running;
use crate::{CONNECTIONS, DURATION, body};

pub(crate) const PATH: &str = "/v1/chat/completions";
/// Streams that are timed, each way.
const STREAMS: usize = 1000;

pub(crate) fn measure(router: &Path) -> Result<()> {
    println!("{}", Outcome::HEADER);
    for tokens in [200, 2_000] {
        let body = body(tokens);
        let name = |what: &str| format!("{tokens} tokens, {what}");
        let dir = tempfile::tempdir()?;
        let upstream = Running::upstream()?;
        let gateway = Running::gateway(router, dir.path(), &upstream, &[])?;
        let saturated = load(&gateway, PATH, &body, Arrivals::AtOnce)?;
        saturated.print(&name("gateway, saturated"));
        let half = Arrivals::Every(2.0 / saturated.per_second());
        load(&gateway, PATH, &body, half)?.print(&name("gateway, half of that"));
        let direct = format!("/ok{PATH}");
        load(&upstream, &direct, &body, half)?.print(&name("upstream alone, as often"));
        let proxy = Running::proxy(&upstream)?;
        let bare = load(&proxy, PATH, &body, Arrivals::AtOnce)?;
        bare.print(&name("bare proxy, saturated"));
        load(&proxy, PATH, &body, half)?.print(&name("bare proxy, as often as the gateway"));
        let share = saturated.per_second() / bare.per_second();
        let memory = gateway.resident_bytes()? >> 20;
        println!(
            "{tokens} tokens: {share:.2} of the throughput of a bare proxy; {memory} MB resident"
        );
        streams(&gateway, &upstream, &body)?;
    }
    Ok(())
}

pub(crate) fn load(
    server: &Running,
    path: &str,
    body: &str,
    arrivals: Arrivals,
) -> Result<Outcome> {
    let to = To { address: server.address, path, body };
    generator::ask(to)?;
    let load = Load { connections: CONNECTIONS, arrivals, patience: None, duration: DURATION };
    generator::run(to, &load).context("the generator failed")
}

fn streams(gateway: &Running, upstream: &Running, body: &str) -> Result<()> {
    let body = body.replacen('{', r#"{"stream":true,"#, 1);
    let (mut direct, mut through) = (Vec::new(), Vec::new());
    let to = |address, path| First::connect(address, path, &body);
    let mut upstream = to(upstream.address, "/ok/v1/chat/completions")?;
    let mut gateway = to(gateway.address, PATH)?;
    for _ in 0..STREAMS {
        direct.push(upstream.first_token()?);
        through.push(gateway.first_token()?);
    }
    direct.sort_unstable();
    through.sort_unstable();
    for (name, at) in [("p50", STREAMS / 2), ("p99", STREAMS * 99 / 100)] {
        println!(
            "first token of a stream, {name}: {:.0?}, upstream alone {:.0?}",
            through[at], direct[at]
        );
    }
    println!();
    Ok(())
}

/// One connection that asks for streams.
pub(crate) struct First {
    reader: BufReader<TcpStream>,
    request: Vec<u8>,
}

impl First {
    pub(crate) fn connect(address: SocketAddr, path: &str, body: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let head =
            format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json");
        let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        Ok(Self { reader: BufReader::new(stream), request: request.into_bytes() })
    }

    /// Time until the first content; the stream is read to its end.
    pub(crate) fn first_token(&mut self) -> Result<Duration> {
        let start = Instant::now();
        self.reader.get_mut().write_all(&self.request)?;
        let (mut first, mut line) = (None, String::new());
        loop {
            line.clear();
            if self.reader.read_line(&mut line)? == 0 {
                return Err(anyhow::anyhow!("the server hung up"));
            }
            if first.is_none()
                && line.contains(r#""content":""#)
                && !line.contains(r#""content":"""#)
            {
                first = Some(start.elapsed());
            }
            if line.starts_with("0\r") {
                self.reader.read_line(&mut line)?;
                return first.context("a stream without content");
            }
        }
    }
}
