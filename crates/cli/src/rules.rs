//! `farthing rules`: what the rules of a configuration would do, tried out.

use std::path::PathBuf;

use chrono::DateTime;
use clap::Subcommand;
use farthing_core::rules::Rules;
use farthing_core::{Decision, Request, RouteBody, RouteOptions};
use farthing_data::{Dataset, ReadOptions, Record, Rejects, read_log};
use farthing_model::{Circumstances, Decided, RouteError, Router, Scorer};
use farthing_serve::{ServeError, load_router};
use serde::Serialize;

use crate::failure::Failure;
use crate::route;
use crate::serve::sources_of;
use crate::term;

/// What to do with rules.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A dry run: decisions with the rules of a configuration and without, nothing served
    Test(TestArgs),
}

/// Flags of `farthing rules test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// The configuration file of `farthing serve`
    #[arg(value_name = "CONFIG")]
    config: PathBuf,
    /// What is asked; `-` reads it from stdin
    #[arg(required_unless_present_any = ["file", "log"])]
    prompt: Option<String>,
    /// A request body as JSON: an OpenAI chat body or {"prompt": ".."}, with a `farthing` object
    #[arg(long, value_name = "F.json", conflicts_with = "prompt")]
    file: Option<PathBuf>,
    /// Every request of these outcome logs, at its own time
    #[arg(long, value_name = "LOG", conflicts_with_all = ["prompt", "file"])]
    log: Vec<PathBuf>,
    /// Columns of the log that are context
    #[arg(long, value_name = "COL,..", value_delimiter = ',', requires = "log")]
    context: Vec<String>,
    /// A router directory instead of the configuration's `router.path`
    #[arg(long, value_name = "DIR")]
    router: Option<PathBuf>,
    /// The time that rules see, such as 2026-01-31T22:15:00Z; without it, and where a log has no times,
    /// rules that ask for the time do not hold
    #[arg(long, value_name = "TIME", value_parser = unix_seconds)]
    at: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn unix_seconds(text: &str) -> Result<u64, String> {
    let time = DateTime::parse_from_rfc3339(text).map_err(|error| error.to_string())?;
    u64::try_from(time.timestamp()).map_err(|_| "before 1970".to_owned())
}

pub(crate) fn run(Command::Test(args): &Command) -> Result<(), Failure> {
    let config = sources_of(Some(args.config.clone()), args.router.clone()).resolve()?.config;
    let with = load_router(&config).map_err(ServeError::from)?;
    if with.rules().is_empty() {
        let message = "the configuration has no rules; hint: `deploy/farthing.toml` shows some";
        return Err(Failure::bad_input(message));
    }
    let without = with.clone().with_rules(&Rules::default());
    let routers =
        Routers { without: without.map_err(|e| Failure::bad_input(e.to_string()))?, with };
    if args.log.is_empty() {
        let body = route::body(args.file.as_deref(), args.prompt.as_deref())?;
        return one(&routers, body, args);
    }
    let options = ReadOptions { context: args.context.clone(), ..ReadOptions::default() };
    let mut rejects = Rejects::count_only();
    let bar = term::counter("reading rows");
    let read = read_log(&args.log, &options, &mut rejects, &|rows| bar.set_position(rows));
    bar.finish_and_clear();
    let (dataset, report) = read?;
    term::say_read(&report, &rejects);
    let tally = Tally::of(&routers, &dataset, args.at)?;
    if args.json { term::print_json(&tally) } else { term::print(&tally.explain()) }
}

/// The same router with and without rules.
struct Routers {
    with: Router,
    without: Router,
}

impl Routers {
    fn decide(
        &self,
        scorer: &mut Scorer,
        request: &Request,
        options: &RouteOptions,
        circumstances: Circumstances<'_>,
    ) -> [Result<Decided, RouteError>; 2] {
        [&self.without, &self.with]
            .map(|router| router.route(scorer, request, options, circumstances))
    }
}

/// Both decisions on one request.
#[derive(Debug, Serialize)]
struct Both<'a> {
    without_rules: Decision<'a>,
    with_rules: Decision<'a>,
}

fn one(routers: &Routers, body: RouteBody, args: &TestArgs) -> Result<(), Failure> {
    let (request, options) = body.check()?;
    let circumstances = Circumstances { unix_seconds: args.at, ..Circumstances::drawn(1.0) };
    let decided = routers.decide(&mut Scorer::default(), &request, &options, circumstances);
    let [without, with] = decided;
    let (without, with) = (without?, with?);
    let both = Both {
        without_rules: route::show(&without, &routers.without, 0.0),
        with_rules: route::show(&with, &routers.with, 0.0),
    };
    if args.json {
        return term::print_json(&both);
    }
    let Decision { rules, arm, model, .. } = &both.with_rules;
    let rules: Vec<_> = rules.iter().map(|name| format!("`{name}`")).collect();
    let held = if rules.is_empty() { "no rule holds".to_owned() } else { rules.join(", ") };
    let arm = arm.as_ref().map_or_else(String::new, |arm| format!("arm {arm}; "));
    let before = &both.without_rules.model;
    term::say(&format!("{arm}{held}; without rules {before}, with them {model}\n"));
    term::print(&route::explain(&both.with_rules))
}

/// What rules do to all requests of a log.
#[derive(Debug, Default, Serialize)]
struct Tally {
    requests: u64,
    /// At least one rule held.
    ruled: u64,
    /// Somebody else is chosen.
    changed: u64,
    /// Nobody is eligible with the rules, where somebody was without.
    refused: u64,
    /// In USD, of the requests that are answered both ways; `null` where one is not known.
    expected_usd: Option<[f64; 2]>,
    /// Mean over the same requests.
    expected_quality: [f64; 2],
    rules: Vec<RuleTally>,
}

#[derive(Debug, Serialize)]
struct RuleTally {
    name: String,
    held: u64,
    /// Requests among them that somebody else answers.
    changed: u64,
}

impl Tally {
    fn of(routers: &Routers, dataset: &Dataset, at: Option<u64>) -> Result<Self, Failure> {
        let names = routers.with.rules().list.iter().map(|rule| rule.name.to_string());
        let rules = names.map(|name| RuleTally { name, held: 0, changed: 0 }).collect();
        let mut tally = Self { rules, expected_usd: Some([0.0; 2]), ..Self::default() };
        let mut scorer = Scorer::default();
        let progress = term::steps(dataset.records.len());
        let total = dataset.records.len().max(1) as f64;
        for (position, record) in dataset.records.iter().enumerate() {
            let Record { request, timestamp_ms, .. } = record;
            let own = timestamp_ms.and_then(|ms| u64::try_from(ms / 1000).ok());
            // Arms come in their shares: a log has no sessions.
            let draw = (position as f64 + 0.5) / total;
            let circumstances =
                Circumstances { unix_seconds: own.or(at), ..Circumstances::drawn(draw) };
            let context = request.context.clone();
            let options = RouteOptions { context, ..RouteOptions::default() };
            let both = routers.decide(&mut scorer, request, &options, circumstances);
            tally.add(both)?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(tally)
    }

    fn add(&mut self, [without, with]: [Result<Decided, RouteError>; 2]) -> Result<(), Failure> {
        self.requests += 1;
        let without = without?;
        let with = match with {
            Ok(decided) => decided,
            Err(RouteError::NoneEligible(_)) => {
                self.refused += 1;
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let changed = u64::from(with.choice.ranked[0] != without.choice.ranked[0]);
        self.ruled += u64::from(!with.rules.is_empty());
        self.changed += changed;
        for rule in
            self.rules.iter_mut().filter(|rule| with.rules.iter().any(|name| **name == rule.name))
        {
            rule.held += 1;
            rule.changed += changed;
        }
        for (side, decided) in [without, with].into_iter().enumerate() {
            let expected = &decided.predictions[decided.choice.ranked[0]];
            self.expected_quality[side] += expected.quality;
            self.expected_usd = self.expected_usd.zip(expected.cost_usd).map(|(mut sum, usd)| {
                sum[side] += usd;
                sum
            });
        }
        Ok(())
    }

    fn explain(&self) -> String {
        let rows = self.rules.iter().map(|RuleTally { name, held, changed }| {
            [name.clone(), held.to_string(), changed.to_string()]
        });
        let table = term::table(["rule", "held", "another choice"], rows.collect());
        let Self { requests, ruled, changed, refused, .. } = self;
        let usd = self.expected_usd.map_or("not known".to_owned(), |[without, with]| {
            format!("{without:.4} USD without rules, {with:.4} with them")
        });
        let answered = (requests - refused).max(1) as f64;
        let [without, with] = self.expected_quality.map(|sum| sum / answered);
        format!(
            "{table}\n{requests} requests: a rule holds for {ruled}, another choice for {changed}, \
             nobody left for {refused}\nexpected cost: {usd}\nexpected quality: {without:.4} without \
             rules, {with:.4} with them\n"
        )
    }
}
