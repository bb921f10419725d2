//! The `farthing` command: one thin module a subcommand.

mod add_model;
mod bench;
mod compare;
mod demo;
mod distill;
mod encoder;
mod eval;
mod failure;
mod import;
mod inspect;
mod key;
mod log;
mod log_input;
mod prices;
mod route;
mod rules;
#[cfg(test)]
mod schemas;
mod serve;
mod simulate;
mod term;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Learned LLM routing: the cheapest model that is good enough, for each prompt.
#[derive(Debug, Parser)]
#[command(name = "farthing", version, about, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Sample log -> train -> eval -> a decision, printed
    Demo(demo::Args),
    /// Turn foreign logs into an outcome log
    Import(import::Args),
    /// Train a router on an outcome log
    Train(train::Args),
    /// Cost and quality of a router on requests it has not seen
    Eval(eval::Args),
    /// One more candidate in a finished router, from a few hundred outcomes
    AddModel(add_model::Args),
    /// Every learner on the same folds
    Compare(compare::Args),
    /// A sentence encoder -> a static token table
    Distill(distill::Args),
    /// One decision, explained
    Route(route::Args),
    /// How long decisions take here, by length of the prompt
    Bench(bench::Args),
    /// What a router directory holds
    Inspect(inspect::Args),
    /// A new bearer key for clients of `serve`, and its digest
    Key(key::Args),
    /// Decisions over HTTP
    Serve(serve::Args),
    /// What a server logged -> an outcome log, or Parquet
    #[command(subcommand)]
    Log(log::Command),
    /// What the rules of a configuration would do
    #[command(subcommand)]
    Rules(rules::Command),
    /// Synthetic traffic with known truth
    Simulate(simulate::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::AddModel(args) => add_model::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Distill(args) => distill::run(&args),
        Command::Route(args) => route::run(&args),
        Command::Rules(command) => rules::run(&command),
        Command::Bench(args) => bench::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Key(args) => key::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Log(command) => log::run(&command),
        Command::Simulate(args) => simulate::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
