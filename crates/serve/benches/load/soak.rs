//! The gateway under load for a long time, among upstreams that fail: whether its memory grows, and whether
//! a row of its log is lost.
//!
//! Half of what saturates it for as long as is asked, in slices; streams go beside. Clients leave answers
//! behind at the end of each slice, as clients do. At the end every decision that was counted has to be in
//! the log.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::gateway::{First, PATH};
use crate::generator::{self, Arrivals, Load, Outcome, To};
use crate::servers::Running;
use crate::{CONNECTIONS, body};

/// What instances do, beside one that is well.
const FAULTS: [&str; 8] = [
    "flaky,ratio=0.05",
    "slow,headers_ms=20,token_ms=1",
    "error,status=500",
    "rate_limited,retry_after=1",
    "reset",
    "not_json",
    "cut_stream,events=2",
    "error_event,events=2",
];
const SLICE: Duration = Duration::from_secs(30);
/// Slices before this share of the time warm up; the means of the quarter after it and of the last one are
/// compared, for a burst of large bodies moves a single value up or down.
const WARM: f64 = 0.1;
const QUARTER: f64 = 0.25;
/// Time between two streams.
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn measure(router: &Path, seconds: u64) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let upstream = Running::upstream()?;
    let gateway = Running::gateway(router, dir.path(), &upstream, &FAULTS)?;
    let (address, length) = (gateway.address, Duration::from_secs(seconds));
    let bodies = [body(200), body(2_000)];
    let rates = [rate(&gateway, &bodies[0])?, rate(&gateway, &bodies[1])?];
    println!("{}", Outcome::HEADER);
    let (over, streams) = (AtomicBool::new(false), AtomicU64::new(0));
    let memory = thread::scope(|scope| {
        let streaming = scope.spawn(|| stream(address, &bodies[0], &over, &streams));
        let slices = slices(&gateway, &bodies, rates, length);
        over.store(true, Relaxed);
        let streamed = streaming.join().unwrap_or_else(|_| bail!("the thread of streams died"));
        streamed.and(slices)
    })?;
    // Longer than the log takes to commit.
    thread::sleep(Duration::from_secs(2));
    let metrics = get(address, "/metrics")?;
    let (decisions, dropped) =
        (total(&metrics, "farthing_decisions_total"), total(&metrics, "farthing_log_rows_dropped"));
    let logged = rows(dir.path())?;
    let mean = |from: f64| {
        let of_quarter = memory.iter().filter(|(at, _)| (from..from + QUARTER).contains(at));
        let values: Vec<f64> = of_quarter.map(|(_, bytes)| *bytes as f64 / 1e6).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let (early, late) = (mean(WARM), mean(1.0 - QUARTER));
    println!(
        "\n{seconds} s: {decisions} decisions, {logged} in the log, {dropped} rows dropped; {} streams \
         to their end\nresident memory {early:.1} MB once warm, {late:.1} MB in the last quarter: {:+.1} %",
        streams.load(Relaxed),
        (late / early - 1.0) * 100.0,
    );
    for line in metrics.lines().filter(|line| line.starts_with("farthing_upstream_requests_total"))
    {
        println!("{line}");
    }
    if logged == decisions { Ok(()) } else { bail!("rows of the log are lost") }
}

/// Seconds between two requests at half of what saturates the gateway.
pub(crate) fn rate(gateway: &Running, body: &str) -> Result<f64> {
    let to = To { address: gateway.address, path: PATH, body };
    let duration = Duration::from_secs(6);
    let arrivals = Arrivals::AtOnce;
    let load = Load { connections: CONNECTIONS, arrivals, patience: None, duration };
    Ok(2.0 / generator::run(to, &load)?.per_second())
}

/// Slices of load, short and long requests in turn; memory at each by share of the time.
fn slices(
    gateway: &Running,
    bodies: &[String; 2],
    rates: [f64; 2],
    length: Duration,
) -> Result<Vec<(f64, u64)>> {
    let (start, mut resident) = (Instant::now(), Vec::new());
    for slice in 0_usize.. {
        let share = start.elapsed().as_secs_f64() / length.as_secs_f64();
        if share >= 1.0 {
            break;
        }
        let kind = slice % 2;
        let to = To { address: gateway.address, path: PATH, body: &bodies[kind] };
        let arrivals = Arrivals::Every(rates[kind]);
        let patience = Some(Duration::from_millis(100));
        let load = Load { connections: CONNECTIONS, arrivals, patience, duration: SLICE };
        let bytes = gateway.resident_bytes()?;
        resident.push((share, bytes));
        let (seconds, memory) = (start.elapsed().as_secs_f64(), bytes as f64 / 1e6);
        let name = format!("{seconds:>5.0} s, {memory:.1} MB");
        generator::run(to, &load)?.print(&name);
    }
    Ok(resident)
}

/// Streams, one after the other; every one that breaks is asked for on another connection.
fn stream(address: SocketAddr, body: &str, over: &AtomicBool, ended: &AtomicU64) -> Result<()> {
    let body = body.replacen('{', r#"{"stream":true,"#, 1);
    let mut connection = First::connect(address, PATH, &body)?;
    while !over.load(Relaxed) {
        match connection.first_token() {
            Ok(_) => drop(ended.fetch_add(1, Relaxed)),
            Err(_) => connection = First::connect(address, PATH, &body)?,
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Sum of the samples of a metric.
fn total(metrics: &str, name: &str) -> u64 {
    let samples = metrics.lines().filter(|line| line.starts_with(name));
    samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}

/// Decisions in the segments of a log.
fn rows(dir: &Path) -> Result<u64> {
    let mut rows = 0;
    for entry in dir.read_dir()? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            rows += u64::from(line?.starts_with(br#"{"type":"decision""#));
        }
    }
    Ok(rows)
}
