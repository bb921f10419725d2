//! `farthing demo`: the whole loop on the sample log.

mod gateway;

use std::path::PathBuf;
use std::time::Instant;

use farthing_data::{ReadOptions, Rejects, read_log};
use farthing_eval::EvalOptions;
use farthing_model::Router;
use farthing_train::TrainConfig;

use crate::encoder::EncoderArgs;
use crate::failure::Failure;
use crate::{eval, route, term, train};

/// Synthetic traffic, see `data/README.md`; in the binary, so that the demo needs no checkout.
const SAMPLE: &[u8] = include_bytes!("../../../../data/sample.parquet");

const PROMPTS: [&str; 2] = [
    "Translate to German: The meeting is moved to Thursday.",
    "Prove that for every prime p > 3 the number p^2 - 1 is divisible by 24, then generalise the argument \
     step by step to p^4 - 1 and give a counterexample where the bound is not tight.",
];

/// Flags of `farthing demo`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the sample log and the router go
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Forward requests as well: through the gateway to a simulated upstream, which needs no key
    #[arg(long)]
    gateway: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let start = Instant::now();
    let dir = args.dir.clone().unwrap_or_else(|| std::env::temp_dir().join("farthing-demo"));
    std::fs::create_dir_all(&dir).map_err(Failure::write(&dir))?;
    let (log, router_dir) = (dir.join("sample.parquet"), dir.join("router"));
    std::fs::write(&log, SAMPLE).map_err(Failure::write(&log))?;

    heading(
        "1. the log: one row per (request, candidate), with score and cost",
        &log.display().to_string(),
    );
    let options = ReadOptions::default();
    let mut rejects = Rejects::to_file(dir.join("rejects.ndjson"));
    let (dataset, report) = read_log(&[log], &options, &mut rejects, &|_| {})?;
    term::say_read(&report, &rejects);

    heading(
        "2. train: fit, calibrate, certify, and judge at the gate",
        &router_dir.display().to_string(),
    );
    let config =
        TrainConfig { encoder: EncoderArgs::default().encoder()?, ..TrainConfig::default() };
    train::train_and_write(dataset.clone(), &config, &router_dir)?;

    heading("3. eval: on the requests that training sealed away", "");
    let router = Router::load(&router_dir)?;
    let report = eval::report(&router_dir, &router, &dataset, &EvalOptions::default())?;
    term::print(&eval::render(&report))?;

    heading("4. route: one decision per prompt", "");
    for prompt in PROMPTS {
        let body = serde_json::from_value(serde_json::json!({ "prompt": prompt }))?;
        let (decided, took_us) = route::decide(&router, body)?;
        let decision = route::show(&decided, &router, took_us);
        term::print(&format!("\n> {prompt}\n{}", route::explain(&decision)))?;
    }
    if args.gateway {
        heading("5. gateway: the log's requests over HTTP, to upstreams that fail", "");
        gateway::run(&router_dir, &router, &dataset)?;
    }
    term::say(&format!(
        "\ndone in {:.1} s; next: farthing serve {}",
        start.elapsed().as_secs_f64(),
        router_dir.display()
    ));
    Ok(())
}

fn heading(title: &str, place: &str) {
    term::say(&format!("\n== {title} {place}"));
}
