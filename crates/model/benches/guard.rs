//! Whether decisions have become slower: their time, as a ratio to a loop that stays as it is, against the
//! ratio in `guard.json`. A machine that is slower or busy is so for both.
//!
//! ```text
//! cargo bench --profile dev -p farthing-model --bench guard
//! ```
//!
//! fails where a ratio is half as large again as it was. `FARTHING_UPDATE_GUARD=1` writes the ratios anew.

#![expect(clippy::print_stdout, reason = "it says what it found")]
#![expect(clippy::expect_used, reason = "a bench that cannot start says why and stops")]

mod shared;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use farthing_core::{Request, RouteOptions};
use farthing_model::{Circumstances, Scorer};

/// A ratio may be so many times what it was.
const SLACK: f64 = 1.5;
/// Rounds over the prompts; the quickest counts, which no other program slowed down.
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    let table = shared::base_table();
    let requests = [20, 200, 2_000].map(|tokens| (tokens, shared::prompts(&table, tokens)));
    let router = shared::router(&table, 20, &requests[2].1);
    let mut found = BTreeMap::new();
    for (tokens, requests) in &requests {
        let (mut scorer, options) = (Scorer::default(), RouteOptions::default());
        let mut decide = |request: &Request| {
            black_box(
                router
                    .route(&mut scorer, request, &options, Circumstances::drawn(1.0))
                    .expect("a decision"),
            );
        };
        let [mut deciding, mut counting] = [Duration::MAX; 2];
        for _ in 0..ROUNDS {
            deciding = deciding.min(time(requests, &mut decide));
            counting = counting.min(time(requests, &mut count_words));
        }
        found.insert(tokens.to_string(), deciding.as_secs_f64() / counting.as_secs_f64());
    }
    compare(&found)
}

fn time(requests: &[Request], each: &mut impl FnMut(&Request)) -> Duration {
    let start = Instant::now();
    requests.iter().for_each(each);
    start.elapsed()
}

/// The loop that stays as it is: it too reads the text once, and looks every word up.
fn count_words(request: &Request) {
    let mut counts = HashMap::<String, u32>::new();
    for word in request.messages()[0].text.split(|c: char| !c.is_alphanumeric()) {
        *counts.entry(word.to_lowercase()).or_default() += 1;
    }
    black_box(counts);
}

fn compare(found: &BTreeMap<String, f64>) -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/guard.json");
    if std::env::var_os("FARTHING_UPDATE_GUARD").is_some() {
        let rounded = found.iter().map(|(tokens, ratio)| (tokens, (ratio * 100.0).round() / 100.0));
        let json = serde_json::to_string_pretty(&rounded.collect::<BTreeMap<_, _>>());
        std::fs::write(&path, json.expect("numbers are JSON") + "\n").expect("it can be written");
    }
    let known = std::fs::read(&path).expect("the ratios are in the repository");
    let known: BTreeMap<String, f64> = serde_json::from_slice(&known).expect("they are numbers");
    let mut slower = false;
    println!("tokens   decision / counting words   at most");
    for (tokens, ratio) in found {
        let limit = known.get(tokens).expect("there is a ratio for each length") * SLACK;
        slower |= *ratio > limit;
        println!("{tokens:>6}   {ratio:>25.2}   {limit:>7.2}");
    }
    if slower {
        println!(
            "decisions have become slower; hint: `cargo bench -p farthing-model --bench decision` shows the stage"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
