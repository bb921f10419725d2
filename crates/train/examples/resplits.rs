//! How often does the certificate lie? Fits one router, then certifies it on random halves of the
//! requests that it was not fitted on and looks at the other halves.
//!
//! `cargo run --release -p farthing-train --example resplits -- LOG [LABEL [ALPHA [TRIALS [A,B,..]]]]`
//!
//! `LABEL` may be `-` for none; `A,B,..` are the only candidates. With `delta` 0.05, 200 trials should have about 10 violations, and more than 17 in one run of a
//! hundred. The trials share one pool of requests, so their number varies more than that from pool
//! to pool.

#![expect(clippy::print_stdout, reason = "it is a table for a person")]

use std::path::Path;
use std::sync::Arc;

use farthing_data::{ReadOptions, Rejects, read_log};
use farthing_model::static_table::StaticTable;
use farthing_train::{Encoder, TrainConfig, resplit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let log = args.first().ok_or("usage: resplits LOG [LABEL [ALPHA [TRIALS [A,B,..]]]]")?;
    let labels = args.get(1).filter(|label| *label != "-").cloned().into_iter().collect();
    let alpha = args.get(2).map_or(Ok(0.1), |alpha| alpha.parse())?;
    let trials = args.get(3).map_or(Ok(200), |trials| trials.parse())?;
    let models = args.get(4).map(|models| models.split(',').map(str::to_owned).collect());
    let options = ReadOptions { labels, models, ..ReadOptions::default() };
    let mut rejects = Rejects::to_file(std::env::temp_dir().join("resplits.rejects.ndjson"));
    let (dataset, _) = read_log(&[log.into()], &options, &mut rejects, &|_| ())?;
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/base");
    let encoder = Encoder::Static(Arc::new(StaticTable::load(&base)?));
    let config = TrainConfig { alpha, encoder, ..TrainConfig::default() }.check()?;
    let found = resplit(dataset, &config, trials)?;
    println!(
        "{} requests that nothing was fitted on; {} of {} halves certified, {:.1} % of the rest downgraded on average, {} violations of alpha {alpha}\n",
        found.requests,
        found.certified,
        found.trials,
        100.0 * found.downgraded,
        found.violations,
    );
    println!("| threshold | downgraded | excess misses | misses |\n|---:|---:|---:|---:|");
    for rung in found.ladder {
        println!(
            "| {:.4} | {} | {:.1} % | {:.1} % |",
            rung.threshold,
            rung.downgraded,
            100.0 * rung.excess_rate,
            100.0 * rung.miss_rate
        );
    }
    Ok(())
}
