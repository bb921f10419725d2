//! What twice the log costs, in time and in memory, and what training costs beside reading.
//!
//! Ratios travel between machines, seconds do not: they are printed after criterion's own table.

#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use farthing_data::{Dataset, LogWriter, ReadOptions, Rejects, read_log};
use farthing_sim::{CONTEXT_COLUMN, Config, LABEL_COLUMN, LogPolicy, generate};
use farthing_train::{TrainConfig, train};

/// Requests of the smaller log; the larger one has twice as many. From here on the latent space is as wide
/// as it gets, and time grows no faster than requests.
const REQUESTS: usize = 2_600;

fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let logs = [REQUESTS, 2 * REQUESTS].map(|requests| log(dir.path(), requests));
    // Before the timing, and the smaller log first: what an allocator keeps would hide a peak.
    let peaks = [&logs[0], &logs[1]].map(|log| peak_kb(|| fit(read(log))));

    let mut criterion = Criterion::default().configure_from_args();
    let reading = time(&mut criterion, "read", REQUESTS, || drop(read(&logs[0])));
    let [once, twice] = [0, 1].map(|i| {
        let dataset = read(&logs[i]);
        time(&mut criterion, "train", dataset.records.len(), || fit(dataset.clone()))
    });
    criterion.final_summary();
    let ratio = |a: Duration, b: Duration| a.as_secs_f64() / b.as_secs_f64();
    println!("time of training on twice the requests: {:.2} times", ratio(twice, once));
    println!("time of training beside reading the log: {:.1} times", ratio(once, reading));
    if let [Some(once), Some(twice)] = peaks {
        println!("peak memory on twice the requests: {:.2} times ({once} kB)", twice / once);
    }
}

fn log(dir: &Path, requests: usize) -> PathBuf {
    let path = dir.join(format!("{requests}.parquet"));
    let extra = [CONTEXT_COLUMN.to_owned(), LABEL_COLUMN.to_owned()];
    let mut writer = LogWriter::create(&path, &extra).expect("the folder can be written");
    let traffic = generate(Config { rows: requests, seed: 0, log_policy: LogPolicy::Full });
    for row in traffic.flat_map(|request| request.rows) {
        writer.write(&row).expect("the log can be written");
    }
    writer.finish().expect("the log can be written");
    path
}

fn read(log: &Path) -> Dataset {
    let options = ReadOptions { labels: vec![LABEL_COLUMN.to_owned()], ..ReadOptions::default() };
    let read = read_log(&[log.to_owned()], &options, &mut Rejects::count_only(), &|_| ());
    read.expect("the log is whole").0
}

fn fit(dataset: Dataset) {
    train(dataset, &TrainConfig::default(), &|_| ()).expect("the log can be trained on");
}

/// The shortest of the runs that criterion makes.
fn time(criterion: &mut Criterion, name: &str, requests: usize, run: impl Fn()) -> Duration {
    let shortest = Cell::new(Duration::MAX);
    let mut group = criterion.benchmark_group("log");
    group.sample_size(10);
    group.bench_function(BenchmarkId::new(name, requests), |bencher| {
        bencher.iter_custom(|iterations| {
            let once = |_| {
                let start = Instant::now();
                run();
                let took = start.elapsed();
                shortest.set(shortest.get().min(took));
                took
            };
            (0..iterations).map(once).sum()
        });
    });
    group.finish();
    shortest.get()
}

/// The most memory that was resident meanwhile; known on Linux only.
fn peak_kb(run: impl Fn()) -> Option<f64> {
    // 5 sets the peak back to what is resident now; see proc(5).
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    run();
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().strip_suffix("kB")?.trim().parse().ok()
}
